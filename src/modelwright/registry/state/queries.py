"""Read nouns out of the tables.

Called by :mod:`modelwright.registry.operating` with a connection of :class:`~.database.State`. It changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple, cast

import msgspec
from packaging.version import InvalidVersion, Version
from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select

from modelwright.registry.audit import Entry, canonical
from modelwright.registry.evidence import Evidence
from modelwright.registry.people import Token
from modelwright.registry.projects import Placement, Project, ProjectSummary, Release, StoredFile
from modelwright.registry.service import Selection
from modelwright.registry.state.tables import entries, evidence, files, owners, placements, projects, releases, tokens
from modelwright.spec.evaluation import Evaluation

PAGE = 1000
"""Entries of the log that are read at once."""
SET_BY_THE_LOG = frozenset({"sequence", "time", "previous", "hash"})
"""Fields of an entry that it gets when it is logged."""
NAMES_LIKE = 200
"""How many names a missing one is compared with: whoever asks for what is not there shall not be costly."""


class Found(NamedTuple):
    """A stored file and the release it belongs to.

    Attributes:
        project: Name of the project.
        version: The release.
        file: The file.
    """

    project: str
    version: str
    file: StoredFile


def load_project(connection: Connection, name: str) -> Project | None:
    """Return a project with everything that can be seen of it; ``None``: there never was one.

    Args:
        connection: To read on.
        name: PEP 503 normalised.
    """
    row = connection.execute(select(projects).where(projects.c.name == name)).one_or_none()
    if row is None:
        return None
    found = connection.execute(select(files).where(files.c.project == name).order_by(files.c.position)).all()
    by_version: dict[str, list[StoredFile]] = {}
    for file in found:
        if not file.deleted:
            by_version.setdefault(file.version, []).append(_file(file))
    alive = select(releases).where(releases.c.project == name, ~releases.c.deleted)
    return Project(
        name=row.name,
        kind=row.kind,
        created=row.created,
        serial=row.serial,
        owners=tuple(sorted(connection.scalars(select(owners.c.owner).where(owners.c.project == name)))),
        releases=tuple(
            sorted(
                (_release(one, by_version.get(one.version, ())) for one in connection.execute(alive)),
                key=lambda release: Version(release.version),
            )
        ),
        placements=tuple(map(_placement, connection.execute(_placements_of(placements.c.project == name)))),
        status=row.status,
        status_reason=row.status_reason,
        deleted=tuple(file.filename for file in found if file.deleted),
    )


def _placements_of(condition: ColumnElement[bool]) -> Any:
    return select(placements).where(condition).order_by(placements.c.sequence)


def _file(row: Row[Any]) -> StoredFile:
    return msgspec.convert(_columns(row, StoredFile), StoredFile)


def _columns(row: Row[Any], kind: type[msgspec.Struct]) -> dict[str, Any]:
    known = cast(Mapping[str, Any], row._mapping)
    return {name: known[name] for name in kind.__struct_fields__ if name in known}


def _release(row: Row[Any], found: Iterable[StoredFile]) -> Release:
    columns = _columns(row, Release) | {"files": tuple(found)}
    columns["evaluations"] = msgspec.convert(row.evaluations, tuple[Evaluation, ...])
    columns["requires"] = tuple(row.requires)
    return Release(**columns)


def _placement(row: Row[Any]) -> Placement:
    return msgspec.convert(_columns(row, Placement), Placement)


def load_summaries(connection: Connection, known: Collection[str]) -> tuple[ProjectSummary, ...]:
    """List every project on one line, by name; :class:`~.listing.Listing` keeps the answer.

    Args:
        connection: The database.
        known: Names of the stages that there are; what ran in others stands in the log only.
    """
    stages: dict[str, dict[str, str]] = {}
    for row in connection.execute(select(placements).where(placements.c.current, placements.c.stage.in_(known))):
        stages.setdefault(row.project, {})[row.stage] = row.version
    # Sorted here, by character: databases have orders of their own, in which "a-b" may stand after "ab".
    owned = sorted(map(tuple, connection.execute(select(owners.c.project, owners.c.owner))))
    by_project = {name: tuple(owner for _, owner in rows) for name, rows in groupby(owned, key=itemgetter(0))}
    return tuple(
        ProjectSummary(
            name=row.name,
            kind=row.kind,
            summary=row.summary,
            latest=row.latest,
            owners=by_project.get(row.name, ()),
            stages=stages.get(row.name, {}),
            changed=row.changed,
            serial=row.serial,
            status=row.status,
        )
        for row in sorted(connection.execute(select(projects)), key=attrgetter("name"))
    )


def names_like(connection: Connection, name: str) -> list[str]:
    """List some names that begin like another one, for "did you mean"; few, however many projects there are."""
    alike = projects.c.name.startswith(name[:2], autoescape=True)
    return list(connection.scalars(select(projects.c.name).where(alike).order_by(projects.c.name).limit(NAMES_LIKE)))


def version_like(connection: Connection, name: str, version: str) -> str:
    """Return how a project spells a version, also of a release that was deleted; as it came if it has none like it.

    ``1.0`` and ``1.0.0`` are one version (PEP 440), and the log has the spelling of the release.
    """
    try:
        wanted = Version(version)
    except InvalidVersion:
        return version
    known = connection.scalars(select(releases.c.version).where(releases.c.project == name))
    return next((one for one in known if Version(one) == wanted), version)


def names_in(connection: Connection, stage: str = "") -> tuple[str, ...]:
    """List the names that a view shows, sorted.

    Args:
        connection: To read on.
        stage: Name of a stage, which shows its models and everything that is no model; empty: everything.
    """
    has_files = projects.c.name.in_(select(releases.c.project).where(~releases.c.deleted))
    shown = and_(has_files, projects.c.status != "quarantined")
    if stage:
        placed = projects.c.name.in_(select(placements.c.project).where(placements.c.stage == stage))
        shown = and_(shown, or_(projects.c.kind != "model", placed))
    return tuple(sorted(connection.scalars(select(projects.c.name).where(shown))))


def serial_of(connection: Connection, name: str = "") -> int | None:
    """Return the sequence number of the last change to a project; without a name: to anything.

    Returns:
        ``None`` if there never was such a project; 0 for an empty registry.
    """
    if name:
        return connection.scalar(select(projects.c.serial).where(projects.c.name == name))
    return connection.scalar(select(func.max(projects.c.serial))) or 0


def find_file(connection: Connection, sha256: str) -> Found | None:
    """Return a stored file by its digest; ``None``: there is none, or it was deleted."""
    rows = connection.execute(select(files).where(files.c.sha256 == sha256, ~files.c.deleted).limit(1))
    row = rows.one_or_none()
    return Found(row.project, row.version, _file(row)) if row else None


def load_evidence(connection: Connection, digests: Iterable[str]) -> tuple[Evidence, ...]:
    """List the evidence about wheels, oldest first."""
    wanted = select(evidence).where(evidence.c.sha256.in_(tuple(digests))).order_by(evidence.c.id)
    return tuple(msgspec.convert(_columns(row, Evidence), Evidence) for row in connection.execute(wanted))


def load_tokens(connection: Connection) -> tuple[Token, ...]:
    """List every token, oldest first."""
    return tuple(map(token_of, connection.execute(select(tokens).order_by(tokens.c.created, tokens.c.id))))


def token_of(row: Row[Any]) -> Token:
    """Return the token in a row."""
    return msgspec.convert(_columns(row, Token) | {"user": row.owner}, Token)


def load_entries(connection: Connection, selection: Selection) -> Iterator[Entry]:
    """Read the log in pieces, in the order of the selection."""
    left, after, before = selection.limit, selection.after, selection.before
    while left > 0:
        piece = msgspec.structs.replace(selection, limit=min(left, PAGE), after=after, before=before)
        found = [_entry(row) for row in connection.execute(_entries(piece))]
        yield from found
        left -= len(found)
        if len(found) < piece.limit:
            return
        if selection.newest_first:
            before = found[-1].sequence
        else:
            after = found[-1].sequence


def find_entry(connection: Connection, like: Entry) -> Entry | None:
    """Return the first entry by the same actor that says the same as one that is to be logged, if there is one."""
    columns = entries.c
    said = {name: getattr(like, name) for name in Entry.__struct_fields__ if name not in SET_BY_THE_LOG}
    said["detail"] = canonical(like.detail).decode()
    same = select(entries).where(*(columns[name] == value for name, value in said.items()))
    row = connection.execute(same.order_by(columns.sequence).limit(1)).one_or_none()
    return _entry(row) if row is not None else None


def _entries(selection: Selection) -> Any:
    columns = entries.c
    given = {"project", "version", "actor", "action", "stage", "outcome"}
    wanted = select(entries).where(
        columns.sequence > selection.after,
        *(columns[name] == getattr(selection, name) for name in sorted(given) if getattr(selection, name)),
    )
    if selection.before:
        wanted = wanted.where(columns.sequence < selection.before)
    order = columns.sequence.desc() if selection.newest_first else columns.sequence
    return wanted.order_by(order).limit(selection.limit)


def _entry(row: Row[Any]) -> Entry:
    columns = _columns(row, Entry)
    columns["detail"] = _detail(row.detail)
    return Entry(**columns)


def _detail(text: str) -> dict[str, Any]:
    """Return the details of an entry; of one that somebody wrote over, what stands there, which no hash fits."""
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError:
        return {"unreadable": str(text)[:1000]}
