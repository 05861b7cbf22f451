"""Give rows back in the container they came in, through the container's own methods.

Called by :mod:`modelwright.capturing.table` only. No frame library is imported: the objects bring their methods with
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from modelwright.spec.signature import Container

Indices = npt.NDArray[np.intp]


def take(data: Any, container: Container, indices: Indices) -> Any:
    """Return some rows, in this order; a pandas frame keeps its index."""
    if container == "pandas":
        return data.iloc[indices]
    if container == "records":
        return [data[row] for row in indices]
    if container == "columns":
        return {name: _pick(values, indices) for name, values in data.items()}
    return data.take(indices.tolist()) if container == "pyarrow" else data[indices]


def mixed(data: Any, container: Container, indices: Sequence[Indices]) -> Any:
    """Return rows whose columns are each taken from rows of their own; ``indices`` has one array per column."""
    if container == "pandas":
        names = list(data.columns)
        content = {name: data[name].array.take(order) for name, order in zip(names, indices, strict=True)}
        return type(data)(content, columns=data.columns, copy=False)
    if container == "polars":
        return data.select(series.gather(order) for series, order in zip(data.get_columns(), indices, strict=True))
    if container == "pyarrow":
        arrays = [column.take(order.tolist()) for column, order in zip(data.columns, indices, strict=True)]
        return type(data).from_arrays(arrays, schema=data.schema)
    if container == "columns":
        return {name: _pick(data[name], order) for name, order in zip(data, indices, strict=True)}
    if container == "records":
        return _mixed_records(data, indices)
    if data.ndim > 2:
        return data[indices[0]]
    return np.stack([data[order, position] for position, order in enumerate(indices)], axis=1)


def _mixed_records(data: Sequence[dict[str, Any]], indices: Sequence[Indices]) -> list[dict[str, Any]]:
    names = list(dict.fromkeys(name for row in data for name in row))
    made: list[dict[str, Any]] = [{} for _ in indices[0]]
    for name, order in zip(names, indices, strict=True):
        for row, source in zip(made, order, strict=True):
            if name in data[source]:
                row[name] = data[source][name]
    return made


def with_value(row: Any, container: Container, *, name: str, position: int, value: Any) -> Any:
    """Return one row with the value of one column replaced; the column keeps its dtype."""
    if container == "pandas":
        changed = row.copy()
        column = changed.iloc[:, position]
        known = getattr(getattr(column, "cat", None), "categories", None)
        fits = known is None or value in known
        changed[name] = type(column)([value if fits else None], index=column.index, dtype=column.dtype)
        return changed
    if container == "polars":
        column = row.to_series(position)
        return row.with_columns(type(column)(column.name, [value], dtype=column.dtype, strict=False))
    if container == "pyarrow":
        table = row.to_pylist()
        table[0][name] = value
        return type(row).from_pylist(table, schema=row.schema)
    if container == "records":
        return [{**row[0], name: value}]
    if container == "columns":
        return {**row, name: np.array([value]) if isinstance(row[name], np.ndarray) else [value]}
    changed = row.copy()
    changed[0, position] = value
    return changed


def _pick(values: Any, indices: Indices) -> Any:
    return values[indices] if isinstance(values, np.ndarray) else [values[row] for row in indices]
