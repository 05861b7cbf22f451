"""Records as Parquet files, by PyArrow.

Found by entry point in the group ``modelwright.recorders``. Types are those of the signature; what Parquet has no type
for is said in ``docs/reference/record-log.md``.

Source: Apache Parquet, "Logical types"; Apache Arrow columnar format, "Data types".
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from modelwright.serving.inference import Values
from modelwright.serving.observing.records.recorder import Data
from modelwright.spec.record import RecordColumn

_TYPES: dict[str, Any] = {
    "bool": pa.bool_(),
    "float16": pa.float32(),  # few readers of Parquet know half floats
    "date": pa.date32(),
    "duration": pa.float64(),
    "json": pa.string(),
    **{name: getattr(pa, name)() for name in ("string", "binary", "float32", "float64")},
    **{f"{sign}int{bits}": getattr(pa, f"{sign}int{bits}")() for sign in ("", "u") for bits in (8, 16, 32, 64)},
    "bytes": pa.binary(),
}
_NUMBERS: dict[str, Any] = {
    "bool": pa.uint8(),
    **{f"float{bits}": getattr(pa, f"float{bits}")() for bits in (16, 32, 64)},
    **{name: kind for name, kind in _TYPES.items() if "int" in name},
}
"""Per datatype of NumPy, what its bytes are read as."""
_ARRAYS = {"d": pa.float64(), "q": pa.int64()}
COMPRESSION = "zstd"


class ParquetRecorder:
    """Writes Parquet; see :class:`modelwright.serving.observing.records.recorder.Recorder`."""

    suffix = ".parquet"

    def batch(self, columns: Sequence[RecordColumn], data: Mapping[str, Data]) -> Any:
        """Return rows as a record batch."""
        schema = arrow_schema(columns)
        arrays = [_array(data[column.column], field.type) for column, field in zip(columns, schema, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    def write(
        self, path: Path, *, columns: Sequence[RecordColumn], batches: Sequence[Any], note: Mapping[str, str]
    ) -> None:
        """Write batches as one file."""
        table = pa.Table.from_batches(batches, schema=arrow_schema(columns)).replace_schema_metadata(dict(note))
        pq.write_table(table, path, compression=COMPRESSION, write_page_index=True)


def arrow_schema(columns: Sequence[RecordColumn]) -> Any:
    """Return the Arrow schema of columns; every one of them may be null."""
    return pa.schema([pa.field(column.column, _type(column)) for column in columns])


def _type(column: RecordColumn) -> Any:
    found = pa.timestamp("us", tz=column.timezone) if column.datatype == "datetime" else _TYPES[column.datatype]
    for _ in column.shape:
        found = pa.list_(found)
    return found


def _array(data: Data, wanted: Any) -> Any:
    if isinstance(data, array):
        kind = _ARRAYS[data.typecode]
        return _cast(pa.Array.from_buffers(kind, len(data), [None, pa.py_buffer(data)]), wanted)
    if isinstance(data, Values):
        return _cast(_tensor(data), wanted)
    return pa.array(data, type=wanted, from_pandas=False)


def _tensor(values: Values) -> Any:
    """Return the bytes of an array as an Arrow array, without a look at the single values."""
    flat = memoryview(values.data).cast("B")  # type: ignore[arg-type]
    kind = _NUMBERS[values.dtype]
    found = pa.Array.from_buffers(kind, flat.nbytes * 8 // kind.bit_width, [None, pa.py_buffer(flat)])
    found = found.cast(pa.bool_()) if values.dtype == "bool" else found
    for size in reversed(values.shape):
        found = pa.FixedSizeListArray.from_arrays(found, size)
    return found


def _cast(found: Any, wanted: Any) -> Any:
    return found if found.type == wanted else found.cast(wanted)


RECORDER = ParquetRecorder()
