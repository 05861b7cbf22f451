"""Rollouts as asked for: what is refused, what becomes of the plan, and how they end."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rollout_windows import observed, window

from modelwright.errors import RolloutError
from modelwright.serving.rollout.criteria import Criteria, Guard
from modelwright.serving.rollout.plans import RolloutRequest, checked, schedule_of
from modelwright.serving.rollout.rollouts import Rollout, begin, commanded, plan_during
from modelwright.serving.rollout.rollouts import observed as seen
from modelwright.serving.rollout.shadow import ShadowReport
from modelwright.serving.rollout.states import Record
from modelwright.serving.rollout.status import Status, status_of
from modelwright.serving.routing.plan import Plan, route

BASE = Plan({"1.2.0": 1.0}, experiment="churn", salt="s")
UNITS = [f"unit-{number}" for number in range(500)]


def asked(kind: str = "canary", percent: float = 10.0, **more) -> RolloutRequest:
    return RolloutRequest(reference="churn==1.3.0", on="production", kind=kind, percent=percent, **more)


def begun(kind: str = "canary", percent: float = 10.0, **more) -> Rollout:
    return begin(asked(kind, percent, **more), BASE, variant="1.3.0", now=0.0, actor="ann")[0]


@pytest.mark.parametrize(
    ("request_", "item"),
    [
        (RolloutRequest(reference=""), "reference"),
        (asked(percent=0), "percent"),
        (asked(percent=-1), "percent"),
        (asked(percent=101), "percent"),
        (asked(percent=math.nan), "percent"),
        (asked(percent=100), "percent"),
        (asked("ab", 100), "percent"),
        (asked("shadow", 0), "percent"),
        (asked(maximum=5), "maximum"),
        (asked(maximum=120), "maximum"),
        (asked(steps=(20, 15)), "steps"),
        (asked(steps=(10,)), "steps"),
        (asked(steps=(200,)), "steps"),
        (asked(interval_s=0), "interval_s"),
        (asked(interval_s=math.inf), "interval_s"),
        (asked(experiment="a|b"), "experiment"),
        (asked(salt="|"), "salt"),
        (asked(criteria=Criteria(false_alarms=0)), "false_alarms"),
        (asked(criteria=Criteria(min_requests=0)), "min_requests"),
        (asked(criteria=Criteria(drift=-1)), "drift"),
        (asked(criteria=Criteria(errors=math.nan)), "errors"),
        (asked(criteria=Criteria(guards=(Guard(metric="a", limit=-1),))), "guard a"),
        (asked(criteria=Criteria(guards=(Guard(metric="a"), Guard(metric="a")))), "guards"),
        (asked(criteria=Criteria(guards=(Guard(metric="a", min_values=1),))), "guards"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(request_, item):
    with pytest.raises(RolloutError, match="cannot be begun as asked") as refused:
        begin(request_, BASE, variant="1.3.0", now=0.0)
    assert [problem.item for problem in refused.value.problems] == [item]
    assert all(problem.hint for problem in refused.value.problems)


@pytest.mark.parametrize(
    ("request_", "shares"),
    [
        (asked(), (0.1, 0.25, 0.5, 1.0)),
        (asked(percent=1), (0.01, 0.1, 0.25, 0.5, 1.0)),
        (asked(percent=30, maximum=60), (0.3, 0.5, 0.6)),
        (asked(percent=10, maximum=10), (0.1,)),
        (asked(percent=5, steps=(20, 40)), (0.05, 0.2, 0.4)),
        (asked(percent=5, steps=(20, 80), maximum=50), (0.05, 0.2, 0.5)),
    ],
)
def test_the_shares_of_a_canary(request_, shares):
    assert schedule_of(checked(request_)).shares == shares


@settings(deadline=None)
@given(st.floats(0.1, 99), st.floats(0.1, 100))
def test_a_canary_never_plans_beyond_its_maximum(percent, maximum):
    if percent <= maximum:
        shares = schedule_of(checked(asked(percent=percent, maximum=maximum))).shares
        assert shares == tuple(sorted(set(shares)))
        assert (shares[0], shares[-1]) == (percent / 100, maximum / 100)


def test_a_second_rollout_waits_for_the_first():
    first = begun()
    with pytest.raises(RolloutError, match="under way"):
        begin(asked(), BASE, variant="1.4.0", now=1.0, under_way=first)
    over, _ = commanded(first, "abort", now=1.0, actor="ann")
    assert begin(asked(), BASE, variant="1.4.0", now=2.0, under_way=over)[0].phase == "running"


@pytest.mark.parametrize(
    ("base", "said"),
    [
        (Plan({"1.2.0": 1, "1.3.0": 1}), "1.3.0 is served already"),
        (Plan({"1.2.0": 1}, shadows={"1.3.0": 1.0}), "1.3.0 is served already"),
        (Plan({"1.1.0": 1, "1.2.0": 1}), "several variants answer already"),
    ],
)
def test_a_canary_has_one_control_and_is_new(base, said):
    with pytest.raises(RolloutError, match=said):
        begin(asked(), base, variant="1.3.0", now=0.0)


def test_a_growing_canary_keeps_whom_it_has_and_gives_all_back_at_the_end():
    rollout, now, had = begun(), 0.0, set()
    for _ in range(3):
        has = {unit for unit in UNITS if route(plan_during(rollout, BASE), unit).variant == "1.3.0"}
        assert had < has
        had, now = has, now + 300.0
        rollout, actions = seen(rollout, observed(), now)
        assert isinstance(actions[-1], Record)
    assert (rollout.phase, plan_during(rollout, BASE).weights) == ("finished", {"1.3.0": 1.0})
    back, _ = seen(begun(), observed(window(300, errors=100)), 300.0)
    assert (back.phase, plan_during(back, BASE)) == ("rolled back", BASE)


def test_an_ab_test_has_a_fixed_share_whatever_is_observed():
    rollout = begun("ab", 50)
    assert plan_during(rollout, BASE).weights == {"1.2.0": 0.5, "1.3.0": 0.5}
    assert seen(rollout, observed(window(300, errors=300)), 1e6) == (rollout, ())


def test_a_shadow_answers_nobody():
    plan = plan_during(begun("shadow", 25), BASE)
    assert (plan.weights, plan.shadows, plan.experiment) == (BASE.weights, {"1.3.0": 0.25}, "churn")
    assert {route(plan, unit).variant for unit in UNITS} == {"1.2.0"}


@pytest.mark.parametrize("kind", ["canary", "ab", "shadow"])
def test_abort_and_a_broken_variant_end_every_kind(kind):
    for after, actions in (
        commanded(begun(kind), "abort", now=5.0, actor="ann", reason="Enough."),
        seen(begun(kind), observed(broken="it was killed 5 times"), 5.0),
    ):
        assert (after.ended, after.share, plan_during(after, BASE)) == (True, 0.0, BASE)
        told = actions[-1].transition
        assert (told.before, told.after, told.phase) == (0.1, 0.0, after.phase)
        assert seen(after, observed(), 1e9) == (after, ())
        with pytest.raises(RolloutError, match="it is over"):
            commanded(after, "abort", now=6.0, actor="ann")


@pytest.mark.parametrize("kind", ["ab", "shadow"])
@pytest.mark.parametrize("command", ["advance", "pause", "resume"])
def test_a_fixed_share_cannot_be_moved(kind, command):
    with pytest.raises(RolloutError, match=f"nothing to {command}"):
        commanded(begun(kind), command, now=1.0, actor="ann")


def test_a_status_tells_people_where_it_stands():
    rollout, actions = begin(asked(), BASE, variant="1.3.0", now=0.0)
    rollout, more = seen(rollout, observed(window(120)), 300.0)
    history = tuple(one.transition for one in (*actions, *more) if isinstance(one, Record))
    status = status_of(rollout, model="churn", now=310.0, history=history)
    assert str(status).splitlines() == [
        "churn: canary of churn==1.3.0 on 1.2.0, running; answers 10 %",
        "next check in 290 s (1 so far, 1 inconclusive in a row)",
        "begun: The canary begins.",
        "checked: The canary had 120 requests; 200 are needed.",
    ]
    assert msgspec.json.decode(msgspec.json.encode(status), type=Status) == status
    assert msgspec.json.decode(msgspec.json.encode(rollout), type=Rollout) == rollout


def test_the_status_of_a_shadow_tells_how_it_differs():
    status = status_of(begun("shadow", 100), model="churn", now=0.0, differences=ShadowReport(compared=3, late=1))
    assert str(status).splitlines() == [
        "churn: shadow of churn==1.3.0 on 1.2.0, holding; is asked as well for 100 %",
        "3 requests compared, 1 late",
    ]
