"""What an export says of itself: which versions, which files, what carries over. Frozen data.

For: ``mw.export``, which returns it; the command line, which shows it; the folder, which holds it as ``export.json``.
"""

from __future__ import annotations

from modelwright.exchange.fidelity import Carried
from modelwright.spec.struct import Frozen


class ExportedFile(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """One file of the folder.

    Attributes:
        path: Its path in the folder, ``/`` between parts.
        sha256: Its digest.
        size: Its size, bytes.
    """

    path: str
    sha256: str
    size: int


class ExportedVariant(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """One version.

    Attributes:
        name: ``control`` or ``canary``.
        version: Version of the package.
        sha256: Digest of its wheel.
        weight: Its share of the requests, percent.
    """

    name: str
    version: str
    sha256: str
    weight: float


class Export(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """An export.

    Attributes:
        target: Where it goes: the name of the exporter.
        model: Name of the model.
        variants: The versions, the control first.
        files: Every file of the folder but ``export.json`` itself, sorted.
        carried: What carries over, and what does not.
        commands: What to do next in the folder.
        folder: Where it is; empty in ``export.json``.
    """

    target: str
    model: str
    variants: tuple[ExportedVariant, ...]
    files: tuple[ExportedFile, ...]
    carried: tuple[Carried, ...]
    commands: tuple[str, ...] = ()
    folder: str = ""
