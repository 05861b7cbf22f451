"""What each view of the index shows of a project: a pure function from the project to its page.

Called by the static index and by the application. ``/simple/`` shows everything; a stage shows what was promoted.
"""

from __future__ import annotations

from collections.abc import Mapping

from packaging.version import Version

from modelwright.registry.index.pages import IndexFile, ProjectPage
from modelwright.registry.projects import Placement, Project, Release, StoredFile
from modelwright.registry.storing.store import Key

EVERYTHING = ""
"""The view that is no stage."""
NOWHERE: Mapping[str, tuple[str, ...]] = {}


def page_of(
    project: Project, stage: str = EVERYTHING, *, alternates: Mapping[str, tuple[str, ...]] = NOWHERE
) -> ProjectPage | None:
    """Return a project's page in a view.

    Args:
        project: The project.
        stage: Name of a stage; empty: everything.
        alternates: By project, pages of other indexes that carry the same (PEP 708). A stage is ours alone.

    Returns:
        ``None`` if the view does not show the project: a model that was never promoted to the stage, or one of which
        nothing is left. What is no model has no stages, and every view shows all of it.
    """
    if project.kind != "model" or stage == EVERYTHING:
        files = [_entry(file, release.yanked) for release in project.releases for file in release.files]
    else:
        files = list(_staged(project, stage))
    if not files:
        return None
    quarantined = project.status == "quarantined"
    shown = {file.filename for file in files}
    versions = [one.version for one in project.releases if any(file.filename in shown for file in one.files)]
    return ProjectPage(
        name=project.name,
        # PEP 792: of a quarantined project nothing is offered.
        files=() if quarantined else tuple(files),
        versions=() if quarantined else tuple(sorted(versions, key=Version)),
        serial=project.serial,
        status=project.status,
        status_reason=project.status_reason,
        alternate_locations=alternates.get(project.name, ()) if stage == EVERYTHING else (),
    )


def _staged(project: Project, stage: str) -> list[IndexFile]:
    """Return the files of the current release, and those of every release that was it before, yanked."""
    last = {placement.version: placement for placement in project.placements if placement.stage == stage}
    current = project.current(stage)
    files: list[IndexFile] = []
    for release in project.releases:
        placement = last.get(release.version)
        if placement is not None:
            reason = _why_not(placement, current, release)
            files += [_entry(file, reason) for file in release.files if file.sha256 in placement.files]
    return files


def _why_not(placement: Placement, current: Placement | None, release: Release) -> str | None:
    if release.yanked is not None:
        return release.yanked
    if current is not None and current.version == release.version:
        return None
    if placement.withdrawn:
        return f"rolled back from {placement.stage}"
    return f"superseded in {placement.stage}" + (f" by {current.version}" if current else "")


def _entry(file: StoredFile, yanked: str | None) -> IndexFile:
    return IndexFile(
        filename=file.filename,
        path=Key(file.sha256, file.filename).path,
        sha256=file.sha256,
        size=file.size,
        uploaded=file.uploaded,
        requires_python=file.requires_python,
        metadata_sha256=file.metadata_sha256,
        yanked=yanked,
        provenance=file.provenance,
    )
