"""Read the columns of a pandas, polars or PyArrow table, without importing any of the three.

Called by :mod:`modelwright.capturing.table` only. narwhals gives one view of the three libraries; columns of plain
numbers are converted in one block per dtype, so that 10,000 columns take a second and not a minute.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import narwhals as nw
import numpy as np
import numpy.typing as npt

from modelwright.capturing.column import Column, column_of_array, column_of_objects
from modelwright.errors import SampleError
from modelwright.spec.signature import Container, Datatype, Scalar

_PLAIN = {
    **{f"{sign}Int{bits}": f"{sign.lower()}int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)},
    "Boolean": "bool",
}
_NUMPY_DTYPES = {name: name for name in (*_PLAIN.values(), "float32", "float64")}
_FLOATS = {"Float32": "float32", "Float64": "float64", "float": "float32", "double": "float64"}
"""Native dtypes of polars and PyArrow that become NumPy floats with NaN for null."""
_TIMES: dict[str, Datatype] = {"Datetime": "datetime", "Date": "date", "Duration": "duration"}


def container_of(data: object) -> Container | None:
    """Name the library of an eager table; ``None`` if it is no table of the three.

    Example:
        >>> container_of([1, 2]) is None
        True
    """
    if nw.dependencies.is_pandas_dataframe(data):
        return "pandas"
    if nw.dependencies.is_polars_dataframe(data):
        return "polars"
    return "pyarrow" if nw.dependencies.is_pyarrow_table(data) else None


def raw_names(data: Any, container: Container) -> list[object]:
    """Return the column names as the library has them: any objects, possibly repeated."""
    return list(data.column_names if container == "pyarrow" else data.columns)


def frame_columns(data: Any, container: Container) -> tuple[Column, ...]:
    """Return the columns of a table whose names are already known to be good.

    Raises:
        SampleError: A column of a type that no field can have, or of several types.
    """
    frame = nw.from_native(data, eager_only=True)
    schema = frame.schema
    natives = dict(zip(schema, _native_dtypes(data, container), strict=True))
    blocks = dict(_blocks(frame, natives, container))
    return tuple(
        blocks.get(name) or _column(frame[name], dtype, native=natives[name], container=container)
        for name, dtype in schema.items()
    )


def _native_dtypes(data: Any, container: Container) -> list[str]:
    if container == "pyarrow":
        return [str(field.type) for field in data.schema]
    return [str(dtype) for dtype in data.dtypes]


def _blocks(frame: nw.DataFrame[Any], natives: dict[str, str], container: Container) -> Iterator[tuple[str, Column]]:
    """Convert columns of plain numbers together: those that need no mask, or whose mask is NaN."""
    plain = _NUMPY_DTYPES if container == "pandas" else _FLOATS
    grouped: dict[str, list[str]] = {}
    for name, native in natives.items():
        if native in plain:
            grouped.setdefault(plain[native], []).append(name)
    for dtype, names in grouped.items():
        block = np.asarray(frame.select(*names).to_numpy(), dtype=dtype)
        for position, name in enumerate(names):
            column = column_of_array(name, block[:, position], nan_is_null=container == "pandas", native=natives[name])
            if container != "pandas" and column.missing.any():
                column = replace(column, nulls=np.asarray(frame[name].is_null().to_numpy(), dtype=bool))
            yield name, column


def _column(series: nw.Series[Any], dtype: Any, *, native: str, container: Container) -> Column:
    name = series.name
    nulls = np.asarray(series.is_null().to_numpy(), dtype=bool)
    plain = _PLAIN.get(str(dtype))
    if isinstance(dtype, nw.Categorical | nw.Enum):
        return _categorical(series, nulls, native=native, container=container)
    if plain is not None:
        fill: Any = False if plain == "bool" else 0
        values = np.asarray((series.fill_null(fill) if nulls.any() else series).to_numpy(), dtype=plain)
        return Column(name, cast(Datatype, plain), values, nulls, nulls, native=native)
    if isinstance(dtype, nw.Float16 | nw.Float32 | nw.Float64):
        values = np.asarray(series.to_numpy(), dtype=str(dtype).lower())
        return Column(name, cast(Datatype, values.dtype.name), values, nulls, nulls | np.isnan(values), native=native)
    if type(dtype).__name__ in _TIMES:
        zone = getattr(dtype, "time_zone", None)
        datatype = _TIMES[type(dtype).__name__]
        return Column(name, datatype, series.to_numpy(), nulls, nulls, native=native, timezone=zone)
    if isinstance(dtype, nw.Array) and not nulls.any():
        stacked = np.stack([np.asarray(row) for row in series.to_numpy()])
        return column_of_array(name, stacked, nan_is_null=False, native=native)
    if isinstance(dtype, nw.Decimal | nw.Time):
        raise SampleError(
            f"The column {name!r} has the dtype {native}, which no field can have.",
            hint="Convert it to float64, or to text.",
        )
    return column_of_objects(name, series.to_list(), mixed="refuse", native=native)


def _categorical(series: nw.Series[Any], nulls: npt.NDArray[np.bool_], *, native: str, container: Container) -> Column:
    levels, ordered = _levels(series, container)
    values: list[Any] = [None if null else value for value, null in zip(series.to_list(), nulls, strict=True)]
    column = column_of_objects(series.name, values, mixed="refuse", native=native)
    if column.datatype == "json":  # all null: the levels still say what the column would hold
        column = replace(column, datatype=column_of_objects("", list(levels), mixed="json").datatype)
    return replace(column, levels=levels, ordered=ordered)


def _levels(series: nw.Series[Any], container: Container) -> tuple[tuple[Scalar, ...], bool]:
    """Return the levels and whether their order means something.

    A pandas dtype's own order is kept in any case: some models (LightGBM) see the codes, which are positions in it.
    """
    native: Any = series.to_native()
    if container == "pandas":
        return tuple(native.cat.categories.tolist()), bool(native.cat.ordered)
    if isinstance(series.dtype, nw.Enum):
        return tuple(series.dtype.categories), True
    return tuple(sorted(set(series.drop_nulls().to_list()))), False
