"""One write transaction at a time, with its log entries inside; reads see one moment.

Called by :mod:`modelwright.registry.operating`. SQLite: write-ahead log, ``synchronous=FULL``, ``BEGIN IMMEDIATE``.
PostgreSQL: an advisory lock per database, so that the log has one writer at any moment.

It does not: know what a promotion is, or decide anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import URL, Connection, Engine, create_engine, event, func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from modelwright.errors import MissingExtraError, RequestError, SettingsError, UnavailableError
from modelwright.registry.audit import GENESIS, Entry, Head, canonical, chained
from modelwright.registry.state import tables
from modelwright.registry.state.schema import migrate

Clock = Callable[[], datetime]
"""Returns now, with a time zone."""
BUSY_MS = 30_000
"""How long a writer waits for another one, milliseconds."""
CONNECT_S = 10
"""How long PostgreSQL may take to answer a new connection, seconds."""
CONNECTIONS = 40
"""Connections of one process at most: as many as the application has threads. PostgreSQL allows 100 by default."""
KEPT = 10
"""Connections that stay open when nobody needs them."""
LOCK = 0x6D77_7265_6769
"""Key of the advisory lock on PostgreSQL; any constant that nobody else uses in this database."""


def system_clock() -> datetime:
    """Return now, UTC."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """Return a moment as RFC 3339 UTC with microseconds, which sorts as text.

    Example:
        >>> stamp(datetime(2026, 11, 20, 8, 30, tzinfo=UTC))
        '2026-11-20T08:30:00.000000Z'
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class State:
    """The database of one registry.

    Args:
        engine: From :func:`connect`.
        clock: What time it is; for tests.
    """

    def __init__(self, engine: Engine, *, clock: Clock = system_clock) -> None:
        self.engine = engine
        self.clock = clock

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one moment of the database.

        Raises:
            UnavailableError: The database cannot be reached.
        """
        with _understood(), self._reading().connect() as connection, connection.begin():
            yield connection

    def _reading(self) -> Engine:
        if self.engine.dialect.name == "postgresql":
            return self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        return self.engine

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Give the only write transaction there is at this moment; it is committed when the block ends.

        Raises:
            UnavailableError: The database cannot be reached or written; nothing was changed.
            RequestError: It cannot hold a value, which is too long or no text; nothing was changed.
        """
        with _understood(), _writing(self.engine) as connection:
            yield Transaction(connection, self.clock())

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


class Transaction:
    """A write transaction.

    Attributes:
        connection: To execute statements on.
        moment: When it began.
        now: The same, RFC 3339 UTC.
    """

    def __init__(self, connection: Connection, moment: datetime) -> None:
        self.connection = connection
        self.moment = moment
        self.now = stamp(moment)

    def log(self, entry: Entry) -> Entry:
        """Append an entry to the log; sequence number, time and hashes are set here.

        Returns:
            The entry as it stands in the log.
        """
        timed = msgspec.structs.replace(entry, time=self.now)
        # What is hashed is what a reader will get back: details go through JSON first.
        plain = msgspec.structs.replace(timed, detail=msgspec.json.decode(canonical(timed.detail)))
        logged = chained(plain, head_of(self.connection))
        row = {name: getattr(logged, name) for name in Entry.__struct_fields__}
        self.connection.execute(tables.entries.insert().values(row | {"detail": canonical(logged.detail).decode()}))
        return logged


def head_of(connection: Connection) -> Head:
    """Return the end of the log."""
    columns = tables.entries.c
    row = connection.execute(
        select(columns.sequence, columns.hash).order_by(columns.sequence.desc()).limit(1)
    ).one_or_none()
    return Head(sequence=row.sequence, hash=row.hash) if row else Head(sequence=0, hash=GENESIS)


def connect(url: str, *, where: str = "") -> Engine:
    """Return an engine for a database, with the tables this modelwright knows.

    Args:
        url: ``sqlite:///PATH`` or ``postgresql://…``, as SQLAlchemy spells them.
        where: What to call it in messages; without it the URL, without its password.

    Raises:
        SettingsError: Not the URL of a database that can hold a registry.
        UnavailableError: It cannot be reached, or a newer modelwright made it.
        MissingExtraError: The driver is not installed.
    """
    try:
        parsed = make_url(url)
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            raise SettingsError(
                f"A registry cannot be kept in {parsed.get_backend_name()!r}.",
                hint="Use sqlite:///PATH or postgresql://USER@HOST/NAME.",
            )
        engine = create_engine(parsed, pool_size=KEPT, max_overflow=CONNECTIONS - KEPT, **_options(parsed))
    except (ArgumentError, NoSuchModuleError) as error:
        raise SettingsError("This is not the URL of a database.", where="state", why=str(error)) from error
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"PostgreSQL needs the library {error.name!r}, which is not installed.",
            hint='pip install "modelwright[registry,postgresql]"',
        ) from error
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    with _understood(where or parsed.render_as_string(hide_password=True)):
        try:
            _make_tables(engine)
        except BaseException:
            engine.dispose()
            raise
    return engine


def sqlite_url(path: Path) -> str:
    """Return the URL of a SQLite file."""
    return f"sqlite:///{path.resolve()}"


def _make_tables(engine: Engine) -> None:
    with _writing(engine) as connection:
        migrate(connection)


def _options(url: URL) -> dict[str, Any]:
    if url.get_backend_name() != "postgresql":
        return {}
    waiting = {} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_S}
    return {"pool_pre_ping": True, "connect_args": waiting}


@contextmanager
def _writing(engine: Engine) -> Iterator[Connection]:
    """Give a connection in the only write transaction that there is at this moment."""
    with engine.execution_options(writing=True).connect() as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            for setting in (
                f"lock_timeout = {BUSY_MS}",
                # A client that vanished while it held the lock gives it back, as a process on this machine would.
                f"idle_in_transaction_session_timeout = {2 * BUSY_MS}",
                # What a client was told is on disk, whatever the server prefers; as SQLite's synchronous=FULL.
                "synchronous_commit = on",
            ):
                connection.exec_driver_sql(f"SET LOCAL {setting}")
            connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
        yield connection


def _prepare_sqlite(engine: Engine) -> None:
    """Let us, not the driver, say when a transaction begins. Source: SQLAlchemy, "pysqlite transaction control"."""

    @event.listens_for(engine, "connect")
    def _(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_MS}"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _(connection: Connection) -> None:
        writing = connection.get_execution_options().get("writing")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


@contextmanager
def _understood(where: str = "") -> Iterator[None]:
    """Turn what a driver says into an error of ours; the transaction was rolled back."""
    try:
        yield
    except DataError as error:
        raise RequestError("A value cannot be stored; nothing was changed.", why=_said(error.orig)) from error
    except (DBAPIError, PoolTimeoutError) as error:
        why = _said(error.orig if isinstance(error, DBAPIError) else error)
        raise UnavailableError(
            "The registry's database cannot be used; nothing was changed.",
            where=where,
            why=why,
            hint="Make room." if "is full" in why else "modelwright registry check",
        ) from error


def _said(error: BaseException | None) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
