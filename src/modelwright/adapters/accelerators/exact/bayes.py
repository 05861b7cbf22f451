"""Plans of naive Bayes: a logarithm of likelihood per class."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arrays import finite, shaped
from .kernels import over_arrays
from .planning import Function, Given, Plan, Planner


def _methods(step: Any, joint: Function) -> dict[str, Function]:
    """Return the methods from logarithms of likelihood ``[n_rows, n_classes]``."""
    classes, total = step.classes_, _summing()

    def predict_proba(rows: Any) -> Any:
        found = joint(rows)
        return np.exp(found - np.atleast_2d(total(found)).T)

    return {"predict": lambda rows: classes[np.argmax(joint(rows), axis=1)], "predict_proba": predict_proba}


def _summing() -> Function:
    """Return the logarithm of the sum of exponentials over classes, as this release takes it."""
    try:
        from sklearn.utils._array_api import _logsumexp  # noqa: F401 (only whether it is there)
    except ImportError:
        from scipy.special import logsumexp

        return lambda rows: logsumexp(rows, axis=1)
    return _log_sum_exp


def _log_sum_exp(rows: Any) -> Any:
    """Return ``log(sum(exp(rows)))`` per row; the largest are counted by themselves.

    Source: ``sklearn.utils._array_api._logsumexp``.
    """
    largest = np.max(rows, axis=1, keepdims=True)
    is_largest = rows == largest
    rows = rows.copy(order="K")  # sums over classes depend on how they lie in memory
    rows[is_largest] = -np.inf
    count = np.sum(is_largest.astype(rows.dtype), axis=1, keepdims=True, dtype=rows.dtype)
    shift = np.where(np.isfinite(largest), largest, 0)
    exponentials = np.exp(rows - shift)
    total = np.sum(exponentials, axis=1, keepdims=True, dtype=exponentials.dtype)
    total = np.where(total == 0, total, total / count)
    return np.squeeze(np.log1p(total) + np.log(count) + largest, axis=1)


def gaussian(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan normal distributions."""
    width, size = step.n_features_in_, len(step.classes_)
    means, variances = step.theta_, step.var_
    priors = [np.log(step.class_prior_[place]) for place in range(size)]
    norms = [-0.5 * np.sum(np.log(2.0 * np.pi * variances[place, :])) for place in range(size)]

    def joint(rows: Any) -> Any:
        rows = finite(shaped(rows, width))
        found = []
        for place in range(size):
            distance = np.sum(((rows - means[place, :]) ** 2) / (variances[place, :]), axis=1)
            found.append(priors[place] + (norms[place] - 0.5 * distance))
        return np.stack(found).T

    return over_arrays(step, given, _methods(step, joint))


def _checked(width: int) -> Function:
    def check(rows: Any) -> Any:
        if type(rows) is np.ndarray:
            return finite(shaped(rows, width))
        finite(rows.data)
        return rows

    return check


def multinomial(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan counts."""
    check, weights, prior = _checked(step.n_features_in_), step.feature_log_prob_.T, step.class_log_prior_
    return over_arrays(step, given, _methods(step, lambda rows: check(rows) @ weights + prior), sparse=True)


def complement(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan counts of all other classes."""
    if len(step.classes_) == 1:
        return None
    check, weights = _checked(step.n_features_in_), step.feature_log_prob_.T
    return over_arrays(step, given, _methods(step, lambda rows: check(rows) @ weights), sparse=True)


def bernoulli(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan whether something is there."""
    check, threshold = _checked(step.n_features_in_), step.binarize
    negative = np.log(1 - np.exp(step.feature_log_prob_))
    weights = (step.feature_log_prob_ - negative).T
    rest = step.class_log_prior_ + negative.sum(axis=1)

    def joint(rows: Any) -> Any:
        rows = check(rows)
        if threshold is not None:
            above = rows > threshold
            rows = rows.copy(order="K")
            rows[above] = 1
            rows[~above] = 0
        found = rows @ weights
        found += rest
        return found

    return over_arrays(step, given, _methods(step, joint))
