"""Plans of discriminant analysis."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit

from .arrays import finite, shaped
from .kernels import over_arrays
from .linear import scored
from .planning import Function, Given, Plan, Planner
from .releases import release
from .softmaxes import softmax_in_place


def linear_discriminant(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan linear discriminants, which are a linear classifier, and a projection."""
    methods = scored(step)
    scores, binary = methods["decision_function"], len(step.classes_) == 2

    def predict_proba(rows: Any) -> Any:
        found = scores(rows)
        if binary:
            positive = expit(found)
            return np.stack([1 - positive, positive], axis=1)
        return softmax_in_place(found)

    methods["predict_proba"] = predict_proba
    if step.solver != "lsqr":
        methods["transform"] = _projected(step)
    return over_arrays(step, given, methods)


def _projected(step: Any) -> Function:
    width, scalings, most = step.n_features_in_, step.scalings_, step._max_components
    center = step.xbar_ if step.solver == "svd" else None

    def transform(rows: Any) -> Any:
        rows = finite(shaped(rows, width))
        return ((rows if center is None else rows - center) @ scalings)[:, :most]

    return transform


def quadratic_discriminant(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan quadratic discriminants, as they are since 1.6."""
    if release() < (1, 6):
        return None
    width, count, classes = step.n_features_in_, len(step.classes_), step.classes_
    turns = [turn * (scale ** (-0.5)) for turn, scale in zip(step.rotations_, step.scalings_, strict=True)]
    logs = np.asarray([np.sum(np.log(scale)) for scale in step.scalings_])
    priors = np.log(step.priors_)
    means = step.means_

    def scores(rows: Any) -> Any:
        rows = finite(shaped(rows, width))
        norms = [np.sum(np.dot(rows - means[place], turns[place]) ** 2, axis=1) for place in range(count)]
        return -0.5 * (np.array(norms).T + logs) + priors

    def decision_function(rows: Any) -> Any:
        found = scores(rows)
        return found[:, 1] - found[:, 0] if count == 2 else found

    def predict_proba(rows: Any) -> Any:
        found = scores(rows)
        likelihood = found - found.max(axis=1)[:, np.newaxis]
        return np.exp(likelihood - np.log(np.exp(likelihood).sum(axis=1)[:, np.newaxis]))

    methods: dict[str, Function] = {
        "predict": lambda rows: classes.take(scores(rows).argmax(axis=1)),
        "decision_function": decision_function,
        "predict_proba": predict_proba,
    }
    return over_arrays(step, given, methods)
