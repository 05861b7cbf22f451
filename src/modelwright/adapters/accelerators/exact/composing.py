"""Plans of what is made of other steps in a row or side by side: pipelines and unions of features."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse

from . import METHODS
from .arrays import Odd
from .planning import ANYTHING, ARRAY, SPARSE, Function, Given, Plan, Planner


def pipeline(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan a pipeline: every step but the last transforms."""
    if getattr(step, "transform_input", None):
        return None
    transforms: list[Function] = []
    plan = Plan({"transform": _unchanged}, given)
    names = [(name, one) for name, one in step.steps if one is not None and one != "passthrough"]
    if not names or names[-1][1] is not step.steps[-1][1]:
        return None
    for name, one in names:
        plan = planner.plan(one, given, f"{path}/{name}" if path else name)
        if one is names[-1][1]:
            break
        if "transform" not in plan.methods:
            return None
        transforms.append(plan.methods["transform"])
        given = plan.gives
    methods = {name: chain([*transforms, plan.methods[name]]) for name in METHODS if name in plan.methods}
    return Plan(methods, plan.gives, chain([*transforms, plan.dense]) if plan.dense else None)


def _unchanged(rows: Any) -> Any:
    return rows


def chain(functions: list[Function]) -> Function:
    """Return a function that calls several, one after the other."""
    if len(functions) == 1:
        return functions[0]
    if len(functions) == 2:
        first, second = functions
        return lambda rows: second(first(rows))

    def chained(rows: Any) -> Any:
        for function in functions:
            rows = function(rows)
        return rows

    return chained


def feature_union(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan a union of features: all steps get the same rows, their answers stand side by side."""
    weights = step.transformer_weights or {}
    functions: list[Function] = []
    forms: set[str] = set()
    for name, one in step.transformer_list:
        if one == "drop":
            continue
        if one == "passthrough":
            return None
        plan = planner.plan(one, given, f"{path}/{name}" if path else name)
        if "transform" not in plan.methods or plan.gives.form not in ("array", "sparse", "anything"):
            return None
        transform = plan.methods["transform"]
        forms.add(plan.gives.form)
        surely = transform if plan.gives.form != "anything" else chain([transform, numbers])
        functions.append(weighted(surely, weights.get(name)))
    if not functions:
        return None
    if forms == {"array"}:
        return Plan({"transform": stacked(functions)}, ARRAY)
    return Plan({"transform": lambda rows: _joined([one(rows) for one in functions])}, _gives(forms))


def _gives(forms: set[str]) -> Given:
    return SPARSE if "sparse" in forms else ANYTHING


def _joined(parts: list[Any]) -> Any:
    """Return answers side by side; if one is sparse, all are."""
    if any(sparse.issparse(part) for part in parts):
        return sparse.hstack(parts).tocsr()
    return np.concatenate(parts, axis=1)


def numbers(rows: Any) -> Any:
    """Return what a transformer of the library's own gave, if it can stand beside other arrays.

    Raises:
        Odd: It is a frame, or an array of something else than numbers.
    """
    if sparse.issparse(rows) or (isinstance(rows, np.ndarray) and rows.ndim == 2 and rows.dtype.kind in "fiu"):
        return rows
    raise Odd


def weighted(function: Function, weight: Any) -> Function:
    """Return a function whose answer is multiplied by a weight, if there is one."""
    return function if weight is None else lambda rows: function(rows) * weight


def stacked(functions: list[Callable[[Any], Any]]) -> Function:
    """Return a function that puts the answers of several side by side."""
    if len(functions) == 1:
        only = functions[0]
        return lambda rows: np.hstack([only(rows)])
    return lambda rows: np.concatenate([one(rows) for one in functions], axis=1)
