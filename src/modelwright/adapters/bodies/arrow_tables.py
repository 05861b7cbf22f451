"""Turn Arrow tables into rows of a request, and answers into Arrow tables.

Called by :mod:`.arrow` and :mod:`.parquet`. A hostile table may hold little and say much: offsets that overlap, one
long text that every row points to, children without bytes. So it is validated in full, only columns that the model
knows are unpacked, and text in a dictionary is made once.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from msgspec import json
from pyarrow import types

from modelwright.errors import MessageError, OutputError, TooLargeError
from modelwright.runtime.blocks import Finiteness, is_bounded
from modelwright.runtime.encoding import decoder, encode
from modelwright.runtime.values import FieldJudge, family_of
from modelwright.serving.inference import Column
from modelwright.serving.intake.bodies import Fields, Rows

_SCALARS = (
    types.is_boolean,
    types.is_integer,
    types.is_floating,
    types.is_decimal,
    types.is_string,
    types.is_large_string,
    types.is_binary,
    types.is_large_binary,
    types.is_fixed_size_binary,
    types.is_date,
    types.is_timestamp,
    types.is_duration,
    types.is_null,
)
_NUMBERS = frozenset(
    kind().id
    for kind in (
        *(pa.int8, pa.int16, pa.int32, pa.int64),
        *(pa.uint8, pa.uint16, pa.uint32, pa.uint64),
        *(pa.float16, pa.float32, pa.float64),
    )
)
_LISTS = (types.is_list, types.is_large_list, types.is_fixed_size_list)


@contextmanager
def refusing(kind: str) -> Iterator[None]:
    """Turn whatever a library says of a damaged body into one kind of error.

    Args:
        kind: What the body should be.

    Raises:
        MessageError: The library refused it.
    """
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, OverflowError, struct.error) as error:
        said = str(error).partition("\n")[0].rstrip(".")
        raise MessageError(f"The body is not {kind} that can be read.", why=f"{said[:200]}.") from None


def check_extent(rows: int, values: int, unpacked: int, *, max_rows: int, max_bytes: int) -> None:
    """Check what a body claims to hold.

    Raises:
        TooLargeError: More rows than ``max_rows``, or more values or unpacked bytes than ``max_bytes``.
    """
    if rows > max_rows:
        raise TooLargeError(
            f"The body holds {rows} rows; at most {max_rows} are taken at once.", hint="Send them in several requests."
        )
    if max(values, unpacked) > max_bytes:
        raise TooLargeError(
            f"The body would unpack to more than {max_bytes} values or bytes.", hint="Send fewer rows at a time."
        )


def rows_of(table: Any, fields: Fields, *, blocked: bool) -> Rows:
    """Return the rows of a table, as a block if that is wanted and all values are surely fine.

    Raises:
        MessageError: A name is there twice, or a column is of a type that no field has.
        pyarrow.ArrowException: It is damaged.
    """
    table.validate()
    sent = table.schema.names
    if len({*sent}) < len(sent):
        twice = next(name for name in sent if sent.count(name) > 1)
        raise MessageError(f"The body holds the column {twice[:60]!r} more than once.")
    names = [field["name"] for field in fields]
    if blocked and len(sent) == len(names) and {*sent} == {*names}:
        block = _block(table if sent == names else table.select(names), fields)
        if block is not None:
            return Rows(table.num_rows, {}, block)
    return Rows(table.num_rows, _columns(table, {field["name"]: field for field in fields}))


def _block(table: Any, fields: Fields) -> bytes | None:
    columns = table.columns
    if not {kind.id for kind in table.schema.types} <= _NUMBERS:
        return None
    if any(column.null_count and not field.get("nullable") for column, field in zip(columns, fields, strict=True)):
        return None
    block = np.empty((table.num_rows, len(fields)))
    for place, column in enumerate(columns):
        block[:, place] = column.to_numpy()
    return block.tobytes() if Finiteness(fields).holds(block) else None


def _columns(table: Any, known: dict[str, dict[str, Any]]) -> dict[str, Column]:
    """Unpack the columns that the model knows; of others, only the name and the length are of interest."""
    unknown = [None] * table.num_rows
    columns: dict[str, Column] = {}
    for name, column in zip(table.schema.names, table.columns, strict=True):
        columns[name] = unknown
        if name in known:
            column.validate(full=True)
            numbers = _numbers(column, known[name])
            columns[name] = (
                numbers if numbers is not None else [value for chunk in column.chunks for value in _values(name, chunk)]
            )
    return columns


def _numbers(column: Any, field: dict[str, Any]) -> Column | None:
    """Return a column as an array of numbers, if all of them surely fit; ``None``: they must be looked at."""
    family = family_of(field["datatype"])
    if column.type.id not in _NUMBERS or field.get("shape") or is_bounded(field):
        return None
    if family == "float" and (not column.null_count or _missing_is_nan(field)):
        floats = column.to_numpy().astype("float64", copy=False)
        return _packed(floats, "d") if Finiteness([field]).holds(floats.reshape(-1, 1)) else None
    if family == "int" and not column.null_count and types.is_integer(column.type):
        whole = column.to_numpy()
        info = np.iinfo(field["datatype"])
        least, most = (int(whole.min()), int(whole.max())) if len(whole) else (0, 0)
        if info.min <= least and most <= min(info.max, np.iinfo("int64").max):
            return _packed(whole.astype("int64", copy=False), "q")
    return None


def _missing_is_nan(field: dict[str, Any]) -> bool:
    """Say whether a missing float may be, and reaches the model as NaN: in a column of NumPy's own floats."""
    return bool(field.get("nullable")) and field.get("native", "") in ("float16", "float32", "float64")


