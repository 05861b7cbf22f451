"""A version that takes less than the one it stands in for: its failure, not the caller's."""

from __future__ import annotations

from pathlib import Path

import pytest
from behaving import filled
from running import deployment, serving

import modelwright as mw
from modelwright.serving.inference import Event

WITH_GAPS = [{"x": 1.0}, {"x": None}, {"x": 2.0}]


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A version that was captured with gaps, and one that never saw any."""
    folder = tmp_path_factory.mktemp("filled")
    taught = {"1.0.0": WITH_GAPS, "2.0.0": [row for row in WITH_GAPS if row["x"] is not None]}
    return [
        mw.build(mw.capture(filled, rows, name="filled", version=version, to=folder / version), folder)
        for version, rows in taught.items()
    ]


def test_row_that_fits_the_control_is_the_failure_of_the_version_that_refuses_it(versions: list[Path]) -> None:
    events: list[Event] = []

    class Listening:
        def observe(self, event: Event) -> None:
            events.append(event)

    with serving(deployment(*versions, name="filled"), observers=[Listening()]) as running:
        path = "/models/filled/predict"
        answers = [running.ask({"x": None}, path=path, Modelwright_Unit=f"u-{number}") for number in range(20)]

    assert {answer.status_code for answer in answers} == {200, 500}
    refused = next(answer.json() for answer in answers if answer.status_code == 500)
    assert refused["code"] == "MW202"
    assert "filled 2.0.0 does not take rows that fit filled 1.0.0" in refused["error"]
    assert refused["details"][0]["column"] == "x"
    assert {(event.variant, event.version, event.status) for event in events} == {
        ("control", "1.0.0", 200),
        ("v2", "2.0.0", 500),
    }
