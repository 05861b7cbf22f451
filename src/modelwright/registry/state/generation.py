"""One number that grows with every change, read so cheaply that every request can ask for it.

Called by the application: what was made of the database stays right for as long as the number stays the same. Every
change, also of tokens and of what was denied, is in the log, so the number is that of the log's last entry.

It does not: go through the layers that build statements and transactions; those cost more than the question.
"""

from __future__ import annotations

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
