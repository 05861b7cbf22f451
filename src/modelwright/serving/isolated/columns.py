"""Columns of tables: numbers that need no look one by one, and what can be carried to another process.

Called by :mod:`.rows`. No library of frames is imported here: whoever holds a frame of it has.
"""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib import import_module
from typing import Any

import msgspec

from modelwright.runtime.blocks import Finiteness, is_bounded
from modelwright.runtime.errors import Problem
from modelwright.runtime.validation import refusal
from modelwright.runtime.values import family_of
from modelwright.serving.inference import Column

_ARROW = frozenset({"halffloat", "float", "double"} | {f"{s}int{bits}" for s in ("", "u") for bits in (8, 16, 32, 64)})
"""Types of Arrow that are numbers, as they are written."""
_TIMES = frozenset({datetime, list, str, type(None)})
"""Types of times, or tensors of them, that are carried as they are."""
_PLAIN = ("", "float16", "float32", "float64")
"""Dtypes in which missing is NaN."""


@cache
def has_numpy(kind: str) -> bool:
    """Say whether NumPy is here, which a table of this kind can do without."""
    if kind not in ("polars", "pyarrow"):
        return True
    try:
        import_module("numpy")
    except ModuleNotFoundError:
        return False
    return True


def names_of(held: Any, kind: str) -> list[Any]:
    """Return the names of a table's columns, as often as they are there."""
    return list(held.schema.names if kind == "pyarrow" else held if kind == "columns" else held.columns)


def chosen(held: Any, kind: str, names: tuple[str, ...]) -> Any:
    """Return a table with some of its columns, which it has."""
    if kind == "columns":
        return {name: held[name] for name in names}
    return held[list(names)] if kind == "pandas" else held.select(list(names))


def numbers_of(held: Any, kind: str, name: str, field: dict[str, Any], *, nan_is_null: bool) -> array[Any] | None:
    """Return a column as an array of numbers, if all of them surely fit; ``None``: they must be looked at one by one.

    Args:
        held: The table.
        kind: What it is.
        name: Name of the column.
        field: The field that it is to fit.
        nan_is_null: Whether the model gets NaN where a value is missing.
    """
    family = family_of(field["datatype"])
    if family not in ("int", "float") or field.get("shape") or is_bounded(field):
        return None
    values = _NUMBERS[kind](held, name)
    if values is None or values.dtype.itemsize > 8 or not values.dtype.isnative:
        return None
    fits = _ints_fit(values, field) if family == "int" else _floats_fit(values, field, nan_is_null=nan_is_null)
    return _packed(values) if fits else None


def _ints_fit(values: Any, field: dict[str, Any]) -> bool:
    if values.dtype.kind == "f":
        return False
    info = sys.modules["numpy"].iinfo(field["datatype"])
    return bool(info.min <= int(values.min()) and int(values.max()) <= info.max)


def _floats_fit(values: Any, field: dict[str, Any], *, nan_is_null: bool) -> bool:
    if values.dtype.kind != "f":
        return True
    plain = nan_is_null and field.get("native", "") in _PLAIN
    if not plain and sys.modules["numpy"].isnan(values).any():
        return False
    return Finiteness([field]).holds(values.reshape(-1, 1))


def _packed(values: Any) -> array[Any]:
    if values.dtype.name == "float16":
        values = values.astype("float32")
    packed = array(values.dtype.char)
    packed.frombytes(sys.modules["numpy"].ascontiguousarray(values).data.cast("B"))
    return packed


def _of_pandas(held: Any, name: str) -> Any:
    column = held[name]
    numeric = type(column.dtype).__module__.startswith("numpy") and column.dtype.kind in "fiu"
    return column.to_numpy() if numeric else None


def _of_polars(held: Any, name: str) -> Any:
    column = held.get_column(name)
    numeric = (column.dtype.is_float() or column.dtype.is_integer()) and not column.null_count()
    return column.to_numpy() if numeric else None


def _of_pyarrow(held: Any, name: str) -> Any:
    column = held.column(name)
    numeric = str(column.type) in _ARROW and not column.null_count
    return column.to_numpy(zero_copy_only=False) if numeric else None


def _of_columns(held: Any, name: str) -> Any:
    column = held[name]
    numeric = type(column).__module__ == "numpy" and column.ndim == 1 and column.dtype.kind in "fiu"
    return column if numeric else None


_NUMBERS = {"pandas": _of_pandas, "polars": _of_polars, "pyarrow": _of_pyarrow, "columns": _of_columns}


def portable(
    columns: Mapping[str, list[Any]], fields: Mapping[str, dict[str, Any]], *, model: str
) -> dict[str, Column]:
    """Return judged columns as they can be carried, after a look at whether they are the same when they arrive.

    Times of pandas become text, which keeps their nanoseconds.

    Raises:
        SignatureError: A value is an object of this process, or text that no text can hold.
    """
    found: dict[str, Column] = dict(columns)
    problems: list[Problem] = []
    for name, values in columns.items():
        family = family_of(fields[name]["datatype"])
        if family == "datetime":
            found[name] = [value if type(value) in _TIMES else value.isoformat() for value in values]
        elif family == "duration":
            problems += _rounded(name, values)
        elif family in _CHECKS and not _CHECKS[family](values):
            hint = "send numbers, texts, truth values, null, lists and dicts of these"
            problems.append(Problem(None, name, "holds what cannot be carried to another process", hint))
    if problems:
        raise refusal(problems, model=model)
    return found


def _rounded(name: str, values: list[Any]) -> list[Problem]:
    hint = "round it to microseconds"
    return [
        Problem(row, name, "is finer than what can be carried to another process", hint)
        for row, value in enumerate(values)
        if getattr(value, "nanoseconds", 0)
    ]


def _is_json(values: list[Any]) -> bool:
    try:
        return bool(json.loads(json.dumps(values, allow_nan=False)) == values)
    except (TypeError, ValueError, RecursionError):
        return False


def _is_text(values: list[Any]) -> bool:
    try:
        msgspec.json.encode(values)
    except UnicodeEncodeError:
        return False
    return True


_CHECKS = {"json": _is_json, "string": _is_text}
