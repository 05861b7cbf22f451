"""Compare two forms of a model on a sample: every output of every row, and how long calls take.

Called by accelerating. Both forms are asked the way a caller of the package asks, and in batches of several sizes,
since what a library adds up may depend on how many rows come at once.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import partial
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from modelwright.capturing.table import Table
from modelwright.errors import ModelwrightError
from modelwright.runtime.model import Model
from modelwright.spec.acceleration import Latency

SINGLE_ROWS = 64
"""So many rows are also asked about one at a time."""
BATCHES = (3, 7, 100)
"""Sizes of batches beside one row and the whole sample; the first rows are asked about in them."""
SIZES = (1, 100, 1000)
"""Rows of a call whose latency is measured."""
REPEATS = 40
"""A latency is the median of at most so many calls."""
BUDGET_S = 0.5
"""Measuring one size takes about this long, seconds, but at least three calls of each."""


class Agreement(NamedTuple):
    """How two forms agree.

    Attributes:
        rows: Rows of the sample, all of them compared.
        differing: Rows on which any output differs by a bit.
        largest: Largest absolute difference of a number.
        problem: Why that is more than is allowed; empty if it is not.
    """

    rows: int
    differing: int = 0
    largest: float = 0.0
    problem: str = ""


def agreement(reference: Model, fast: Model, table: Table, *, tolerance: float) -> Agreement:
    """Compare a form with the model on a whole sample, at once and in small batches.

    Args:
        reference: The model itself.
        fast: The form.
        table: The sample.
        tolerance: What numbers may differ by, absolute and relative; 0: bits, shapes and datatypes are compared.
    """
    differing: set[int] = set()
    largest, problem = 0.0, ""
    for rows in _batches(table.n_rows):
        batch = table.data if len(rows) == table.n_rows else table.take(rows)
        expected = reference.answer_values(batch, reference.methods)
        try:
            found = fast.answer_values(batch, reference.methods)
        except ModelwrightError as error:
            return Agreement(table.n_rows, problem=f"it fails on {len(rows)} rows: {error.why or error.what}")
        for name, wanted in expected.items():
            bits, beyond, far, odd = _compare(wanted, found[name], tolerance)
            differing.update(rows[place] for place in bits)
            largest = max(largest, far)
            if (odd or len(beyond)) and not problem:
                by = f" by up to {far:.3g}" if far else ""
                within = f"; {tolerance:g} is allowed" if tolerance and far else ""
                problem = odd or f"{name} differs{by} in {len(beyond):,} of {len(rows):,} rows{within}"
    return Agreement(table.n_rows, len(differing), largest, problem)


def _batches(n_rows: int) -> Iterator[Sequence[int]]:
    """Yield the whole first, so that a problem is told of as many rows as there are."""
    yield range(n_rows)
    for row in range(min(n_rows, SINGLE_ROWS)):
        yield [row]
    for size in BATCHES:
        yield from ([range(size)] if size < n_rows else [])


def _compare(wanted: Any, found: Any, tolerance: float) -> tuple[list[int], list[int], float, str]:
    """Return the rows that differ by a bit, those that differ by too much, the largest difference, and what is odd."""
    wanted, found = np.asarray(wanted), np.asarray(found)
    if wanted.shape != found.shape:
        return [], [], 0.0, f"it answers {list(found.shape)} where the model answers {list(wanted.shape)}"
    floats = wanted.dtype.kind == "f" and found.dtype.kind == "f"
    if not tolerance and wanted.dtype != found.dtype:
        return [], [], 0.0, f"it answers {found.dtype} where the model answers {wanted.dtype}"
    if not floats:
        rows = _rows(wanted != found)
        return rows, rows, 0.0, ""
    first, second = wanted.astype("float64"), found.astype("float64")
    same = (first == second) & (np.signbit(first) == np.signbit(second)) | (np.isnan(first) & np.isnan(second))
    if wanted.dtype == found.dtype:
        unsigned = f"u{wanted.dtype.itemsize}"
        same = np.ascontiguousarray(wanted).view(unsigned) == np.ascontiguousarray(found).view(unsigned)
    with np.errstate(invalid="ignore"):
        distance = np.where(same, 0.0, np.abs(first - second))
        close = same | (distance <= tolerance + tolerance * np.abs(first))
    beyond = ~(close if tolerance else same)
    far = float(np.nanmax(distance)) if distance.size else 0.0
    return _rows(~same), _rows(beyond), far, ""


def _rows(flags: Any) -> list[int]:
    found: list[int] = np.flatnonzero(np.asarray(flags).reshape(len(flags), -1).any(axis=1)).tolist()
    return found


def latencies(reference: Model, fast: Model, table: Table) -> tuple[Latency, ...]:
    """Measure calls of both forms with 1, 100 and 1,000 rows, interleaved."""
    forms, taken = {"original": reference, "accelerated": fast}, []
    for size in SIZES:
        rows = table.take(np.arange(size) % table.n_rows)
        calls = {name: partial(form.call, form.methods[0], rows) for name, form in forms.items()}
        times: dict[str, list[float]] = {name: [] for name in calls}
        begin = time.perf_counter()
        while len(times["original"]) < REPEATS:
            for name, call in calls.items():
                start = time.perf_counter()
                call()
                times[name].append(time.perf_counter() - start)
            if len(times["original"]) > 3 and time.perf_counter() - begin > BUDGET_S:
                break
        taken.append(Latency(rows=size, **{name: median(values[1:]) for name, values in times.items()}))
    return tuple(taken)
