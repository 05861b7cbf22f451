"""Run the scenarios that travel with the model: ``pytest --pyargs NAME``, a test per scenario."""

# mypy: ignore-errors

from __future__ import annotations

from pathlib import Path

import pytest

from . import load
from ._runtime.documents import read_scenarios
from ._runtime.scenarios import check_scenario

SCENARIOS = read_scenarios(Path(__file__).with_name("scenarios.jsonl"))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario["name"] for scenario in SCENARIOS])
def test_scenario(scenario):
    """The model behaves here as it did when it was captured."""
    check_scenario(load(), scenario)
