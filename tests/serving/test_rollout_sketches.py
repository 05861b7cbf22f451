"""Sketches and windows: how near they come to the values, that they are bounded, and that merging is counting on."""

from __future__ import annotations

import math
import statistics
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.serving.inference import Event, Values
from modelwright.serving.rollout.predictions import Watched, first_value, watched_of
from modelwright.serving.rollout.sketches import (
    FOLDS,
    LARGEST,
    MAX_LABELS,
    Labels,
    Moments,
    Numbers,
    bucket_of,
    value_of,
)
from modelwright.serving.rollout.windows import Window

NUMBERS = st.floats(allow_nan=True, allow_infinity=True)
FINITE = st.floats(-1e9, 1e9)


def numbers(values) -> Numbers:
    made = Numbers()
    for value in values:
        made.add(value)
    return made


def event(status: int = 200, **more) -> Event:
    return Event(time_s=0.0, request_id="r", transport="rest", model="churn", status=status, **more)


@settings(deadline=None)
@given(st.floats(1e-8, 1e11), st.sampled_from([1, -1]))
def test_a_number_is_known_within_one_percent(size, sign):
    assert value_of(bucket_of(sign * size)) == pytest.approx(sign * size, rel=0.0101)


@settings(deadline=None)
@given(FINITE, FINITE)
def test_buckets_are_in_the_order_of_their_numbers(one, other):
    assert (bucket_of(one) <= bucket_of(other)) or one > other


@settings(deadline=None)
@given(NUMBERS)
def test_every_number_has_one_of_few_buckets(value):
    assert abs(bucket_of(value)) < 2_500 or math.isnan(value)
    assert bucket_of(math.inf) == bucket_of(LARGEST)


@settings(deadline=None)
@given(st.lists(st.floats(1e-6, 1e3), min_size=1, max_size=60), st.floats(0, 1))
def test_a_quantile_is_that_of_the_values(values, share):
    exact = sorted(values)[max(1, math.ceil(share * len(values))) - 1]
    assert numbers(values).quantile(share) == pytest.approx(exact, rel=0.0101)


def test_missing_numbers_are_counted_and_have_no_quantile():
    seen = numbers([None, math.nan])
    assert seen.size == 2
    assert math.isnan(seen.quantile(0.5))


@settings(deadline=None)
@given(st.lists(NUMBERS), st.lists(NUMBERS))
def test_merged_numbers_are_those_of_both(one, other):
    both = numbers(one)
    both.merge(numbers(other))
    assert both.counts == numbers(one + other).counts


@settings(deadline=None)
@given(st.lists(st.integers(0, 99)), st.lists(st.integers(0, 99)))
def test_merged_labels_are_those_of_both_and_few(one, other):
    parts = Labels(), Labels(), Labels()
    for made, labels in zip(parts, (one, other, one + other), strict=True):
        for label in labels:
            made.add(label)
    both = parts[0]
    both.merge(parts[1])
    if both.folded or parts[2].folded:
        both.fold()
        parts[2].fold()
    assert both.counts == parts[2].counts
    assert len(both.counts) <= MAX_LABELS


def test_too_many_labels_are_folded_into_the_same_bins_everywhere():
    one, other = Labels(), Labels()
    for number in range(1000):
        one.add(f"label {number}")
        other.add(f"label {999 - number}")
    assert one.counts == other.counts
    assert (one.size, len(one.counts)) == (1000, FOLDS)


@settings(deadline=None)
@given(st.lists(FINITE, min_size=2, max_size=30), st.lists(FINITE, max_size=30))
def test_moments_are_those_of_the_values(one, other):
    both, second = Moments(), Moments()
    for value in [*one, math.nan, math.inf, 1e151, -1e308]:
        both.add(value)
    for value in other:
        second.add(value)
    both.merge(second)
    assert both.count == len(one + other)
    assert both.mean == pytest.approx(statistics.fmean(one + other), abs=1e-3, rel=1e-9)
    assert both.variance == pytest.approx(statistics.variance(one + other), abs=1, rel=1e-6)


