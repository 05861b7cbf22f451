"""What an index says about one project, as data: from it HTML and JSON are rendered.

For: operating, which makes such pages from a project and a stage, and the renderers beside this module.

Source: Simple repository API (PEP 503, 592, 629, 658, 691, 700, 708, 714, 740, 792).
"""

from __future__ import annotations

from modelwright.registry.projects import Status
from modelwright.spec.struct import Frozen


class IndexFile(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """One file on a project's page.

    Attributes:
        filename: File name.
        path: Where it is, relative to the root of the registry (``files/ab/abcd…/NAME``), or an absolute URL.
        sha256: Digest; empty if an upstream gave none.
        size: Size, bytes; ``None`` if an upstream gave none.
        uploaded: RFC 3339 UTC; empty if unknown.
        requires_python: ``Requires-Python``; empty: any.
        metadata_sha256: Digest of ``FILENAME.metadata``; empty: there is none.
        yanked: Why installers shall not choose it by themselves; ``None``: it is not yanked.
        provenance: Whether ``FILENAME.provenance`` is there (PEP 740).
    """

    filename: str
    path: str
    sha256: str = ""
    size: int | None = None
    uploaded: str = ""
    requires_python: str = ""
    metadata_sha256: str = ""
    yanked: str | None = None
    provenance: bool = False


class ProjectPage(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """The page of one project in one view.

    Attributes:
        name: PEP 503 normalised.
        files: Its files, lowest version first.
        versions: Versions that have files, lowest first (PEP 700).
        serial: What the page is cached under.
        status: PEP 792.
        status_reason: Why.
        tracks: URLs of the projects this one is the same as, elsewhere (PEP 708).
        alternate_locations: URLs of other indexes that carry the same project (PEP 708).
    """

    name: str
    files: tuple[IndexFile, ...]
    versions: tuple[str, ...]
    serial: int
    status: Status = "active"
    status_reason: str = ""
    tracks: tuple[str, ...] = ()
    alternate_locations: tuple[str, ...] = ()
