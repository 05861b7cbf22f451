"""One column of a sample: typed values, and which of them are missing.

For: :mod:`modelwright.capturing.table` builds columns from Python values and NumPy arrays here, and from frames in
:mod:`modelwright.capturing.frames`; signature, profile, selection and outputs read them.

What ``values`` holds, per datatype: NumPy numbers and booleans (0 where null, NaN in float columns), ``datetime64`` and
``timedelta64`` (NaT where null), object arrays for text, bytes and ``json`` (``None`` where null).
"""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast, get_args

import numpy as np
import numpy.typing as npt

from modelwright.capturing.encoding import encode
from modelwright.errors import SampleError
from modelwright.spec.signature import Datatype, Scalar

Bools = npt.NDArray[np.bool_]
Mixed = Literal["json", "refuse"]
"""What to make of a column whose values have several types: any JSON, or an error that names two of them."""

_NUMERIC = {name for name in get_args(Datatype) if name.startswith(("int", "uint", "float"))}
_NULL_TYPES = {"NoneType", "NAType", "NaTType"}


@dataclass(frozen=True, eq=False, slots=True)
class Column:
    """One column.

    Attributes:
        name: Its name.
        datatype: Type of one element.
        values: ``[n_rows, *shape]``, see the module's text.
        nulls: ``[n_rows]``, where the container has no value (pandas and NumPy: NaN included).
        missing: ``[n_rows]``, where there is no value in the sense of the signature: null, NaN or NaT.
        native: The dtype as the container writes it; empty for Python values.
        shape: Shape of one row's value; ``()`` is a scalar.
        levels: Levels that the container's own dtype knows (``category``, ``Enum``, dictionary).
        ordered: Whether these levels have an order.
        timezone: Zone of a ``datetime``; then ``values`` are UTC.
    """

    name: str
    datatype: Datatype
    values: npt.NDArray[Any]
    nulls: Bools
    missing: Bools
    native: str = ""
    shape: tuple[int, ...] = ()
    levels: tuple[Scalar, ...] | None = None
    ordered: bool = False
    timezone: str | None = None

    @property
    def numeric(self) -> bool:
        """Whether the column holds scalar numbers (not booleans, not times)."""
        return self.datatype in _NUMERIC and not self.shape

    def present(self) -> npt.NDArray[Any]:
        """Return the values that are not missing, in row order."""
        return self.values[~self.missing] if self.missing.any() else self.values

    def cell(self, row: int) -> Any:
        """Return one value as JSON data, null as ``None``."""
        if self.nulls[row]:
            return None
        return encode(self.values[row], self.datatype, timezone=self.timezone)


def column_of_array(name: str, array: npt.NDArray[Any], *, nan_is_null: bool, native: str = "") -> Column:
    """Make a column from a NumPy array whose first axis is the rows.

    Args:
        name: Name of the column.
        array: ``[n_rows, *shape]`` of numbers, booleans, text, times, or objects.
        nan_is_null: Whether this container writes "no value" as NaN (pandas and NumPy do).
        native: What the container calls the dtype.

    Raises:
        SampleError: Complex numbers, structured or other dtypes without a datatype.
    """
    kind = array.dtype.kind
    if kind == "O":
        column = column_of_objects(name, list(array), mixed="refuse", native=native)
        return replace(column, nulls=column.missing) if nan_is_null else column
    datatype = _datatype_of(array.dtype)
    if datatype is None:
        raise SampleError(
            f"The column {name!r} has the dtype {array.dtype}, which no field can have.",
            hint="Convert it to numbers, text or times.",
        )
    none = np.zeros(len(array), dtype=bool)
    if datatype in ("string", "bytes"):
        array = array.astype(object)
    missing = _missing(array) if kind in "fmM" else none
    nulls = missing if kind in "mM" or (nan_is_null and array.ndim == 1) else none
    return Column(name, datatype, array, nulls, missing, native=native, shape=array.shape[1:])


def _missing(array: npt.NDArray[Any]) -> Bools:
    cells: Bools = np.isnan(array) if array.dtype.kind == "f" else np.isnat(array)
    return cells if array.ndim == 1 else np.any(cells.reshape(len(array), -1), axis=1)


def _datatype_of(dtype: np.dtype[Any]) -> Datatype | None:
    if dtype.kind == "M":
        return "date" if np.datetime_data(dtype)[0] in ("D", "W", "M", "Y") else "datetime"
    named = {"b": "bool", "U": "string", "S": "bytes", "m": "duration", "T": "string"}.get(dtype.kind, dtype.name)
    return cast(Datatype, named) if named in get_args(Datatype) else None


