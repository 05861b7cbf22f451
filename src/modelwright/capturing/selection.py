"""Choose the rows of a sample that tell most about a model, for the scenarios that travel with it.

Few rows, each with a reason that a person understands: typical ones, extremes, every category level, missing and
infinite values, the decision boundary, the most confident or extreme answers. The choice is deterministic.

For: capture, which lets the runtime answer the chosen rows and writes both. It does not call the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from modelwright.capturing.answers import Answer
from modelwright.capturing.column import Column
from modelwright.capturing.table import Table
from modelwright.spec.signature import Field, Scalar

Bools = npt.NDArray[np.bool_]

TYPICAL, EXTREMES, LEVELS, MISSING, INFINITE, BOUNDARY, CONFIDENT, ENDS = 3, 6, 8, 4, 2, 3, 4, 2
"""Most rows per group; together 32, and a row is chosen only once."""
MAX_VALUES = 50_000
"""Most values that all chosen rows have together, as far as the rows of one group allow: scenarios stay readable."""
MIN_ROWS = 4
"""So many rows are chosen however wide they are."""
_FAR = 1e6
"""Distances from the median are cut here, so that one absurd value does not drown all other fields."""


class Choice(NamedTuple):
    """Some rows and why they were chosen.

    Attributes:
        name: Name of the scenario (``every-level``).
        reason: A sentence for people.
        indices: Positions of the rows in the sample.
    """

    name: str
    reason: str
    indices: tuple[int, ...]


def choose(table: Table, fields: Sequence[Field], answers: Sequence[Answer]) -> list[Choice]:
    """Choose rows, in groups; a row that stands in one group is not repeated in a later one.

    Args:
        table: The whole sample.
        fields: Its fields; other columns are not looked at.
        answers: What the live model answers to the whole sample.

    Example:
        >>> table = Table.of({"age": [1, 50, 51, 52, 99]})
        >>> [(choice.name, choice.indices) for choice in choose(table, [Field(name="age", datatype="int64")], [])]
        [('typical-rows', (2, 1, 3)), ('extremes', (0, 4))]
    """
    columns = [table.column(field.name) for field in fields]
    width = sum(int(np.prod(column.shape)) for column in columns)
    budget = max(MIN_ROWS, MAX_VALUES // max(width, 1))
    chosen: list[Choice] = []
    taken: set[int] = set()
    for name, reason, candidates in _groups(columns, fields, answers, taken):
        rows = tuple(row for row in dict.fromkeys(candidates) if row not in taken)[: budget - len(taken)]
        if rows:
            chosen.append(Choice(name, reason, rows))
            taken.update(rows)
    return chosen


def _groups(
    columns: Sequence[Column], fields: Sequence[Field], answers: Sequence[Answer], taken: set[int]
) -> Iterator[tuple[str, str, list[int]]]:
    yield "typical-rows", "Nearest to the middle of the training data.", _typical(columns)
    for answer in answers:
        yield from _by_answer(answer)
    yield "extremes", "Smallest and largest values of the fields.", _cover(_extremes(columns), EXTREMES, taken)
    levels = _levels(columns, fields)
    yield "every-level", "Together they show the levels of the categories.", _cover(levels, LEVELS, taken)
    empty = _cover((column.missing for column in columns if column.missing.any()), MISSING, taken)
    yield "missing-values", "Values are missing in fields that may miss them.", empty
    infinite = (np.isinf(column.values) for column in columns if column.values.dtype.kind == "f" and not column.shape)
    yield "infinite-values", "Infinite values.", _cover((rows for rows in infinite if rows.any()), INFINITE, taken)


def _typical(columns: Sequence[Column]) -> list[int]:
    """Rank rows by their distance from the medians, in units of the spread; a null, an infinity, a rarer level is 1."""
    distance = np.zeros(len(columns[0].values))
    for column in columns:
        if column.numeric:
            distance += _distance(column.values.astype(np.float64), column.missing)
            continue
        distance += column.missing
        if column.datatype in ("string", "bool") and not column.shape and column.present().size:
            names, counts = np.unique(column.present().astype(str), return_counts=True)
            distance += column.values.astype(str) != names[counts.argmax()]
    return [int(row) for row in np.argsort(distance, kind="stable")[:TYPICAL]]


def _distance(values: npt.NDArray[np.float64], missing: Bools) -> npt.NDArray[np.float64]:
    finite = np.isfinite(values) & ~missing
    inside = values if finite.all() else values[finite]
    if not inside.size:
        return np.ones(len(values))
    ordered = np.sort(inside)
    low, middle, high = ordered[[len(ordered) // 4, len(ordered) // 2, len(ordered) * 3 // 4]]
    spread = (high - low) or (ordered[-1] - ordered[0]) or 1.0
    away: npt.NDArray[np.float64] = np.minimum(np.abs(np.where(finite, values, middle) - middle) / spread, _FAR)
    return away + ~finite


def _extremes(columns: Sequence[Column]) -> Iterator[Bools]:
    for column in columns:
        if column.shape or column.datatype in ("bool", "string", "bytes", "json"):
            continue
        values = column.values
        usable = ~column.missing & (np.isfinite(values) if values.dtype.kind == "f" else True)
        if usable.any() and (low := values[usable].min()) != (high := values[usable].max()):
            yield usable & (values == low)
            yield usable & (values == high)


def _levels(columns: Sequence[Column], fields: Sequence[Field]) -> Iterator[Bools]:
    for column, field in zip(columns, fields, strict=True):
        if column.shape or column.datatype in ("bytes", "json"):
            continue
        if field.categories is not None or column.datatype == "bool":
            values = column.values
            for level in dict.fromkeys(column.present().tolist()):
                yield (values == level) & ~column.missing


def _cover(wanted: Iterator[Bools], limit: int, taken: set[int]) -> list[int]:
    """Pick rows greedily so that as many of the wanted sets as possible contain one; rows taken already count."""
    sets = list(wanted)
    if not sets:
        return []
    member = np.stack(sets)  # [n_sets, n_rows]
    member = member[~member[:, sorted(taken)].any(axis=1)]
    picked: list[int] = []
    while len(picked) < limit and len(member):
        covered = member.sum(axis=0)
        row = int(covered.argmax())
        if not covered[row]:
            break
        picked.append(row)
        member = member[~member[:, row]]
    return picked


def _by_answer(answer: Answer) -> Iterator[tuple[str, str, list[int]]]:
    values, labels = answer.column.values, answer.output.labels
    if values.dtype.kind != "f" or answer.column.missing.any():
        return
    if labels is not None and values.ndim == 2 and values.shape[1] > 1:
        yield from _by_probability(values, labels)
    elif answer.output.method == "decision_function" and values.ndim == 1:
        yield _boundary(np.abs(values))
    elif values.ndim == 1 and answer.output.method == "predict":
        ends = [int(values.argmin()), int(values.argmax())]
        yield f"extreme-{_word(answer.output.name)}", "Smallest and largest answer to the sample.", ends[:ENDS]


def _by_probability(values: npt.NDArray[Any], labels: Sequence[Scalar]) -> Iterator[tuple[str, str, list[int]]]:
    top = np.sort(values, axis=1)
    yield _boundary(top[:, -1] - top[:, -2])
    best = [int(row) for row in values.argmax(axis=0)[:CONFIDENT]]
    few = " (the first classes)" if len(labels) > CONFIDENT else ""
    yield "most-confident", f"The highest probability of each class{few}.", best


def _boundary(margin: npt.NDArray[Any]) -> tuple[str, str, list[int]]:
    rows = [int(row) for row in np.argsort(margin, kind="stable")[:BOUNDARY]]
    return "decision-boundary", "Nearest to the decision boundary: the first to change when something is off.", rows


def _word(name: str) -> str:
    kept = "".join(character if character.isascii() and character.isalnum() else "-" for character in name.lower())
    return "-".join(filter(None, kept.split("-"))) or "answer"
