"""Open a model project to release it: where it is, what it says its version is, and what is released already.

Called by :mod:`~modelwright.project.releasing.bump`. It reads and checks; it changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from modelwright.building.project import discover, read_toml
from modelwright.package import FolderFiles, Package
from modelwright.project.releasing.holders import Holder, find_holders
from modelwright.project.releasing.released import Releases, find_releases
from modelwright.project.releasing.stamping import check_untouched
from modelwright.spec.naming import check_version


@dataclass(frozen=True)
class Releasable:
    """A model project, as far as a release needs to know it.

    Attributes:
        root: Folder of the project.
        package: The model that is captured in it.
        folder: The import package on disk.
        holders: The places that say the version, beside the manifest.
        releases: Wheels in its ``dist`` folder.
    """

    root: Path
    package: Package
    folder: Path
    holders: tuple[Holder, ...]
    releases: Releases

    @property
    def version(self) -> str:
        """The version the project says it has; where only the manifest says one, that."""
        return check_version(self.holders[0].version) if self.holders else self.package.manifest.version


def open_releasable(path: Path) -> Releasable:
    """Open a project, and check that its model is the one that was captured.

    Args:
        path: Folder of the project, or one in it.

    Raises:
        UnknownPackageError: There is no captured model.
        ReleaseError: It says several versions.
        ProjectError: A file of it cannot be read.
        IntegrityError: Code or artifacts are not those that were captured.
    """
    root = _root(path.resolve())
    document = read_toml(root / "pyproject.toml") if (root / "pyproject.toml").is_file() else {}
    package = discover(root, document, str(root / "pyproject.toml"))
    assert isinstance(package.files, FolderFiles), "discover looks into folders only"
    folder = package.files.root / package.import_name
    check_untouched(package.manifest, folder)
    holders = find_holders(root, folder)
    return Releasable(root, package, folder, holders, find_releases(root / "dist", package.manifest.name))


def _root(path: Path) -> Path:
    """Return the nearest folder around a path that is a project; without one, the path itself."""
    marks = ("pyproject.toml", "setup.py", "setup.cfg")
    return next((one for one in (path, *path.parents) if any((one / mark).is_file() for mark in marks)), path)
