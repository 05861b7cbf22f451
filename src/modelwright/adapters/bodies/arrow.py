"""Arrow IPC streams and files as bodies, by PyArrow.

Found by entry point in the group ``modelwright.bodies``. A body is measured before it is read, because a compressed
buffer may claim any size. A file is read by the stream that it contains.

Source: Arrow columnar format, "IPC Streaming Format", "IPC File Format".
"""

from __future__ import annotations

import io
from typing import Any

import pyarrow as pa
from pyarrow import ipc

from modelwright.adapters.bodies import arrow_messages
from modelwright.adapters.bodies.arrow_tables import check_extent, refusing, rows_of, table_of
from modelwright.serving.intake.bodies import Fields, Rows

_MAGIC = b"ARROW1\0\0"


class ArrowBody:
    """Reads and writes Arrow IPC."""

    media_type = "application/vnd.apache.arrow.stream"

    def read(self, body: bytes, fields: Fields, *, max_rows: int, max_bytes: int, blocked: bool) -> Rows:
        """Return the rows of a body; see :class:`modelwright.serving.intake.bodies.BodyReader`."""
        with refusing("Arrow IPC"):
            stream = pa.py_buffer(body)
            if body.startswith(_MAGIC):
                stream = stream.slice(len(_MAGIC))
            rows, values, unpacked = arrow_messages.measure(ipc.MessageReader.open_stream(stream))
            check_extent(rows, values, unpacked, max_rows=max_rows, max_bytes=max_bytes)
            table = ipc.open_stream(stream).read_all()
            return rows_of(table, fields, blocked=blocked)

    def write(self, columns: dict[str, list[Any]], outputs: Fields) -> bytes:
        """Return columns as a stream; see :class:`modelwright.serving.answering.bodies.BodyWriter`."""
        table = table_of(columns, outputs)
        sink = io.BytesIO()
        with ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        return sink.getvalue()


ARROW = ArrowBody()
