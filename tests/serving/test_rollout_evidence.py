"""Evidence: its likelihood ratios are fair bets, its formulae agree with scipy, and faults are found."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import special, stats

from modelwright.serving.rollout.evidence import (
    MAX_BETS,
    Evidence,
    count_ratios,
    mean_ratios,
    normal_deviate,
    updated,
)
from modelwright.serving.rollout.sketches import Moments
from modelwright.serving.rollout.student import incomplete_beta, survival

ODDS = (0.25, 0.5, 2.0, 5.0, 30.0)


def moments(*values: float) -> Moments:
    made = Moments()
    for value in values:
        made.add(value)
    return made


@settings(deadline=None)
@given(st.integers(1, 400), st.integers(1, 400), st.data())
def test_a_bet_on_counts_is_fair_if_the_variants_are_alike(n, m, data):
    hits = data.draw(st.integers(0, n + m))
    possible = range(max(0, hits - m), min(n, hits) + 1)
    chances = stats.hypergeom(n + m, n, hits).pmf(list(possible))
    for odds in ODDS:
        (name,) = count_ratios((0, 0), (n, m), (odds,))
        worth = [math.exp(count_ratios((mine, hits - mine), (n, m), (odds,))[name]) for mine in possible]
        assert sum(chance * one for chance, one in zip(chances, worth, strict=True)) <= 1 + 1e-9


def test_the_ratio_of_counts_is_that_of_two_binomials():
    n, m, mine, other, odds = 200, 1800, 9, 4, 5.0
    expected = stats.binom.logpmf(mine, 13, odds * n / (odds * n + m)) - stats.binom.logpmf(mine, 13, n / (n + m))
    (ratio,) = count_ratios((mine, other), (n, m), (odds,)).values()
    assert ratio == pytest.approx(expected)


@settings(deadline=None)
@given(st.floats(-60, 60), st.floats(0.3, 1e5))
@example(1e-7, 79.0)
def test_student_agrees_with_scipy(t, freedom):
    assert survival(t, freedom) == pytest.approx(stats.t.sf(t, freedom), rel=1e-8, abs=1e-300)


@settings(deadline=None)
@given(st.floats(0.05, 500), st.floats(0.05, 500), st.floats(0, 1))
def test_incomplete_beta_agrees_with_scipy(a, b, x):
    assert incomplete_beta(a, b, x) == pytest.approx(special.betainc(a, b, x), rel=1e-8, abs=1e-12)


@settings(deadline=None)
@given(st.floats(-7, 7), st.floats(2, 1e5))
def test_a_normal_deviate_is_exceeded_as_rarely(t, freedom):
    z = normal_deviate(t, freedom)
    assert stats.norm.sf(abs(z)) == pytest.approx(max(stats.t.sf(abs(t), freedom), stats.norm.sf(8.0)), rel=1e-5)
    assert math.copysign(1, z) == math.copysign(1, t)


@pytest.mark.parametrize(("sign", "limit"), [(1, 0.0), (-1, 0.0), (1, 0.1), (-1, 0.1)])
def test_welch_agrees_with_scipy(sign, limit):
    rng = random.Random(7)
    mine, other = [rng.gauss(9, 2) for _ in range(80)], [rng.gauss(10, 5) for _ in range(300)]
    # worse by more than the limit: the control's values, shrunk or grown by it, against the canary's
    tolerated = [value * (1 - sign * limit) for value in other]
    p = stats.ttest_ind(tolerated, mine, equal_var=False, alternative="greater" if sign > 0 else "less").pvalue
    z = stats.norm.isf(p)
    ratios = mean_ratios(moments(*mine), moments(*other), higher_is_better=sign, limit=limit)
    assert ratios["1"] == pytest.approx(z - 0.5, rel=1e-6)


@pytest.mark.parametrize(("mine", "worse"), [(1.0, 0), (0.5, 1), (2.0, -1)])
def test_values_without_any_spread_are_compared_as_they_are(mine, worse):
    ratios = mean_ratios(moments(mine, mine), moments(1.0, 1.0), higher_is_better=1, limit=0.0)
    assert ratios["1"] == 8.0 * worse - 0.5


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("abcd"), st.just(0.0), min_size=1), max_size=20))
def test_bets_that_win_nothing_leave_the_evidence_at_one(windows):
    evidence = Evidence()
    for ratios in windows:
        evidence = updated(evidence, ratios)
    assert evidence.value == pytest.approx(1)


def test_evidence_is_bounded_however_many_alternatives_come():
    evidence = Evidence()
    for window in range(50):
        evidence = updated(evidence, {f"{window}-{number}": 0.0 for number in range(40)})
    assert len(evidence.bets) == MAX_BETS
    assert evidence.value <= 1


def test_overwhelming_evidence_stays_a_number():
    evidence = Evidence()
    for _ in range(5):
        evidence = updated(evidence, {"a": 1e5})
    assert math.isfinite(evidence.value)


def test_looked_at_a_hundred_times_evidence_keeps_its_promise():
    rng, lives, alarms = random.Random(3), 400, 0
    for _ in range(lives):
        evidence = Evidence()
        for _ in range(100):
            hits = [sum(rng.random() < 0.1 for _ in range(20)) for _ in range(2)]
            evidence = updated(evidence, count_ratios((hits[0], hits[1]), (20, 20), (2.0, 5.0)))
            if evidence.value >= 20:
                alarms += 1
                break
    assert alarms / lives <= 0.05
