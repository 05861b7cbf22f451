"""The plan of calibrated classifiers: scores become probabilities by a fitted curve."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit

from .arrays import finite
from .planning import Function, Given, Plan, Planner


def calibrated_classifier(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan the mean of several calibrated classifiers."""
    classes = step.classes_
    if len(classes) < 2 or classes.dtype.kind not in "iubUO":
        return None
    parts = []
    for place, one in enumerate(step.calibrated_classifiers_):
        part = _calibrated(one, given, planner, f"{path}/{place}" if path else str(place))
        if part is None:
            return None
        parts.append(part)

    def predict_proba(rows: Any) -> Any:
        found = [part(rows) for part in parts]
        total = np.zeros(found[0].shape)
        for one in found:
            total += one
        total /= len(found)
        return total

    def predict(rows: Any) -> Any:
        return classes[np.argmax(predict_proba(rows), axis=1)]

    return Plan({"predict_proba": predict_proba, "predict": predict})


def _calibrated(one: Any, given: Given, planner: Planner, path: str) -> Function | None:
    """Return the probabilities of one calibrated classifier."""
    if one.method not in ("sigmoid", "isotonic"):
        return None
    plan = planner.plan(one.estimator, given, path)
    name = "decision_function" if hasattr(one.estimator, "decision_function") else "predict_proba"
    scores = plan.methods.get(name)
    curves = [_curve(calibrator) for calibrator in one.calibrators]
    known, count = one.estimator.classes_, len(one.classes)
    if scores is None or any(curve is None for curve in curves) or len(known) != count:
        return None
    places = np.searchsorted(one.classes, known).tolist()

    def answer(rows: Any) -> Any:
        found = scores(rows)
        if count == 2 and found.ndim == 2:
            found = found[:, 1]
        if found.ndim == 1:
            found = found.reshape(-1, 1)
        probabilities = np.zeros((found.shape[0], count))
        for place, column, curve in zip(places, found.T, curves, strict=False):
            if curve is not None:
                probabilities[:, place + 1 if count == 2 else place] = curve(column)
        return _summing_to_one(probabilities)

    return answer


def _summing_to_one(probabilities: Any) -> Any:
    count = probabilities.shape[1]
    if count == 2:
        probabilities[:, 0] = 1.0 - probabilities[:, 1]
    else:
        total = np.sum(probabilities, axis=1)[:, np.newaxis]
        even = np.full_like(probabilities, 1 / count)
        probabilities = np.divide(probabilities, total, out=even, where=total != 0)
    probabilities[(probabilities > 1.0) & (probabilities <= 1.0 + 1e-5)] = 1.0
    return probabilities


def _curve(calibrator: Any) -> Function | None:
    """Return a function from scores ``[n_rows]`` to probabilities."""
    kind = f"{type(calibrator).__module__}.{type(calibrator).__qualname__}"
    if kind == "sklearn.calibration._SigmoidCalibration":
        slope, offset = calibrator.a_, calibrator.b_
        return lambda scores: expit(-(slope * scores + offset))
    if kind != "sklearn.isotonic.IsotonicRegression" or calibrator.out_of_bounds not in ("clip", "nan"):
        return None
    low, high, follow = calibrator.X_min_, calibrator.X_max_, calibrator.f_
    dtype = calibrator.X_thresholds_.dtype
    clips = calibrator.out_of_bounds == "clip"

    def curve(scores: Any) -> Any:
        scores = finite(scores.astype(dtype, copy=False))
        if clips:
            scores = np.clip(scores, low, high)
        return follow(scores).astype(scores.dtype)

    return curve
