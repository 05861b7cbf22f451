"""What two runs agree on: the fingerprint of one value, and the comparison of two runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.tree import DecisionTreeRegressor

from modelwright.project.notebook.comparing import Fingerprint, compare, parting, verdict_of
from modelwright.project.notebook.recorder import NUMBERS, Recorder, fingerprint

X = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [3.0, 1.0]])


def noted(**values: Any) -> list[Fingerprint]:
    return [
        Fingerprint(key=key, cell=number, **fingerprint(value)) for number, (key, value) in enumerate(values.items(), 1)
    ]


def agreement(one: Any, other: Any) -> str:
    return compare(noted(value=one), noted(value=other))[0].agreement


FRAME = pd.DataFrame({"age": [1.0, None, 3.0], "name": ["a", None, "c"], "when": pd.to_datetime(["2026-01-01"] * 3)})


@pytest.mark.parametrize(
    "value",
    [
        1,
        0.1 + 0.2,
        float("nan"),
        "text",
        True,
        None,
        X,
        np.array([np.nan, 1.0]),
        np.array(["a", "bc"]),
        FRAME,
        FRAME["name"],
        FRAME["age"].astype("Float64"),
        FRAME["name"].astype("category"),
        pl.DataFrame({"a": [1, None]}),
        csr_matrix(X),
        [1, "a", X],
        {"a": X, "b": {"c": 1.5}},
        {3, 1, 2},
        LinearRegression().fit(X, [1, 2, 3, 4]),
        DecisionTreeRegressor(random_state=0).fit(X, [1, 2, 3, 4]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_copy_is_equal(value: Any) -> None:
    import copy

    assert agreement(value, copy.deepcopy(value)) == "equal"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 2),
        ("a", "b"),
        (X, X.T),
        (X, X.astype("float32")),
        (FRAME, FRAME.rename(columns={"age": "Age"})),
        (FRAME, FRAME.iloc[::-1]),
        (FRAME, FRAME.fillna({"age": 2.0})),
        ([1, 2], [2, 1]),
        ({"a": 1}, {"a": 1, "b": 2}),
        (LinearRegression().fit(X, [1, 2, 3, 4]), LinearRegression().fit(X, [4, 3, 2, 1])),
        (LinearRegression().fit(X, [1, 2, 3, 4]), LogisticRegression().fit(X, [0, 1, 0, 1])),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_differs_is_different(one: Any, other: Any) -> None:
    assert agreement(one, other) == "different"


def test_numbers_that_differ_by_rounding_are_close() -> None:
    assert agreement(0.1 + 0.2, 0.3) == "close"
    assert agreement(X + 1e-12, X + 0.0) in ("close", "different")
    assert agreement(X * (1 + 1e-12), X) == "close"


def test_a_generator_is_not_touched_and_not_compared() -> None:
    numbers = iter([1, 2, 3])
    assert fingerprint(numbers)["kind"] == "not comparable"
    assert list(numbers) == [1, 2, 3]


def test_an_object_that_cannot_be_looked_at_stops_nothing() -> None:
    class Hostile:
        def __len__(self) -> int:
            raise RuntimeError("no")

        def __repr__(self) -> str:
            raise RuntimeError("no")

    assert fingerprint(Hostile())["kind"] == "not comparable"
    assert fingerprint([Hostile()])["kind"] == "not comparable"


def test_a_list_that_holds_itself_ends() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert fingerprint(endless)["kind"] == "not comparable"


def test_taking_a_fingerprint_draws_no_random_number() -> None:
    np.random.seed(3)
    expected = np.random.rand()
    np.random.seed(3)
    fingerprint(pd.DataFrame(np.ones((5000, 3))))
    assert np.random.rand() == expected


def test_of_many_numbers_some_are_kept() -> None:
    kept = fingerprint(np.arange(10_007.0))["numbers"]
    assert 0 < len(kept) <= NUMBERS


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_equal_numbers_are_equal_whatever_they_are(numbers: list[float]) -> None:
    assert agreement(np.array(numbers), np.array(list(numbers))) == "equal"


def test_the_recorder_writes_a_line_for_each_note_with_its_cell(tmp_path: Path) -> None:
    recorder = Recorder(str(tmp_path / "notes"), [3, 7])
    recorder.begin()
    recorder.note("a", 1)
    recorder.begin()
    recorder.note("b", 2)
    lines = [json.loads(line) for line in (tmp_path / "notes").read_text().splitlines()]
    assert [(line["key"], line["cell"]) for line in lines] == [("a", 3), ("b", 7)]


def test_measures_come_first_and_the_first_parting_is_named() -> None:
    notebook = noted(**{"load.df": FRAME, "features.df": FRAME, "measured.auc": 0.9})
    project = noted(**{"load.df": FRAME, "features.df": FRAME.iloc[1:], "measured.auc": 0.8})
    compared = compare(notebook, project)
    assert compared[0].key == "measured.auc"
    assert verdict_of(compared) == "different"
    assert parting(compared).startswith("cell 2: features.df differs from here on")


def test_a_value_that_the_project_does_not_make_is_a_difference() -> None:
    compared = compare(noted(a=1, b=2), noted(a=1))
    assert verdict_of(compared) == "different"
    assert "b" in parting(compared)


def test_a_value_whose_name_the_notebook_gave_away_is_no_difference() -> None:
    compared = compare(noted(a=1), noted(a=1, b=2))
    assert verdict_of(compared) == "equal"


def test_nothing_to_compare_is_not_equal() -> None:
    assert verdict_of(compare(noted(a=print), noted(a=print))) == "different"
    assert parting(compare([], [])) == "nothing could be compared"
