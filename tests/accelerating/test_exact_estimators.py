"""Every supported estimator answers the same bytes, from arrays and from the columns of a frame."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from comparing import assert_exact
from every_estimator import Case, cases, make_rows, make_target

from modelwright.adapters.accelerators.exact import supported

CASES = cases()
NAMES = [case.name for case in CASES]

pytestmark = [  # of fits
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_an_estimator_of_arrays_answers_the_same_bytes(case: Case, seed: int) -> None:
    exact = assert_exact(case.fit(seed), make_rows(case.rows, 1000, np.random.default_rng(seed + 10)))
    assert all(step.own for step in exact.steps)


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_an_estimator_of_frames_answers_the_same_bytes(case: Case) -> None:
    rng = np.random.default_rng(2)
    rows = pd.DataFrame(make_rows(case.rows, 1000, rng), columns=list("abcde"))
    model = case.make().fit(rows[:200], make_target(case.target, 200, rng))
    exact = assert_exact(model, rows, sizes=(1, 3, 300))
    assert all(step.own for step in exact.steps)


def test_more_than_twenty_five_types_are_supported_and_almost_all_are_tried_here() -> None:
    tried = {case.name.split(",")[0].split(" ")[0] for case in CASES}
    names = {name.rpartition(".")[2] for name in supported()}
    assert len(names) >= 25
    assert tried <= names
    assert len(tried) >= 75, f"not tried: {sorted(names - tried)}"
