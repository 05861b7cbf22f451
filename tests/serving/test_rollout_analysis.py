"""Comparing a canary with the control: what is worse, what is not, and what nobody can know yet."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rollout_windows import window
from scipy import stats

from modelwright.serving.rollout.analysis import judge
from modelwright.serving.rollout.clustering import cluster_size
from modelwright.serving.rollout.criteria import Criteria, Guard
from modelwright.serving.rollout.drift import drifted, stability_index
from modelwright.serving.rollout.sketches import Labels, Numbers
from modelwright.serving.rollout.windows import Window

CRITERIA = Criteria()


def judged(canary: Window, control: Window, criteria: Criteria = CRITERIA, evidence=None):
    return judge(canary, control, criteria=criteria, evidence=evidence or {})


def predicting(values, output: str = "p") -> Window:
    made = window(len(values))
    counts = Labels() if isinstance(values[0], str) else Numbers()
    for value in values:
        counts.add(value)
    made.predicted[output] = counts
    return made


def valued(metric: str, values) -> Window:
    made = window(len(values))
    for value in values:
        made.measured(metric, value)
    return made


def normal(seed: int, count: int, mean: float = 0.0, spread: float = 1.0) -> list[float]:
    rng = random.Random(seed)
    return [rng.gauss(mean, spread) for _ in range(count)]


def test_variants_that_did_the_same_are_alike():
    found = judged(window(200, errors=1), window(2000, errors=10))
    assert found.verdict == "fine"
    assert found.reason == "The canary is no worse than the control in 200 requests against 2,000."
    assert {one.name for one in found.measures} == {"errors", "p99"}


@pytest.mark.parametrize(("errors", "verdict"), [(10, "worse"), (200, "worse"), (3, "fine"), (0, "fine")])
def test_errors(errors, verdict):
    assert judged(window(200, errors=errors), window(1800, errors=4)).verdict == verdict


def test_a_difference_too_small_to_matter_is_not_worse_however_sure_it_is():
    found = judged(window(100_000, errors=500), window(900_000, errors=1800))
    errors = found.measures[0]
    assert errors.evidence > errors.needed
    assert (errors.effect < errors.limit, found.verdict) == (True, "fine")


def test_fewer_errors_or_faster_answers_are_not_worse():
    assert judged(window(2000), window(2000, errors=200)).verdict == "fine"
    assert judged(window(2000, seconds=0.001), window(2000)).verdict == "fine"


def test_evidence_adds_up_over_windows_that_say_too_little_each():
    evidence, verdicts = {}, []
    for _ in range(6):
        found = judged(window(200, errors=4), window(600, errors=1), evidence=evidence)
        evidence = found.evidence
        verdicts.append(found.verdict)
    assert verdicts[0] == "fine"
    assert verdicts[-1] == "worse"


def test_slow_answers_are_worse_and_named_with_both_numbers():
    found = judged(window(400, seconds=0.02), window(2000))
    (p99,) = [one for one in found.measures if one.worse]
    assert (p99.name, found.verdict) == ("p99", "worse")
    assert p99.effect == pytest.approx(2, rel=0.05)
    assert "p99 0.0" in found.reason


def test_a_few_slow_answers_move_the_p99_and_are_no_evidence():
    slow = window(200)
    for _ in range(3):
        slow.answered(1.0)
    found = judged(slow, window(1800))
    p99 = next(one for one in found.measures if one.name == "p99")
    assert p99.effect > 1.25
    assert found.verdict == "fine"


def test_a_canary_that_only_fails_has_no_latency_and_is_worse():
    assert judged(window(300, errors=300), window(2000)).verdict == "worse"


def test_predictions_that_moved_are_worse():
    found = judged(predicting(normal(1, 400, 1.0)), predicting(normal(2, 3000)))
    assert found.verdict == "worse"
    assert "drift of p" in found.reason


def test_predictions_that_are_alike_are_fine_and_drift_can_be_switched_off():
    assert judged(predicting(normal(1, 400)), predicting(normal(2, 3000))).verdict == "fine"
    off = Criteria(drift=None)
    assert judged(predicting(normal(1, 400, 3.0)), predicting(normal(2, 3000)), off).verdict == "fine"


@pytest.mark.parametrize(("yes", "verdict"), [(0.2, "fine"), (0.6, "worse")])
def test_labels_are_compared_by_how_often_they_come(yes, verdict):
    canary = ["yes"] * round(400 * yes) + ["no"] * round(400 * (1 - yes))
    assert judged(predicting(canary), predicting(["yes"] * 400 + ["no"] * 1600)).verdict == verdict


def test_a_label_that_only_the_canary_gives_is_drift():
    assert judged(predicting(["a"] * 200 + ["new"] * 200), predicting(["a"] * 2000)).verdict == "worse"


def test_many_labels_on_one_side_only_are_compared_in_bins():
    few, many = Labels(), Labels()
    for number in range(1000):
        few.add(f"l{number % 60}")
        many.add(f"l{number % 60}")
    for number in range(30):
        many.add(f"rare {number}")
    moved = drifted(few, many)
    assert moved is not None
    assert moved.distance < 0.1


@pytest.mark.parametrize("constant", [0.0, 1.0])
def test_a_constant_prediction_is_no_drift(constant):
    moved = drifted(predicting([constant] * 300).predicted["p"], predicting([constant] * 900).predicted["p"])
    assert moved is not None
    assert (moved.distance, moved.ratios) == (0.0, {})


def test_predictions_of_another_kind_are_not_compared():
    assert drifted(Labels(), Numbers()) is None
    one, other = predicting(["a"] * 5).predicted["p"], predicting([1.0] * 5).predicted["p"]
    assert drifted(one, other) is None


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=1, max_size=12))
def test_the_stability_index_is_the_sum_of_both_relative_entropies(bins):
    p, q = ([count + 0.5 for count in column] for column in zip(*bins, strict=True))
    expected = stats.entropy(p, q) + stats.entropy(q, p)
    assert stability_index(bins) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("better", "mean", "verdict"),
    [("higher", 8.0, "worse"), ("higher", 9.9, "fine"), ("higher", 14.0, "fine"), ("lower", 12.0, "worse")],
)
def test_a_guard_may_not_get_worse_by_more_than_its_limit(better, mean, verdict):
    criteria = Criteria(guards=(Guard(metric="revenue", better=better, limit=0.05),))
    canary, control = valued("revenue", normal(1, 400, mean)), valued("revenue", normal(2, 2000, 10.0))
    assert judged(canary, control, criteria).verdict == verdict


def test_a_guard_without_enough_values_is_inconclusive():
    criteria = Criteria(guards=(Guard(metric="revenue", min_values=100),))
    canary = window(400)
    for value in range(99):
        canary.measured("revenue", value)
    found = judged(canary, valued("revenue", normal(2, 2000, 10.0)), criteria)
    assert (found.verdict, found.reason) == ("inconclusive", "The canary had 99 values of revenue; 100 are needed.")


def test_an_inconclusive_check_leaves_the_evidence_as_it_was():
    known = judged(window(200, errors=4), window(600, errors=1)).evidence
    assert judged(window(199, errors=199), window(600), evidence=known).evidence == known


def test_every_number_of_a_judgement_is_finite():
    evidence = {}
    for _ in range(40):
        found = judged(window(5000, errors=5000), window(5000), evidence=evidence)
        evidence = found.evidence
    assert all(math.isfinite(number) for one in found.measures for number in (one.evidence, one.effect, one.canary))


ANY_NUMBERS = st.lists(st.floats(), min_size=5, max_size=20)


@settings(deadline=None)
@given(ANY_NUMBERS, ANY_NUMBERS)
@example([1e-100, 2e-100] * 3, [1e-100, 2e-100] * 3)
@example([1e160, -1e160] * 3, [1e160, -1e160, 1e160] * 3)
@example([5e-324] * 5, [1e150] * 5)
def test_whatever_is_told_of_a_metric_its_judgement_is_finite(mine, other):
    criteria = Criteria(min_requests=1, p99_ratio=None, guards=(Guard(metric="revenue", min_values=2),))
    found = judged(valued("revenue", mine), valued("revenue", other), criteria)
    assert all(math.isfinite(number) for one in found.measures for number in (one.evidence, one.effect, one.canary))


def test_numbers_that_are_too_large_to_be_compared_withdraw_nothing():
    criteria = Criteria(min_requests=1, p99_ratio=None, guards=(Guard(metric="revenue", min_values=2),))
    canary, control = valued("revenue", [1e160, -1e160]), valued("revenue", [1e160, -1e160, 1e160])
    assert judged(canary, control, criteria).verdict == "inconclusive"


def test_the_more_is_looked_at_the_more_evidence_each_needs():
    criteria = Criteria(guards=(Guard(metric="a"), Guard(metric="b")))
    both = [valued("a", normal(seed, 300)) for seed in (1, 2)]
    for one, seed in zip(both, (3, 4), strict=True):
        for value in normal(seed, 300):
            one.measured("b", value)
    found = judged(*both, criteria)
    assert {one.needed for one in found.measures} == {4 / criteria.false_alarms}


def paused(requests: int, *, length: int, seconds: float = 1.0) -> Window:
    """A window in which so many answers one after the other were slow."""
    made = window(requests - length)
    order = list(made.order)
    for _ in range(length):
        made.answered(seconds)
    burst = made.order[-length:]
    made.order = made.order[:0]
    made.order.extend(order[:100])
    made.order.extend(burst)
    made.order.extend(order[100:])
    return made


def test_one_pause_of_a_process_is_one_accident_however_many_requests_it_hits():
    criteria = Criteria(false_alarms=0.02)
    assert judged(paused(300, length=30), window(2000), criteria).verdict == "fine"
    spread = window(300)
    for place in range(30):
        spread.answered(1.0)
        spread.order.insert(10 * place, spread.order.pop())
    assert judged(spread, window(2000), criteria).verdict == "worse"


@settings(deadline=None)
@given(st.lists(st.booleans(), max_size=200))
def test_the_size_of_a_cluster_is_from_one_to_the_number_of_slow_answers(slow):
    assert 1 <= cluster_size(slow) <= max(1, sum(slow))


@pytest.mark.parametrize("share", [0.01, 0.05, 0.3, 0.9, 1.0])
def test_independent_answers_do_not_cluster(share):
    rng = random.Random(5)
    assert cluster_size(rng.random() < share for _ in range(5_000)) < 1.15
