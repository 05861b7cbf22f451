"""The plan of an isolation forest: how deep rows fall in trees."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arrays import finite, shaped, single
from .groves import added, grove_of, grove_values
from .kernels import over_arrays
from .planning import Function, Given, Plan, Planner
from .releases import allows_nan


def isolation_forest(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan an isolation forest."""
    width, offset = step.n_features_in_, step.offset_
    scores = _scores(step)
    check = _unchecked if allows_nan(step) else finite

    def decision_function(rows: Any) -> Any:
        return scores(check(single(shaped(rows, width)))) - offset

    def predict(rows: Any) -> Any:
        found = decision_function(rows)
        answer = np.ones_like(found, dtype=int)
        answer[found < 0] = -1
        return answer

    return over_arrays(step, given, {"decision_function": decision_function, "predict": predict})


def _unchecked(rows: Any) -> Any:
    return rows


def _scores(step: Any) -> Function:
    """Return the scores of ``float32`` rows ``[n_rows]``; the higher, the less unusual."""
    from sklearn.ensemble._iforest import _average_path_length

    trees = [one.tree_ for one in step.estimators_]
    depths = [
        (path + average - 1.0).reshape(-1, 1)
        for path, average in zip(step._decision_path_lengths, step._average_path_length_per_tree, strict=True)
    ]
    every = step._max_features == step.n_features_in_
    features: list[Any] = [None if every else one for one in step.estimators_features_]
    grove = grove_of(trees) if every else None
    whole = None if grove is None else grove_values(grove, depths)
    denominator = len(trees) * _average_path_length([step._max_samples])

    def depth_of(rows: Any) -> Any:
        size = rows.shape[0]
        if grove is not None and whole is not None and grove.fits(rows):
            parts = whole.take(grove.leaves(rows), axis=0, mode="clip")
            return added(parts.reshape(len(trees), size, 1), 0.0).ravel()
        total = np.zeros(size)
        for tree, depth, some in zip(trees, depths, features, strict=True):
            total += depth.take(tree.apply(rows if some is None else rows[:, some]), mode="clip")
        return total

    def scores(rows: Any) -> Any:
        depth = depth_of(rows)
        return -(2 ** (-np.divide(depth, denominator, out=np.ones_like(depth), where=denominator != 0)))

    return scores
