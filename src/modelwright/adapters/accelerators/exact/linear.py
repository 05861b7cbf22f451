"""Plans of linear models: a matrix product, an intercept, and what is made of their sum.

The product is the library's expression on the same operands in the same order in memory, because the order of additions
inside BLAS, and so the last bits, depend on it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import expit

from .arrays import Odd, finite, floats, shaped
from .kernels import over_arrays
from .planning import Function, Given, Plan, Planner
from .softmaxes import softmax_in_place


def _checked(width: int) -> Callable[[Any], Any]:
    """Return a check for rows of numbers that are finite, dense or sparse."""

    def check(rows: Any) -> Any:
        if type(rows) is np.ndarray:
            return finite(shaped(rows, width))
        finite(rows.data)
        return rows

    return check


def _scores(step: Any) -> Function:
    """Return the scores of a classifier: ``[n_rows]`` for two classes, else ``[n_rows, n_classes]``."""
    check, intercept = _checked(step.n_features_in_), step.intercept_
    weights = step.coef_.T if step.coef_.ndim == 2 else step.coef_

    def scores(rows: Any) -> Any:
        found = check(rows) @ weights + intercept
        return found.reshape(-1) if found.ndim > 1 and found.shape[1] == 1 else found

    return scores


def _labels(step: Any, scores: Function) -> Function:
    classes = step.classes_

    def predict(rows: Any) -> Any:
        found = scores(rows)
        places = (found > 0).astype(np.intp) if found.ndim == 1 else found.argmax(axis=1)
        return classes.take(places, axis=0)

    return predict


def scored(step: Any) -> dict[str, Function]:
    """Return the methods of a classifier that answers the sign or the highest of its scores."""
    scores = _scores(step)
    return {"decision_function": scores, "predict": _labels(step, scores)}


def linear_classifier(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan a classifier without probabilities."""
    return over_arrays(step, given, scored(step), sparse=True)


def ridge_classifier(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan the same, but for several labels per row."""
    if step._label_binarizer.y_type_.startswith("multilabel"):
        return None
    return linear_classifier(step, given, planner, path)


def _one_against_rest(scores: Function) -> Function:
    """Return probabilities from the logistic function of every score, made to sum to one."""

    def predict_proba(rows: Any) -> Any:
        found = scores(rows)
        expit(found, out=found)
        if found.ndim == 1:
            return np.stack([1 - found, found], axis=1)
        total = found.sum(axis=1)
        if not total.all():
            raise Odd  # no class is likely at all; what becomes of that differs between releases
        found /= total.reshape(found.shape[0], -1)
        return found

    return predict_proba


def logistic_regression(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan a logistic regression; where a release has more than one form for several classes, only the usual one."""
    methods = scored(step)
    scores = methods["decision_function"]
    form = getattr(step, "multi_class", "auto")
    if len(step.classes_) <= 2 and form != "multinomial":
        methods["predict_proba"] = _one_against_rest(scores)
    elif len(step.classes_) > 2 and form in ("deprecated", "auto") and step.solver != "liblinear":
        methods["predict_proba"] = lambda rows: softmax_in_place(scores(rows))
    return over_arrays(step, given, methods, sparse=True)


def sgd_classifier(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan a linear classifier fitted by gradient descent."""
    methods = scored(step)
    scores = methods["decision_function"]
    if step.loss == "log_loss":
        methods["predict_proba"] = _one_against_rest(scores)
    elif step.loss == "modified_huber" and len(step.classes_) == 2:
        methods["predict_proba"] = _clipped(scores)
    return over_arrays(step, given, methods, sparse=True)


def _clipped(scores: Function) -> Function:
    """Return probabilities from scores between -1 and 1, for two classes."""

    def predict_proba(rows: Any) -> Any:
        found = scores(rows)
        both = np.ones((found.shape[0], 2))
        one = both[:, 1]
        np.clip(found, -1, 1, one)
        one += 1.0
        one /= 2.0
        both[:, 0] -= one
        return both

    return predict_proba


def linear_regressor(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan ``x @ coef + intercept``."""
    check, intercept = _checked(step.n_features_in_), step.intercept_
    weights = step.coef_ if step.coef_.ndim == 1 else step.coef_.T
    return over_arrays(step, given, {"predict": lambda rows: check(rows) @ weights + intercept}, sparse=True)


def coordinate_descent(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan the same for models whose coefficients may be sparse; only dense ones are."""
    return linear_regressor(step, given, planner, path) if isinstance(step.coef_, np.ndarray) else None


def sgd_regressor(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan the same, whose answer is flat."""
    check, intercept, weights = _checked(step.n_features_in_), step.intercept_, step.coef_.T
    return over_arrays(step, given, {"predict": lambda rows: (check(rows) @ weights + intercept).ravel()}, sparse=True)


def generalized_linear(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan a linear model with a link."""
    check, weights, intercept = _checked(step.n_features_in_), step.coef_, step.intercept_
    inverse = step._base_loss.link.inverse

    def predict(rows: Any) -> Any:
        return inverse(check(floats(rows)) @ weights + intercept)

    return over_arrays(step, given, {"predict": predict})
