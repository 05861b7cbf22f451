"""Compare the model captured in a project with a release of it.

Called by :mod:`~modelwright.project.releasing.bump`. Both models are run where that is possible; a release that cannot
be run on this machine any more is compared by its documents, and that is said.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from modelwright.errors import EnvironmentBuildError, ReleaseError
from modelwright.inspecting.changes import Verdict, judge
from modelwright.inspecting.diff import BehaviourMode, DiffReport, compare, diff
from modelwright.inspecting.installers import InstallerName
from modelwright.inspecting.read import Reference, read
from modelwright.package import FolderFiles, Package, open_folder
from modelwright.project.releasing.released import Releases, newest
from modelwright.steps import Listener, ignore


class Comparison(NamedTuple):
    """What changed since a release.

    Attributes:
        report: What ``diff`` found; ``None``: there is no release yet.
        behaviour: Whether both models were run (``compared``), or why not.
    """

    report: DiffReport | None
    behaviour: str = ""

    @property
    def version(self) -> str:
        """Version of the release; empty without one."""
        return self.report.old.version if self.report else ""

    @property
    def old(self) -> str:
        """The release as a requirement (``churn==1.0.0``); empty without one."""
        return f"{self.report.old.name}=={self.report.old.version}" if self.report else ""

    @property
    def changed(self) -> bool:
        """Whether anything changed; before the first release, everything."""
        return self.report is None or bool(self.report.changes)

    def verdict(self, version: str) -> Verdict | None:
        """Judge a version by the changes; ``None`` before the first release."""
        return judge(self.report.changes, old=self.version, new=version) if self.report else None


def find_reference(releases: Releases, against: Reference | None, *, name: str, version: str) -> Reference | None:
    """Return the release to compare with: the one that was named, else the newest in ``dist``.

    Raises:
        ReleaseError: The one that was named is of another model.
        UnknownPackageError: It leads to no package.
    """
    if against is None:
        return newest(releases, up_to=version)
    package = read(against)
    if package.manifest.name != name:
        raise ReleaseError(
            f"{package.manifest.name} {package.manifest.version} is not a release of {name}.",
            where=package.files.where,
            hint="Give a release of the same name with --against, or none.",
        )
    return package


def compare_with(
    release: Reference | None,
    package: Package,
    *,
    version: str,
    behaviour: BehaviourMode,
    python: str | None = None,
    offline: bool = False,
    installer: InstallerName = "auto",
    trust: Iterable[str] = (),
    cache: Path | None = None,
    listener: Listener = ignore,
) -> Comparison:
    """Compare a captured model with a release of it.

    Args:
        release: The release; ``None``: there is none.
        package: The model in the project.
        version: The version the project says it has; the manifest may still say another one.
        behaviour: Whether to run both models, where anything changed at all.
        python: Python to run both on.
        offline: Whether only the installer's cache may be used.
        installer: What makes the environments.
        trust: Types that the caller vouches for.
        cache: Folder of kept environments.
        listener: Told about each step.

    Raises:
        PackageError: A package cannot be read.
        IntegrityError: A file is not the one that was captured.
        ModelwrightError: A model does not run in its environment.
    """
    if release is None:
        return Comparison(None)
    old = read(release)
    written = compare(old, package, None)
    if behaviour == "skip" or not written.changes:
        return Comparison(written, "skipped" if written.changes else "")
    with tempfile.TemporaryDirectory(prefix="modelwright-bump-") as folder:
        runnable = package if package.manifest.version == version else _apart(package, Path(folder))
        try:
            report = diff(
                old,
                runnable,
                behaviour="run",
                python=python,
                offline=offline,
                installer=installer,
                trust=trust,
                cache=cache,
                listener=listener,
            )
        except EnvironmentBuildError as error:
            return Comparison(written, f"not compared: {error.what}")
    return Comparison(report, "compared")


def _apart(package: Package, folder: Path) -> Package:
    """Copy a package away from a pyproject.toml that contradicts its manifest, which nobody could build."""
    assert isinstance(package.files, FolderFiles), "it is in a project"
    source = package.files.root / package.import_name
    shutil.copytree(source, folder / package.import_name, ignore=shutil.ignore_patterns("__pycache__"))
    return open_folder(folder)
