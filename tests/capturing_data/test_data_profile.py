"""The profile is exact, the same everywhere, and holds no rows."""

from __future__ import annotations

import math
import statistics
from fractions import Fraction
from itertools import pairwise

import msgspec
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats.mstats import mquantiles

from modelwright.capturing.answers import read_answer
from modelwright.capturing.column import column_of_objects
from modelwright.capturing.exact import exact_mean
from modelwright.capturing.profile import (
    as_numbers,
    categorical_profile,
    distinct,
    interval_counts,
    moments,
    numeric_profile,
    point_masses,
    quantiles,
    summarise,
)
from modelwright.capturing.signature import infer_inputs
from modelwright.capturing.table import Table
from modelwright.spec.profile import CategoricalProfile, NumericProfile, OpaqueProfile

FINITE = st.floats(allow_nan=False, allow_infinity=False)
MODEST = st.floats(min_value=-1e9, max_value=1e9)
LISTS = st.lists(FINITE, min_size=1, max_size=60)


def none_missing(values: np.ndarray) -> np.ndarray:
    return np.zeros(len(values), dtype=bool)


@given(LISTS)
def test_the_mean_is_the_exact_mean_rounded_once(values: list[float]) -> None:
    exact = sum(map(Fraction, values), Fraction(0)) / len(values)
    assert exact_mean(np.array(values)) == float(exact)


@pytest.mark.parametrize("count", [8191, 8192, 8193, 50_000])
def test_the_mean_is_exact_across_its_chunks(count: int) -> None:
    values = np.random.default_rng(count).normal(size=count) * 10.0 ** (np.arange(count) % 40 - 20)
    assert exact_mean(values) == float(sum(map(Fraction, values.tolist())) / count)
    assert exact_mean(np.sort(values)) == exact_mean(values)


@given(LISTS)
def test_the_standard_deviation_is_near_the_exact_one(values: list[float]) -> None:
    mean, std = moments(np.sort(np.array(values)))
    fractions = list(map(Fraction, values))
    middle = sum(fractions, Fraction(0)) / len(fractions)
    variance = sum(((value - middle) ** 2 for value in fractions), Fraction(0)) / len(fractions)
    assert mean == float(middle)
    spread = max(map(abs, values))
    assert math.isfinite(std)
    assert abs(Fraction(std) ** 2 - variance) <= Fraction(1e-13) * (variance + Fraction(spread) ** 2) + Fraction(
        1, 10**320
    )


def test_the_standard_deviation_agrees_with_the_standard_library() -> None:
    values = np.sort(np.random.default_rng(0).normal(5, 2, 1000))
    assert moments(values)[1] == pytest.approx(statistics.pstdev(values.tolist()), rel=1e-14)


@given(st.lists(MODEST, min_size=1, max_size=60), st.sampled_from([3, 11, 201]))
def test_quantiles_are_those_of_numpy_and_scipy(values: list[float], points: int) -> None:
    ordered = np.sort(np.array(values))
    found = quantiles(ordered, points)
    probabilities = np.linspace(0, 1, points)
    np.testing.assert_allclose(
        found, np.quantile(ordered, probabilities), rtol=1e-12, atol=1e-13 * np.abs(ordered).max()
    )
    np.testing.assert_allclose(found, mquantiles(ordered, probabilities, alphap=1, betap=1), rtol=1e-9, atol=1e-6)


@given(LISTS)
def test_quantiles_never_fall_and_stay_inside(values: list[float]) -> None:
    ordered = np.sort(np.array(values))
    found = quantiles(ordered, 201)
    assert np.all(np.isfinite(found))
    assert np.all(found[1:] >= found[:-1])
    assert (found[0], found[-1]) == (ordered[0], ordered[-1])


@given(LISTS)
def test_interval_counts_are_those_of_a_histogram(values: list[float]) -> None:
    ordered = np.sort(np.array(values))
    edges = distinct(quantiles(ordered, 11))
    counts = interval_counts(ordered, edges)
    assert len(counts) == len(edges) - 1 <= 10
    naive = [int(np.sum((ordered >= low) & (ordered < high))) for low, high in pairwise(edges)]
    if naive:
        naive[-1] += int(np.sum(ordered == edges[-1]))
    assert counts == naive
    assert not counts or sum(counts) == len(values)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=80))
def test_point_masses_are_what_counting_finds(values: list[int]) -> None:
    ordered = np.sort(np.array(values, dtype=float))
    naive = [
        (float(value), values.count(value)) for value in sorted(set(values)) if values.count(value) > 0.05 * len(values)
    ]
    assert list(point_masses(ordered, least=0.05 * len(values))) == naive


