"""The tables of the first registry."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table, and triggers that keep the log append-only."""
    op.create_table(
        "projects",
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("created", sa.String(32), nullable=False),
        sa.Column("changed", sa.String(32), nullable=False),
        sa.Column("serial", sa.Integer, nullable=False, index=True),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("status_reason", sa.Text, nullable=False),
        sa.Column("latest", sa.String(100), nullable=False),
        sa.Column("summary", sa.Text, nullable=False),
    )
    op.create_table(
        "owners",
        sa.Column("project", sa.String(200), sa.ForeignKey("projects.name"), primary_key=True),
        sa.Column("owner", sa.String(200), primary_key=True),
    )
    op.create_table(
        "releases",
        sa.Column("project", sa.String(200), sa.ForeignKey("projects.name"), primary_key=True),
        sa.Column("version", sa.String(100), primary_key=True),
        sa.Column("created", sa.String(32), nullable=False),
        sa.Column("publisher", sa.String(200), nullable=False),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("yanked", sa.Text),
        sa.Column("requires", sa.JSON, nullable=False),
        sa.Column("task", sa.String(40), nullable=False),
        sa.Column("format", sa.String(100), nullable=False),
        sa.Column("executes_code", sa.Boolean, nullable=False),
        sa.Column("evaluations", sa.JSON, nullable=False),
        sa.Column("verdict", sa.String(10), nullable=False),
        sa.Column("top_level", sa.Text, nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
    )
    op.create_table(
        "files",
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("filename", sa.String(300), nullable=False, unique=True),
        sa.Column("slot", sa.String(300), nullable=False, unique=True),
        sa.Column("sha256", sa.String(64), nullable=False, index=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("packagetype", sa.String(20), nullable=False),
        sa.Column("project", sa.String(200), sa.ForeignKey("projects.name"), nullable=False),
        sa.Column("version", sa.String(100), nullable=False),
        sa.Column("uploaded", sa.String(32), nullable=False),
        sa.Column("publisher", sa.String(200), nullable=False),
        sa.Column("requires_python", sa.Text, nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("metadata_sha256", sa.String(64), nullable=False),
        sa.Column("provenance", sa.Boolean, nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
    )
    op.create_index("files_of_release", "files", ["project", "version"])
    op.create_table(
        "placements",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("stage", sa.String(40), nullable=False),
        sa.Column("project", sa.String(200), sa.ForeignKey("projects.name"), nullable=False),
        sa.Column("version", sa.String(100), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("files", sa.JSON, nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("since", sa.String(32), nullable=False),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("current", sa.Boolean, nullable=False),
        sa.Column("withdrawn", sa.Boolean, nullable=False),
    )
    op.create_index("placements_of_project", "placements", ["project", "stage"])
    only_current = sa.text("current")
    op.create_index(
        "one_current",
        "placements",
        ["stage", "project"],
        unique=True,
        sqlite_where=only_current,
        postgresql_where=only_current,
    )
    op.create_table(
        "evidence",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("sha256", sa.String(64), nullable=False, index=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("created", sa.String(32), nullable=False),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("content", sa.JSON, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("owner", sa.String(200), nullable=False),
        sa.Column("secret_sha256", sa.String(64), nullable=False),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("projects", sa.JSON, nullable=False),
        sa.Column("created", sa.String(32), nullable=False),
        sa.Column("expires", sa.String(32), nullable=False),
        sa.Column("revoked", sa.Boolean, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.create_table(
        "entries",
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("time", sa.String(32), nullable=False),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("action", sa.String(20), nullable=False, index=True),
        sa.Column("outcome", sa.String(10), nullable=False),
        sa.Column("project", sa.String(200), nullable=False, index=True),
        sa.Column("version", sa.String(100), nullable=False),
        sa.Column("stage", sa.String(40), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("sequence", sa.Integer, sa.ForeignKey("entries.sequence"), nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due", sa.Float, nullable=False, index=True),
        sa.Column("done", sa.Boolean, nullable=False),
        sa.Column("problem", sa.Text, nullable=False),
    )
    op.create_table("stale", sa.Column("project", sa.String(200), primary_key=True))
    for statement in _APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(statement)


_APPEND_ONLY = {
    "sqlite": [
        f"CREATE TRIGGER entries_no_{verb.lower()} BEFORE {verb} ON entries "
        "BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END"
        for verb in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        """
        CREATE FUNCTION entries_append_only() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the log is append-only'; END $$
        """,
        """
        CREATE TRIGGER entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entries
        FOR EACH STATEMENT EXECUTE FUNCTION entries_append_only()
        """,
    ],
}


def downgrade() -> None:
    """Refuse: a registry is never made to forget."""
    raise NotImplementedError("A registry is never made to forget; restore a backup instead.")
