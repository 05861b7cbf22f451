"""The rows that are chosen are few, telling, and always the same."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from modelwright.capturing.answers import Answer, read_answer
from modelwright.capturing.selection import Choice, choose
from modelwright.capturing.signature import infer_inputs
from modelwright.capturing.table import Table


def chosen(data: object, answers: tuple[Answer, ...] = ()) -> dict[str, Choice]:
    table = Table.of(data)
    return {choice.name: choice for choice in choose(table, infer_inputs(table), answers)}


def frame(rows: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    data = pd.DataFrame(
        {
            "age": rng.integers(18, 90, rows),
            "income": rng.normal(50_000, 10_000, rows),
            "plan": rng.choice(["basic", "pro", "gold"], rows),
            "active": rng.choice([True, False], rows),
        }
    )
    data.loc[[3, 7], "income"] = np.nan
    return data


def test_extremes_levels_and_nulls_are_all_covered() -> None:
    data = frame()
    choices = chosen(data)
    rows = data.iloc[[row for choice in choices.values() for row in choice.indices]]

    assert set(rows["plan"]) == {"basic", "pro", "gold"}
    assert rows["active"].nunique() == 2
    assert rows["income"].isna().any()
    for name in ("age", "income"):
        assert {data[name].min(), data[name].max()} <= set(rows[name])


def test_typical_rows_are_near_the_medians() -> None:
    values = np.r_[np.linspace(-1, 1, 101), 50.0]
    typical = chosen(pd.DataFrame({"a": values, "b": values}))["typical-rows"].indices
    assert all(abs(values[row]) < 0.1 for row in typical)


def test_the_boundary_and_the_most_confident_rows_come_from_the_probabilities() -> None:
    table = pd.DataFrame({"x": np.arange(20.0)})
    first = np.linspace(0, 1, 20)
    probability = np.c_[first, 1 - first]
    answers = read_answer(probability, method="predict_proba", n_rows=20, labels=("no", "yes"))
    choices = chosen(table, answers)

    assert set(choices["typical-rows"].indices) | set(choices["decision-boundary"].indices) >= {9, 10}
    assert set(choices["most-confident"].indices) == {19, 0}


def test_a_margin_of_zero_is_the_boundary_of_a_score() -> None:
    answers = read_answer(np.array([5.0, -4.0, 0.1, 9.0, 8.0, 7.0]), method="decision_function", n_rows=6, labels=None)
    choices = chosen(pd.DataFrame({"x": [9.0, 8.0, 900.0, 7.0, 6.0, 5.0]}), answers)
    assert 2 in choices["decision-boundary"].indices


def test_the_ends_of_a_regression_are_chosen() -> None:
    answers = read_answer(np.array([5.0, -4.0, 0.1, 9.0]), method="predict", n_rows=4, labels=None)
    choices = chosen(pd.DataFrame({"x": [1.0, 1.0, 1.0, 1.0]}), answers)
    rows = {row for choice in choices.values() for row in choice.indices}
    assert {1, 3} <= rows


def test_infinite_values_are_shown() -> None:
    choices = chosen(pd.DataFrame({"x": [*np.linspace(0, 1, 50), np.inf]}))
    assert choices["infinite-values"].indices == (50,)


@given(st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_no_row_is_chosen_twice_and_the_choice_is_small_and_repeatable(rows: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({"a": rng.normal(size=rows), "b": rng.integers(0, 3, rows), "c": rng.choice(["x", "y"], rows)})
    probability = rng.dirichlet([1, 1, 1], rows)
    answers = read_answer(probability, method="predict_proba", n_rows=rows, labels=(0, 1, 2))
    choices = chosen(data, answers)
    flat = [row for choice in choices.values() for row in choice.indices]

    assert len(flat) == len(set(flat)) <= 32
    assert all(0 <= row < rows for row in flat)
    assert choices == chosen(data, answers)
    assert all(choice.reason and choice.indices for choice in choices.values())


def test_wide_rows_are_fewer() -> None:
    data = pd.DataFrame(np.random.default_rng(0).random((50, 10_000)), columns=[f"c{n}" for n in range(10_000)])
    assert sum(len(choice.indices) for choice in chosen(data).values()) == 5
