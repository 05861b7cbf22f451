"""What carries over to another system: said feature by feature, so that nobody finds out in production.

For: exporters, which state it; the report, the README and the command line, which show it. Pure data.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from modelwright.spec.struct import Frozen

Fidelity = Literal["kept", "changed", "lost"]


class Carried(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """What becomes of one feature.

    Attributes:
        feature: The feature, in the words of the documentation.
        fidelity: ``kept``: as here; ``changed``: there, but otherwise; ``lost``: not there.
        note: How, or what to do instead.
    """

    feature: str
    fidelity: Fidelity
    note: str = ""


def kept(feature: str, note: str = "") -> Carried:
    """Say that a feature is there as it is here."""
    return Carried(feature=feature, fidelity="kept", note=note)


def changed(feature: str, note: str) -> Carried:
    """Say that a feature is there, and how it differs."""
    return Carried(feature=feature, fidelity="changed", note=note)


def lost(feature: str, note: str) -> Carried:
    """Say that a feature is not there, and what to do instead."""
    return Carried(feature=feature, fidelity="lost", note=note)


def as_markdown(carried: Iterable[Carried]) -> str:
    """Return a table for a README.

    Example:
        >>> print(as_markdown([lost("shadow", "use the mesh")]))
        | feature | here | how |
        | --- | --- | --- |
        | shadow | lost | use the mesh |
    """
    rows = [f"| {_cell(one.feature)} | {one.fidelity} | {_cell(one.note)} |" for one in carried]
    return "\n".join(["| feature | here | how |", "| --- | --- | --- |", *rows])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
