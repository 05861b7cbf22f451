"""Turn events into the columns of records: numbers stay arrays, what is dropped is not looked at, what is hashed goes.

Called by :mod:`.log`, in the thread that writes. Pure: data in, data out.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, cast

import msgspec

from modelwright.runtime.encoding import decoder, encode
from modelwright.runtime.values import family_of
from modelwright.serving.contract import Contract
from modelwright.serving.inference import Event, Table, Values
from modelwright.serving.observing.records.recorder import Data
from modelwright.spec.record import RECORD_VERSION, RecordColumn, RecordSchema, hashed

Cell = Callable[[Any], Any]
FORMATS = {
    "bool": "?",
    "float64": "d",
    "float32": "f",
    **{f"int{bits}": code for bits, code in ((8, "b"), (16, "h"), (32, "i"), (64, "q"))},
    **{f"uint{bits}": code for bits, code in ((8, "B"), (16, "H"), (32, "I"), (64, "Q"))},
}
"""Per NumPy datatype the code of :mod:`struct` that Python reads its native bytes by."""


class Assembler:
    """Makes the columns of one series.

    Args:
        schema: The columns.
        contract: What the rows were judged by: it says the order of fields in a block.
        salt: What hashed values are salted with.
    """

    def __init__(self, schema: RecordSchema, contract: Contract, salt: bytes) -> None:
        self._schema, self._salt = schema, salt
        self._order = {name: place for place, name in enumerate(contract.fields)}
        fields = {field["name"]: field for field in contract.inputs}
        outputs = {output["name"]: output for outputs in contract.outputs.values() for output in outputs}
        kept = schema.kept
        self._inputs = [(one, _cell(one, fields[one.name], salt)) for one in kept if one.role == "input"]
        self._outputs = [
            (one, _decoded(outputs[one.name], _cell(one, outputs[one.name], salt)))
            for one in kept
            if one.role == "output"
        ]
        self._unit = next((one for one in kept if one.column == "unit"), None)

    def portions(self, events: Iterable[Event]) -> Iterable[tuple[dict[str, Data], int]]:
        """Give columns and their number of rows, events of one form at a time."""
        for _, alike in groupby(sorted(events, key=_form), key=_form):
            listed = list(alike)
            yield self.columns(listed), sum(map(rows_of, listed))

    def columns(self, events: Sequence[Event]) -> dict[str, Data]:
        """Return the columns of events that are alike: all with rows in the same form, or none; outputs the same way.

        Raises:
            ValueError: Rows or outputs are not of the form that the contract says, or not as many as the event says.
        """
        found = self._every(events)
        size = len(found["row"])
        tables = [event.table for event in events if event.table is not None]
        block = self._block(tables)
        for column, cell in self._inputs:
            found[column.column] = self._input(tables, block, column, cell) if tables else [None] * size
        for column, cell in self._outputs:
            found[column.column] = _output(events, column, cell, size)
        return found

    def _every(self, events: Sequence[Event]) -> dict[str, Any]:
        sizes = [rows_of(event) for event in events]
        size = sum(sizes)

        def spread(values: Iterable[Any]) -> list[Any]:
            if size == len(sizes):
                return list(values)
            return [value for value, rows in zip(values, sizes, strict=True) for _ in range(rows)]

        rows = [row for event, count in zip(events, sizes, strict=True) for row in _rows(event, count)]
        found: dict[str, Any] = {
            "record_version": [RECORD_VERSION] * size,
            "time": spread(datetime.fromtimestamp(event.time_s, UTC) for event in events),
            "row": rows,
            "model": [self._schema.model] * size,
            "version": [self._schema.version] * size,
            "digest": [self._schema.digest] * size,
            "error": spread(event.error or None for event in events),
        }
        for name in ("request_id", "variant", "shadow", "transport", "status", *_SECONDS):
            found[name] = spread([getattr(event, name) for event in events])
        if self._unit is not None:
            units = [event.unit or None for event in events]
            keep = self._unit.treatment == "keep"
            found["unit"] = spread(units if keep else [hashed(unit, self._salt) for unit in units])
        return found

    def _block(self, tables: Sequence[Table]) -> array[float] | None:
        """Return the values of all tables as one block, if they are blocks."""
        if not tables or tables[0].block is None:
            return None
        width = len(self._order)
        if any(len(table.block or b"") != 8 * width * table.size for table in tables):
            raise ValueError(f"a block is not one of {width} fields")
        return array("d", b"".join([table.block or b"" for table in tables]))

    def _input(
        self, tables: Sequence[Table], block: array[float] | None, column: RecordColumn, cell: Cell | None
    ) -> Data:
        if block is not None:
            numbers = block[self._order[column.name] :: len(self._order)]
            return numbers if cell is None else list(map(cell, numbers))
        columns = [table.columns[column.name] for table in tables if table.columns is not None]
        if any(len(values) != table.size for values, table in zip(columns, tables, strict=True)):
            raise ValueError(f"the rows have not as many values of {column.name!r} as there are rows")
        return _joined(columns, cell)


_SECONDS = ("seconds", "queue_seconds", "predict_seconds")


def rows_of(event: Event) -> int:
    """Return how many records a request gives: one per row, and one if its rows could not be read."""
    return event.table.size if event.table is not None else 1


def _rows(event: Event, count: int) -> Sequence[int | None]:
    return range(count) if event.table is not None else (None,)


def _form(event: Event) -> tuple[Any, ...]:
    """Return what must be alike for events to share their columns."""
    table = event.table
    kind = 0 if table is None else 1 if table.block is not None else 2
    outputs = event.outputs if table is not None else None
    shapes = () if outputs is None else tuple((name, one.dtype, one.shape) for name, one in sorted(outputs.items()))
    return kind, shapes


def _joined(columns: Sequence[Any], cell: Cell | None) -> Data:
    kinds = {values.typecode if isinstance(values, array) else "" for values in columns}
    if cell is None and len(kinds) == 1 and "" not in kinds:
        joined = array(kinds.pop())
        for values in columns:
            joined.extend(values)
        return joined
    listed = [value for values in columns for value in values]
    return listed if cell is None else list(map(cell, listed))


def _output(events: Sequence[Event], column: RecordColumn, cell: Cell | None, size: int) -> Data:
    tables = [(event.outputs or {}).get(column.name) for event in events if event.table is not None]
    present = [values for values in tables if values is not None]
    if not present:
        return [None] * size
    first = present[0]
    if first.dtype and cell is None:
        return Values(memoryview(b"".join(cast(memoryview, one.data) for one in present)), first.dtype, first.shape)
    listed = [value for values in present for value in (_listed(values) if values.dtype else values.data)]
    if len(listed) != size:
        raise ValueError(f"there are not as many answers {column.name!r} as there are rows")
    return listed if cell is None else list(map(cell, listed))


def _listed(values: Values) -> list[Any]:
    """Return the values of an array as Python's own, nested by its shape."""
    held: Any = values.data
    code: Any = FORMATS[values.dtype]
    flat: list[Any] = memoryview(held).cast("B").cast(code).tolist()
    for size in reversed(values.shape):
        flat = [flat[start : start + size] for start in range(0, len(flat), size)]
    return flat


def _cell(column: RecordColumn, field: dict[str, Any], salt: bytes) -> Cell | None:
    """Return what is done to each value before it is written; ``None``: nothing."""
    if column.treatment == "hash":
        return lambda value: hashed(value, salt)
    return _CELLS.get(family_of(field["datatype"])) if not column.shape else _nested(field["datatype"])


def _nested(datatype: str) -> Cell | None:
    cell = _CELLS.get(family_of(datatype))
    if cell is None:
        return None

    def walk(value: Any) -> Any:
        return [walk(one) for one in value] if isinstance(value, list) else cell(value)

    return walk


def _decoded(output: dict[str, Any], cell: Cell | None) -> Cell | None:
    """Return the same for an answer, whose list holds what JSON can hold: it is brought back first."""
    family = family_of(output["datatype"])
    if family not in ("date", "datetime", "bytes"):
        return cell
    decode = decoder(output)
    return decode if cell is None else lambda value: cell(decode(value))


def _json(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(encode(value)).decode()


def _duration(value: Any) -> Any:
    return value.total_seconds() if isinstance(value, timedelta) else value


_CELLS: dict[str, Cell] = {"json": _json, "duration": _duration}
"""Per family of datatypes, how Parquet's nearest type says it."""