def column_of_objects(name: str, values: Sequence[Any], *, mixed: Mixed, native: str = "") -> Column:
    """Make a column from Python values; the datatype is what all of them, nulls aside, have in common.

    Integers beside floats are floats. A column without any value is nullable ``json``.

    Args:
        name: Name of the column.
        values: One value per row; ``None`` is null.
        mixed: What to make of several types in one column.
        native: What the container calls the dtype.

    Raises:
        SampleError: Several types where they are refused, or a type without a datatype.
    """
    kinds = {kind: _kind(kind) for kind in set(map(type, values)) if kind.__name__ not in _NULL_TYPES}
    found = set(kinds.values())
    nulls = np.fromiter((type(value).__name__ in _NULL_TYPES for value in values), dtype=bool, count=len(values))
    if found == {"float", "string"}:  # pandas writes "no text" as NaN
        nan = np.fromiter((isinstance(v, float) and v != v for v in values), dtype=bool, count=len(values))
        if all(isinstance(value, str) for value, skip in zip(values, nulls | nan, strict=True) if not skip):
            found, nulls = {"string"}, nulls | nan
    if "" in found or "Decimal" in found:
        _refuse_type(name, next(kind for kind, text in kinds.items() if text in ("", "Decimal")))
    if found == {"int"} and (wide := _integers(values, nulls)) is not None:
        return _finish(name, cast(Datatype, wide.dtype.name), wide, nulls, native)
    if found and found <= {"int", "float"} and "float" in found:
        numbers = np.array([np.nan if null else float(v) for v, null in zip(values, nulls, strict=True)], np.float64)
        return _finish(name, "float64", numbers, nulls, native)
    if found in ({"datetime"}, {"date"}, {"duration"}):
        return _times(name, values, nulls, native=native, datatype=cast(Datatype, found.pop()))
    if found == {"bool"}:
        return _finish(name, "bool", np.array([bool(v) if v is not None else False for v in values]), nulls, native)
    if len(found) > 1 and mixed == "refuse":
        first, second = sorted(kind.__name__ for kind in kinds)[:2]
        raise SampleError(
            f"The column {name!r} mixes {first} and {second}.",
            why="A field has one type, so that rows can be checked.",
            hint=f"Convert it first, for example frame[{name!r}] = frame[{name!r}].astype(str).",
        )
    datatype = cast(Datatype, found.pop() if found in ({"string"}, {"bytes"}) else "json")
    return _finish(name, datatype, _objects(values, nulls), nulls, native)


def _kind(kind: type) -> str:
    """Name what a Python type is in a column; empty if it can be nothing."""
    table: tuple[tuple[tuple[type, ...], str], ...] = (
        ((bool, np.bool_), "bool"),
        ((int, np.integer), "int"),
        ((float, np.floating), "float"),
        ((str,), "string"),
        ((bytes, bytearray), "bytes"),
        ((datetime.datetime, np.datetime64), "datetime"),
        ((datetime.date,), "date"),
        ((datetime.timedelta, np.timedelta64), "duration"),
        ((decimal.Decimal,), "Decimal"),
        ((dict, list, tuple, np.ndarray), "json"),
    )
    return next((text for types, text in table if issubclass(kind, types)), "")


def _refuse_type(name: str, kind: type) -> None:
    fix = "astype(float)" if kind is decimal.Decimal else "numbers, text, times, lists or dicts"
    raise SampleError(
        f"The column {name!r} holds {kind.__module__}.{kind.__qualname__} objects, which no field can have.",
        hint=f"Convert it first: {fix}.",
    )


def _integers(values: Sequence[Any], nulls: Bools) -> npt.NDArray[Any] | None:
    filled = [0 if null else int(value) for value, null in zip(values, nulls, strict=True)]
    for dtype in (np.int64, np.uint64):
        bounds = np.iinfo(dtype)
        if bounds.min <= min(filled, default=0) and max(filled, default=0) <= bounds.max:
            return np.array(filled, dtype=dtype)
    return None  # beyond 64 bits only JSON holds them


def _times(name: str, values: Sequence[Any], nulls: Bools, *, native: str, datatype: Datatype) -> Column:
    zones = {str(v.tzinfo) for v in values if isinstance(v, datetime.datetime) and v.tzinfo is not None}
    aware = sum(isinstance(v, datetime.datetime) and v.tzinfo is not None for v in values)
    if len(zones) > 1 or 0 < aware < len(values) - int(nulls.sum()):
        raise SampleError(f"The column {name!r} mixes time zones.", hint="Convert it to one zone, for example UTC.")
    unit = {"date": "datetime64[D]", "datetime": "datetime64[us]", "duration": "timedelta64[us]"}[datatype]
    clean = [np.datetime64("NaT") if null else _utc(v) for v, null in zip(values, nulls, strict=True)]
    if datatype == "duration":
        clean = [np.timedelta64("NaT") if null else v for v, null in zip(values, nulls, strict=True)]
    column = _finish(name, datatype, np.array(clean, dtype=unit), nulls, native)
    return replace(column, timezone=zones.pop()) if zones else column


def _utc(value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        moment = value.astimezone(datetime.UTC).replace(tzinfo=None) if value.tzinfo is not None else value
        return datetime.datetime.fromisoformat(moment.isoformat(timespec="microseconds"))
    return value


def _objects(values: Sequence[Any], nulls: Bools) -> npt.NDArray[Any]:
    objects = np.empty(len(values), dtype=object)
    for row, value in enumerate(values):
        objects[row] = None if nulls[row] else value
    return objects


def _finish(name: str, datatype: Datatype, values: npt.NDArray[Any], nulls: Bools, native: str) -> Column:
    missing = nulls | np.isnan(values) if datatype.startswith("float") else nulls
    return Column(name, datatype, values, nulls, missing, native=native)
