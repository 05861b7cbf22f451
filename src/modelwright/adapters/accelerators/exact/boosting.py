"""Plans of gradient boosting: trees that are added in the order in which they were grown.

Many rows go through the library's kernel for all stages, ordered so that neighbours take the same way; a handful goes
through all trees at once (:mod:`.groves`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .arrays import F32, finite, shaped, single
from .groves import added, grove_of, grove_values
from .kernels import over_trees
from .links import classifying
from .ordering import Ordering
from .planning import Function, Given, Plan, Planner


def boosting_classifier(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan a classifier."""
    methods = classifying(_raw(step), step._loss, step.classes_, positive=lambda scores: scores >= 0)
    return over_trees(step, given, methods)


def boosting_regressor(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan a regressor."""
    raw = _raw(step)
    return over_trees(step, given, {"predict": lambda rows: raw(rows).ravel()})


def _raw(step: Any) -> Function:
    """Return the sum of all stages ``[n_rows, n_trees_per_iteration]``."""
    from sklearn.ensemble._gradient_boosting import predict_stages

    width, stages, rate = step.n_features_in_, step.estimators_, step.learning_rate
    begin = _beginning(step)
    trees = [one.tree_ for one in stages.ravel()]
    grove, ordering = grove_of(trees), Ordering(trees)
    values = None if grove is None else rate * grove_values(grove, [_flat(tree) for tree in trees])

    def one_by_one(rows: Any) -> Any:
        scores = begin(rows)
        predict_stages(stages, rows, rate, scores)
        return scores

    def raw(rows: Any) -> Any:
        rows = np.ascontiguousarray(finite(single(shaped(rows, width))), dtype=F32)
        if grove is None or values is None or not grove.fits(rows):
            return ordering.answer(rows, one_by_one)
        parts = values.take(grove.leaves(rows), mode="clip")
        parts = parts.reshape(*stages.shape, rows.shape[0]).transpose(0, 2, 1)
        return added(parts.copy(), begin(rows))

    return raw


def _flat(tree: Any) -> Any:
    return tree.value.reshape(-1, 1)


def _beginning(step: Any) -> Function:
    """Return what the stages are added to, from ``float32`` rows."""
    from sklearn.dummy import DummyClassifier, DummyRegressor

    outputs = step.estimators_.shape[1]
    if isinstance(step.init_, str):
        return lambda rows: np.zeros((rows.shape[0], outputs))
    fixed = type(step.init_) is DummyRegressor or (
        type(step.init_) is DummyClassifier and step.init_.strategy in ("prior", "most_frequent")
    )
    if not fixed:
        begin: Function = step._raw_predict_init
        return begin
    first = step._raw_predict_init(np.zeros((1, step.n_features_in_), dtype=F32))
    return lambda rows: first.repeat(rows.shape[0], axis=0)
