"""Tables of any library to an Arrow IPC stream, and an answer's stream to columns.

For: the client of a server, by the entry point ``arrow`` of ``modelwright.frames``. What a frame writes for a missing
value (NaN of pandas and NumPy) becomes null, as it does where a model is asked in process.

Source: Apache Arrow, "IPC Streaming Format"; IANA registry of media types for its name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.ipc


class ArrowFrames:
    """The codec.

    Attributes:
        media_type: What the bytes are called.
    """

    media_type = "application/vnd.apache.arrow.stream"

    def encode(self, rows: Any, kind: str, names: Sequence[str]) -> bytes | None:
        """Return a table as bytes, ``None`` if Arrow has no type for some column of it.

        Args:
            rows: The table.
            kind: What it is: ``pandas``, ``polars``, ``pyarrow``, or ``numpy`` for ``[n_rows, n_columns]`` of numbers.
            names: Names of the columns, for NumPy.
        """
        try:
            table = _TABLES[kind](rows, names)
        except (pa.ArrowException, ValueError, TypeError):
            return None
        sink = pa.BufferOutputStream()
        with pyarrow.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        return bytes(sink.getvalue())

    def decode(self, body: bytes) -> dict[str, Any]:
        """Return the columns of a stream: arrays of NumPy where every value is a number or truth value, else lists.

        Raises:
            ValueError: It is no Arrow stream.
        """
        try:
            table = pyarrow.ipc.open_stream(body).read_all()
        except OSError as error:  # it is cut off
            raise ValueError(str(error)) from error
        return {name: _column(table.column(name)) for name in table.column_names}


def _from_pandas(rows: Any, _names: Sequence[str]) -> Any:
    return pa.Table.from_pandas(rows, preserve_index=False).replace_schema_metadata(None)


def _from_polars(rows: Any, _names: Sequence[str]) -> Any:
    table = rows.to_arrow()
    views = {pa.string_view(): pa.large_string(), pa.binary_view(): pa.large_binary()}  # not every reader knows them
    return table.cast(pa.schema([field.with_type(views.get(field.type, field.type)) for field in table.schema]))


def _from_pyarrow(rows: Any, _names: Sequence[str]) -> Any:
    return rows if isinstance(rows, pa.Table) else pa.table(rows)


def _from_numpy(rows: Any, names: Sequence[str]) -> Any:
    return pa.table({name: pa.array(rows[:, place], from_pandas=True) for place, name in enumerate(names)})


_TABLES = {"pandas": _from_pandas, "polars": _from_polars, "pyarrow": _from_pyarrow, "numpy": _from_numpy}


def _column(column: Any) -> Any:
    kind = column.type
    plain = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
    return column.to_numpy() if plain and not column.null_count else column.to_pylist()


FRAMES = ArrowFrames()
