"""Parquet files as bodies, by PyArrow.

Found by entry point in the group ``modelwright.bodies``. Text stays encoded by dictionary while it is read, so that
one long text in every row is held once; a body is measured before, by its footer and by its pages.

Source: Apache Parquet format.
"""

from __future__ import annotations

import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from modelwright.adapters.bodies import parquet_pages
from modelwright.adapters.bodies.arrow_tables import check_extent, refusing, rows_of, table_of
from modelwright.serving.intake.bodies import Fields, Rows

_MAX_ENTRIES = 100_000
"""Most entries of a list in the footer (columns, row groups)."""
_MAX_NAME = 1_000_000
"""Longest text in the footer, bytes; the Arrow schema is one."""


class ParquetBody:
    """Reads and writes Parquet."""

    media_type = "application/vnd.apache.parquet"

    def read(self, body: bytes, fields: Fields, *, max_rows: int, max_bytes: int, blocked: bool) -> Rows:
        """Return the rows of a body; see :class:`modelwright.serving.intake.bodies.BodyReader`."""
        limits = {"thrift_string_size_limit": _MAX_NAME, "thrift_container_size_limit": _MAX_ENTRIES}
        with refusing("Parquet"):
            metadata = pq.ParquetFile(pa.BufferReader(body), **limits).metadata
            groups = [metadata.row_group(place) for place in range(metadata.num_row_groups)]
            size = max(metadata.num_rows, sum(group.num_rows for group in groups))
            if size < 1:
                return Rows(0, {})
            values, unpacked = _measured(body, groups)
            check_extent(size, values, unpacked, max_rows=max_rows, max_bytes=max_bytes)
            texts = [column.path for column in _leaves(metadata) if column.physical_type == "BYTE_ARRAY"]
            file = pq.ParquetFile(pa.BufferReader(body), read_dictionary=texts, **limits)
            return rows_of(file.read(use_threads=False), fields, blocked=blocked)

    def write(self, columns: dict[str, list[Any]], outputs: Fields) -> bytes:
        """Return columns as a file; see :class:`modelwright.serving.answering.bodies.BodyWriter`."""
        sink = io.BytesIO()
        pq.write_table(table_of(columns, outputs), sink)
        return sink.getvalue()


def _leaves(metadata: Any) -> list[Any]:
    return [metadata.schema.column(place) for place in range(len(metadata.schema))]


def _measured(body: bytes, groups: list[Any]) -> tuple[int, int]:
    values = unpacked = 0
    for group in groups:
        for place in range(group.num_columns):
            chunk = group.column(place)
            starts = [chunk.data_page_offset]
            starts += [chunk.dictionary_page_offset] if chunk.dictionary_page_offset else []
            found = parquet_pages.measure(body, min(starts), chunk.total_compressed_size)
            values += max(found.values, chunk.num_values)
            unpacked += max(found.unpacked, chunk.total_uncompressed_size)
    return values, unpacked


PARQUET = ParquetBody()
