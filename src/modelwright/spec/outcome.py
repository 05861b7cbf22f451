"""What later turned out to be true or to have happened: the columns of outcomes, beside those of records.

For: serving (writes them), monitoring (joins them to records). One row is one named value of one outcome, so that the
files of all models have the same columns; which of ``number``, ``truth`` and ``text`` is filled says its type.
"""

from __future__ import annotations

from modelwright.spec.record import RecordColumn
from modelwright.spec.signature import Datatype

OUTCOME_VERSION = 1
"""Version of this description; it stands in every row."""
NOTE = "modelwright.outcome"
"""Key of the file's metadata under which the version stands."""


def _column(name: str, datatype: Datatype, description: str) -> RecordColumn:
    timezone = "UTC" if datatype == "datetime" else None
    return RecordColumn(
        column=name, role="record", name=name, datatype=datatype, timezone=timezone, description=description
    )


OUTCOME_COLUMNS: tuple[RecordColumn, ...] = (
    _column("outcome_version", "int16", "Version of this description."),
    _column("received", "datetime", "When it was told; of two with the same key the later one counts."),
    _column("time", "datetime", "When it happened; if nobody said, when it was told."),
    _column("request_id", "string", "Request whose prediction it belongs to; null: it is about a unit."),
    _column("row", "int32", "Number of the row within that request, from 0."),
    _column("unit", "string", "What it is about, treated as the unit of records is; null: it names a request."),
    _column("name", "string", "What turned out (``churned``)."),
    _column("number", "float64", "Its value, if that is a number."),
    _column("truth", "bool", "Its value, if that is true or false."),
    _column("text", "string", "Its value, if that is text."),
    _column("model", "string", "Model that answered the request; null: unknown when it was told."),
    _column("version", "string", "Version of its package."),
    _column("digest", "string", "sha256 of its wheel."),
    _column("variant", "string", "Name of the variant."),
)
"""The columns of outcomes."""