def _packed(values: Any, code: Literal["d", "q"]) -> array[Any]:
    packed: array[Any] = array(code)
    packed.frombytes(np.ascontiguousarray(values).data.cast("B"))
    return packed


def _values(name: str, array: Any) -> list[Any]:
    """Return the values of an array as Python's own; text of a dictionary is made once and shared."""
    kind = array.type
    if types.is_dictionary(kind):
        values = _values(name, array.dictionary)
        return [None if place is None else values[place] for place in array.indices.to_pylist()]
    if any(test(kind) for test in _LISTS):
        return _lists(name, array)
    if types.is_struct(kind):
        return _structs(name, array)
    if not any(test(kind) for test in _SCALARS):
        raise MessageError(
            f"The column {name[:60]!r} is of the Arrow type {str(kind)[:60]}, which no field has.",
            hint="Cast it to a plain type before sending.",
        )
    if types.is_timestamp(kind) and kind.unit == "ns":
        array = array.cast(pa.timestamp("us", kind.tz), safe=False)
    if types.is_duration(kind) and kind.unit == "ns":
        array = array.cast(pa.duration("us"), safe=False)
    plain: list[Any] = array.to_pylist()
    return plain


def _structs(name: str, array: Any) -> list[Any]:
    children = [_values(name, child) for child in array.flatten()]
    labels = [array.type.field(place).name for place in range(array.type.num_fields)]
    rows = zip(*children, strict=True) if children else [()] * len(array)
    present = array.is_valid().to_pylist()
    return [dict(zip(labels, row, strict=True)) if here else None for here, row in zip(present, rows, strict=True)]


def _lists(name: str, array: Any) -> list[Any]:
    values = _values(name, array.values)
    if types.is_fixed_size_list(array.type):
        size = array.type.list_size
        starts = [size * (array.offset + row) for row in range(len(array) + 1)]
    else:
        starts = array.offsets.to_pylist()
    present = array.is_valid().to_pylist()
    spans = zip(present, starts, starts[1:], strict=False)
    return [values[start:end] if there else None for there, start, end in spans]


def table_of(columns: dict[str, list[Any]], outputs: Fields) -> Any:
    """Return the columns of an answer as an Arrow table.

    Args:
        columns: Values per column.
        outputs: For each column, the output it belongs to.

    Raises:
        OutputError: The model answered values of another type than its signature says.
    """
    return pa.table({output["name"]: _array(columns[output["name"]], output) for output in outputs})


def _array(values: list[Any], output: dict[str, Any]) -> Any:
    """Return the values of an output; JSON of any shape is text, so that a column has one type in every answer."""
    if output["datatype"] == "json":
        return pa.array(
            [None if value is None else json.encode(encode(value)).decode() for value in values], pa.string()
        )
    try:
        return pa.array(_normal(values, output), type=_type_of(output))
    except (pa.ArrowException, ValueError, OverflowError, TypeError) as error:
        raise OutputError(
            f"The output {output['name']!r} holds values that are no {output['datatype']}.",
            why=str(error).partition("\n")[0],
            hint="Ask for JSON, which shows what the model answered.",
        ) from None


def _normal(values: list[Any], output: dict[str, Any]) -> list[Any]:
    """Bring back what was written as JSON: dates, bytes, numbers that are not finite."""
    judge, way = FieldJudge({**output, "nullable": True, "infinite": True}), decoder(output)
    fine = judge.quick(values)
    return fine if fine is not None else [judge.accept(way(value)) for value in values]


def _type_of(output: dict[str, Any]) -> Any:
    family = family_of(output["datatype"])
    if family in ("datetime", "duration"):
        kind = pa.timestamp("us", output.get("timezone")) if family == "datetime" else pa.duration("us")
    else:
        named = {"bool": "bool_", "bytes": "binary", "date": "date32"}
        kind = getattr(pa, named.get(family, output["datatype"]))()
    for _ in output.get("shape", ()):
        kind = pa.list_(kind)
    return kind
