"""Plans of multi-layer perceptrons: a product, an intercept and an activation per layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arrays import finite, shaped
from .kernels import over_arrays
from .planning import Function, Given, Plan, Planner


def _forward(step: Any) -> Function:
    """Return the activation of the last layer ``[n_rows, n_outputs]``."""
    from sklearn.neural_network._base import ACTIVATIONS

    width = step.n_features_in_
    hidden, output = ACTIVATIONS[step.activation], ACTIVATIONS[step.out_activation_]
    layers = list(zip(step.coefs_, step.intercepts_, strict=True))
    last = len(layers) - 1

    def forward(rows: Any) -> Any:
        activation = finite(shaped(rows, width))
        for place, (weights, intercept) in enumerate(layers):
            activation = activation @ weights
            activation += intercept
            if place != last:
                hidden(activation)
        output(activation)
        return activation

    return forward


def mlp_classifier(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan a classifier of one label per row."""
    binarizer = step._label_binarizer
    if binarizer.y_type_ not in ("binary", "multiclass") or len(binarizer.classes_) < 2:
        return None
    forward, classes = _forward(step), binarizer.classes_
    threshold = (binarizer.pos_label + binarizer.neg_label) / 2.0
    single = step.n_outputs_ == 1

    def predict(rows: Any) -> Any:
        found = forward(rows)
        if single:
            return classes[(found.ravel() > threshold).astype(np.intp)]
        return classes[np.argmax(found, axis=1)]

    def predict_proba(rows: Any) -> Any:
        found = forward(rows)
        if not single:
            return found
        flat = found.ravel()
        return np.vstack([1 - flat, flat]).T

    return over_arrays(step, given, {"predict": predict, "predict_proba": predict_proba})


def mlp_regressor(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan a regressor."""
    forward = _forward(step)

    def predict(rows: Any) -> Any:
        found = forward(rows)
        return found.ravel() if found.shape[1] == 1 else found

    return over_arrays(step, given, {"predict": predict})
