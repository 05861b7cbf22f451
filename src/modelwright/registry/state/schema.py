"""Bring a database to the tables this modelwright knows, and refuse one that a newer modelwright made.

Called when a registry is opened. A database that is up to date costs one query; alembic is imported only to change one.
"""

from __future__ import annotations

from importlib.resources import files

from sqlalchemy import Connection, inspect, text

from modelwright.errors import UnavailableError

HEAD = "0001"
"""Revision of the tables in :mod:`.tables`."""
KNOWN = frozenset({"0001"})


def revision_of(connection: Connection) -> str:
    """Return the revision of a database; empty: nothing is there yet."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")


def migrate(connection: Connection) -> None:
    """Bring a database to :data:`HEAD`, within the transaction of the connection.

    Raises:
        UnavailableError: A newer modelwright made it.
    """
    revision = revision_of(connection)
    if revision == HEAD:
        return
    if revision and revision not in KNOWN:
        raise UnavailableError(
            f"The registry's database has the revision {revision}, which this modelwright does not know.",
            why="A newer modelwright made it.",
            hint='pip install --upgrade "modelwright[registry]"',
        )
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(files("modelwright.registry.state.migrations")))
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)
