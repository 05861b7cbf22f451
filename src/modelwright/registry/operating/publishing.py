"""Publish a file: looked at, kept, and only then visible.

Called by :class:`~.local.LocalService` and by the application's upload route. The bytes are durable before the
database says that they are there, so that a crash leaves at most a file that nobody knows; ``registry check`` finds it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from modelwright.errors import UnavailableError
from modelwright.inspecting.changes import Verdict
from modelwright.registry.admitting.admit import Admitted, Announced, admit
from modelwright.registry.audit import Entry, canonical
from modelwright.registry.deciding.honesty import Neighbours, judge_wheel, neighbours
from modelwright.registry.deciding.places import check_open, slot_of, there_already
from modelwright.registry.deciding.territory import check_territory, check_unsettled
from modelwright.registry.operating.desk import Desk
from modelwright.registry.operating.evidencing import insert_evidence
from modelwright.registry.operating.opened import open_stored
from modelwright.registry.projects import Project, StoredFile
from modelwright.registry.service import Publication
from modelwright.registry.state.database import Transaction
from modelwright.registry.state.queries import find_file, load_project
from modelwright.registry.state.tables import files, owners, projects, releases
from modelwright.registry.storing.store import Key

NOT_ANNOUNCED = Announced()


def has(desk: Desk, filename: str, sha256: str) -> bool:
    """Say whether the registry has exactly this file."""
    with desk.state.read() as connection:
        found = find_file(connection, sha256)
        if found is None:
            return False
        desk.allow("read", found.project)
        return found.file.filename == filename


def publish(
    desk: Desk,
    path: Path,
    *,
    filename: str,
    announced: Announced = NOT_ANNOUNCED,
    attestations: Iterable[Any] = (),
) -> Publication:
    """Publish a file that lies in the registry's folder for uploads under way; it is moved away from there.

    Args:
        desk: What to work with.
        path: The file, on the same file system as the registry.
        filename: The name it shall have.
        announced: What the client said of it.
        attestations: PEP 740 attestations, as they came.

    Raises:
        UploadError: It is not one that an index may carry.
        TakenError: Its name is taken by other bytes, or was deleted.
        VersionStepError: Its version promises more compatibility than the change allows.
        NotAllowedError: The principal may not publish this.
    """
    attempt = desk.entry("publish", detail={"filename": filename[:300]})
    with desk.judged(attempt):
        admitted = admit(path, filename, announced=announced, attestations=tuple(attestations))
        attempt = msgspec.structs.replace(
            attempt, project=admitted.project, version=admitted.version, sha256=admitted.sha256
        )
    with desk.judged(attempt):
        known, found = _look(desk, admitted)  # refused early, before the bytes are kept
        if known is not None:
            return known
        _keep(desk, path, admitted)
        while True:
            verdict = _compare(desk, admitted, found)
            with desk.state.write() as transaction:
                project = load_project(transaction.connection, admitted.project)
                known = _place(desk, transaction.connection, project, admitted)
                if known is not None:
                    return known
                between = neighbours(project, admitted.version)
                if between != found:
                    found = between  # somebody published in between what it has to be compared with
                    continue
                return _insert(desk, transaction, project, admitted, verdict, attempt)


def _look(desk: Desk, admitted: Admitted) -> tuple[Publication | None, Neighbours]:
    """Do what :func:`_place` does, and say what the file has to be compared with."""
    with desk.state.read() as connection:
        project = load_project(connection, admitted.project)
        return _place(desk, connection, project, admitted), neighbours(project, admitted.version)


def _place(desk: Desk, connection: Connection, project: Project | None, admitted: Admitted) -> Publication | None:
    """Refuse a file that may not come into its project; return what is there already with the same bytes."""
    desk.allow("publish", admitted.project, known=project)
    if project is not None:
        check_open(project, admitted.kind, admitted.filename)
        there = there_already(project, admitted.filename, admitted.sha256)
        if there is not None:
            return Publication(project=project.name, version=there.version, file=there.file, new=False)
    if admitted.kind == "library":  # the others were found to install nothing but their own package
        protected = connection.scalars(select(projects.c.name).where(projects.c.kind != "library")).all()
        check_territory(admitted.project, admitted.top_level, protected, filename=admitted.filename)
    elif project is None:
        settled = connection.execute(
            select(releases.c.project, releases.c.top_level).where(releases.c.top_level != "", ~releases.c.deleted)
        )
        check_unsettled(admitted.project, ((row.project, row.top_level.split()) for row in settled))
    return None


def _keep(desk: Desk, path: Path, admitted: Admitted) -> None:
    # Also if it is there already: whoever put it there may have died before it was durable.
    desk.store.keep(Key(admitted.sha256, admitted.filename), path)
    if admitted.metadata:
        desk.store.put(Key(admitted.sha256, f"{admitted.filename}.metadata"), admitted.metadata)
    if admitted.attestations:
        desk.store.put(Key(admitted.sha256, f"{admitted.filename}.provenance"), provenance(admitted.attestations))


def provenance(attestations: Iterable[Any]) -> bytes:
    """Return the provenance object around attestations, as they came (PEP 740, "Provenance objects")."""
    bundle = {"publisher": {"kind": "modelwright", "claims": None}, "attestations": list(attestations)}
    return canonical({"version": 1, "attestation_bundles": [bundle]})


def _compare(desk: Desk, admitted: Admitted, found: Neighbours) -> Verdict | None:
    if admitted.kind != "model" or admitted.packagetype != "bdist_wheel":
        return None
    return judge_wheel(
        found,
        lambda: open_stored(desk.store, admitted.stored()),
        lambda release: open_stored(desk.store, release.wheels[0]),
    )


def _insert(
    desk: Desk,
    transaction: Transaction,
    project: Project | None,
    admitted: Admitted,
    verdict: Verdict | None,
    attempt: Entry,
) -> Publication:
    now, user = transaction.now, desk.principal.user
    if project is None:
        _insert_project(transaction, admitted, user)
    release = project.release(admitted.version) if project else None
    # 1.0 and 1.0.0 are one release, under the name that came first.
    version = release.version if release else admitted.version
    if release is None:
        _insert_release(transaction, admitted, verdict, user)
    file = admitted.stored(uploaded=now, publisher=user)
    row = {name: getattr(file, name) for name in StoredFile.__struct_fields__}
    row |= {"slot": slot_of(admitted.filename), "project": admitted.project, "version": version}
    transaction.connection.execute(files.insert().values(row | {"tags": list(file.tags), "deleted": False}))
    _log(desk, transaction, admitted, verdict, msgspec.structs.replace(attempt, version=version))
    return Publication(
        project=admitted.project,
        version=version,
        file=file,
        new=True,
        verdict=verdict.level if verdict else "",
        reasons=verdict.reasons if verdict else (),
    )


def _insert_project(transaction: Transaction, admitted: Admitted, user: str) -> None:
    connection, now = transaction.connection, transaction.now
    row = {"name": admitted.project, "kind": admitted.kind, "created": now, "changed": now, "serial": 0}
    row |= {"status": "active", "status_reason": "", "latest": "", "summary": ""}
    connection.execute(projects.insert().values(row))
    if user:
        connection.execute(owners.insert().values(project=admitted.project, owner=user))


def _insert_release(transaction: Transaction, admitted: Admitted, verdict: Verdict | None, user: str) -> None:
    transaction.connection.execute(
        releases.insert().values(
            project=admitted.project,
            version=admitted.version,
            created=transaction.now,
            publisher=user,
            summary=admitted.summary,
            yanked=None,
            requires=list(admitted.requires),
            task=admitted.task,
            format=admitted.format,
            executes_code=admitted.executes_code,
            evaluations=msgspec.to_builtins(admitted.evaluations),
            verdict=verdict.level if verdict else "",
            top_level=" ".join(admitted.top_level),
            deleted=False,
        )
    )


def _log(desk: Desk, transaction: Transaction, admitted: Admitted, verdict: Verdict | None, attempt: Entry) -> None:
    """Log the publication with what is known of where the model came from, and keep the scan as evidence."""
    lineage = admitted.manifest.lineage if admitted.manifest else None
    detail = {
        "filename": admitted.filename,
        "size": admitted.size,
        "kind": admitted.kind,
        "verdict": msgspec.to_builtins(verdict) if verdict else None,
        "lineage": msgspec.to_builtins(lineage) if lineage else None,
        "tool": admitted.manifest.tool if admitted.manifest else "",
        "trained_by": list(admitted.manifest.owners) if admitted.manifest else [],
    }
    desk.record(transaction, msgspec.structs.replace(attempt, detail=detail))
    if admitted.scan is not None:
        insert_evidence(transaction, admitted.sha256, "scan", admitted.scan, actor="registry")
    for attestation in admitted.attestations:
        insert_evidence(transaction, admitted.sha256, "attestation", attestation, actor=desk.principal.user)


def receive(desk: Desk, source: Path) -> Path:
    """Copy somebody's file into the folder for uploads under way, so that it cannot change while it is looked at.

    Raises:
        UnavailableError: It cannot be read, or there is no room.
    """
    import secrets
    import shutil

    target = desk.incoming / f"{secrets.token_hex(8)}.part"
    try:
        desk.incoming.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copyfile(source, target)
    except OSError as error:
        target.unlink(missing_ok=True)
        raise UnavailableError(
            "The file cannot be copied into the registry.", where=str(source), why=error.strerror or str(error)
        ) from error
    return target
