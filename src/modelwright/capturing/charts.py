"""Draw what an evaluation found: confusion matrix or residuals, calibration, importance.

For: capture puts them beside the card. They show counts and means, never a single row of the test data.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from modelwright.capturing.answers import Labels
from modelwright.capturing.evaluation import EvaluationResult
from modelwright.capturing.svg import box, document, dot, line, shortened, text
from modelwright.spec.evaluation import Importance
from modelwright.spec.manifest import Task

Array = npt.NDArray[Any]

MAX_LABELS = 20
"""A confusion matrix with more classes cannot be read."""
MAX_BARS = 15
BINS = 10
CELLS = 24
WIDTH = 560


def draw(result: EvaluationResult, *, task: Task, labels: Labels | None) -> dict[str, str]:
    """Draw the charts that make sense for a model.

    Args:
        result: What the evaluation found.
        task: What kind of model it is.
        labels: Class labels.

    Returns:
        File name (``confusion.svg``) to SVG document.
    """
    charts: dict[str, str] = {}
    prediction, probability = result.answers.get("prediction"), result.answers.get("probability")
    plain = prediction is not None and prediction.ndim == 1 and result.truth.ndim == 1
    if task == "classification" and plain and prediction is not None:
        if labels is not None and len(labels) <= MAX_LABELS:
            charts["confusion.svg"] = confusion(result.truth, prediction, labels)
        if probability is not None and labels is not None:
            charts["calibration.svg"] = calibration(result.truth, probability, labels)
    numbers = plain and prediction is not None and prediction.dtype.kind in "iuf" and result.truth.dtype.kind in "iuf"
    if task in ("regression", "function") and numbers and prediction is not None:
        charts["residuals.svg"] = residuals(result.truth, prediction)
    if result.importance:
        charts["importance.svg"] = importance(result.importance)
    return charts


def confusion(truth: Array, prediction: Array, labels: Labels) -> str:
    """Draw how often each true class was answered as each class.

    Args:
        truth: ``[n_rows]`` labels.
        prediction: ``[n_rows]`` labels.
        labels: Classes, in the model's order; rows of other classes are left out.
    """
    counts = np.array([[int(np.sum((truth == row) & (prediction == column))) for column in labels] for row in labels])
    right = f"{int(np.trace(counts))} of {int(counts.sum())} rows"
    return document(
        _matrix(counts, [shortened(str(label), 14) for label in labels]),
        width=170 + _cell(labels) * len(labels),
        height=118 + _cell(labels) * len(labels),
        title="Confusion matrix",
        description=f"{right} lie on the diagonal, where answer and truth agree.",
    )


def _cell(labels: Sequence[object]) -> float:
    return max(30.0, min(96.0, 420.0 / len(labels)))


def _matrix(counts: Array, names: Sequence[str]) -> Iterator[str]:
    side, left, top = _cell(names), 130.0, 58.0
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    for row, name in enumerate(names):
        middle = top + (row + 0.5) * side
        yield text(left - 10, middle + 4, name, anchor="end")
        for column, count in enumerate(counts[row]):
            strength = float(share[row, column])
            x = left + column * side
            yield box(x + 1, middle - side / 2 + 1, side - 2, side - 2, opacity=0.06 + 0.94 * strength)
            yield text(x + side / 2, middle + 4, str(int(count)), kind="i" if strength > 0.5 else "", anchor="middle")
    below = top + len(names) * side
    turned = len(names) > 6
    for column, name in enumerate(names):
        x = left + (column + 0.5) * side
        label = shortened(name, 5) if turned else shortened(name, max(4, int(side / 7)))
        yield text(x, below + 18, label, anchor="middle")
    yield text(left, top - 10, "rows: truth; columns: answer", kind="m")


def calibration(truth: Array, probability: Array, labels: Labels) -> str:
    """Draw how often the model is right against how sure it says it is.

    With two classes the second one is drawn, with more the most probable one.

    Args:
        truth: ``[n_rows]`` labels.
        probability: ``[n_rows, n_labels]``.
        labels: Classes along the last axis of ``probability``.
    """
    if len(labels) == 2:
        sure, right = probability[:, 1], truth == labels[1]
        what = f"probability of {shortened(str(labels[1]), 30)}"
    else:
        best = probability.argmax(axis=1)
        sure, right = probability.max(axis=1), np.array(labels)[best].astype(str) == truth.astype(str)
        what = "probability of the most probable class"
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    points = [
        (float(sure[bins == place].mean()), float(right[bins == place].mean()), int(np.sum(bins == place)))
        for place in range(BINS)
        if np.any(bins == place)
    ]
    said = "; ".join(f"{seen:.2f} where {mean:.2f} was said ({count} rows)" for mean, seen, count in points)
    return document(
        _reliability(points, what),
        width=440,
        height=430,
        title="Calibration",
        description=f"Observed share by {what}, in up to {BINS} bins. {said}.",
    )


def _reliability(points: Sequence[tuple[float, float, int]], what: str) -> Iterator[str]:
    left, top, side = 64.0, 48.0, 320.0
    for step in range(6):
        share = step / 5
        yield line(left, top + side * (1 - share), left + side, top + side * (1 - share))
        yield text(left - 8, top + side * (1 - share) + 4, f"{share:.1f}", kind="m", anchor="end")
        yield text(left + side * share, top + side + 18, f"{share:.1f}", kind="m", anchor="middle")
    yield line(left, top + side, left + side, top, kind="o")
    places = [(left + side * mean, top + side * (1 - seen), count) for mean, seen, count in points]
    for (x1, y1, _), (x2, y2, _) in pairwise(places):
        yield line(x1, y1, x2, y2, kind="l")
    most = max(count for _, _, count in points)
    for x, y, count in places:
        yield dot(x, y, 3 + 6 * (count / most) ** 0.5)
    yield text(left + side / 2, top + side + 42, what, anchor="middle")
    yield text(20, top + side / 2, "observed share", anchor="middle", turn=-90)


def residuals(truth: Array, prediction: Array) -> str:
    """Draw how truth minus answer spreads over the answers, in cells; the darker, the more rows.

    Args:
        truth: ``[n_rows]`` numbers.
        prediction: ``[n_rows]`` numbers.
    """
    error = truth.astype(np.float64) - prediction.astype(np.float64)
    reach = float(np.abs(error).max()) or 1.0
    low, high = float(prediction.min()), float(prediction.max())
    high = high if high > low else low + 1.0
    across = np.minimum(((prediction - low) / (high - low) * CELLS).astype(int), CELLS - 1)
    up = np.minimum(((error + reach) / (2 * reach) * CELLS).astype(int), CELLS - 1)
    counts = np.zeros((CELLS, CELLS), dtype=int)
    np.add.at(counts, (up, across), 1)
    middle, spread = float(np.median(error)), float(np.median(np.abs(error)))
    return document(
        _density(counts, low=low, high=high, reach=reach),
        width=WIDTH,
        height=400,
        title="Residuals",
        description=f"Truth minus answer over the answer, {len(error)} rows: median {middle:.4g}, "
        f"median size {spread:.4g}, largest size {reach:.4g}.",
    )


def _density(counts: Array, *, low: float, high: float, reach: float) -> Iterator[str]:
    left, top, width, height = 84.0, 48.0, WIDTH - 110.0, 290.0
    for step in range(5):
        share = step / 4
        y = top + height * (1 - share)
        yield line(left, y, left + width, y)
        yield text(left - 8, y + 4, short_number(-reach + 2 * reach * share), kind="m", anchor="end")
        x = left + width * share
        yield text(x, top + height + 18, short_number(low + (high - low) * share), kind="m", anchor="middle")
    yield line(left, top + height / 2, left + width, top + height / 2, kind="o")
    most = int(counts.max())
    for row, column in np.argwhere(counts):
        opacity = 0.15 + 0.85 * (int(counts[row, column]) / most) ** 0.5
        x, y = left + width * column / CELLS, top + height * (1 - (row + 1) / CELLS)
        yield box(x, y, width / CELLS, height / CELLS, opacity=opacity)
    yield text(left + width / 2, top + height + 42, "answer", anchor="middle")
    yield text(18, top + height / 2, "truth - answer", anchor="middle", turn=-90)


def importance(ranked: Sequence[Importance]) -> str:
    """Draw the most important fields, with the standard deviation over the repeats.

    Args:
        ranked: Most important first.
    """
    shown = [item for item in ranked[:MAX_BARS] if item.mean > 0] or list(ranked[:1])
    metric = ranked[0].metric
    listed = ", ".join(f"{item.field} {item.mean:.3g}" for item in shown)
    return document(
        _bars(shown),
        width=WIDTH,
        height=88 + 24 * len(shown),
        title="Permutation importance",
        description=f"How much worse {metric} gets when a field is shuffled: {listed}.",
    )


def _bars(shown: Sequence[Importance]) -> Iterator[str]:
    left, top, width = 190.0, 44.0, WIDTH - 190.0 - 84.0
    most = max((item.mean + item.std for item in shown), default=0.0)
    scale = width / most if most > 0 else 0.0
    for row, item in enumerate(shown):
        y = top + 24 * row
        middle = y + 8
        length = max(item.mean, 0.0) * scale
        yield text(left - 10, y + 12, shortened(item.field, 26), anchor="end")
        yield box(left, y, length, 16)
        low, high = left + max(item.mean - item.std, 0.0) * scale, left + max(item.mean + item.std, 0.0) * scale
        yield line(low, middle, high, middle, kind="w")
        legend = f"loss of {shown[0].metric} when the field is shuffled; the line is ± 1 standard deviation"
    yield text(16, top + 24 * len(shown) + 24, legend, kind="m")


def short_number(value: float) -> str:
    """Write a number with three significant digits.

    Example:
        >>> short_number(0.01234), short_number(123456.0), short_number(2.0)
        ('0.0123', '1.23e+05', '2')
    """
    return f"{value:.3g}" if abs(value) >= 1e-12 else "0"