@given(st.lists(st.one_of(st.none(), st.floats()), min_size=1, max_size=60), st.randoms())
def test_a_profile_does_not_depend_on_the_order_of_the_rows(values: list[float | None], random: object) -> None:
    def profile(rows: list[float | None]) -> NumericProfile:
        array = np.array([np.nan if value is None else value for value in rows], dtype=float)
        return numeric_profile(array, np.isnan(array))

    shuffled = list(values)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert msgspec.json.encode(profile(values)) == msgspec.json.encode(profile(shuffled))


def test_missing_and_infinite_values_enter_no_statistic() -> None:
    values = np.array([1.0, 2.0, 3.0, np.nan, np.inf, -np.inf])
    found = numeric_profile(values, np.isnan(values))
    assert (found.count, found.missing, found.infinite) == (6, 1, 2)
    assert (found.minimum, found.maximum, found.mean) == (1.0, 3.0, 2.0)
    assert len(found.quantiles) == 201


def test_nothing_but_missing_values_has_no_statistic() -> None:
    found = numeric_profile(np.array([np.nan, np.inf]), np.array([True, False]))
    assert found == NumericProfile(count=2, missing=1, infinite=1)


def test_a_constant_is_one_point_mass() -> None:
    values = np.full(10, 0.1)
    found = numeric_profile(values, none_missing(values))
    assert (found.mean, found.std, found.point_masses) == (0.1, 0.0, ((0.1, 10),))
    assert (found.decile_edges, found.decile_counts) == ((0.1,), ())


def test_negative_zero_is_zero() -> None:
    values = np.array([-0.0, 0.0, 1.0])
    assert numeric_profile(values, none_missing(values)).point_masses[0] == (0.0, 2)
    assert math.copysign(1, numeric_profile(values, none_missing(values)).minimum or 0) == 1


@given(st.lists(st.sampled_from(["a", "b", "ü", "Z", None]), min_size=1, max_size=50))
def test_levels_are_counted_as_pandas_counts_them(values: list[str | None]) -> None:
    found = categorical_profile(column_of_objects("x", values, mixed="json"), declared=["a"])
    counts = pd.Series(values, dtype=object).value_counts()
    assert dict(found.levels) == counts.to_dict()
    assert [count for _, count in found.levels] == sorted(counts, reverse=True)
    assert (found.missing, found.other) == (values.count(None), 0)


def test_a_text_that_occurs_once_is_not_named() -> None:
    names = column_of_objects("name", ["Ada", "Grace", "common", "common"], mixed="json")
    found = categorical_profile(names, declared=None)
    assert (found.levels, found.other, found.distinct) == ((("common", 2),), 2, 3)


def test_at_most_a_hundred_levels_are_named() -> None:
    names = column_of_objects("name", [f"n{n // 2:03}" for n in range(400)], mixed="json")
    found = categorical_profile(names, declared=None)
    assert (len(found.levels), found.other, found.distinct) == (100, 200, 200)
    assert found.levels[0] == ("n000", 2)


def test_every_kind_of_field_has_its_kind_of_summary() -> None:
    data = {
        "n": [1, 2],
        "flag": [True, False],
        "text": ["x", "x"],
        "nested": [{"a": 1}, None],
        "at": pd.to_datetime(["1970-01-01T00:00:01", "1970-01-02T00:00:00"]),
    }
    table = Table.of(pd.DataFrame(data))
    profile = summarise(table, infer_inputs(table), ())
    kinds = [type(profile.inputs[name]) for name in data]
    assert kinds == [NumericProfile, NumericProfile, CategoricalProfile, OpaqueProfile, NumericProfile]
    assert profile.inputs["at"].minimum == 1.0  # type: ignore[union-attr]
    assert profile.inputs["flag"].mean == 0.5  # type: ignore[union-attr]


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_times_are_seconds_whatever_their_unit(unit: str) -> None:
    table = Table.of(pl.DataFrame({"for": pl.Series([1500, None], dtype=pl.Duration("ms")).dt.cast_time_unit(unit)}))
    assert as_numbers(table.columns[0]).tolist()[0] == 1.5
    days = Table.of({"on": np.array(["1970-01-03"], dtype="datetime64[D]")})
    assert as_numbers(days.columns[0]).tolist() == [172_800.0]


def test_outputs_are_summarised_per_class() -> None:
    table = Table.of({"x": [1, 2]})
    answers = read_answer(np.array([[0.25, 0.75], [0.5, 0.5]]), method="predict_proba", n_rows=2, labels=("no", "yes"))
    outputs = summarise(table, infer_inputs(table), answers).outputs
    assert list(outputs) == ["probability", "probability[no]", "probability[yes]"]
    assert outputs["probability[yes]"].mean == 0.625  # type: ignore[union-attr]


def test_no_row_of_free_text_reaches_the_profile() -> None:
    secrets = [f"person-{n}@example.org" for n in range(30)]
    table = Table.of({"mail": secrets, "n": list(range(30))})
    assert b"person-" not in msgspec.json.encode(summarise(table, infer_inputs(table), ()))