@pytest.mark.parametrize(
    ("status", "counted"), [(200, (1, 0, 1)), (422, (0, 0, 0)), (404, (0, 0, 0)), (500, (1, 1, 0)), (503, (1, 1, 0))]
)
def test_a_window_counts_what_a_variant_answered_or_failed(status, counted):
    seen = Window()
    seen.observe(event(status, seconds=0.02))
    assert (seen.requests, seen.errors, seen.seconds.size) == counted


def test_a_window_counts_one_prediction_per_request():
    seen = Window((Watched("p", "number"), Watched("level", "label"), Watched("gone", "label")))
    seen.observe(event(outputs={"p": Values([0.7, 0.1, 0.2]), "level": Values(["high", "low", "low"])}))
    assert seen.predicted["p"].counts == {bucket_of(0.7): 1}
    assert seen.predicted["level"].counts == {"high": 1}
    assert seen.predicted["gone"].counts == {}


def test_merged_windows_are_one_window():
    watched = (Watched("p", "number"), Watched("level", "label"))
    one, other, both = Window(watched), Window(watched), Window(watched)
    for number in range(40):
        told = event(500 if number % 7 == 0 else 200, seconds=number / 100, outputs={"p": Values([number / 40])})
        (one if number % 2 else other).observe(told)
        both.observe(told)
        (one if number % 2 else other).measured("revenue", number)
        both.measured("revenue", number)
    one.merge(other)
    assert (one.requests, one.errors) == (both.requests, both.errors)
    assert one.seconds.counts == both.seconds.counts
    assert one.predicted["p"].counts == both.predicted["p"].counts
    assert one.values["revenue"].mean == pytest.approx(both.values["revenue"].mean)


@pytest.mark.parametrize(
    ("output", "kind"),
    [
        ({"datatype": "float64"}, "number"),
        ({"datatype": "int64"}, "number"),
        ({"datatype": "int64", "categories": [0, 1]}, "label"),
        ({"datatype": "string"}, "label"),
        ({"datatype": "bool"}, "label"),
        ({"datatype": "float64", "shape": [2], "labels": [0, 1]}, "number"),
        ({"datatype": "float64", "shape": [3], "labels": ["a", "b", "c"]}, "largest"),
        ({"datatype": "float64", "shape": [2, 2]}, None),
        ({"datatype": "json"}, None),
        ({"datatype": "datetime"}, None),
    ],
)
def test_what_is_watched_follows_from_the_signature(output, kind):
    assert [one.kind for one in watched_of([{"name": "y", **output}])] == ([kind] if kind else [])


def as_bytes(code: str, *values: float) -> memoryview:
    return memoryview(array(code, values).tobytes())


@pytest.mark.parametrize(
    ("values", "kind", "first"),
    [
        (Values([0.5, 0.6]), "number", 0.5),
        (Values([None, 0.6]), "number", None),
        (Values(["a"]), "number", None),
        (Values([]), "number", None),
        (Values([[]]), "number", None),
        (Values([[0.1, 0.7, 0.2]]), "largest", 1),
        (Values([["NaN", 0.7, 0.2]]), "largest", None),
        (Values([[0.1, None, 0.2]]), "largest", None),
        (Values([True]), "label", True),
        (Values(as_bytes("d", 0.5, 0.6), "float64"), "number", 0.5),
        (Values(as_bytes("q", 7, 8), "int64"), "label", 7),
        (Values(as_bytes("f", 0.25, 0.75, 0.5, 0.5), "float32", (2,)), "number", 0.75),
        (Values(as_bytes("d", 0.1, 0.7, 0.2), "float64", (3,)), "largest", 1),
        (Values(as_bytes("d"), "float64"), "number", None),
        (Values(as_bytes("d", 0.5), "complex64"), "number", None),
        (Values(as_bytes("b", 1), "float64"), "number", None),
    ],
)
def test_the_first_value_is_read_from_whatever_holds_it(values, kind, first):
    assert first_value(values, kind) == first
