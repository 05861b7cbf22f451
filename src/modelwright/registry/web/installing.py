"""The lines that install a release, on the pages of a project and of a version, with the stages to choose from."""

from __future__ import annotations

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from modelwright.errors import LoginError, NotAllowedError, UnknownReleaseError
from modelwright.registry.index.install import InstallLines, lines_for
from modelwright.registry.projects import Project, Release
from modelwright.registry.service import Service
from modelwright.registry.web.requests import Request, Site
from modelwright.spec.struct import Frozen

MOST_ASKED = 100
"""Requirements that are looked for in the registry."""


class InstallView(Frozen, frozen=True, kw_only=True):
    """What is shown.

    Attributes:
        lines: The lines.
        version: The release that they install.
        stage: The stage that they install from; empty: from everything that was published.
        choices: Stages that run the release or, on the page of a project, any release.
        anonymous: Whether they work without a token.
    """

    lines: InstallLines
    version: str
    stage: str
    choices: tuple[str, ...]
    anonymous: bool


def install_view(
    site: Site, service: Service, request: Request, project: Project, release: Release | None
) -> InstallView | None:
    """Return the lines for a release, or for what a stage runs.

    Args:
        site: Says whether libraries come from the same index.
        service: Says which requirements are of this registry.
        request: May name a stage.
        project: The project.
        release: The release; ``None``: whatever the stage runs.

    Returns:
        ``None`` if there is nothing that one would install by itself.
    """
    if project.kind == "weights" or not project.releases:
        return None
    running = [one for one in service.stages if (current := project.current(one)) and _meant(current.version, release)]
    asked = request.query.get("stage", "")
    stage = asked if asked in running else "" if asked == "any" or not running else running[-1]
    current = project.current(stage)
    version = current.version if current else (release or project.latest or project.releases[-1]).version
    lines = lines_for(
        request.base_url,
        project,
        version=version,
        stage=stage,
        proxies_upstream=site.settings.upstream is not None,
        local=_local(service, project.release(version)),
    )
    return InstallView(
        lines=lines,
        version=version,
        stage=stage,
        choices=tuple(running),
        anonymous=site.settings.anonymous_read,
    )


def _meant(version: str, release: Release | None) -> bool:
    return release is None or release.version == version


def _local(service: Service, release: Release | None) -> set[str]:
    """Return which of a release's requirements are projects of this registry."""
    found = set()
    for text in release.requires[:MOST_ASKED] if release else ():
        try:
            found.add(service.project(canonicalize_name(Requirement(text).name)).name)
        except (InvalidRequirement, LoginError, NotAllowedError, UnknownReleaseError):
            continue
    return found
