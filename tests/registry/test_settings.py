"""``registry.toml``: what cannot be honoured is an error that says where, and what was probably meant."""

from __future__ import annotations

import pytest

from modelwright.errors import SettingsError
from modelwright.registry.settings import DEFAULT_STAGES, parse_settings


def gated(gate: str) -> bytes:
    return f'[[stages]]\nname = "staging"\n[[stages]]\nname = "production"\ngates = [{{ {gate} }}]\n'.encode()


def refused(content: bytes) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        parse_settings(content)
    return caught.value


def test_nothing_has_to_be_said():
    assert tuple(stage.name for stage in parse_settings(b"").stages) == DEFAULT_STAGES


@pytest.mark.parametrize(
    ("gate", "meant"),
    [
        ('gate = "verified", max_age_day = 30', "max_age_days"),
        ('gate = "metric", metric = "auc", dataset = "test", atleast = 0.9, at_most = 1', "at_least"),
        ('gate = "scan", no_code_in_artefact = true', "no_code_in_artifact"),
        ('gate = "signed", keys = ["ci.pem"], key = "x"', "keys"),
        ('gate = "approved", counts = 2', "count"),
        ('gate = "soaked", hours = 1, hour = 24', "hours"),
        ('gate = "card", section = ["Intended use"]', "sections"),
    ],
)
def test_misspelled_setting_of_a_gate_does_not_leave_the_gate_weaker(gate, meant):
    error = refused(gated(gate))
    assert "unknown field" in error.why
    assert error.hint == f"Did you mean '{meant}'?"


@pytest.mark.parametrize(
    "gate",
    [
        'gate = "verified", max_age_days = nan',
        'gate = "verified", max_age_days = -1',
        'gate = "metric", metric = "auc", dataset = "test", at_least = nan',
        'gate = "metric", metric = "auc", dataset = "test", at_least = -inf',
        'gate = "metric", metric = "auc", dataset = "test", within = -0.1',
        'gate = "metric", metric = "auc", dataset = "test", within = inf',
        'gate = "soaked", hours = -1',
        'gate = "soaked", hours = nan',
        'gate = "approved", count = 0',
        'gate = "metric", metric = "auc", dataset = "test"',
    ],
)
def test_threshold_that_lets_everything_in_is_refused(gate):
    assert "stage production" in refused(gated(gate)).where


def test_threshold_of_a_metric_may_be_negative():
    (gate,) = parse_settings(gated('gate = "metric", metric = "r2", dataset = "test", at_least = -0.5')).stages[1].gates
    assert gate.at_least == -0.5


def test_unknown_gate_and_key_are_suggested():
    assert refused(gated('gate = "verifed"')).hint == "Did you mean 'verified'?"
    assert refused(gated('gate = "zzz"')).hint.startswith("The gates are verified, metric")
    assert refused(b"anonymous_red = true").hint == "Did you mean 'anonymous_read'?"
    assert refused(b"zzz = true").hint == ""
