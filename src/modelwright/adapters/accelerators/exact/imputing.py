"""Plans of imputers: what is missing is filled with what was learned of its column."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arrays import Odd, own_floats, shaped, without_infinity
from .kernels import over_arrays
from .planning import Function, Given, Plan, Planner
from .tables import has_names, is_nan, is_text


def simple_imputer(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan an imputer of missing numbers, or of missing text."""
    if not is_nan(step.missing_values) or any(map(is_nan, step.statistics_.tolist())):
        return None
    if step._fit_dtype.kind in "OUS":
        return _text(step, given)
    statistics = step.statistics_.astype(getattr(step, "_fill_dtype", step.statistics_.dtype), copy=False)
    fill = _filler(statistics, _copier(step), len(statistics))
    if not step.add_indicator:
        return over_arrays(step, given, {"transform": lambda rows: fill(rows)[0]})
    marks = _marker(step.indicator_)
    if marks is None:
        return None

    def transform(rows: Any) -> Any:
        filled, missing = fill(rows)
        return np.hstack((filled, marks(missing)))

    return over_arrays(step, given, {"transform": transform})


def _copier(step: Any) -> Function:
    """Return a function that copies rows in the dtype in which they are filled."""
    if step.strategy in ("mean", "median"):
        return own_floats
    fitted = step._fit_dtype

    def copied(rows: Any) -> Any:
        if rows.dtype != fitted:
            raise Odd
        return rows.copy(order="K")

    return copied


def _filler(statistics: Any, copied: Function, width: int) -> Function:
    """Return a function that gives filled rows and what was missing ``[n_rows, width]``."""

    def fill(rows: Any) -> Any:
        rows = copied(without_infinity(shaped(rows, width)))
        if rows.dtype.kind != "f":
            return rows, np.zeros(rows.shape, dtype=bool)
        missing = np.isnan(rows)
        np.copyto(rows, statistics, where=missing, casting="same_kind")
        return rows, missing

    return fill


def _marker(indicator: Any) -> Function | None:
    """Return a function from what is missing to the columns that say so."""
    if indicator.sparse is True or indicator.error_on_new:
        return None
    features = indicator.features_
    if indicator.features == "missing-only" and features.size < indicator._n_features:
        return lambda missing: missing[:, features]
    return lambda missing: missing


def _text(step: Any, given: Given) -> Plan | None:
    if given.form not in ("frame", "objects") or not has_names(step, given) or step.add_indicator:
        return None
    if step._fit_dtype.kind != "O" or not all(is_text(field) for field in given.fields):
        return None
    fills = step.statistics_.tolist()
    levels = [
        frozenset(field.get("categories", ())) if field.get("native") == "category" else None for field in given.fields
    ]

    def transform(columns: Any) -> Any:
        return [_filled(one, fill, known) for one, fill, known in zip(columns, fills, levels, strict=True)]

    fields = tuple({"name": field["name"], "datatype": "string", "native": "object"} for field in given.fields)
    return Plan({"transform": transform}, Given("objects", fields))


def _filled(values: Any, fill: Any, known: frozenset[Any] | None) -> list[Any]:
    """Return a list of text with what is missing filled; so is a level that the column's categories lack."""
    if not isinstance(values, list):
        values = values.tolist()
    if known is not None:
        return [value if value in known else fill for value in values]
    return [fill if value is None else value for value in values]
