"""The usual metrics of a task, by scikit-learn.

Found by entry point in the group ``modelwright.evaluators``. A metric that is undefined for the rows at hand is left
out with a note: scikit-learn would warn and give NaN or an arbitrary 0.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import sklearn.metrics as skm

from modelwright.capturing.answers import Labels
from modelwright.capturing.evaluation import Measured, Metric
from modelwright.spec.evaluation import Direction
from modelwright.spec.manifest import Task

Array = npt.NDArray[Any]
Candidate = tuple[str, Direction, Callable[[], Any]]
"""Name, better direction, and the calculation."""


class SklearnEvaluator:
    """Measures with ``sklearn.metrics``."""

    name = "sklearn"

    def measure(self, truth: Array, answers: Mapping[str, Array], *, task: Task, labels: Labels | None) -> Measured:
        """Measure answers against the truth; see :class:`modelwright.capturing.evaluation.Evaluator`."""
        metrics: list[Metric] = []
        notes: list[str] = []
        for name, better, calculate in _candidates(truth, answers, task, labels):
            value, reason = _defined(calculate)
            if reason:
                notes.append(f"{name} was left out: {reason}")
            else:
                metrics.append(Metric(name, value, better))
        return Measured(tuple(metrics), tuple(notes))


def _defined(calculate: Callable[[], Any]) -> tuple[float, str]:
    """Return a number, or why there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            value = float(calculate())
        except ValueError as error:
            return 0.0, str(error).splitlines()[0].rstrip(".")
    return (value, "") if math.isfinite(value) else (0.0, "undefined for these rows")


def _candidates(truth: Array, answers: Mapping[str, Array], task: Task, labels: Labels | None) -> Iterator[Candidate]:
    prediction = answers.get("prediction")
    if prediction is None:
        return
    if task == "regression" or (task == "function" and truth.dtype.kind in "iuf" and prediction.dtype.kind in "iuf"):
        yield from _regression(truth, prediction)
    elif task == "ranking":  # what belongs together is not in the rows: measures of a ranking are the user's own
        return
    elif task == "clustering":
        yield "adjusted_rand", "higher", lambda: skm.adjusted_rand_score(truth, prediction)
        yield "v_measure", "higher", lambda: skm.v_measure_score(truth, prediction)
    elif task == "anomaly-detection":
        yield from _two_classes(truth, prediction, positive=-1)
        if "score" in answers:
            yield "roc_auc", "higher", lambda: _needs_both(truth, skm.roc_auc_score, truth == -1, -answers["score"])
    elif truth.ndim == 1 and prediction.ndim == 1:
        yield from _classification(_plain(truth), _plain(prediction), answers, labels)


def _plain(values: Array) -> Array:
    return np.array(values.tolist()) if values.dtype.kind == "O" else values


def _regression(truth: Array, prediction: Array) -> Iterator[Candidate]:
    yield "rmse", "lower", lambda: skm.root_mean_squared_error(truth, prediction)
    yield "mae", "lower", lambda: skm.mean_absolute_error(truth, prediction)
    yield "median_ae", "lower", lambda: skm.median_absolute_error(truth, prediction)
    yield "r2", "higher", lambda: _r2(truth, prediction)
    yield "mape", "lower", lambda: _mape(truth, prediction)


def _r2(truth: Array, prediction: Array) -> float:
    if len(truth) < 2 or np.any(np.ptp(truth, axis=0) == 0):
        raise ValueError("the truth does not vary")
    return float(skm.r2_score(truth, prediction))


def _mape(truth: Array, prediction: Array) -> float:
    if np.any(truth == 0):
        raise ValueError("the truth contains 0, and percentages of 0 are undefined")
    return float(skm.mean_absolute_percentage_error(truth, prediction))


def _two_classes(truth: Array, prediction: Array, *, positive: Any) -> Iterator[Candidate]:
    """Count the four cases once: each of scikit-learn's functions would check both arrays again."""
    actual, said = truth == positive, prediction == positive
    hit, missed = int(np.sum(actual & said)), int(np.sum(actual & ~said))
    false, clear = int(np.sum(~actual & said)), int(np.sum(~actual & ~said))
    yield "accuracy", "higher", lambda: np.mean(truth == prediction)
    one = "only one class is present"
    yield (
        "balanced_accuracy",
        "higher",
        lambda: (_share(hit, hit + missed, one) + _share(clear, clear + false, one)) / 2,
    )
    yield "precision", "higher", lambda: _share(hit, hit + false, f"the model never answers {positive}")
    yield "recall", "higher", lambda: _share(hit, hit + missed, f"no row is {positive}")
    yield "f1", "higher", lambda: _share(2 * hit, 2 * hit + false + missed, f"no row and no answer is {positive}")


def _share(part: int, whole: int, otherwise: str) -> float:
    if whole == 0:
        raise ValueError(otherwise)
    return part / whole


def _needs_both(truth: Array, metric: Callable[..., Any], *arguments: Any) -> float:
    if len(np.unique(truth)) < 2:
        raise ValueError("only one class is present")
    return float(metric(*arguments))


def _classification(
    truth: Array, prediction: Array, answers: Mapping[str, Array], labels: Labels | None
) -> Iterator[Candidate]:
    probability, score = answers.get("probability"), answers.get("score")
    if labels is not None and len(labels) == 2:
        actual = truth == labels[1]
        yield from _two_classes(truth, prediction, positive=labels[1])
        ranking = probability[:, 1] if probability is not None else score
        if ranking is not None:
            yield "roc_auc", "higher", lambda: _needs_both(actual, skm.roc_auc_score, actual, ranking)
            yield (
                "average_precision",
                "higher",
                lambda: _needs_both(actual, skm.average_precision_score, actual, ranking),
            )
        if probability is not None:
            yield "log_loss", "lower", lambda: skm.log_loss(actual, probability, labels=[False, True])
            yield "brier", "lower", lambda: np.mean((probability[:, 1] - actual) ** 2)
        return
    yield "accuracy", "higher", lambda: skm.accuracy_score(truth, prediction)
    yield "balanced_accuracy", "higher", lambda: _needs_both(truth, skm.balanced_accuracy_score, truth, prediction)
    averaged = {"average": "macro", "zero_division": np.nan}
    yield "precision_macro", "higher", lambda: skm.precision_score(truth, prediction, **averaged)
    yield "recall_macro", "higher", lambda: skm.recall_score(truth, prediction, **averaged)
    yield "f1_macro", "higher", lambda: skm.f1_score(truth, prediction, **averaged)
    if probability is not None and labels is not None:
        yield "roc_auc_ovr", "higher", lambda: _all_present(truth, probability, labels)
        yield "log_loss", "lower", lambda: skm.log_loss(truth, probability, labels=list(labels))
        hits = truth[:, None] == np.array(labels)[None, :]
        yield "brier", "lower", lambda: np.mean(np.sum((probability - hits) ** 2, axis=1))


def _all_present(truth: Array, probability: Array, labels: Labels) -> float:
    if set(truth.tolist()) != set(labels):
        raise ValueError("not every class is present")
    return float(skm.roc_auc_score(truth, probability, multi_class="ovr", labels=list(labels)))


EVALUATOR = SklearnEvaluator()
