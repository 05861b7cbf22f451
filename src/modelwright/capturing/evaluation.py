"""Measure a live model on rows whose truth is known, as a whole and per named slice.

For: capture, with ``evaluate=(X_test, y_test)``. What the usual metrics of a task are is known by an evaluator, a
plug-in in the group ``modelwright.evaluators`` (scikit-learn's metrics in the one we bring); metrics of the user stand
beside them.

It does not: store anything of the rows. A metric that is undefined here (one class only, no positive answers) is left
out and named in a note; it is never NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, cast, runtime_checkable

import narwhals as nw
import numpy as np
import numpy.typing as npt

from modelwright.capturing.answers import Answer, Labels, LiveModel
from modelwright.capturing.column import column_of_array
from modelwright.capturing.importance import When, permutation_importance
from modelwright.capturing.signature import did_you_mean
from modelwright.capturing.table import Table
from modelwright.errors import ModelMismatchError, SampleError
from modelwright.plugins import find
from modelwright.spec.evaluation import Direction, Evaluation, Importance
from modelwright.spec.manifest import Task

GROUP = "modelwright.evaluators"

Array = npt.NDArray[Any]
Slice = Array | Sequence[bool] | Mapping[str, Any] | Callable[[Any], Any]
"""Which rows: a mask, ``{"column": value}``, or a function of the sample that gives a mask."""
UserMetric = Callable[[Array, Array], float] | tuple[Callable[[Array, Array], float], Direction]
"""A function of truth and prediction, alone or with the direction that is better."""


class Metric(NamedTuple):
    """One number.

    Attributes:
        name: Name of the metric.
        value: Finite.
        better: Which direction is better.
    """

    name: str
    value: float
    better: Direction


class Measured(NamedTuple):
    """What an evaluator found.

    Attributes:
        metrics: In the order in which people read them.
        notes: Metrics that are undefined for these rows, and why.
    """

    metrics: tuple[Metric, ...]
    notes: tuple[str, ...] = ()


@runtime_checkable
class Evaluator(Protocol):
    """Knows the usual metrics of a task.

    Attributes:
        name: The registered name (``sklearn``).
    """

    name: str

    def measure(self, truth: Array, answers: Mapping[str, Array], *, task: Task, labels: Labels | None) -> Measured:
        """Measure answers against the truth.

        Args:
            truth: ``[n_rows]`` or ``[n_rows, n_targets]``, nothing missing.
            answers: Per output name, ``[n_rows, *shape]``.
            task: What kind of model it is.
            labels: Class labels along the last axis of ``answers["probability"]``.
        """
        ...


@dataclass(frozen=True, eq=False, slots=True)
class EvaluationResult:
    """What was measured, and the arrays that charts are drawn from (which are not stored).

    Attributes:
        evaluations: Metrics of the whole set first, then per slice.
        importance: Most important field first; empty if it was left out.
        notes: What was left out and why.
        truth: The truth.
        answers: Per output name, what the model answered.
    """

    evaluations: tuple[Evaluation, ...]
    importance: tuple[Importance, ...]
    notes: tuple[str, ...]
    truth: Array
    answers: Mapping[str, Array]


def evaluate(
    live: LiveModel,
    sample: Any,
    truth: Any,
    *,
    task: Task,
    dataset: str = "test",
    slices: Mapping[str, Slice] | None = None,
    metrics: Mapping[str, UserMetric] | None = None,
    importance: When = "auto",
    evaluator: str = "sklearn",
) -> EvaluationResult:
    """Measure a live model.

    Args:
        live: The model.
        sample: Rows, in the container the model wants.
        truth: One true answer per row: array, series, list, or a table with one column per target.
        task: What kind of model it is; decides the metrics.
        dataset: Name of the data set.
        slices: Named parts of it, measured separately (``{"contract=monthly": {"contract": "monthly"}}``).
        metrics: Named functions of truth and prediction.
        importance: Whether permutation importance is measured, see :mod:`modelwright.capturing.importance`.
        evaluator: Name of the plug-in that knows the usual metrics.

    Raises:
        SampleError: The truth is incomplete or has another length; a slice names no column or has another length.
        ModelMismatchError: The model raises, or truth and answers have no value in common, or a user's metric raises.
        MissingExtraError: The evaluator's library is not installed.
    """
    table = Table.of(sample)
    true = read_truth(truth, table.n_rows)
    found = live.ask(sample, n_rows=table.n_rows)
    answers = {item.output.name: item.column.values for item in found}
    _check_common(true, found, task, live.labels)
    plugin: Evaluator = find(GROUP, evaluator)
    evaluations: list[Evaluation] = []
    notes: list[str] = []
    for name, mask in {"": np.ones(table.n_rows, dtype=bool), **_masks(table, slices or {})}.items():
        if not mask.any():
            notes.append(f"The slice {name!r} has no rows in {dataset!r}.")
            continue
        part = {output: values[mask] for output, values in answers.items()}
        measured = plugin.measure(true[mask], part, task=task, labels=live.labels)
        own, failed = _user_metrics(metrics or {}, true[mask], next(iter(part.values())))
        where = f" of {name}" if name else ""
        notes += [f"{dataset}{where}: {note}" for note in (*measured.notes, *failed)]
        evaluations += (
            Evaluation(
                metric=metric.name,
                value=metric.value,
                dataset=dataset,
                slice=name,
                rows=int(mask.sum()),
                better=metric.better,
            )
            for metric in (*measured.metrics, *own)
        )
    ranked, reasons = permutation_importance(live, table, true, task=task, when=importance)
    return EvaluationResult(tuple(evaluations), ranked, (*notes, *reasons), true, answers)


def read_truth(truth: Any, n_rows: int) -> Array:
    """Return the truth as an array of plain numbers, text or booleans.

    Raises:
        SampleError: Another number of rows than the sample, or a missing value.

    Example:
        >>> read_truth(["yes", "no"], 2).tolist()
        ['yes', 'no']
    """
    native = nw.from_native(truth, eager_only=True, allow_series=True, pass_through=True)
    values = np.asarray(native.to_numpy() if isinstance(native, nw.DataFrame | nw.Series) else truth)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim == 0 or len(values) != n_rows:
        length = len(values) if values.ndim else 1
        raise SampleError(
            f"There are {length} true answers for {n_rows} rows.", hint="Give evaluate=(X_test, y_test) of one length."
        )
    column = column_of_array("truth", values, nan_is_null=True)
    if column.missing.any():
        raise SampleError(
            f"The truth is missing in {column.missing.sum()} rows, first in row {column.missing.argmax()}.",
            hint="Drop these rows from X_test and y_test.",
        )
    return np.array(column.values.tolist()) if column.values.dtype.kind == "O" else column.values


def _check_common(truth: Array, answers: Sequence[Answer], task: Task, labels: Labels | None) -> None:
    if task != "classification" or truth.ndim > 1:
        return
    known = set(labels or np.unique(answers[0].column.values.astype(str)).tolist())
    seen = set(truth.tolist() if labels else truth.astype(str).tolist())
    if not seen & known:
        raise ModelMismatchError(
            "Truth and answers have no label in common.",
            why=f"The truth holds {_few(seen)}; the model answers {_few(known)}.",
            hint="Give the truth with the labels the model was trained with.",
        )


def _few(values: set[Any]) -> str:
    return ", ".join(map(repr, sorted(values, key=str)[:5])) + (", …" if len(values) > 5 else "")


def _masks(table: Table, slices: Mapping[str, Slice]) -> dict[str, npt.NDArray[np.bool_]]:
    return {name: _mask(table, name, rows) for name, rows in slices.items()}


def _mask(table: Table, name: str, rows: Slice) -> npt.NDArray[np.bool_]:
    if not name:
        raise SampleError("A slice has an empty name.", hint="Name it, for example 'contract=monthly'.")
    if isinstance(rows, Mapping):
        mask = np.ones(table.n_rows, dtype=bool)
        for column, value in rows.items():
            if column not in table.names:
                raise SampleError(
                    f"The slice {name!r} names the column {column!r}, which the rows do not have.",
                    hint=did_you_mean(column, table.names),
                )
            values = table.column(column)
            mask &= np.array([item == value for item in values.values.tolist()]) & ~values.missing
        return mask
    given = rows(table.data) if callable(rows) else rows
    native = nw.from_native(cast(Any, given), allow_series=True, pass_through=True)
    array = np.asarray(native.to_numpy() if isinstance(native, nw.Series) else given)
    if array.shape != (table.n_rows,) or array.dtype.kind != "b":
        raise SampleError(
            f"The slice {name!r} is no mask of {table.n_rows} booleans.",
            hint='Give one True or False per row, or {"column": value}.',
        )
    return array


def _user_metrics(metrics: Mapping[str, UserMetric], truth: Array, prediction: Array) -> tuple[list[Metric], list[str]]:
    found, notes = [], []
    for name, metric in metrics.items():
        function, better = metric if isinstance(metric, tuple) else (metric, "")
        if better not in ("higher", "lower", ""):
            raise SampleError(
                f"The metric {name!r} has the direction {better!r}.", hint="Use 'higher' or 'lower', or leave it out."
            )
        try:
            value = float(function(truth, prediction))
        except Exception as error:  # the user's function may raise anything
            raise ModelMismatchError(
                f"The metric {name!r} raises {type(error).__name__}.", why=str(error)[:2000]
            ) from error
        if math.isfinite(value):
            found.append(Metric(name, value, better))
        else:
            notes.append(f"{name} is {value} and was left out")
    return found, notes
