"""Permutation importance: how much worse the model gets when one column is shuffled.

Called by :mod:`modelwright.capturing.evaluation`. The permutations are seeded, so the same rows give the same numbers;
all shuffled copies are asked about in as few calls as possible, because a call costs more than a row.

The metric that is watched is balanced accuracy for classes (plain accuracy sees nothing where one class is rare) and
the root mean squared error for numbers.

Source: Breiman 2001, "Random Forests"; Brodersen et al. 2010, "The Balanced Accuracy and Its Posterior Distribution".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from modelwright.capturing.answers import LiveModel
from modelwright.capturing.table import Table
from modelwright.errors import ModelMismatchError
from modelwright.spec.evaluation import Importance
from modelwright.spec.manifest import Task

Array = npt.NDArray[Any]
When = Literal["auto", "always", "never"]
"""``auto`` leaves it out where it would take long or say nothing, and says so; ``always`` measures in any case."""

REPEATS = 5
MAX_ROWS = 2_000
"""Rows that are shuffled at most; more are sampled, with a fixed seed."""
MAX_ASKED = 60_000
"""Rows that the model is asked about altogether in ``auto``: with many fields, fewer rows are shuffled."""
MIN_ROWS = 50
MAX_FIELDS = 200
"""With more fields than this, ``auto`` leaves importance out."""
MAX_CELLS = 2_000_000
"""Values per call of the model; bounds memory."""
_SEED = 20_011
"""Any fixed number: the year and month of Breiman's paper."""


def permutation_importance(
    live: LiveModel, table: Table, truth: Array, *, task: Task, when: When
) -> tuple[tuple[Importance, ...], tuple[str, ...]]:
    """Measure the importance of every column.

    Args:
        live: The model.
        table: Rows.
        truth: ``[n_rows]`` or ``[n_rows, n_targets]``.
        task: What kind of model it is.
        when: Whether to measure.

    Returns:
        The columns, most important first, and notes on what was left out.

    Raises:
        ModelMismatchError: The model raises on shuffled rows that it took unshuffled.
    """
    metric = _metric_of(task, truth)
    if when == "never" or metric is None or "predict" not in live.methods:
        return (), ()
    if table.columns[0].shape or len(table.columns) == 1:
        return (), ("Importance was left out: the model has one input.",)
    if when == "auto" and len(table.columns) > MAX_FIELDS:
        return (), (f"Importance was left out: more than {MAX_FIELDS} fields. Ask with importance='always'.",)
    rows = _rows(table, when)
    if len(rows) < 2:
        return (), ("Importance was left out: one row cannot be shuffled.",)
    losses = _losses(live, table, truth, rows, metric)
    ranked = sorted(
        (
            Importance(field=name, mean=float(loss.mean()), std=float(loss.std()), metric=metric)
            for name, loss in zip(table.names, losses, strict=True)
        ),
        key=lambda item: -item.mean,
    )
    sampled = () if len(rows) == table.n_rows else (f"Importance was measured on {len(rows)} of {table.n_rows} rows.",)
    return tuple(ranked), sampled


def _metric_of(task: Task, truth: Array) -> str | None:
    if task == "classification" and truth.ndim == 1:
        return "balanced_accuracy"
    return "rmse" if task == "regression" or (task == "function" and truth.dtype.kind in "iuf") else None


def _rows(table: Table, when: When) -> npt.NDArray[np.intp]:
    limit = MAX_ROWS if when == "always" else min(MAX_ROWS, MAX_ASKED // (REPEATS * len(table.columns)))
    count = min(table.n_rows, max(limit, MIN_ROWS))
    return np.sort(np.random.default_rng(_SEED).permutation(table.n_rows)[:count])


def _losses(
    live: LiveModel, table: Table, truth: Array, rows: npt.NDArray[np.intp], metric: str
) -> npt.NDArray[np.float64]:
    """Return ``[n_fields, REPEATS]``: how much worse the metric is with the field shuffled."""
    rng = np.random.default_rng(_SEED)
    measure = _watch(metric, truth[rows])
    before = measure(_predict(live, table.take(rows), len(rows)))
    jobs = [(name, rng.permutation(len(rows))) for name in table.names for _ in range(REPEATS)]
    per_call = max(1, MAX_CELLS // (len(rows) * len(table.names)))
    after: list[float] = []
    for start in range(0, len(jobs), per_call):
        part = jobs[start : start + per_call]
        repeated = np.tile(rows, len(part))
        order = dict.fromkeys(table.names, repeated)
        for place, (name, shuffle) in enumerate(part):
            if order[name] is repeated:
                order[name] = repeated.copy()
            order[name][place * len(rows) : (place + 1) * len(rows)] = rows[shuffle]
        answers = _predict(live, table.mixed(order), len(repeated))
        after += (measure(block) for block in np.split(answers, len(part)))
    loss = np.array(after).reshape(len(table.names), REPEATS) - before
    return loss if metric == "rmse" else -loss


def _predict(live: LiveModel, data: Any, n_rows: int) -> Array:
    return live.ask(data, n_rows=n_rows, methods=("predict",))[0].column.values


def _watch(metric: str, truth: Array) -> Callable[[Array], float]:
    """Return the function that measures answers; what depends on the truth alone is calculated once."""
    if metric == "rmse":
        true = truth.astype(np.float64)
        return lambda prediction: _rmse(true, prediction)
    names, codes, counts = np.unique(truth.astype(str), return_inverse=True, return_counts=True)
    return lambda prediction: float(
        np.mean(np.bincount(codes, weights=names[codes] == prediction.astype(str), minlength=len(names)) / counts)
    )


def _rmse(truth: Array, prediction: Array) -> float:
    if prediction.shape != truth.shape:
        raise ModelMismatchError(f"The truth has the shape {truth.shape}, the answers {prediction.shape}.")
    return float(np.sqrt(np.mean((truth - prediction) ** 2)))
