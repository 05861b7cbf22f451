"""Plans of decision trees and of forests, which add up the answers of their trees in the order of the trees.

Rows become ``float32``, as the library's trees take them. A handful of rows goes through all trees at once
(:mod:`.groves`); more go through one tree after the other (:mod:`.stages`), ordered so that neighbours take the same
way (:mod:`.ordering`): a processor guesses the next branch by the last ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .arrays import finite, has_nan, shaped, single, without_infinity
from .groves import added, grove_of, grove_values
from .kernels import over_trees
from .ordering import Ordering
from .planning import Function, Given, Plan, Planner
from .stages import totals

MOST_WALKS = 1000
"""With more rows times classes, one way through a tree and a copy of all its classes is sooner than a way per class."""


def tree_rows(step: Any, width: int) -> Callable[[Any], Any]:
    """Return a function from rows to ``float32`` rows, checked as the library checks them for a tree."""
    check = without_infinity if step._support_missing_values(np.empty((1, 1), dtype=np.float32)) else finite
    return lambda rows: check(single(shaped(rows, width)))


def _own_values(tree: Any) -> Any:
    """Return the values of a tree's nodes ``[n_nodes, n_outputs * n_classes]``, without a copy."""
    return tree.value.reshape(tree.node_count, -1)


def decision_tree_classifier(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan a tree that answers a class."""
    if step.n_outputs_ != 1:
        return None
    rows_of, tree, width = tree_rows(step, step.n_features_in_), step.tree_, int(step.n_classes_)
    values, take = _own_values(tree), step.classes_.take
    best = values.argmax(axis=1)

    def predict_proba(rows: Any) -> Any:
        return values.take(tree.apply(rows_of(rows)), axis=0, mode="clip")[:, :width]

    def predict(rows: Any) -> Any:
        return take(best.take(tree.apply(rows_of(rows))), axis=0)

    return over_trees(step, given, {"predict": predict, "predict_proba": predict_proba})


def decision_tree_regressor(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan a tree that answers one number, or several."""
    rows_of, tree = tree_rows(step, step.n_features_in_), step.tree_
    values = _own_values(tree)
    if step.n_outputs_ == 1:
        values = values[:, 0]

    def predict(rows: Any) -> Any:
        return values.take(tree.apply(rows_of(rows)), axis=0, mode="clip")

    return over_trees(step, given, {"predict": predict})


def _summed(step: Any, outputs: int) -> Function:
    """Return the sum of the values of all trees ``[n_rows, outputs]``, from ``float32`` rows."""
    trees = [one.tree_ for one in step.estimators_]
    values = [_own_values(tree) for tree in trees]
    grove, ordering = grove_of(trees), Ordering(trees)
    pairs = list(zip(trees, values, strict=True))
    whole = None if grove is None else grove_values(grove, values)

    def one_by_one(rows: Any) -> Any:
        total = np.zeros((rows.shape[0], outputs))
        some = np.empty_like(total)
        for tree, value in pairs:
            value.take(tree.apply(rows), axis=0, out=some, mode="clip")
            total += some
        return total

    at_once = totals(step.estimators_, outputs)

    def by_trees(rows: Any) -> Any:
        many = outputs > 2 and rows.shape[0] * outputs > MOST_WALKS
        return one_by_one(rows) if at_once is None or many or has_nan(rows) else at_once(rows)

    def summed(rows: Any) -> Any:
        if grove is not None and whole is not None and grove.fits(rows):
            parts = whole.take(grove.leaves(rows), axis=0, mode="clip")
            return added(parts.reshape(len(trees), rows.shape[0], outputs), 0.0)
        return ordering.answer(rows, by_trees)

    return summed


def forest_classifier(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan a forest that answers the mean of its trees' probabilities."""
    if step.n_outputs_ != 1:
        return None
    width, take = int(step.n_classes_), step.classes_.take
    rows_of = tree_rows(step.estimators_[0], step.n_features_in_)
    summed, count = _summed(step, width), len(step.estimators_)

    def predict_proba(rows: Any) -> Any:
        total = summed(rows_of(rows))
        total /= count
        return total

    def predict(rows: Any) -> Any:
        return take(predict_proba(rows).argmax(axis=1), axis=0)

    return over_trees(step, given, {"predict": predict, "predict_proba": predict_proba})


def forest_regressor(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan a forest that answers the mean of its trees' numbers."""
    outputs, count = step.n_outputs_, len(step.estimators_)
    rows_of, summed = tree_rows(step.estimators_[0], step.n_features_in_), _summed(step, outputs)

    def predict(rows: Any) -> Any:
        total = summed(rows_of(rows))
        if outputs == 1:
            total = total[:, 0]
        total /= count
        return total

    return over_trees(step, given, {"predict": predict})
