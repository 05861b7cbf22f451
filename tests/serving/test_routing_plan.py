"""A plan: who is asked, what is refused, and that the common case hashes nothing."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.errors import DeploymentError
from modelwright.serving.deployment import ModelDeployment, Variant
from modelwright.serving.routing import plan as module
from modelwright.serving.routing.assignment import bucket, choose
from modelwright.serving.routing.plan import Plan, Routed, plan_of, route


@settings(deadline=None)
@given(st.floats(0.01, 0.99), st.text(max_size=10))
def test_a_plan_chooses_as_assignment_does(share, unit):
    weights = {"control": 1 - share, "canary": share}
    plan = Plan(weights, experiment="e", salt="s")
    assert route(plan, unit) == Routed(choose(weights, bucket("s", "e", unit)))
    assert route(plan, unit) == route(Plan(dict(weights), experiment="e", salt="s"), unit)


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        (Plan({"a": 1}), Routed("a")),
        (Plan({"a": 0, "b": 3}), Routed("b")),
        (Plan({"a": 1, "b": 0.0}, shadows={"c": 1.0, "d": 0.0}), Routed("a", ("c",))),
    ],
)
def test_without_a_choice_nothing_is_hashed(plan, expected, monkeypatch):
    monkeypatch.setattr(module, "draw", None)
    assert route(plan, "anyone") is route(plan, "someone")
    assert route(plan, "anyone") == expected


def test_a_share_of_the_requests_is_mirrored_independently_of_who_answers():
    plan = Plan({"a": 50, "b": 50}, shadows={"c": 0.25, "d": 1.0}, experiment="e")
    routed = [route(plan, f"unit-{number}") for number in range(8_000)]
    assert all("d" in one.shadows for one in routed)
    for variant in "ab":
        theirs = [one for one in routed if one.variant == variant]
        mirrored = sum("c" in one.shadows for one in theirs)
        assert abs(mirrored - len(theirs) / 4) < 5 * math.sqrt(len(theirs) * 3 / 16)


@pytest.mark.parametrize(
    ("weights", "shadows", "said"),
    [
        ({}, {}, "no variant answers"),
        ({"a": 0.0, "b": 0}, {}, "all weights are 0"),
        ({"a": -1.0}, {}, "the weight is -1"),
        ({"a": math.nan, "b": 1.0}, {}, "the weight is nan"),
        ({"a": 1e308, "b": 1e308}, {}, "too large"),
        ({"a": 1}, {"b": 1.5}, "the mirrored share is 1.5"),
        ({"a": 1}, {"b": math.nan}, "the mirrored share is nan"),
        ({"a": 1}, {"a": 1.0}, "it answers and is a shadow too"),
    ],
)
def test_what_cannot_be_divided_is_refused_with_every_problem(weights, shadows, said):
    with pytest.raises(DeploymentError) as refused:
        Plan(weights, shadows=shadows)
    assert any(said in str(problem) for problem in refused.value.problems)


def test_a_deployment_gives_its_plan():
    variants = {
        "old": Variant(reference="churn==1.2.0", weight=9.0),
        "new": Variant(reference="churn==1.3.0"),
        "next": Variant(reference="churn==2.0.0", role="shadow"),
    }
    plan = plan_of(ModelDeployment(name="churn", variants=variants, salt="s"))
    assert plan == Plan({"old": 9.0, "new": 1.0}, shadows={"next": 1.0}, experiment="churn", salt="s")
    assert (plan.control, plan.shares) == ("old", {"old": 0.9, "new": 0.1})
