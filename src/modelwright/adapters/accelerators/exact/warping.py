"""Plans of transformers that change the distribution of columns: powers, quantiles, bins."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arrays import Odd, finite, own_floats, shaped, without_infinity
from .encoding import one_hot_encoder
from .kernels import over_arrays
from .planning import ARRAY, Given, Plan, Planner
from .scaling import standard_scaler


def power_transformer(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan a power per column, standardised if so set."""
    width, powers = step.n_features_in_, step.lambdas_
    positive = step.method == "box-cox"
    function = _power(step)
    scaled = standard_scaler(step._scaler, ARRAY, planner, path) if step.standardize else None
    last = scaled.methods["transform"] if scaled is not None else None

    def transform(rows: Any) -> Any:
        rows = own_floats(without_infinity(shaped(rows, width)))
        if positive and not rows.min() > 0:  # with NaN, the library looks more closely
            raise Odd
        with np.errstate(invalid="ignore"):
            for place, power in enumerate(powers):
                rows[:, place] = function(rows[:, place], power)
        return rows if last is None else last(rows)

    return over_arrays(step, given, {"transform": transform})


def _power(step: Any) -> Any:
    """Return the function of one column that this release uses."""
    if step.method == "box-cox":
        from sklearn.preprocessing._data import boxcox

        return boxcox
    if hasattr(step, "_yeo_johnson_transform"):
        return step._yeo_johnson_transform
    from scipy import stats

    return stats.yeojohnson


def quantile_transformer(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan an interpolation between quantiles per column, by the library's own function of a column."""
    width, quantiles, function = step.n_features_in_, step.quantiles_, step._transform_col

    def transform(rows: Any) -> Any:
        rows = own_floats(without_infinity(shaped(rows, width)))
        for place in range(width):
            rows[:, place] = function(rows[:, place], quantiles[:, place], False)
        return rows

    return over_arrays(step, given, {"transform": transform})


def k_bins(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan bins: their numbers, or a column per bin."""
    width = step.n_features_in_
    edges = [column[1:-1] for column in step.bin_edges_]
    if step.dtype not in (None, np.float64):
        return None

    def binned(rows: Any) -> Any:
        rows = finite(shaped(rows, width))
        if rows.dtype == np.float32:
            raise Odd
        rows = own_floats(rows)
        for place, edge in enumerate(edges):
            rows[:, place] = edge.searchsorted(rows[:, place], side="right")
        return rows

    if step.encode == "ordinal":
        return over_arrays(step, given, {"transform": binned})
    encoded = one_hot_encoder(step._encoder, ARRAY, planner, path)
    if encoded is None or step._encoder.dtype != np.float64:
        return None
    last, dense = encoded.methods["transform"], encoded.dense
    plan = over_arrays(step, given, {"transform": lambda rows: last(binned(rows))}, gives=encoded.gives)
    if plan is None or dense is None or given.form != "array":
        return plan
    return Plan(plan.methods, plan.gives, lambda rows: dense(binned(rows)))
