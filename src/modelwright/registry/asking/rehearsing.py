"""Publishing without publishing: every check that a registry makes of a file, made beforehand.

For: :meth:`modelwright.registry.registry.Registry.rehearse`, ``modelwright publish --dry-run``. The checks are the
registry's own functions; what they compare with is asked of the registry, wherever it is. It stores and logs nothing.
"""

from __future__ import annotations

from pathlib import Path

from modelwright.errors import UnknownReleaseError
from modelwright.inspecting.changes import Verdict
from modelwright.package import open_wheel
from modelwright.registry.admitting.admit import Admitted, Announced, admit
from modelwright.registry.asking.parcels import attestations_beside
from modelwright.registry.asking.reading import open_release
from modelwright.registry.deciding.honesty import judge_wheel, neighbours
from modelwright.registry.deciding.places import check_open, there_already
from modelwright.registry.projects import Project
from modelwright.registry.service import Publication, Service
from modelwright.steps import Listener, timed


def rehearse(service: Service | None, path: Path, *, listener: Listener) -> Publication:
    """Say what would become of a file if it were published.

    Args:
        service: The registry; ``None``: it would be made, and has nothing yet.
        path: The file.
        listener: Told about it.

    Raises:
        UploadError: It is not one that an index may carry.
        TakenError: Its name is taken by other bytes, or was deleted.
        VersionStepError: Its version promises more compatibility than the change allows.
        NotAllowedError: The project takes no files.
    """
    with timed("check", listener) as note:
        note.detail = path.name
        return _checked(service, path)


def _checked(service: Service | None, path: Path) -> Publication:
    admitted = admit(path, path.name, announced=Announced(), attestations=attestations_beside(path))
    project = _project(service, admitted.project) if service else None
    if project is not None:
        check_open(project, admitted.kind, admitted.filename)
        there = there_already(project, admitted.filename, admitted.sha256)
        if there is not None:
            return Publication(project=project.name, version=there.version, file=there.file, new=False)
    verdict = _verdict(service, project, admitted, path) if service and project else None
    return Publication(
        project=admitted.project,
        version=admitted.version,
        file=admitted.stored(),
        new=True,
        verdict=verdict.level if verdict else "",
        reasons=verdict.reasons if verdict else (),
    )


def _project(service: Service, name: str) -> Project | None:
    try:
        return service.project(name)
    except UnknownReleaseError:
        return None


def _verdict(service: Service, project: Project, admitted: Admitted, path: Path) -> Verdict | None:
    if admitted.kind != "model" or admitted.packagetype != "bdist_wheel":
        return None
    return judge_wheel(
        neighbours(project, admitted.version),
        lambda: open_wheel(path, sha256=admitted.sha256),
        lambda release: open_release(service, project, release),
    )
