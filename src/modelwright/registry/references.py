"""References to releases: ``name``, ``name==1.3.0``, ``name@production``; parsed here and nowhere else.

For: :class:`modelwright.registry.registry.Registry` and the command line. Pure: text or a
:class:`~modelwright.registry.projects.Project` in, an answer out; it asks no registry.
"""

from __future__ import annotations

import re

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from modelwright.errors import RequestError, UnknownReleaseError
from modelwright.registry.projects import Project, Release
from modelwright.runtime.suggestions import nearest
from modelwright.spec.struct import Frozen

LONGEST = 300
"""Characters of a reference; more is a mistake, or somebody trying."""
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_REFERENCE = re.compile(rf"({_NAME})(?:\s*==\s*([A-Za-z0-9.!+_-]+)|@([a-z][a-z0-9-]*))?")
"""Source: names, PyPA "Names and normalization"; versions, PEP 440; stages, ``registry.toml``."""
SHOWN_VERSIONS = 5


class Reference(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """What a reference says.

    Attributes:
        name: Name of the project, PEP 503 normalised.
        version: The release, PEP 440 normalised; empty: none is named.
        stage: The stage whose current release is meant; empty: none is named.
    """

    name: str
    version: str = ""
    stage: str = ""

    def __str__(self) -> str:
        """Give the reference as it is typed."""
        if self.stage:
            return f"{self.name}@{self.stage}"
        return f"{self.name}=={self.version}" if self.version else self.name


def parse_reference(text: str) -> Reference:
    """Parse a reference to a release.

    Raises:
        RequestError: It is none.

    Example:
        >>> parse_reference("Churn@production")
        Reference(name='churn', version='', stage='production')
        >>> str(parse_reference("churn == 1.3"))
        'churn==1.3'
    """
    match = _REFERENCE.fullmatch(text.strip()) if len(text) <= LONGEST else None
    if match is None:
        raise RequestError(f"{text[:80]!r} names no release.", hint="Write name, name==1.3.0 or name@production.")
    name, version, stage = match.groups()
    return Reference(name=canonicalize_name(name), version=_version(version) if version else "", stage=stage or "")


def _version(text: str) -> str:
    try:
        return str(Version(text))
    except InvalidVersion as error:
        raise RequestError(f"{text!r} is no version (PEP 440).", hint="Write one like 1.3.0.") from error


def find_release(project: Project, reference: Reference, stages: tuple[str, ...]) -> Release:
    """Return the release of a project that a reference means.

    A name alone means the highest final version that is not yanked; a stage means what it runs now.

    Args:
        project: The project.
        reference: What is meant.
        stages: The registry's stages, first to last.

    Raises:
        UnknownReleaseError: There is no such stage or version, or the stage runs nothing.
    """
    wanted = reference.version
    if reference.stage:
        check_stage(reference.stage, stages)
        placement = project.current(reference.stage)
        if placement is None:
            raise _nothing_runs(project, reference.stage)
        wanted = placement.version
    found = project.release(wanted) if wanted else project.latest
    if found is None:
        raise unknown_version(project, wanted)
    return found


def check_stage(stage: str, stages: tuple[str, ...]) -> None:
    """Refuse a stage that a registry does not have.

    Raises:
        UnknownReleaseError: There is no such stage; the nearest one is suggested.

    Example:
        >>> try:
        ...     check_stage("prod", ("dev", "production"))
        ... except UnknownReleaseError as error:
        ...     error.hint
        "Did you mean 'production'?"
    """
    if stage not in stages:
        meant = nearest(stage, stages) or next((one for one in stages if stage and one.startswith(stage)), "")
        hint = f"Did you mean {meant!r}?" if meant else f"The stages are {', '.join(stages)}."
        raise UnknownReleaseError(f"There is no stage {stage!r}.", hint=hint)


def unknown_version(project: Project, version: str) -> UnknownReleaseError:
    """Return the error for a version that a project does not have, with those that it has."""
    versions = [release.version for release in project.releases]
    if version and project.was_deleted(version):
        return deleted_version(project, version)
    if not versions:
        return UnknownReleaseError(f"{project.name} has no releases any more.")
    meant = nearest(version, versions)
    newest = ", ".join(reversed(versions[-SHOWN_VERSIONS:]))
    return UnknownReleaseError(
        f"There is no {project.name} {version}." if version else f"{project.name} has no release to choose.",
        why=f"The newest are {newest}." if len(versions) > 1 else f"The only one is {newest}.",
        hint=f"Did you mean {project.name}=={meant}?" if meant else f"modelwright show {project.name}",
    )


def deleted_version(project: Project, version: str) -> UnknownReleaseError:
    """Return the error for a version that was deleted, of which the log still tells everything."""
    return UnknownReleaseError(
        f"{project.name} {version} was deleted.",
        why="It never comes back; the log has who published it, what it was and where it ran.",
        hint=f"modelwright history {project.name}=={version}",
    )


def unknown_project(name: str, names: list[str]) -> UnknownReleaseError:
    """Return the error for a project that a registry does not have, with the name that is nearest.

    Example:
        >>> unknown_project("chrun", ["churn", "fraud"]).hint
        "Did you mean 'churn'?"
    """
    meant = nearest(name, names)
    return UnknownReleaseError(
        f"There is no {name!r} in this registry.",
        hint=f"Did you mean {meant!r}?" if meant else "modelwright list",
    )


def nothing_to_return_to(project: Project, stage: str) -> UnknownReleaseError:
    """Return the error for a stage that ran nothing before what it runs now."""
    current = project.current(stage)
    return UnknownReleaseError(
        f"There is nothing that {stage} could return to.",
        where=f"{project.name} in {stage}",
        why=f"It runs {current.version}, and ran nothing before that could be installed now."
        if current
        else "It runs nothing.",
        hint=f"modelwright history {project.name}",
    )


def _nothing_runs(project: Project, stage: str) -> UnknownReleaseError:
    latest = project.latest
    placed = [one for one in project.placements if one.current]
    where = ", ".join(f"{one.stage} runs {one.version}" for one in placed)
    version = latest.version if latest else "VERSION"
    return UnknownReleaseError(
        f"{stage} runs no {project.name} yet.",
        why=f"{where}." if where else "It was never promoted to any stage.",
        hint=f"modelwright promote {project.name} {version} --to {stage}",
    )
