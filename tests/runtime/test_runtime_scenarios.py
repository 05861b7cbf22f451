"""Scenarios hold exactly when the model behaves as it did."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_folders import DOUBLER_SIGNATURE

from modelwright.runtime import Model
from modelwright.runtime.documents import read_scenarios
from modelwright.runtime.encoding import decode_rows, encode
from modelwright.runtime.errors import SelftestError
from modelwright.runtime.scenarios import check_scenario, is_close, run_scenario


class Doubler:
    def predict(self, rows: list[dict[str, Any]]) -> list[float]:
        return [2 * row["x"] for row in rows]

    def predict_proba(self, rows: list[dict[str, Any]]) -> list[list[float]]:
        return [[0.25, 0.75] for _ in rows]


@pytest.fixture
def model() -> Model:
    storage = {"methods": ["predict", "predict_proba"]}
    return Model(Doubler(), {"name": "m", "version": "1", "storage": storage, "signature": DOUBLER_SIGNATURE})


def scenario(kind: str, **settings: Any) -> dict[str, Any]:
    return {"kind": kind, "name": "it", "inputs": [{"x": 1.0}, {"x": -3.0}]} | settings


@pytest.mark.parametrize(
    "holding",
    [
        scenario("example", expected={"y": [2.0, -6.0]}),
        scenario("example", expected={"y": [2, -6], "probability": [[0.25, 0.75]] * 2}),
        scenario("example", expected={"y": [2.1, -6.1]}, tolerance={"y": {"atol": 0.11}}),
        scenario("example", expected={"y": [2.1, -6.3]}, tolerance={"y": {"rtol": 0.06}}),
        scenario("minimum", output="y", at_least=-6, at_most=2),
        scenario("minimum", output="probability", label="yes", equals=0.75),
        scenario("invariance", change={"x": 2.0}, tolerance={"y": {"atol": 10.0}}),
        scenario("direction", field="x", add=1, output="y", never="lower"),
        scenario("direction", field="x", add=-0.5, output="y", never="higher"),
        scenario("direction", field="x", add=5, output="probability", label="no", never="lower"),
    ],
)
def test_a_scenario_that_holds_passes(model: Model, holding: dict[str, Any]) -> None:
    assert run_scenario(model, holding).problems == []
    check_scenario(model, holding)


@pytest.mark.parametrize(
    ("failing", "message"),
    [
        (scenario("example", expected={"y": [2.0, -6.0000001]}), "row 1: y is -6.0; -6.0000001 is expected"),
        (scenario("example", expected={"y": [2.0]}), "1 answers of 'y' are expected, 2 came"),
        (scenario("example", expected={"z": [2.0, 1.0]}), "no output 'z'"),
        (scenario("example", expected={"y": [True, -6.0]}), "row 0"),
        (scenario("minimum", output="y", at_least=0), "row 1: y is -6.0; it must be at least 0"),
        (scenario("minimum", output="y", at_most=0), "row 0: y is 2.0; it must be at most 0"),
        (scenario("minimum", output="y", equals=2), "row 1: y is -6.0; it must be 2"),
        (scenario("minimum", output="probability", label="no", at_least=0.5), "probability[no] is 0.25"),
        (scenario("invariance", change={"x": 2.0}), "changing x changes the answer: row 0: y is 4.0"),
        (scenario("direction", field="x", add=1, output="y", never="higher"), "adding 1 to x moves y from 2.0 to 4.0"),
        (scenario("direction", field="x", add=-1, output="y", never="lower"), "row 0"),
        (scenario("minimum", output="nothing", at_least=0), "no output of the model"),
        (scenario("minimum", output="probability", label="maybe", at_least=0), "no class of 'probability'"),
        (scenario("example", inputs=[{"x": "one"}], expected={"y": [2.0]}), "'one' is text"),
        (scenario("fairness"), "no scenarios of the kind 'fairness'"),
    ],
)
def test_a_scenario_that_does_not_hold_says_why(model: Model, failing: dict[str, Any], message: str) -> None:
    result = run_scenario(model, failing)
    assert not result.passed
    assert message in "\n".join(result.problems)
    with pytest.raises(SelftestError, match="'it' does not hold"):
        check_scenario(model, failing)


def test_refused_rows_have_no_answers_but_an_error(model: Model) -> None:
    result = run_scenario(model, scenario("example", inputs=[{"y": 1}], expected={}))
    assert result.answers is None
    assert "MW201" in result.error


JSON_FLOATS = st.floats() | st.none()


@given(st.lists(JSON_FLOATS))
def test_every_float_survives_json(values: list[float | None]) -> None:
    fields = [{"name": "x", "datatype": "float64"}]
    back = decode_rows([{"x": encode(value)} for value in values], fields)
    for value, row in zip(values, back, strict=True):
        same = row["x"] == value or (value is not None and math.isnan(value) and math.isnan(row["x"]))
        assert same


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(0, 10), st.floats(0, 10))
def test_closeness_is_the_published_inequality(expected: float, rtol: float, atol: float) -> None:
    assert is_close(expected, expected, (0.0, 0.0))
    for value in (expected + atol, expected + 2 * atol + rtol * abs(expected)):
        holds = value == expected or abs(value - expected) <= atol + rtol * abs(expected)
        assert is_close(value, expected, (rtol, atol)) == holds


def test_a_truth_value_is_no_number() -> None:
    assert not is_close(1, True, (1.0, 1.0))
    assert not is_close("1", 1, (1.0, 1.0))
    assert not is_close([1.0], [1.0, 2.0], (1.0, 1.0))
    assert is_close({"a": [1.0]}, {"a": [1.0]}, (0.0, 0.0))


def test_a_line_separator_inside_text_does_not_end_the_scenario(tmp_path: Path) -> None:
    """JSON text may hold U+2028 and its like as they are."""
    written = scenario("example", expected={"y": [2.0, -6.0]}, reason="one\u2028line\x85only")
    (tmp_path / "scenarios.jsonl").write_text(json.dumps(written, ensure_ascii=False) + "\n", "utf-8")
    assert read_scenarios(tmp_path / "scenarios.jsonl") == [written]
