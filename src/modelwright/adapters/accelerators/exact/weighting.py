"""Plans of AdaBoost: a weighted vote, or a weighted median."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arrays import finite, shaped
from .groves import added, grove_of, grove_values
from .kernels import over_arrays
from .planning import ARRAY, Function, Given, Plan, Planner
from .softmaxes import softmax_in_place
from .trees import tree_rows


def _predictions(step: Any, planner: Planner, path: str) -> list[Function] | None:
    """Return what every estimator predicts; ``None`` if one has no ``predict``."""
    plans = [planner.plan(one, ARRAY, f"{path}/{place}") for place, one in enumerate(step.estimators_)]
    return [plan.methods["predict"] for plan in plans] if all("predict" in plan.methods for plan in plans) else None


def ada_classifier(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan a classifier."""
    classes, count, take = step.classes_, step.n_classes_, step.classes_.take
    counted = getattr(step, "algorithm", "SAMME") in ("SAMME", "deprecated")  # before 1.8 there was another
    votes = _votes(step, planner, path) if count > 1 and counted else None
    if votes is None:
        return None
    width, total = step.n_features_in_, step.estimator_weights_.sum()

    def decision_function(rows: Any) -> Any:
        scores = votes(finite(shaped(rows, width)))
        scores /= total
        if count == 2:
            scores[:, 0] *= -1
            return scores.sum(axis=1)
        return scores

    def predict(rows: Any) -> Any:
        scores = decision_function(rows)
        return take(scores > 0 if count == 2 else np.argmax(scores, axis=1), axis=0)

    def predict_proba(rows: Any) -> Any:
        scores = decision_function(rows)
        if count == 2:
            return softmax_in_place(np.vstack([-scores, scores]).T / 2)
        scores /= count - 1
        return softmax_in_place(scores)

    methods: dict[str, Function] = {
        "decision_function": decision_function,
        "predict": predict,
        "predict_proba": predict_proba,
    }
    return over_arrays(step, given, methods) if len(classes) == count else None


def _votes(step: Any, planner: Planner, path: str) -> Function | None:
    """Return the sum of the votes of all estimators ``[n_rows, n_classes]``, column by column in memory."""
    from sklearn.tree import DecisionTreeClassifier

    count, classes = step.n_classes_, step.classes_[:, np.newaxis]
    weights = step.estimator_weights_[: len(step.estimators_)].tolist()
    if all(type(one) is DecisionTreeClassifier for one in step.estimators_):
        return _votes_of_trees(step, weights)
    predictions = _predictions(step, planner, path)
    if predictions is None:
        return None

    def votes(rows: Any) -> Any:
        return sum(
            np.where((predict(rows) == classes).T, weight, -1 / (count - 1) * weight)
            for predict, weight in zip(predictions, weights, strict=True)
        )

    return votes


def _votes_of_trees(step: Any, weights: list[float]) -> Function:
    """Return the same for trees, whose nodes hold their votes."""
    trees, count = [one.tree_ for one in step.estimators_], step.n_classes_
    held = []
    for one, weight in zip(step.estimators_, weights, strict=True):
        best = one.classes_.take(one.tree_.value[:, 0, :].argmax(axis=1))
        held.append(np.where(best[:, np.newaxis] == step.classes_, weight, -1 / (count - 1) * weight))
    grove = grove_of(trees)
    whole = None if grove is None else grove_values(grove, held)
    rows_of = tree_rows(step.estimators_[0], step.n_features_in_)

    def votes(rows: Any) -> Any:
        rows = rows_of(rows)
        if grove is not None and whole is not None and grove.fits(rows):
            parts = whole.take(grove.leaves(rows), axis=0, mode="clip")
            return np.asfortranarray(added(parts.reshape(len(trees), rows.shape[0], count), 0.0))
        total = np.zeros((rows.shape[0], count), order="F")
        for tree, part in zip(trees, held, strict=True):
            total += part.take(tree.apply(rows), axis=0, mode="clip")
        return total

    return votes


def ada_regressor(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan a regressor."""
    every = _every(step, planner, path)
    if every is None:
        return None
    width, weights = step.n_features_in_, step.estimator_weights_

    def predict(rows: Any) -> Any:
        rows = finite(shaped(rows, width))
        predictions = every(rows)
        order = np.argsort(predictions, axis=1)
        reached = np.cumsum(weights[order], axis=1)
        above = reached >= 0.5 * reached[:, -1][:, np.newaxis]
        places = np.arange(rows.shape[0])
        return predictions[places, order[places, above.argmax(axis=1)]]

    return over_arrays(step, given, {"predict": predict})


def _every(step: Any, planner: Planner, path: str) -> Function | None:
    """Return what all estimators predict ``[n_rows, n_estimators]``, column by column in memory."""
    from sklearn.tree import DecisionTreeRegressor

    if not all(type(one) is DecisionTreeRegressor and one.n_outputs_ == 1 for one in step.estimators_):
        predictions = _predictions(step, planner, path)
        return None if predictions is None else lambda rows: np.array([predict(rows) for predict in predictions]).T
    trees = [one.tree_ for one in step.estimators_]
    values = [tree.value.reshape(-1, 1) for tree in trees]
    grove = grove_of(trees)
    whole = None if grove is None else grove_values(grove, values)
    rows_of = tree_rows(step.estimators_[0], step.n_features_in_)

    def every(rows: Any) -> Any:
        rows = rows_of(rows)
        if grove is not None and whole is not None and grove.fits(rows):
            return whole.take(grove.leaves(rows), mode="clip").reshape(len(trees), rows.shape[0]).T
        found = np.empty((len(trees), rows.shape[0]))
        for place, (tree, value) in enumerate(zip(trees, values, strict=True)):
            value.take(tree.apply(rows), out=found[place], mode="clip")
        return found.T

    return every
