"""Re-hash everything, and say what is not what was published.

Called by ``modelwright registry check``. It repairs only what is derived or nobody's: the static
index, and files that no release has.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import select

from modelwright.errors import ModelwrightError
from modelwright.registry.audit import AuditReport
from modelwright.registry.operating import remembering, statics
from modelwright.registry.operating.desk import Desk
from modelwright.registry.state.tables import files
from modelwright.registry.storing.store import Key
from modelwright.spec.struct import Frozen
from modelwright.steps import Listener, ignore, timed

SETTLED_S = 3600
"""A partial upload older than this belongs to nobody any more, seconds."""
BESIDE = (".metadata", ".provenance")
"""What may lie beside a file, under its digest."""


class CheckReport(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """What a check found.

    Attributes:
        sound: Whether every file and every entry of the log is what it was.
        files: How many published files were hashed.
        bytes: How many bytes that were, with the METADATA beside them.
        problems: What is wrong, a sentence each; a static page that somebody altered is written anew by a repair.
        orphans: Stored files that belong to no release: left by a crash or a deletion, harmless.
        pages: How many projects' static pages were written anew.
        repaired: Whether orphans were removed.
        audit: What the check of the log found.
    """

    sound: bool
    files: int
    bytes: int
    problems: tuple[str, ...] = ()
    orphans: tuple[str, ...] = ()
    pages: int = 0
    repaired: bool = False
    audit: AuditReport


def check(desk: Desk, *, listener: Listener = ignore) -> CheckReport:
    """Re-hash every stored file, check the log, bring the static index up to date, and find pages that were altered."""
    return _check(desk, listener)


def repair(desk: Desk, *, listener: Listener = ignore) -> CheckReport:
    """Do what :func:`check` does, remove what belongs to no release, and write every static page anew."""
    report = _check(desk, listener)
    for path in report.orphans:
        _, _, sha256, name = path.split("/")
        desk.store.remove(Key(sha256, name))
    _remove_partial(desk)
    from msgspec.structs import replace

    return replace(report, repaired=True, pages=statics.rebuild(desk) if desk.settings.writes_static_index else 0)


def _check(desk: Desk, listener: Listener) -> CheckReport:
    problems: list[str] = []
    count = size = 0
    with timed("files", listener) as note:
        for listed in _listed(desk):
            length, problem = _hashed(desk, listed)
            count, size = count + (listed.size is not None), size + length
            problems += [problem] if problem else []
        note.detail = f"{count} files, {size:,} bytes hashed"
    with timed("log", listener) as note:
        audit = remembering.check_audit(desk, None)
        note.detail = f"{audit.entries} entries"
    written = statics.refresh(desk)
    problems += [f"{page}: is not what the registry wrote" for page in statics.altered(desk)]
    return CheckReport(
        sound=not problems and audit.holds,
        files=count,
        bytes=size,
        problems=tuple(problems),
        orphans=tuple(sorted(_orphans(desk))),
        pages=written,
        audit=audit,
    )


class _Listed(NamedTuple):
    """A stored document, and what the database says of it; ``size`` is not known of a METADATA."""

    key: Key
    sha256: str
    size: int | None


def _listed(desk: Desk) -> Iterator[_Listed]:
    columns = files.c
    with desk.state.read() as connection:
        rows = connection.execute(
            select(columns.sha256, columns.filename, columns.size, columns.metadata_sha256).where(~columns.deleted)
        ).all()
    for row in rows:
        yield _Listed(Key(row.sha256, row.filename), row.sha256, row.size)
        if row.metadata_sha256:
            yield _Listed(Key(row.sha256, f"{row.filename}.metadata"), row.metadata_sha256, None)


def _hashed(desk: Desk, listed: _Listed) -> tuple[int, str]:
    """Return the size of a stored document, bytes, and what is wrong with it; empty: nothing."""
    digest, found, name = hashlib.sha256(), 0, listed.key.name
    try:
        for piece in desk.store.chunks(listed.key):
            digest.update(piece)
            found += len(piece)
    except ModelwrightError as error:
        return found, f"{name}: {error.what}"
    if listed.size is not None and found != listed.size:
        return found, f"{name}: has {found} bytes, {listed.size} were published"
    if digest.hexdigest() != listed.sha256:
        return found, f"{name}: has sha256 {digest.hexdigest()[:12]}…, {listed.sha256[:12]}… was published"
    return found, ""


def _orphans(desk: Desk) -> Iterator[str]:
    with desk.state.read() as connection:
        columns = files.c
        rows = connection.execute(select(columns.sha256, columns.filename).where(~columns.deleted)).all()
    known = {Key(row.sha256, f"{row.filename}{suffix}") for row in rows for suffix in ("", *BESIDE)}
    for key in desk.store.keys():  # noqa: SIM118 - a store is no mapping
        if key not in known:
            yield key.path


def _remove_partial(desk: Desk) -> None:
    if desk.incoming.is_dir():
        for path in desk.incoming.iterdir():
            if path.is_file() and path.stat().st_mtime < time.time() - SETTLED_S:
                path.unlink(missing_ok=True)
