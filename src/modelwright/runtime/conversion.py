"""Build the container that the model was trained on from columns in normal form.

The one place where the runtime imports a data library, and only the one that the model itself needs.

Called by model, for rows that came as something else or needed a change. It does not judge.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any

from .containers import Columns
from .values import family_of

Fields = list[dict[str, Any]]


def build(columns: Columns, count: int, signature: dict[str, Any]) -> Any:
    """Return the container of the signature with these columns.

    Args:
        columns: Values in normal form, in the order of the fields.
        count: Number of rows.
        signature: The signature, as it stands in the manifest.
    """
    return _BUILDERS[signature["container"]](columns, count, signature)


def _records(columns: Columns, count: int, _signature: dict[str, Any]) -> list[dict[str, Any]]:
    names = list(columns)
    return (
        [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)] if names else [{}] * count
    )


def _columns(columns: Columns, _count: int, _signature: dict[str, Any]) -> Columns:
    return dict(columns)


def _numpy(columns: Columns, count: int, signature: dict[str, Any]) -> Any:
    numpy = import_module("numpy")
    fields = signature["inputs"]
    dtype = numpy.dtype(signature.get("array_dtype") or "float64")
    text = dtype.kind in "US"  # the width of the training array would cut longer text off
    if len(fields) == 1 and fields[0].get("shape"):
        return numpy.array(columns[fields[0]["name"]], dtype=dtype.kind if text else dtype)
    rows = numpy.empty((count, len(fields)), dtype=object if text else dtype)
    for place, field in enumerate(fields):
        rows[:, place] = numpy_column(columns[field["name"]], rows.dtype)
    return rows.astype(dtype.kind) if text else rows


def numpy_column(values: list[Any], dtype: Any) -> Any:
    """Return one column as an array; in an array of objects, a missing value is NaN, as libraries expect it."""
    numpy = import_module("numpy")
    if numpy.dtype(dtype).kind != "O":
        return numpy.array(values, dtype=dtype)
    column = numpy.empty(len(values), dtype=object)
    column[:] = [numpy.nan if value is None else value for value in values]
    return column


def _pandas(columns: Columns, count: int, signature: dict[str, Any]) -> Any:
    pandas, numpy = import_module("pandas"), import_module("numpy")
    fields = signature["inputs"]
    if fields and all(field.get("native") == "float64" for field in fields):
        block = numpy.array([columns[field["name"]] for field in fields], dtype="float64").T
        return pandas.DataFrame(block, columns=list(columns))
    made = {field["name"]: _pandas_values(columns[field["name"]], field) for field in fields}
    return pandas.DataFrame(made, index=pandas.RangeIndex(count), columns=list(made))


def _pandas_values(values: list[Any], field: dict[str, Any]) -> Any:
    """Return one column as a frame is made of it soonest: an array where one will do, which need not be aligned."""
    native = field.get("native", "")
    if native == "category":
        return _pandas_category(values, field)
    if _NUMBERS.match(native) and not field.get("shape"):
        return import_module("numpy").array(values, dtype=native)
    return pandas_column(values, field)


_NUMBERS = re.compile(r"(u?int(8|16|32|64)|float(32|64))$")
"""NumPy's own numbers; pandas' extension types begin with a capital."""


def pandas_column(values: list[Any], field: dict[str, Any]) -> Any:
    """Return one column as a pandas Series of the dtype the model was trained on."""
    pandas = import_module("pandas")
    family, native = family_of(field["datatype"]), field.get("native", "")
    if native == "category":
        return pandas.Series(_pandas_category(values, field))
    if field.get("shape") or family == "json":
        return pandas.Series(numpy_column(values, object) if field.get("shape") else values, dtype=object)
    if family == "datetime":
        return _pandas_datetime(values, field)
    if native == "object":
        return pandas.Series(numpy_column(values, object), dtype=object)
    return pandas.Series(values, dtype=native or _PANDAS.get(family, field["datatype"]))


_PANDAS = {"string": "str", "bytes": "object", "date": "object", "duration": "timedelta64[us]", "bool": "bool"}


def pandas_category_dtype(field: dict[str, Any]) -> Any:
    """Return the categorical dtype of a field, with its levels in their order."""
    return _category_of(field)[0]


def _category_of(field: dict[str, Any]) -> tuple[Any, dict[Any, int]]:
    """Return the dtype, and the code of each level."""
    return _category(tuple(field.get("categories") or ()), field["datatype"], bool(field.get("ordered", False)))


@lru_cache(maxsize=256)
def _category(levels: tuple[Any, ...], datatype: str, ordered: bool) -> tuple[Any, dict[Any, int]]:
    """Return the same by value; the datatype tells levels apart that are equal, such as 1 and true."""
    known = [float(level) for level in levels] if family_of(datatype) == "float" else list(levels)
    dtype = import_module("pandas").CategoricalDtype(known, ordered=ordered)
    return dtype, {level: code for code, level in enumerate(dtype.categories)}


def _pandas_category(values: list[Any], field: dict[str, Any]) -> Any:
    """Return values as a categorical; an unseen level becomes missing, as it does wherever pandas applies a dtype."""
    dtype, code_of = _category_of(field)
    codes = import_module("numpy").array([code_of.get(value, -1) for value in values], dtype="int64")
    return import_module("pandas").Categorical.from_codes(codes, dtype=dtype)


def _pandas_datetime(values: list[Any], field: dict[str, Any]) -> Any:
    pandas = import_module("pandas")
    unit = _unit(field.get("native", ""))
    if field.get("timezone"):
        times = pandas.to_datetime(pandas.Series(values, dtype=object), utc=True)
        return times.dt.tz_convert(field["timezone"]).dt.as_unit(unit)
    return pandas.Series(values, dtype=f"datetime64[{unit}]")


def _unit(native: str) -> str:
    """Return the resolution in the name of a dtype: ``datetime64[ns, UTC]`` is ``ns``."""
    found = re.search(r"\b(s|ms|us|ns)\b", native)
    return found[1] if found else "us"


def _polars(columns: Columns, _count: int, signature: dict[str, Any]) -> Any:
    polars = import_module("polars")
    series = []
    for field in signature["inputs"]:
        dtype, values = polars_dtype(field), columns[field["name"]]
        if field.get("native", "").startswith("Enum"):  # an unseen level becomes missing, as a cast makes it
            known = set(field.get("categories") or ())
            values = [value if value in known else None for value in values]
        series.append(polars.Series(field["name"], values, dtype=dtype, strict=dtype is not None))
    return polars.DataFrame(series)


def polars_dtype(field: dict[str, Any]) -> Any:
    """Return the polars datatype of a field; ``None`` leaves it to polars."""
    polars = import_module("polars")
    family, native = family_of(field["datatype"]), field.get("native", "")
    if field.get("shape") or family == "json":
        return None
    if native.startswith("Enum"):
        return polars.Enum(list(field.get("categories") or ()))
    if native.startswith("Categorical"):
        return polars.Categorical
    if family == "datetime":
        unit = _unit(native)
        return polars.Datetime("us" if unit == "s" else unit, field.get("timezone"))
    if family == "duration":
        return polars.Duration("us")
    return getattr(polars, _POLARS[field["datatype"]])


_POLARS = {
    "bool": "Boolean",
    "bytes": "Binary",
    "date": "Date",
    "float16": "Float32",
    "float32": "Float32",
    "float64": "Float64",
    "int8": "Int8",
    "int16": "Int16",
    "int32": "Int32",
    "int64": "Int64",
    "string": "String",
    "uint8": "UInt8",
    "uint16": "UInt16",
    "uint32": "UInt32",
    "uint64": "UInt64",
}


def _pyarrow(columns: Columns, _count: int, signature: dict[str, Any]) -> Any:
    pyarrow = import_module("pyarrow")
    arrays = {}
    for field in signature["inputs"]:
        kind = pyarrow_type(field)
        values = columns[field["name"]]
        if kind is not None and pyarrow.types.is_dictionary(kind):
            arrays[field["name"]] = pyarrow.array(values, type=kind.value_type).dictionary_encode()
        else:
            arrays[field["name"]] = pyarrow.array(values, type=kind)
    return pyarrow.table(arrays)


def pyarrow_type(field: dict[str, Any]) -> Any:
    """Return the Arrow type of a field; ``None`` leaves it to PyArrow."""
    pyarrow = import_module("pyarrow")
    family, native = family_of(field["datatype"]), field.get("native", "")
    if field.get("shape") or family == "json":
        return None
    if family == "datetime":
        return pyarrow.timestamp(_unit(native), tz=field.get("timezone"))
    if family == "duration":
        return pyarrow.duration(_unit(native))
    kind = getattr(pyarrow, _PYARROW.get(family) or field["datatype"])()
    if family == "string" and "large_string" in native:
        kind = pyarrow.large_string()
    return pyarrow.dictionary(pyarrow.int32(), kind) if native.startswith("dictionary") else kind


_PYARROW = {"bool": "bool_", "string": "string", "bytes": "binary", "date": "date32"}

_BUILDERS: dict[str, Callable[[Columns, int, dict[str, Any]], Any]] = {
    "columns": _columns,
    "numpy": _numpy,
    "pandas": _pandas,
    "polars": _polars,
    "pyarrow": _pyarrow,
    "records": _records,
}
