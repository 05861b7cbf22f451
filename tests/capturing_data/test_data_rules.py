"""Rules that a person writes become scenarios, every name and value in them checked."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

import modelwright as mw
from modelwright.capturing.resolving import resolve
from modelwright.capturing.rules import Rule, is_rule
from modelwright.errors import ScenarioError
from modelwright.spec import scenario as spec
from modelwright.spec.scenario import Scenario, Tolerance
from modelwright.spec.signature import Field, Output

FIELDS = (
    Field(name="age", datatype="int64"),
    Field(name="income", datatype="float64", nullable=True),
    Field(name="plan", datatype="string"),
    Field(name="since", datatype="date", nullable=True),
)
OUTPUTS = (
    Output(name="prediction", datatype="string"),
    Output(name="probability", datatype="float64", shape=(2,), labels=("no", "yes"), method="predict_proba"),
)
ROW = {"age": 41, "income": 1.5, "plan": "basic", "since": "2026-01-31"}
TYPICAL = ({"age": 1, "income": 2.0, "plan": "basic", "since": None},)


def resolved(*rules: Rule, taken: tuple[str, ...] = ()) -> tuple[Scenario, ...]:
    return resolve(rules, FIELDS, OUTPUTS, typical=TYPICAL, taken=taken)


def test_an_example_keeps_its_rows_and_waits_for_the_models_answers() -> None:
    (made,) = resolved(mw.example([ROW], name="ann", reason="She asked."))
    assert made == spec.Example(name="ann", inputs=(ROW,), reason="She asked.", origin="user", expected={})


def test_values_are_written_in_the_fields_own_type() -> None:
    rows = pd.DataFrame({"plan": ["pro"], "income": [2], "age": [41.0], "since": [None]})
    (made,) = resolved(mw.example(rows))
    assert made.inputs == ({"age": 41, "income": 2.0, "plan": "pro", "since": None},)
    assert [type(value) for value in made.inputs[0].values()] == [int, float, str, type(None)]
    assert list(made.inputs[0]) == ["age", "income", "plan", "since"]


def test_expected_answers_may_be_a_list_or_named() -> None:
    (first,) = resolved(mw.example([ROW], ["yes"]))
    (named,) = resolved(mw.example([ROW], {"probability": [{"no": 0.25, "yes": 0.75}]}))
    (array,) = resolved(mw.example([ROW], {"probability": np.array([[0.25, 0.75]])}))
    assert isinstance(first, spec.Example)
    assert first.expected == {"prediction": ("yes",)}
    assert named.expected == array.expected == {"probability": ([0.25, 0.75],)}  # type: ignore[union-attr]


def test_a_tolerance_is_for_all_outputs_or_for_named_ones() -> None:
    (every,) = resolved(mw.example([ROW], tolerance=0.01))
    (one,) = resolved(mw.example([ROW], tolerance={"probability": Tolerance(rtol=0.1)}))
    assert every.tolerance == {"prediction": Tolerance(atol=0.01), "probability": Tolerance(atol=0.01)}  # type: ignore[union-attr]
    assert one.tolerance == {"probability": Tolerance(rtol=0.1)}  # type: ignore[union-attr]


def test_rules_without_rows_take_typical_ones_and_get_a_name() -> None:
    made = resolved(
        mw.invariance(change={"plan": "pro"}),
        mw.direction("income", add=1000, output="probability", label="yes"),
        mw.direction("income", add=-1, label="yes", never="higher"),
        mw.direction("income", add=5, label="yes"),
    )
    assert [scenario.name for scenario in made] == [
        "invariance-plan",
        "income-never-lower",
        "income-never-higher",
        "income-never-lower-2",
    ]
    assert all(scenario.inputs == TYPICAL and scenario.origin == "user" for scenario in made)
    assert isinstance(made[2], spec.Direction)
    assert (made[2].output, made[2].label, made[2].add, made[2].never) == ("probability", "yes", -1.0, "higher")


def test_an_obvious_case_is_demanded() -> None:
    (made,) = resolved(mw.minimum([ROW], output="probability", label="yes", at_least=0.5))
    assert isinstance(made, spec.Minimum)
    assert (made.output, made.label, made.at_least) == ("probability", "yes", 0.5)
    (equal,) = resolved(mw.minimum([ROW], equals="yes"))
    assert isinstance(equal, spec.Minimum)
    assert equal.output == "prediction"


def test_dates_may_be_given_as_dates_or_text() -> None:
    (text,) = resolved(mw.invariance(change={"since": "2026-02-01"}))
    (date,) = resolved(mw.invariance(change={"since": pd.Timestamp("2026-02-01").date()}))
    assert text.change == date.change == {"since": "2026-02-01"}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (mw.example([ROW | {"agee": 1}]), "Did you mean 'age'?"),
        (mw.example([{"age": 1}]), "lack 'income', 'plan', 'since'"),
        (mw.example([]), "no rows"),
        (mw.example([ROW | {"age": "old"}]), "'old' is string, and the field 'age' is int64"),
        (mw.example([ROW | {"age": 1.5}]), "is float64, and the field 'age' is int64"),
        (mw.example([ROW], ["yes", "no"]), "2 values are expected"),
        (mw.example([ROW], {"probabilty": [1]}), "Did you mean 'probability'?"),
        (mw.example([ROW], {"probability": [{"yes": 1.0}]}), "lacks the label 'no'"),
        (mw.example([ROW], tolerance={"predicton": 0.1}), "Did you mean 'prediction'?"),
        (mw.minimum([ROW]), "demands nothing"),
        (mw.minimum([ROW], at_least=1), "has no order"),
        (mw.minimum([ROW], output="probability", label="yess", at_least=1), "Did you mean 'yes'?"),
        (mw.minimum([ROW], output="prediction", label="yes", equals=1), "no label 'yes'"),
        (mw.invariance(change={"plann": "pro"}), "Did you mean 'plan'?"),
        (mw.invariance(change={"age": "old"}), "the field 'age' is int64"),
        (mw.direction("agee", add=1, label="yes"), "Did you mean 'age'?"),
        (mw.direction("plan", add=1, label="yes"), "only a number can be raised"),
        (mw.direction("age", add=0, label="yes"), "moves nothing"),
        (mw.direction("age", add=float("nan"), label="yes"), "moves nothing"),
        (mw.direction("age", add=1), "'prediction' is string, which has no order"),
        (mw.direction("age", add=1, label="yes", never="sideways"), "no direction"),  # type: ignore[arg-type]
        ({"rows": [ROW]}, "Scenario 0 is a dict"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(rule: Rule, words: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        resolved(rule)
    assert words in str(refused.value)


def test_two_scenarios_of_one_name_are_refused() -> None:
    with pytest.raises(ScenarioError, match="two scenarios called 'ann'"):
        resolved(mw.example([ROW], name="ann"), mw.example([ROW], name="ann"))
    with pytest.raises(ScenarioError, match="two scenarios called 'typical-rows'"):
        resolved(mw.example([ROW], name="typical-rows"), taken=("typical-rows",))


def test_only_what_the_four_functions_make_is_a_rule() -> None:
    assert is_rule(mw.minimum([ROW], equals="yes"))
    assert not is_rule(spec.Example(name="x", inputs=(), expected={}))


def test_rows_with_thousands_of_fields_are_resolved_in_seconds() -> None:
    fields = tuple(Field(name=f"c{n}", datatype="float64") for n in range(5_000))
    start = time.process_time()
    (made,) = resolve([mw.example([{field.name: 1 for field in fields}])], fields, OUTPUTS, typical=TYPICAL)
    assert time.process_time() - start < 5
    assert made.inputs[0]["c4999"] == 1.0
