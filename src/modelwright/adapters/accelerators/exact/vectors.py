"""Plans of support vector machines, by the library's libsvm; kernels that are functions stay with the library."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from .arrays import finite, shaped
from .kernels import over_arrays
from .planning import Function, Given, Plan, Planner


def _asked(step: Any, name: str) -> Function | None:
    """Return a function of libsvm for rows, with everything that was learned; ``None`` if it is not for them."""
    from sklearn.svm import _libsvm
    from sklearn.svm._base import LIBSVM_IMPL

    if callable(step.kernel) or step.kernel == "precomputed" or step._sparse:
        return None
    if step.support_vectors_.size > 0 and step.n_support_.sum() != step.support_vectors_.shape[0]:
        return None
    width = step.n_features_in_
    learned = (step.support_, step.support_vectors_, step._n_support, step._dual_coef_, step._intercept_)
    slopes = (step._probA, step._probB)
    function = partial(
        getattr(_libsvm, name),
        svm_type=LIBSVM_IMPL.index(step._impl),
        kernel=step.kernel,
        degree=step.degree,
        coef0=step.coef0,
        gamma=step._gamma,
        cache_size=step.cache_size,
    )

    def ask(rows: Any) -> Any:
        return function(finite(np.ascontiguousarray(shaped(rows, width), dtype=np.float64)), *learned, *slopes)

    return ask


def classifier(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan a classifier."""
    from sklearn.utils.multiclass import _ovr_decision_function

    labels, scores = _asked(step, "predict"), _asked(step, "decision_function")
    if labels is None or scores is None or step.break_ties:
        return None
    take, count = step.classes_.take, len(step.classes_)
    spread = step.decision_function_shape == "ovr" and count > 2

    def decision_function(rows: Any) -> Any:
        found = scores(rows)
        if count == 2:
            return -found.ravel()
        return _ovr_decision_function(found < 0, -found, count) if spread else found

    methods: dict[str, Function] = {
        "predict": lambda rows: take(np.asarray(labels(rows), dtype=np.intp)),
        "decision_function": decision_function,
    }
    probabilities = _asked(step, "predict_proba")
    if step.probability and step._probA.size and step._probB.size and probabilities is not None:
        methods["predict_proba"] = probabilities
    return over_arrays(step, given, methods)


def regressor(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan a regressor."""
    predict = _asked(step, "predict")
    return None if predict is None else over_arrays(step, given, {"predict": predict})


def one_class(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan what tells outliers."""
    labels, scores = _asked(step, "predict"), _asked(step, "decision_function")
    if labels is None or scores is None:
        return None
    methods: dict[str, Function] = {
        "predict": lambda rows: np.asarray(labels(rows), dtype=np.intp),
        "decision_function": lambda rows: scores(rows).ravel(),
    }
    return over_arrays(step, given, methods)
