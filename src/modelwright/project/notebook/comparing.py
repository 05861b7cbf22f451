"""Compare what a notebook and the project made from it noted under the same keys.

Called by proving. Pure: fingerprints in, an answer out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from modelwright.spec.struct import Frozen

Agreement = Literal["equal", "close", "different", "not comparable", "missing"]
Verdict = Literal["equal", "close", "different"]

RELATIVE = 1e-6
"""Numbers that differ by no more, relative to the larger one, are close: sums in another order differ by less."""
ABSOLUTE = 1e-9
"""Numbers that differ by no more are close, however small they are."""
_FIRST = ("measured.", "prediction")
_SHAPES = ("kind", "shape", "names", "types")


class Fingerprint(Frozen, frozen=True, kw_only=True):
    """What :mod:`~modelwright.project.notebook.recorder` wrote about a value; the meaning of the fields is there.

    Attributes:
        key: The name it was noted under.
        cell: The cell that made it; 0: none, it comes from a project.
        kind: What kind of thing it is.
        type: Name of its type.
        text: How it reads, if it is short.
        shape: Its shape.
        names: Names of its columns.
        types: Types of its columns.
        sha256: Digest of its content.
        numbers: Some of its numbers, as ``repr`` writes them.
    """

    key: str
    cell: int = 0
    kind: str
    type: str = ""
    text: str = ""
    shape: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    sha256: str = ""
    numbers: tuple[str, ...] = ()


class Compared(Frozen, frozen=True, kw_only=True):
    """What became of one key.

    Attributes:
        key: ``measured.accuracy``, ``prediction``, ``features.frame``.
        cell: The cell of the notebook that makes the value; 0: none does.
        agreement: Whether both sides agree.
        difference: Largest difference between two numbers, relative to the larger; 0 unless close or different.
        detail: What differs, or the value if it is a number, half a line.
    """

    key: str
    cell: int = 0
    agreement: Agreement
    difference: float = 0.0
    detail: str = ""


def compare(notebook: Iterable[Fingerprint], project: Iterable[Fingerprint]) -> tuple[Compared, ...]:
    """Compare two runs key by key, in the order of the notebook; of what was noted twice, the last counts.

    Args:
        notebook: What the notebook noted, in order.
        project: What the project noted.

    Returns:
        Metrics and predictions first, then the rest in the order of the notebook.
    """
    left, right = _last(notebook), _last(project)
    keys = [*left, *(key for key in right if key not in left)]
    compared = [_compared(key, left, right) for key in keys]
    return tuple(sorted(compared, key=lambda one: not one.key.startswith(_FIRST)))


def verdict_of(compared: Sequence[Compared]) -> Verdict:
    """Return the worst agreement; a value that only one side has, or nothing to compare at all, is ``different``.

    Example:
        >>> verdict_of([Compared(key="a", agreement="equal"), Compared(key="b", agreement="not comparable")])
        'equal'
    """
    found = {one.agreement for one in compared}
    if found & {"different", "missing"} or not found & {"equal", "close"}:
        return "different"
    return "close" if "close" in found else "equal"


def parting(compared: Sequence[Compared]) -> str:
    """Return where the two sides part: the first cell whose value differs. Empty: they do not.

    Example:
        >>> parting([Compared(key="features.df", cell=9, agreement="different", detail="41 rows, not 40")])
        'cell 9: features.df differs from here on (41 rows, not 40)'
    """
    parted = [one for one in compared if one.agreement in ("different", "missing")]
    if not parted:
        return "" if any(one.agreement in ("equal", "close") for one in compared) else "nothing could be compared"
    first = min(parted, key=lambda one: (one.cell or math.inf, one.agreement == "missing"))
    place = f"cell {first.cell}: " if first.cell else ""
    what = "is missing on one side" if first.agreement == "missing" else "differs from here on"
    return f"{place}{first.key} {what}" + (f" ({first.detail})" if first.detail else "")


def _last(fingerprints: Iterable[Fingerprint]) -> dict[str, Fingerprint]:
    found: dict[str, Fingerprint] = {}
    for one in fingerprints:
        found[one.key] = one
    return found


def _compared(key: str, left: Mapping[str, Fingerprint], right: Mapping[str, Fingerprint]) -> Compared:
    one, other = left.get(key), right.get(key)
    cell = one.cell if one else 0
    if one is None:  # its name stood for something else by then
        return Compared(key=key, cell=cell, agreement="not comparable", detail="the notebook does not keep it")
    if other is None:
        return Compared(key=key, cell=cell, agreement="missing", detail="the project has no such value")
    if "not comparable" in (one.kind, other.kind):
        return Compared(key=key, cell=cell, agreement="not comparable", detail=one.type)
    if one.sha256 == other.sha256:
        return Compared(key=key, cell=cell, agreement="equal", detail=one.text)
    for name in _SHAPES:
        mine, theirs = getattr(one, name), getattr(other, name)
        if mine != theirs:
            return Compared(key=key, cell=cell, agreement="different", detail=_difference(name, mine, theirs))
    return _within(one, other)


def _difference(name: str, mine: str | tuple[object, ...], theirs: str | tuple[object, ...]) -> str:
    if isinstance(mine, str) or isinstance(theirs, str):
        return f"{name} {mine}, in the project {theirs}"
    if name == "shape":
        return f"shape {_shape(mine)}, in the project {_shape(theirs)}"
    only = [str(item) for item in mine if item not in theirs] or [str(item) for item in theirs if item not in mine]
    return f"{name} differ: {', '.join(only[:4])}" if only else f"{name} stand in another order"


def _shape(shape: tuple[object, ...]) -> str:
    return " × ".join(map(str, shape)) or "none"


def _within(one: Fingerprint, other: Fingerprint) -> Compared:
    """Compare the numbers of two values whose contents differ."""
    mine, theirs = [float(number) for number in one.numbers], [float(number) for number in other.numbers]
    if not mine or len(mine) != len(theirs):
        detail = f"{one.text}, in the project {other.text}" if one.text and other.text else "the content differs"
        return Compared(key=one.key, cell=one.cell, agreement="different", detail=detail)
    differences = [_relative(a, b) for a, b in zip(mine, theirs, strict=True)]
    largest = max(differences)
    close = 0 < largest <= RELATIVE
    if largest == 0:
        detail = "the content differs, the numbers looked at do not"
    elif one.text and other.text:
        detail = f"{one.text}, in the project {other.text}"
    else:
        detail = f"{sum(map(bool, differences))} of {len(mine)} numbers looked at"
    agreement: Agreement = "close" if close else "different"
    return Compared(key=one.key, cell=one.cell, agreement=agreement, difference=largest, detail=detail)


def _relative(a: float, b: float) -> float:
    """Return how far two numbers are apart, relative to the larger one; NaN equals NaN."""
    if a == b or (math.isnan(a) and math.isnan(b)):
        return 0.0
    if not (math.isfinite(a) and math.isfinite(b)):
        return math.inf
    apart = abs(a - b)
    return min(apart, RELATIVE) if apart <= ABSOLUTE else apart / max(abs(a), abs(b))
