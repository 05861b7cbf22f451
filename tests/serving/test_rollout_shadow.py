"""A shadow's answers against those the callers got: what counts as different, and that nothing is kept of the rows."""

from __future__ import annotations

import math
from array import array

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.serving.inference import Values
from modelwright.serving.rollout.differing import Difference, comparison_of
from modelwright.serving.rollout.shadow import MAX_CONFUSED, MAX_EXAMPLES, MAX_ROWS, OTHER, Comparing, ShadowReport
from modelwright.serving.rollout.sketches import LARGEST

PRICE = {"name": "price", "datatype": "float64", "rtol": 0.01}
LEVEL = {"name": "level", "datatype": "string"}
CLASSES = {"name": "p", "datatype": "float64", "shape": [2], "labels": ["no", "yes"], "atol": 0.05}
ANY = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.floats(), max_size=3))


@pytest.mark.parametrize(
    ("output", "answered", "shadow", "difference"),
    [
        (PRICE, 100.0, 100.5, Difference(False, 0.5)),
        (PRICE, 100.0, 102.0, Difference(True, 2.0)),
        (PRICE, None, math.nan, Difference(False)),
        (PRICE, 1.0, None, Difference(True)),
        (PRICE, math.inf, math.inf, Difference(False, 0.0)),
        (PRICE, math.inf, 1.0, Difference(True, LARGEST)),
        (PRICE, 1.0, "1", Difference(True)),
        (PRICE, [1.0, 2.0], [1.0, 4.0], Difference(True, 2.0)),
        (PRICE, [1.0], [1.0, 2.0], Difference(True)),
        ({"name": "n", "datatype": "int64"}, 3, 4, Difference(True, 1.0)),
        ({"name": "n", "datatype": "int64", "categories": [3, 4]}, 3, 4, Difference(True, None, ("3", "4"))),
        (LEVEL, "a", "a", Difference(False)),
        (LEVEL, "a", "b", Difference(True, None, ("a", "b"))),
        (CLASSES, [0.52, 0.48], [0.49, 0.51], Difference(False, pytest.approx(0.03), ("no", "yes"))),
        (CLASSES, [0.9, 0.1], None, Difference(True, None, ("no", "(none)"))),
        ({"name": "any", "datatype": "json"}, {"a": [1]}, {"a": [1]}, Difference(False)),
        ({"name": "any", "datatype": "json"}, {"a": [1]}, {"a": [2]}, Difference(True)),
    ],
)
def test_how_two_answers_differ(output, answered, shadow, difference):
    assert comparison_of(output)(answered, shadow) == difference


@settings(deadline=None)
@given(st.sampled_from([PRICE, LEVEL, CLASSES, {"name": "any", "datatype": "json"}]), ANY, ANY)
def test_whatever_a_shadow_says_can_be_compared_and_told(output, answered, shadow):
    comparing = Comparing([output])
    comparing.compare("r", {output["name"]: [answered]}, {output["name"]: [shadow]})
    report = comparing.report()
    assert msgspec.json.decode(msgspec.json.encode(report), type=ShadowReport) == report
    assert report.outputs[0].compared == 1


def test_numbers_are_compared_by_the_tolerance_of_the_signature():
    comparing = Comparing([PRICE])
    for number in range(100):
        comparing.compare(f"r{number}", {"price": [100.0]}, {"price": [100.0 + number / 10]})
    (price,) = comparing.report().outputs
    assert (price.compared, price.different, price.share) == (100, 89, 0.89)
    assert price.largest == pytest.approx(9.9)
    assert price.mean == pytest.approx(4.95)
    assert price.quantiles["p90"] == pytest.approx(8.9, rel=0.011)
    assert [one.request_id for one in price.examples] == [f"r{number}" for number in range(99, 89, -1)]


def test_labels_are_told_by_which_were_confused():
    comparing = Comparing([LEVEL])
    comparing.compare("r1", {"level": ["low", "low", "high", "low"]}, {"level": ["low", "high", "low", "high"]})
    (level,) = comparing.report().outputs
    assert [(one.answered, one.shadow, one.count) for one in level.confused] == [("low", "high", 2), ("high", "low", 1)]
    assert [(one.request_id, one.row) for one in level.examples] == [("r1", 1), ("r1", 2), ("r1", 3)]


def test_arrays_are_compared_as_lists_are():
    block = memoryview(array("d", [0.9, 0.1, 0.2, 0.8]).tobytes())
    comparing = Comparing([CLASSES])
    comparing.compare("r", {"p": Values(block, "float64", (2,))}, {"p": Values([[0.9, 0.1], [0.8, 0.2]])})
    (p,) = comparing.report().outputs
    assert (p.compared, p.different, p.largest) == (2, 1, pytest.approx(0.6))
    assert [(one.answered, one.shadow) for one in p.confused] == [("yes", "no")]


def test_an_answer_of_another_size_and_a_missing_output_are_counted_apart():
    comparing = Comparing([PRICE, LEVEL])
    comparing.compare("r1", {"price": [1.0, 2.0]}, {"price": [1.0]})
    comparing.compare("r2", {"price": [1.0], "level": ["a"]}, {"price": [1.0]})
    report = comparing.report()
    assert (report.compared, report.unlike, report.missing) == (1, 1, ("level",))
    assert [one.output for one in report.outputs] == ["price"]


def test_memory_is_bounded():
    comparing = Comparing([LEVEL, PRICE])
    for number in range(2_000):
        comparing.compare(f"r{number}", {"level": [f"a{number}"]}, {"level": ["b"]})
    comparing.compare("large", {"price": [1.0] * 5_000}, {"price": [2.0] * 5_000})
    level, price = comparing.report().outputs
    assert len(level.examples) == len(price.examples) == MAX_EXAMPLES
    assert (len(level.confused), level.confused[0].answered) == (MAX_CONFUSED + 1, OTHER)
    assert price.compared == MAX_ROWS


def test_a_report_reads_as_sentences():
    comparing = Comparing([PRICE, LEVEL])
    comparing.failed, comparing.late, comparing.dropped = 2, 1, 3
    comparing.compare("r1", {"price": [100.0], "level": ["low"]}, {"price": [104.0], "level": ["high"]})
    assert str(comparing.report()).splitlines() == [
        "1 request compared, 2 failed, 1 late, 3 dropped",
        "price: 1 of 1 rows differ (100.00%); largest 4, p50 4, p90 4, p99 4",
        "level: 1 of 1 rows differ (100.00%)",
        "  low → high: 1",
    ]
