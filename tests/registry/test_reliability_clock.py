"""Clocks that go backwards: the order of events is that of their numbers, and no gate opens or breaks by it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelwright.errors import GateError, LoginError
from modelwright.registry.operating.local import LocalService
from modelwright.registry.operating.opening import open_local

Wheels = Callable[..., Path]
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SETTINGS = '[[stages]]\nname = "staging"\n[[stages]]\nname = "production"\ngates = [{ gate = "soaked", hours = 24 }]\n'


class Clock:
    """A clock that says what it is told to."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service(registry_folder: Path, clock: Clock) -> Iterator[LocalService]:
    (registry_folder / "registry.toml").write_text(SETTINGS)
    opened = open_local(registry_folder, user="ann", clock=clock)
    yield opened
    opened.close()


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(jumps=st.lists(st.integers(-1_000_000, 1_000_000), min_size=4, max_size=4))
def test_whatever_the_clock_says_a_rollback_returns_to_what_ran_before(
    service: LocalService, clock: Clock, churn: Wheels, jumps: list[int]
) -> None:
    versions = ["1.0.0", "1.1.0"]
    for version in versions:
        service.upload(churn(version))
    for version, seconds in zip(versions, jumps, strict=False):
        clock.now += timedelta(seconds=seconds)
        service.promote("churn", version, to="staging", reason="next")
    clock.now += timedelta(seconds=jumps[2])
    assert service.rollback("churn", stage="staging", reason="worse").placement.version == "1.0.0"
    clock.now += timedelta(seconds=jumps[3])
    service.promote("churn", "1.1.0", to="staging", reason="again")
    entries = list(service.history())
    assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))
    assert [entry.version for entry in entries if entry.action in ("promote", "rollback")][-4:] == [
        "1.0.0",
        "1.1.0",
        "1.0.0",
        "1.1.0",
    ]
    assert service.check_audit().holds


def test_a_release_does_not_soak_while_the_clock_runs_backwards(
    service: LocalService, clock: Clock, churn: Wheels
) -> None:
    service.upload(churn("1.0.0"))
    service.promote("churn", "1.0.0", to="staging", reason="first")
    for hours in (-48, -1, 0, 23):
        clock.now = NOON + timedelta(hours=hours)
        with pytest.raises(GateError):
            service.promote("churn", "1.0.0", to="production", reason="soaked")
    clock.now = NOON + timedelta(hours=25)
    assert service.promote("churn", "1.0.0", to="production", reason="soaked").changed


def test_a_revoked_token_stays_revoked_when_the_clock_goes_back(service: LocalService, clock: Clock) -> None:
    token = service.add_token("rita", scopes=("read",), days=1)
    clock.now = NOON + timedelta(days=2)
    with pytest.raises(LoginError):
        service.recognise(token.secret)
    service.revoke_token(token.token.id)
    clock.now = NOON
    with pytest.raises(LoginError):
        service.recognise(token.secret)
