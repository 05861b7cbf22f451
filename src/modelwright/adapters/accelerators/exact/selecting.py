"""The plan of whatever selects features: the columns of a mask that is known since the fit."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arrays import finite, shaped, without_infinity
from .composing import chain
from .kernels import over_arrays
from .planning import ARRAY, SPARSE, Given, Plan, Planner
from .releases import allows_nan


def selector(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan a selection."""
    width, mask = step.n_features_in_, step.get_support()
    if not mask.any():
        return None
    check = without_infinity if allows_nan(step) else finite

    def transform(rows: Any) -> Any:
        if type(rows) is np.ndarray:
            return check(shaped(rows, width))[:, mask]
        check(rows.data)
        return rows[:, mask]

    gives = SPARSE if given.form == "sparse" else ARRAY
    return over_arrays(step, given, {"transform": transform}, gives=gives, sparse=True)


def eliminator(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan an elimination, which answers as well what its estimator answers for the features that are left."""
    plan = selector(step, given, planner, path)
    if plan is None:
        return None
    last = planner.plan(step.estimator_, plan.gives, f"{path}/estimator" if path else "estimator")
    select = plan.methods["transform"]
    methods = {name: chain([select, method]) for name, method in last.methods.items() if name != "transform"}
    return Plan({**methods, **plan.methods}, plan.gives)
