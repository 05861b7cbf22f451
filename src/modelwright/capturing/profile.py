"""Summarise a training sample and the model's answers to it, so that drift can be seen later without the data.

Every number is defined to the bit (exactly rounded sums, explicit interpolation), so the same data give the same
profile on every machine; no row is stored, and no text value that occurs only once.

For: capture. What the numbers are is said in :mod:`modelwright.spec.profile`.

Source: Hyndman & Fan 1996, "Sample Quantiles in Statistical Packages", type 7.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import cast

import numpy as np
import numpy.typing as npt

from modelwright.capturing.answers import Answer
from modelwright.capturing.column import Column
from modelwright.capturing.exact import exact_mean
from modelwright.capturing.table import Table
from modelwright.spec.profile import (
    MAX_LEVELS,
    MIN_LEVEL_COUNT,
    POINT_MASS_SHARE,
    QUANTILES,
    CategoricalProfile,
    FieldProfile,
    NumericProfile,
    OpaqueProfile,
    Profile,
)
from modelwright.spec.signature import Field, Scalar

Floats = npt.NDArray[np.float64]


def summarise(table: Table, fields: Sequence[Field], answers: Sequence[Answer]) -> Profile:
    """Summarise inputs and answers of the same rows.

    Args:
        table: The whole training sample.
        fields: Its fields.
        answers: What the live model answers to it.

    Example:
        >>> table = Table.of({"age": [20, 30, 40]})
        >>> summarise(table, [Field(name="age", datatype="int64")], []).inputs["age"].mean
        30.0
    """
    return Profile(
        rows=table.n_rows,
        inputs={field.name: field_profile(table.column(field.name), field) for field in fields},
        outputs=dict(_output_profiles(answers)),
    )


def _output_profiles(answers: Sequence[Answer]) -> Iterator[tuple[str, FieldProfile]]:
    for answer in answers:
        yield answer.output.name, field_profile(answer.column, answer.output)
        values = answer.column.values
        for position, label in enumerate(answer.output.labels or ()):
            yield f"{answer.output.name}[{label}]", numeric_profile(values[:, position], np.isnan(values[:, position]))


def field_profile(column: Column, field: Field) -> FieldProfile:
    """Summarise one column by what its field is: categorical, numeric (times and booleans too), or opaque."""
    if column.shape or column.datatype in ("bytes", "json"):
        return OpaqueProfile(count=len(column.values), missing=int(column.missing.sum()))
    if column.datatype == "string" or field.categories is not None:
        return categorical_profile(column, declared=field.categories)
    return numeric_profile(as_numbers(column), column.missing)


def as_numbers(column: Column) -> Floats:
    """Return a column as floats: times as seconds since 1970-01-01, durations in seconds, booleans as 0 and 1."""
    values = column.values
    if values.dtype.kind not in "mM":
        return values.astype(np.float64)
    unit, step = np.datetime_data(values.dtype)
    per_second = {"h": 1 / 3600, "m": 1 / 60, "s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}
    if unit not in per_second:  # calendar units
        values, unit, step = values.astype("datetime64[s]"), "s", 1
    counts = np.where(column.missing, 0, values.view(np.int64)) * step
    seconds: Floats = counts.astype(np.float64) / per_second[unit]
    return seconds


def categorical_profile(column: Column, *, declared: Sequence[Scalar] | None) -> CategoricalProfile:
    """Count the values of a column.

    Args:
        column: Text, booleans or numbers that are categories.
        declared: The categories of the field; with them, a level is named even if it occurs once.
    """
    counts = Counter(column.present().tolist())
    least = 1 if declared is not None else MIN_LEVEL_COUNT
    ranked = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    named = [(cast(Scalar, level), count) for level, count in ranked if count >= least][:MAX_LEVELS]
    return CategoricalProfile(
        count=len(column.values),
        missing=int(column.missing.sum()),
        distinct=len(counts),
        levels=tuple(named),
        other=counts.total() - sum(count for _, count in named),
    )


def numeric_profile(values: Floats, missing: npt.NDArray[np.bool_]) -> NumericProfile:
    """Summarise numbers.

    Args:
        values: ``[n_rows]``.
        missing: ``[n_rows]``, rows without a value.

    Example:
        >>> numeric_profile(np.array([1.0, 2.0, np.inf]), np.zeros(3, dtype=bool)).infinite
        1
    """
    infinite = np.isinf(values) & ~missing
    left_out = missing | infinite
    finite = np.sort((values[~left_out] if left_out.any() else values).astype(np.float64) + 0.0)  # -0.0 becomes 0.0
    rows, absent, endless = len(values), int(missing.sum()), int(infinite.sum())
    if not finite.size:
        return NumericProfile(count=rows, missing=absent, infinite=endless)
    mean, std = moments(finite)
    edges = distinct(quantiles(finite, 11))
    return NumericProfile(
        count=rows,
        missing=absent,
        infinite=endless,
        minimum=float(finite[0]),
        maximum=float(finite[-1]),
        mean=mean,
        std=std,
        quantiles=tuple(quantiles(finite, QUANTILES).tolist()),
        decile_edges=tuple(edges.tolist()),
        decile_counts=tuple(interval_counts(finite, edges)),
        point_masses=tuple(point_masses(finite, least=POINT_MASS_SHARE * rows)),
    )


def moments(ordered: Floats) -> tuple[float, float]:
    """Return mean and population standard deviation, from exactly rounded sums.

    Args:
        ordered: Finite values, ascending, at least one. Values near the largest float are scaled by a power of two,
            which is exact, so that nothing overflows.
    """
    if ordered[0] == ordered[-1]:
        return float(ordered[0]), 0.0
    largest = max(abs(float(ordered[0])), abs(float(ordered[-1])))
    exponent = math.frexp(largest)[1]
    shift = exponent if abs(exponent) > _SAFE_EXPONENT else 0
    mean = exact_mean(ordered)
    scaled = np.ldexp(ordered, -shift) if shift else ordered
    deviation = scaled - math.ldexp(mean, -shift)
    return mean, math.ldexp(math.sqrt(exact_mean(deviation * deviation)), shift)


_SAFE_EXPONENT = 400
"""Squares of values between 2**-400 and 2**400 neither overflow nor vanish."""


def quantiles(ordered: Floats, points: int) -> Floats:
    """Return evenly spaced quantiles, type 7: position ``(n - 1) * p`` with linear interpolation.

    Args:
        ordered: Finite values, ascending, at least one.
        points: Number of probabilities between 0 and 1, both included.

    Example:
        >>> quantiles(np.array([0.0, 10.0]), 3).tolist()
        [0.0, 5.0, 10.0]
    """
    below, above, weight = _grid(len(ordered), points)
    low, high = ordered[below], ordered[above]
    between = low * (1.0 - weight) + high * weight  # cannot overflow, unlike low + (high - low) * weight
    monotone: Floats = np.maximum.accumulate(np.minimum(np.maximum(between, low), high))
    return monotone


@lru_cache(maxsize=16)
def _grid(count: int, points: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats]:
    """Return, per quantile, the positions on both sides and how far it lies between them; integers, so exact."""
    position = (count - 1) * np.arange(points, dtype=np.int64)
    below, rest = position // (points - 1), position % (points - 1)
    return below, np.minimum(below + 1, count - 1), rest / (points - 1)


def distinct(ordered: Floats) -> Floats:
    """Return the different values of an ascending array."""
    return ordered[np.concatenate(([True], ordered[1:] != ordered[:-1]))]


def interval_counts(ordered: Floats, edges: Floats) -> list[int]:
    """Count the values between neighbouring edges, half open, the last interval closed; no interval, no count."""
    cuts = np.searchsorted(ordered, edges, side="left")
    if len(edges) > 1:
        cuts[-1] = len(ordered)
    return [int(count) for count in np.diff(cuts)]


def point_masses(ordered: Floats, *, least: float) -> Iterator[tuple[float, int]]:
    """Yield the values that occur more often than ``least`` rows, ascending, with their counts."""
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    counts = np.diff(np.append(starts, len(ordered)))
    for start, count in zip(starts[counts > least], counts[counts > least], strict=True):
        yield float(ordered[start]), int(count)
