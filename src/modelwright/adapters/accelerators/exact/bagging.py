"""Plans of bagging: the mean of what estimators answer for their own choice of features."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arrays import shaped
from .kernels import over_arrays
from .planning import ARRAY, Function, Given, Plan, Planner


def _parts(step: Any, method: str, planner: Planner, path: str) -> list[tuple[Function, Any]] | None:
    """Return a method of every estimator with its features; ``None`` if one lacks it, or jobs split the sum."""
    if step.n_jobs not in (None, 1):
        return None
    found = []
    for place, (one, features) in enumerate(zip(step.estimators_, step.estimators_features_, strict=True)):
        plan = planner.plan(one, ARRAY, f"{path}/{place}")
        if method not in plan.methods:
            return None
        found.append((plan.methods[method], features))
    return found


def bagging_classifier(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan a classifier whose estimators answer probabilities."""
    parts = _parts(step, "predict_proba", planner, path)
    if parts is None:
        return None
    width, classes, take = step.n_features_in_, step.n_classes_, step.classes_.take
    known = [None if len(one.classes_) == classes else one.classes_ for one in step.estimators_]
    count = step.n_estimators

    def predict_proba(rows: Any) -> Any:
        shaped(rows, width)
        total = np.zeros((rows.shape[0], classes))
        for (method, features), some in zip(parts, known, strict=True):
            found = method(rows[:, features])
            if some is None:
                total += found
            else:
                total[:, some] += found[:, range(len(some))]
        return total / count

    def predict(rows: Any) -> Any:
        return take(np.argmax(predict_proba(rows), axis=1), axis=0)

    methods: dict[str, Function] = {"predict_proba": predict_proba, "predict": predict}
    if all(hasattr(one, "decision_function") for one in step.estimators_):
        noted = len(planner.steps)
        scored = _parts(step, "decision_function", planner, path)
        del planner.steps[noted:]
        if scored is not None:
            methods["decision_function"] = _mean(scored, count)
    return over_arrays(step, given, methods)


def bagging_regressor(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan a regressor."""
    parts = _parts(step, "predict", planner, path)
    if parts is None:
        return None
    mean, width = _mean(parts, step.n_estimators), step.n_features_in_
    return over_arrays(step, given, {"predict": lambda rows: mean(shaped(rows, width))})


def _mean(parts: list[tuple[Function, Any]], count: int) -> Function:
    def mean(rows: Any) -> Any:
        return sum(method(rows[:, features]) for method, features in parts) / count

    return mean
