"""Plans of stacks: a last estimator gets what others answer."""

from __future__ import annotations

from typing import Any

import numpy as np

from .planning import ARRAY, Function, Given, Plan, Planner
from .tables import array_maker
from .voting import each


def stacking_classifier(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan a stack that answers classes."""
    if isinstance(step._label_encoder, list):
        return None
    transform = _features(step, given, planner, path, binary=len(step.classes_) == 2)
    if transform is None:
        return None
    last = planner.plan(step.final_estimator_, ARRAY, f"{path}/final" if path else "final")
    if "predict" not in last.methods:
        return None
    take, predict = step._label_encoder.classes_.take, last.methods["predict"]
    methods: dict[str, Function] = {
        "transform": transform,
        "predict": lambda rows: take(predict(transform(rows)), axis=0),
    }
    for name in ("predict_proba", "decision_function"):
        if name in last.methods:
            methods[name] = _after(transform, last.methods[name])
    return Plan(methods)


def stacking_regressor(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan a stack that answers numbers."""
    transform = _features(step, given, planner, path, binary=False)
    if transform is None:
        return None
    last = planner.plan(step.final_estimator_, ARRAY, f"{path}/final" if path else "final")
    if "predict" not in last.methods:
        return None
    return Plan({"transform": transform, "predict": _after(transform, last.methods["predict"])})


def _after(first: Function, second: Function) -> Function:
    return lambda rows: second(first(rows))


def _features(step: Any, given: Given, planner: Planner, path: str, *, binary: bool) -> Function | None:
    """Return what the last estimator gets: the answers of the others, and the rows themselves if so set."""
    names = [method for method in step.stack_method_ if method is not None]
    if len(names) != len(step.estimators_) or any(isinstance(one, str) for one in step.estimators_):
        return None
    methods = each(step, names, given, planner, path)
    passed = array_maker(given) if given.form == "frame" else _unchanged
    if methods is None or given.form not in ("frame", "array") or (step.passthrough and passed is None):
        return None
    halves = [binary and name == "predict_proba" for name in names]

    def transform(rows: Any) -> Any:
        columns = [_columns(method(rows), half=half) for method, half in zip(methods, halves, strict=True)]
        if step.passthrough and passed is not None:
            columns.append(passed(rows))
        return np.hstack(columns)

    return transform


def _unchanged(rows: Any) -> Any:
    return rows


def _columns(answer: Any, *, half: bool) -> Any:
    """Return an answer as columns; of the probabilities of two classes, the second says all."""
    if answer.ndim == 1:
        return answer.reshape(-1, 1)
    return answer[:, 1:] if half else answer
