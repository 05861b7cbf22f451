"""Take releases back and close projects: yank, delete, status, owners.

Called by :class:`~.local.LocalService`. A yank can be undone, a deletion cannot: the file names stay taken for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, update

from modelwright.errors import NotAllowedError, RequestError
from modelwright.registry.audit import Action, Entry
from modelwright.registry.deciding.access import Deed
from modelwright.registry.deciding.facts import weights_version
from modelwright.registry.operating.desk import Desk, checked_reason, need_reason, the_release
from modelwright.registry.projects import Project, Release, Status
from modelwright.registry.state.database import Transaction
from modelwright.registry.state.queries import load_project
from modelwright.registry.state.tables import files, owners, placements, projects, releases
from modelwright.registry.storing.store import Key
from modelwright.spec.weights import SUFFIX

STATUSES: tuple[Status, ...] = ("active", "archived", "quarantined", "deprecated")
LONGEST_OWNER = 200
"""Characters."""

Change = Callable[[Transaction, Project, Entry], Entry]
"""Changes a project within a transaction and returns what to log of it."""


def yank(desk: Desk, name: str, version: str, *, reason: str) -> Project:
    """Keep installers from choosing a release by themselves; see :meth:`Service.yank`."""

    def change(transaction: Transaction, project: Project, attempt: Entry) -> Entry:
        release = the_release(project, version)
        _allow_withdrawing(desk, project, release)
        _set_release(transaction, project, release.version, {"yanked": need_reason(reason, "A yank")})
        return replace(attempt, version=release.version, sha256=release.digest)

    return _change(desk, "yank", "yank", name, change, version=version, reason=reason)


def unyank(desk: Desk, name: str, version: str, *, reason: str) -> Project:
    """Take back a yank; see :meth:`Service.unyank`."""

    def change(transaction: Transaction, project: Project, attempt: Entry) -> Entry:
        release = the_release(project, version)
        _allow_withdrawing(desk, project, release)
        checked_reason(reason)
        _set_release(transaction, project, release.version, {"yanked": None})
        return replace(attempt, version=release.version, sha256=release.digest, detail={"was": release.yanked or ""})

    return _change(desk, "unyank", "yank", name, change, version=version, reason=reason)


def delete(desk: Desk, name: str, version: str, *, reason: str) -> Project:
    """Delete a release for ever; see :meth:`Service.delete`.

    Its files are removed from the store only after the database has forgotten them.
    """
    doomed: list[Key] = []

    def change(transaction: Transaction, project: Project, attempt: Entry) -> Entry:
        release = the_release(project, version)
        need_reason(reason, "A deletion")
        _check_unused(transaction.connection, project, release)
        # If it is what a stage ran that there is no more, it is not that any more should the stage come back.
        here = (placements.c.project == project.name) & (placements.c.version == release.version)
        transaction.connection.execute(update(placements).where(here).values(current=False, withdrawn=True))
        _set_release(transaction, project, release.version, {"deleted": True})
        mine = (files.c.project == project.name) & (files.c.version == release.version)
        transaction.connection.execute(update(files).where(mine).values(deleted=True))
        doomed.extend(Key(file.sha256, file.filename) for file in release.files)
        tombstones = [{"filename": file.filename, "sha256": file.sha256} for file in release.files]
        return replace(attempt, version=release.version, sha256=release.digest, detail={"files": tombstones})

    project = _change(desk, "delete", "delete", name, change, version=version, reason=reason)
    for key in doomed:
        for suffix in ("", ".metadata", ".provenance"):
            desk.store.remove(Key(key.sha256, key.name + suffix))
    return project


def _allow_withdrawing(desk: Desk, project: Project, release: Release) -> None:
    """Ask of whoever yanks what a stage runs that they may move it: it leaves the stage with nothing to choose.

    Raises:
        NotAllowedError: They may not.
    """
    if project.running(release.version):
        desk.allow("withdraw", project.name, known=project)


def _check_unused(connection: Connection, project: Project, release: Release) -> None:
    """Refuse to delete what runs, and weights without which a release that is there could not be installed.

    Raises:
        NotAllowedError: It is used.
    """
    running = project.running(release.version)
    if running:
        raise NotAllowedError(
            f"{project.name} {release.version} is what {', '.join(running)} runs.",
            why="What runs is not deleted.",
            hint=f"modelwright rollback {project.name} --stage {running[0]} --reason …",
        )
    model = load_project(connection, project.name.removesuffix(SUFFIX)) if project.kind == "weights" else None
    if model is None:
        return
    for other in model.releases:
        if weights_version(model.name, other.requires) == release.version:
            raise NotAllowedError(
                f"{project.name} {release.version} is what {model.name} {other.version} consists of.",
                why="Whoever installed or rolled back to it would get no model.",
                hint=f"modelwright yank {model.name} {other.version} --delete --reason …",
            )


def set_status(desk: Desk, name: str, status: Status, *, reason: str) -> Project:
    """Set the status of a project; see :meth:`Service.set_status`."""

    def change(transaction: Transaction, project: Project, attempt: Entry) -> Entry:
        if status not in STATUSES:
            raise RequestError(f"{str(status)[:40]!r} is no status.", why=f"PEP 792: {', '.join(STATUSES)}.")
        values = {"status": status, "status_reason": checked_reason(reason)}
        transaction.connection.execute(update(projects).where(projects.c.name == project.name).values(values))
        return replace(attempt, detail={"status": status, "was": project.status})

    return _change(desk, "status", "status", name, change, reason=reason)


def set_owners(desk: Desk, name: str, names: Iterable[str]) -> Project:
    """Say who owns a project; see :meth:`Service.set_owners`."""
    wanted = sorted({owner.strip() for owner in names})

    def change(transaction: Transaction, project: Project, attempt: Entry) -> Entry:
        if not wanted or any(not owner or len(owner) > LONGEST_OWNER or not owner.isprintable() for owner in wanted):
            raise RequestError("Every project has an owner, and every owner a name.", hint="Name at least one user.")
        transaction.connection.execute(owners.delete().where(owners.c.project == project.name))
        transaction.connection.execute(owners.insert(), [{"project": project.name, "owner": one} for one in wanted])
        return replace(attempt, detail={"owners": wanted, "was": list(project.owners)})

    return _change(desk, "owners", "owners", name, change)


def _change(
    desk: Desk, action: Action, deed: Deed, name: str, change: Change, *, version: str = "", reason: str = ""
) -> Project:
    attempt = desk.entry(action, project=name, version=version, reason=reason.strip())
    with desk.judged(attempt), desk.state.write() as transaction:
        desk.allow(deed, name)
        project = desk.project(transaction.connection, name)
        desk.allow(deed, project.name, known=project)
        desk.record(transaction, change(transaction, project, replace(attempt, project=project.name)))
        return desk.project(transaction.connection, project.name)


def _set_release(transaction: Transaction, project: Project, version: str, values: dict[str, Any]) -> None:
    mine = (releases.c.project == project.name) & (releases.c.version == version)
    transaction.connection.execute(update(releases).where(mine).values(values))
