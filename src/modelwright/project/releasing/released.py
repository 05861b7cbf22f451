"""Find the releases of a project among the wheels in its ``dist`` folder.

Called by :mod:`~modelwright.project.releasing.bump`. It reads file names; only the wheel that is chosen is opened.
Source: PyPA "Binary distribution format", file name convention.
"""

from __future__ import annotations

from pathlib import Path

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version

Releases = dict[Version, Path]
"""One wheel of each version."""


def find_releases(folder: Path, name: str) -> Releases:
    """Return the wheels of a distribution in a folder, by version; other files are passed over.

    Example:
        >>> find_releases(Path("no-such-folder"), "churn")
        {}
    """
    found: Releases = {}
    for path in sorted(folder.glob("*.whl")):
        try:
            said, version, _, _ = parse_wheel_filename(path.name)
        except InvalidWheelFilename:
            continue
        if said == canonicalize_name(name):
            found.setdefault(version, path)
    return found


def newest(releases: Releases, *, up_to: str) -> Path | None:
    """Return the newest release that is not above a version; pre-releases count only where there is no other.

    What Semantic Versioning promises, it promises from one final release to the next: 1.2.0 is judged by what changed
    since 1.1.0, not since 1.2.0rc1.

    Example:
        >>> wheels = {Version(text): Path(text) for text in ("1.0", "1.1", "1.2rc1", "2.0")}
        >>> newest(wheels, up_to="1.2"), newest(wheels, up_to="0.9")
        (PosixPath('1.1'), None)
    """
    below = [version for version in releases if version <= Version(up_to)]
    final = [version for version in below if not version.is_prerelease]
    chosen = max(final or below, default=None)
    return None if chosen is None else releases[chosen]
