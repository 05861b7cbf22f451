"""What the upstream said of one project, as data, and the page that this registry makes of it.

For: the modules beside this one. Pure. The address of a file at the upstream stays here: a page of ours names files by
project, digest and name only, so that no client ever says what shall be fetched.
"""

from __future__ import annotations

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from modelwright.registry.index.pages import IndexFile, ProjectPage
from modelwright.registry.projects import Status
from modelwright.registry.storing.store import FOLDER, Key, key_at
from modelwright.spec.struct import Frozen

PATH = "upstream"
"""Where files of the upstream are on this registry: ``/upstream/NAME/SHA256/FILENAME``."""


class Announced(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """One file that the upstream announced.

    Attributes:
        filename: Its name; a wheel or an sdist of the project.
        url: Where the upstream has it; never shown.
        sha256: Its digest, 64 hexadecimal digits.
        version: Version that its name says, normalised.
        size: Size, bytes; ``None``: not said.
        uploaded: RFC 3339; empty: not said.
        requires_python: ``Requires-Python``; empty: any.
        metadata_sha256: Digest of its metadata file; empty: there is none that can be checked.
        yanked: Why it is yanked; ``None``: it is not.
    """

    filename: str
    url: str
    sha256: str
    version: str
    size: int | None = None
    uploaded: str = ""
    requires_python: str = ""
    metadata_sha256: str = ""
    yanked: str | None = None

    @property
    def key(self) -> Key:
        """Where it is kept."""
        return Key(self.sha256, self.filename)


class Snapshot(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """A page of the upstream, as it was read.

    Attributes:
        name: Name of the project, normalised.
        files: What may be offered of it.
        serial: A number made from the page's bytes.
        checked: When the upstream last said so, seconds since 1970.
        etag: The page's entity tag; empty: it has none.
        modified: The page's ``Last-Modified``; empty: it has none.
        status: PEP 792.
        status_reason: Why.
        tracks: URLs of the projects that own the name: this registry only passes it on (PEP 708).
    """

    name: str
    files: tuple[Announced, ...]
    serial: int
    checked: float
    etag: str = ""
    modified: str = ""
    status: Status = "active"
    status_reason: str = ""
    tracks: tuple[str, ...] = ()

    def find(self, sha256: str, filename: str) -> Announced | None:
        """Return a file by digest and name, ``None`` if it was not announced."""
        return next((file for file in self.files if (file.sha256, file.filename) == (sha256, filename)), None)


def page_of(snapshot: Snapshot) -> ProjectPage:
    """Return the page that this registry shows.

    Attestations are not passed on: whoever wants them asks the upstream, which signs for them.

    Args:
        snapshot: What the upstream said.
    """
    files = [
        IndexFile(
            filename=file.filename,
            path=f"{PATH}/{snapshot.name}/{file.sha256}/{file.filename}",
            sha256=file.sha256,
            size=file.size,
            uploaded=file.uploaded,
            requires_python=file.requires_python,
            metadata_sha256=file.metadata_sha256,
            yanked=file.yanked,
        )
        for file in snapshot.files
    ]
    return ProjectPage(
        name=snapshot.name,
        files=tuple(files),
        versions=tuple(sorted({file.version for file in snapshot.files}, key=Version)),
        serial=snapshot.serial,
        status=snapshot.status,
        status_reason=snapshot.status_reason,
        tracks=snapshot.tracks,
    )


def version_in(filename: str, name: str) -> str:
    """Return the version in the name of a wheel or an sdist of a project; empty: it is none.

    Args:
        filename: The file's name.
        name: The project's name, normalised.

    Example:
        >>> version_in("numpy-2.3.0-cp311-cp311-linux_x86_64.whl", "numpy"), version_in("numpy-2.3.0.exe", "numpy")
        ('2.3.0', '')
    """
    try:
        if filename.endswith(".whl"):
            project, version, *_ = parse_wheel_filename(filename)
        else:
            project, version = parse_sdist_filename(filename)
    except (InvalidWheelFilename, InvalidSdistFilename):
        return ""
    return str(version) if project == name else ""


def storable(sha256: str, filename: str) -> bool:
    """Say whether a digest and a name are ones that a file can be kept under; the store's own rule decides.

    Example:
        >>> storable("ab" * 32, "a-1.whl"), storable("ab" * 32, "../a-1.whl"), storable("", "a-1.whl")
        (True, False, False)
    """
    return key_at(f"{FOLDER}/{sha256[:2]}/{sha256}/{filename}") is not None
