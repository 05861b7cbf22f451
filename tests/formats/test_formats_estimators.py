"""Every estimator of scikit-learn is stored by skops with reviewed types alone, and answers as before."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any
from unittest import SkipTest

import numpy as np
import pytest

from modelwright.adapters.loaders import skops_loader
from modelwright.capturing.formats import format_named
from modelwright.errors import SerialisationError

PARTS = 4
ROWS = np.random.default_rng(0).normal(size=(60, 6))
LABELS = (ROWS[:, 0] > 0).astype(int)
INPUTS: list[tuple[Any, Any]] = [
    (ROWS, LABELS),
    (np.abs(ROWS), LABELS),
    (ROWS, LABELS + ROWS[:, 0]),
    (np.abs(ROWS), 1.0 + LABELS),
    (ROWS, np.c_[LABELS, LABELS]),
    (["a b", "b c"] * 30, LABELS),
    ([{"a": 1, "b": 2}] * 60, LABELS),
    (ROWS[:, 0], LABELS),
    (ROWS[:6, :6] @ ROWS[:6, :6].T, LABELS[:6]),
]
# skops refuses it: its tree of clusters refers to itself.
REFUSED = {"Birch"}
# Their fit takes what their transform does not.
FITTED_ON_ANYTHING = {"FeatureHasher", "HashingVectorizer", "PatchExtractor", "SkewedChi2Sampler"}


def estimators(part: int) -> Iterator[tuple[str, Any]]:
    from sklearn.utils import all_estimators
    from sklearn.utils._test_common.instance_generator import _construct_instances

    for number, (name, kind) in enumerate(all_estimators()):
        if number % PARTS == part:
            try:
                yield name, next(iter(_construct_instances(kind)))
            except SkipTest:
                continue


def fit(estimator: Any) -> Any:
    """Fit on the first input the estimator takes; return that input."""
    for rows, labels in INPUTS:
        for arguments in ((rows, labels), (rows,), (labels,)):
            try:
                estimator.fit(*arguments)
            except Exception:  # each refuses unfit input in its own way
                continue
            return arguments[0]
    return None


def answers(estimator: Any, rows: Any) -> Any:
    method = next((m for m in ("predict", "transform") if hasattr(estimator, m)), None)
    if method is None or type(estimator).__name__ in FITTED_ON_ANYTHING:
        return None
    answer = getattr(estimator, method)(rows)
    return answer.toarray() if hasattr(answer, "toarray") else np.asarray(answer)


def same(first: Any, second: Any) -> bool:
    return bool(np.array_equal(first, second, equal_nan=first.dtype.kind == "f"))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("part", range(PARTS))
def test_every_estimator_is_stored_with_reviewed_types_alone(part: int, tmp_path: Path) -> None:
    skops, problems, stored = format_named("skops"), [], 0
    for name, estimator in estimators(part):
        rows = fit(estimator)
        if rows is None:
            continue
        try:
            saved = skops.save(estimator, tmp_path, package="churn")
        except SerialisationError:
            if name not in REFUSED:
                problems.append(f"{name} is refused")
            continue
        if saved.types:
            problems.append(f"{name} has unreviewed types {saved.types}")
            continue
        loaded = skops_loader.load(tmp_path, saved.options, "churn", [])
        # A copy: NumPy multiplies an array with itself by another routine than with its equal.
        rows = deepcopy(rows)
        before, again, after = answers(estimator, rows), answers(estimator, rows), answers(loaded, rows)
        stored += 1
        guesses = before is not None and not same(before, again)  # DummyClassifier may draw its answers
        if before is not None and not guesses and not same(before, after):
            problems.append(f"{name} answers differently")
    assert not problems
    assert stored > 40
