"""Plans of votes: several estimators get the same rows, their answers are counted or averaged."""

from __future__ import annotations

from typing import Any

import numpy as np

from .planning import Function, Given, Plan, Planner


def each(step: Any, methods: list[str], given: Given, planner: Planner, path: str) -> list[Function] | None:
    """Return a method of every estimator; ``None`` if one lacks it.

    Args:
        step: What has the fitted ``estimators_``.
        methods: The name of the method of each.
        given: What they get.
        planner: Makes their plans.
        path: Where the step is in the model.
    """
    found = []
    for place, (one, method) in enumerate(zip(step.estimators_, methods, strict=True)):
        plan = planner.plan(one, given, f"{path}/{place}" if path else str(place))
        if method not in plan.methods:
            return None
        found.append(plan.methods[method])
    return found


def voting_classifier(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan a vote about classes: soft by the mean of probabilities, hard by counting."""
    soft = step.voting == "soft"
    methods = each(step, ["predict_proba" if soft else "predict"] * len(step.estimators_), given, planner, path)
    if methods is None:
        return None
    weights, take = step._weights_not_none, step.le_.classes_.take
    return Plan(_soft(step, methods, weights, take) if soft else _hard(methods, weights, take))


def _soft(step: Any, methods: list[Function], weights: Any, take: Any) -> dict[str, Function]:
    def collected(rows: Any) -> Any:
        return np.asarray([method(rows) for method in methods])

    def predict_proba(rows: Any) -> Any:
        return np.average(collected(rows), axis=0, weights=weights)

    return {
        "predict": lambda rows: take(np.argmax(predict_proba(rows), axis=1), axis=0),
        "predict_proba": predict_proba,
        "transform": (lambda rows: np.hstack(collected(rows))) if step.flatten_transform else collected,
    }


def _hard(methods: list[Function], weights: Any, take: Any) -> dict[str, Function]:
    def predictions(rows: Any) -> Any:
        return np.asarray([method(rows) for method in methods]).T

    def most(votes: Any) -> Any:
        return np.argmax(np.bincount(votes, weights=weights))

    def predict(rows: Any) -> Any:
        return take(np.apply_along_axis(most, axis=1, arr=predictions(rows)), axis=0)

    return {"predict": predict, "transform": predictions}


def voting_regressor(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan a mean of numbers."""
    methods = each(step, ["predict"] * len(step.estimators_), given, planner, path)
    if methods is None:
        return None
    weights = step._weights_not_none

    def predictions(rows: Any) -> Any:
        return np.asarray([method(rows) for method in methods]).T

    return Plan(
        {"predict": lambda rows: np.average(predictions(rows), axis=1, weights=weights), "transform": predictions}
    )
