"""One number that grows with every change, read so cheaply that every request can ask for it.

Called by the application: what was made of the database stays right for as long as the number stays the same. Every
change, also of tokens and of what was denied, is in the log, so the number is that of the log's last entry.

It does not: go through the layers that build statements and transactions; those cost more than the question.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from modelwright.errors import UnavailableError

_QUESTION = "SELECT max(sequence) FROM entries"


def generation(engine: Engine) -> int:
    """Return the number of the log's last entry; 0: the log is empty.

    Raises:
        UnavailableError: The database cannot be reached.
    """
    try:
        connection = engine.raw_connection()
        try:
            cursor = connection.cursor()
            try:
                cursor.execute(_QUESTION)
                row = cursor.fetchone()
            finally:
                cursor.close()
        finally:
            connection.close()
    except (DBAPIError, engine.dialect.loaded_dbapi.Error) as error:
        raise UnavailableError("The registry's database cannot be read.", why=str(error).partition("\n")[0]) from error
    return int(row[0] or 0) if row else 0


class Glance:
    """The same number, for an event loop that may not wait; only a SQLite file gives it so.

    In a write-ahead log a reader waits for nobody. The connection belongs to the thread that asks first, and is never
    used for anything else.

    Args:
        engine: The database.
    """

    def __init__(self, engine: Engine) -> None:
        file = engine.url.database if engine.dialect.name == "sqlite" else None
        self._url = f"{Path(file).resolve().as_uri()}?mode=ro" if file else ""
        self._connection: sqlite3.Connection | None = None

    def number(self) -> int | None:
        """Return the number of the log's last entry; ``None``: it cannot be had without waiting."""
        if not self._url:
            return None
        try:
            if self._connection is None:
                self._connection = sqlite3.connect(self._url, uri=True, timeout=0, isolation_level=None)
            (found,) = self._connection.execute(_QUESTION).fetchone()
        except sqlite3.Error:
            self.close()
            return None
        return int(found or 0)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
