"""Say whether a version number is honest: one model, and no more compatibility promised than the change allows. Pure.

Called when the wheel of a model is published, with the release before it and the wheels that its own release has. The
changes are those that ``modelwright diff`` finds without running anything, so that whoever publishes can see the same
beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from packaging.version import Version

from modelwright.errors import Problem, VersionStepError
from modelwright.inspecting.changes import Verdict
from modelwright.inspecting.diff import compare
from modelwright.package import Package
from modelwright.registry.projects import Project, Release

_MAY_DIFFER = frozenset(("interpreters", "lock", "pins"))
"""What wheels of one release may differ in: what each was proved on."""


class Neighbours(NamedTuple):
    """The releases that a new wheel is compared with, of those that have a wheel; ``None``: there is none.

    Attributes:
        before: The one its version makes its promise about.
        beside: The one that has its version already.
    """

    before: Release | None
    beside: Release | None


def neighbours(project: Project | None, version: str) -> Neighbours:
    """Return the releases of a project that a wheel of this version is compared with.

    An sdist alone cannot be compared with anything, and one in between would hide a change.
    """
    built = [release for release in project.releases if release.wheels] if project else []
    beside = next((one for one in built if Version(one.version) == Version(version)), None)
    return Neighbours(release_before(built, version), beside)


def judge_wheel(found: Neighbours, new: Callable[[], Package], opened: Callable[[Release], Package]) -> Verdict | None:
    """Return the version step that the changes of a new wheel ask for; ``None``: there is no release before it.

    Args:
        found: The releases it is compared with.
        new: Opens the new wheel; not called if there is nothing to compare it with.
        opened: Opens a wheel of a release.

    Raises:
        VersionStepError: The version is too low, or its release holds another model.
        PackageError: One of the packages cannot be read.
    """
    if found.beside is not None:
        one_model(opened(found.beside), new())
    return honest(opened(found.before), new()) if found.before is not None else None


def one_model(there: Package, new: Package) -> None:
    """Refuse a wheel that would put a second model into a release.

    A release may have several wheels, each proved on other interpreters; what answers has to be the same in all.

    Raises:
        VersionStepError: The model, its code, signature, metrics or data are others.
        PackageError: One of the packages cannot be read.
    """
    changes = [change for change in compare(there, new, None).changes if change.about not in _MAY_DIFFER]
    if changes:
        name, version = new.manifest.name, new.manifest.version
        raise VersionStepError(
            f"{name} {version} is there already, and this is another model.",
            where=f"{name} {version}",
            why="Which of the two somebody gets would depend on their interpreter, and gates look at one.",
            hint=f"modelwright bump; for more interpreters: modelwright verify --python 3.12 {name}-{version}-*.whl",
            problems=[Problem(None, None, change.what, item=change.about) for change in changes],
        )


def release_before(releases: Iterable[Release], version: str) -> Release | None:
    """Return the release that a version makes its promise about: the highest final one below it.

    Pre-releases and development releases promise nothing, so that nothing is held against them: 2.0.0 and 2.0.0rc2
    are both compared with 1.3.0, whatever 2.0.0rc1 was. A yanked release counts; a deleted one is not among them.

    Args:
        releases: The releases that are there and have a wheel: an sdist alone cannot be compared with anything, and
            one in between would hide a change.
        version: The version that is published.

    Example:
        >>> known = [Release(version=one, created="", publisher="") for one in ("1.2.0", "1.3.0", "2.0.0rc1", "3.0")]
        >>> release_before(known, "2.0.0").version
        '1.3.0'
    """
    new = Version(version)
    final = [one for one in releases if not Version(one.version).is_prerelease and Version(one.version) < new]
    return max(final, key=lambda one: Version(one.version), default=None)


def honest(before: Package, after: Package) -> Verdict:
    """Return the version step that the changes ask for, if the new version makes at least that.

    A pre-release counts as the version it leads to (2.0.0rc1 honours a MAJOR change of 1.3.0); a post-release
    promises that nothing but the packaging changed; a development release promises nothing.

    Args:
        before: The release that the new one makes its promise about, see :func:`release_before`.
        after: The new release.

    Raises:
        VersionStepError: The version is too low; every change that asks for more is named, and the lowest version
            that would do.
        PackageError: One of the packages cannot be read.
    """
    report = compare(before, after, None)
    verdict, new = report.verdict, Version(after.manifest.version)
    if verdict.honoured or new.is_devrelease:
        return verdict
    old = before.manifest.version
    problems = [
        Problem(None, None, change.what, item=change.about)
        for change in report.changes
        if change.level == verdict.level
    ]
    raise VersionStepError(
        f"{after.manifest.name} {new} promises more than it keeps: what changed since {old} is {verdict.level}.",
        where=f"{old} → {new}",
        why=f"{_meaning(verdict)} The next honest version is {verdict.expected}.",
        hint=f"modelwright bump, or capture it as {verdict.expected}; modelwright diff shows every change.",
        problems=problems,
    )


def _meaning(verdict: Verdict) -> str:
    return {
        "MAJOR": "Rows or code that worked with the release before no longer do.",
        "MINOR": "It was retrained or can do more, so answers may differ.",
        "PATCH": "Something changed, and a version says what it is.",
    }[verdict.level]
