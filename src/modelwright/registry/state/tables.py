"""The tables of a registry, as SQLAlchemy Core knows them; :mod:`.migrations` makes them.

Called by the queries of this package and of :mod:`modelwright.registry.operating`. Nothing is ever updated or deleted
in ``entries``: triggers refuse it.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    text,
)

metadata = MetaData()

projects = Table(
    "projects",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("created", String(32), nullable=False),
    Column("changed", String(32), nullable=False),
    Column("serial", Integer, nullable=False, index=True),
    Column("status", String(20), nullable=False, default="active"),
    Column("status_reason", Text, nullable=False, default=""),
    # Of the release that the name alone means: a list of ten thousand projects reads no releases.
    Column("latest", String(100), nullable=False, default=""),
    Column("summary", Text, nullable=False, default=""),
)

owners = Table(
    "owners",
    metadata,
    Column("project", ForeignKey("projects.name"), primary_key=True),
    Column("owner", String(200), primary_key=True),
)

releases = Table(
    "releases",
    metadata,
    Column("project", ForeignKey("projects.name"), primary_key=True),
    Column("version", String(100), primary_key=True),
    Column("created", String(32), nullable=False),
    Column("publisher", String(200), nullable=False),
    Column("summary", Text, nullable=False, default=""),
    Column("yanked", Text),
    Column("requires", JSON, nullable=False),
    Column("task", String(40), nullable=False, default=""),
    Column("format", String(100), nullable=False, default=""),
    Column("executes_code", Boolean, nullable=False, default=False),
    Column("evaluations", JSON, nullable=False),
    Column("verdict", String(10), nullable=False, default=""),
    # Modules and packages that a library installs, with spaces between; a model installs only its own.
    Column("top_level", Text, nullable=False, default=""),
    Column("deleted", Boolean, nullable=False, default=False),
)

files = Table(
    "files",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=True),
    Column("filename", String(300), nullable=False, unique=True),
    # What two spellings of one file name share; it stays taken when the file is deleted.
    Column("slot", String(300), nullable=False, unique=True),
    Column("sha256", String(64), nullable=False, index=True),
    Column("size", BigInteger, nullable=False),
    Column("packagetype", String(20), nullable=False),
    Column("project", ForeignKey("projects.name"), nullable=False),
    Column("version", String(100), nullable=False),
    Column("uploaded", String(32), nullable=False),
    Column("publisher", String(200), nullable=False),
    Column("requires_python", Text, nullable=False, default=""),
    Column("tags", JSON, nullable=False),
    Column("metadata_sha256", String(64), nullable=False, default=""),
    Column("provenance", Boolean, nullable=False, default=False),
    Column("deleted", Boolean, nullable=False, default=False),
    Index("files_of_release", "project", "version"),
)

placements = Table(
    "placements",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("stage", String(40), nullable=False),
    Column("project", ForeignKey("projects.name"), nullable=False),
    Column("version", String(100), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("files", JSON, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("since", String(32), nullable=False),
    Column("actor", String(200), nullable=False),
    Column("current", Boolean, nullable=False),
    Column("withdrawn", Boolean, nullable=False, default=False),
    Index("placements_of_project", "project", "stage"),
    # One current release per project and stage, whatever the code above says.
    Index(
        "one_current",
        "stage",
        "project",
        unique=True,
        sqlite_where=text("current"),
        postgresql_where=text("current"),
    ),
)

evidence = Table(
    "evidence",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("sha256", String(64), nullable=False, index=True),
    Column("kind", String(20), nullable=False),
    Column("created", String(32), nullable=False),
    Column("actor", String(200), nullable=False),
    Column("content", JSON, nullable=False),
    Column("digest", String(64), nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("owner", String(200), nullable=False),
    Column("secret_sha256", String(64), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("projects", JSON, nullable=False),
    Column("created", String(32), nullable=False),
    Column("expires", String(32), nullable=False, default=""),
    Column("revoked", Boolean, nullable=False, default=False),
    Column("note", Text, nullable=False, default=""),
)

entries = Table(
    "entries",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("time", String(32), nullable=False),
    Column("actor", String(200), nullable=False),
    Column("action", String(20), nullable=False, index=True),
    Column("outcome", String(10), nullable=False),
    Column("project", String(200), nullable=False, index=True),
    Column("version", String(100), nullable=False),
    Column("stage", String(40), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("sequence", ForeignKey("entries.sequence"), nullable=False),
    Column("url", Text, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    # Seconds since 1970; a row that is being delivered is claimed by moving this into the future.
    Column("due", Float, nullable=False, index=True),
    Column("done", Boolean, nullable=False, default=False),
    Column("problem", Text, nullable=False, default=""),
)

stale = Table(
    "stale",
    metadata,
    # Projects whose static pages are older than the database; written in the transaction of the change.
    Column("project", String(200), primary_key=True),
)
