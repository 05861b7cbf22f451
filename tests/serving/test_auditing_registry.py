"""Rollouts in the audit log of a registry: a real canary withdrawn by itself; registries that refuse or are gone."""

from __future__ import annotations

import logging
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from running import Running, deployment, serving

sys.path.append(str(Path(__file__).parent.parent / "registry"))

from client_server import served

import modelwright as mw
from modelwright.inspecting.read import read
from modelwright.registry.audit import Entry
from modelwright.registry.service import Selection
from modelwright.serving.contract import contract_of
from modelwright.serving.operating import auditing
from modelwright.serving.operating.auditing import Auditing, Happened
from modelwright.serving.rollout.analysis import Measure
from modelwright.serving.rollout.criteria import Criteria
from modelwright.serving.rollout.plans import RolloutRequest
from modelwright.serving.rollout.rollouts import begin
from modelwright.serving.rollout.states import Transition, What
from modelwright.serving.routing.plan import Plan

BAD = {"x": 1.0, "what": "fails in version 2"}
WORSE = Measure(name="errors", canary=0.4, control=0.0, effect=0.4, limit=0.005, evidence=9e3, needed=400.0, worse=True)


def until(done: Callable[[], Any], within_s: float = 30.0) -> Any:
    """Wait until something is so, and return it."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if found := done():
            return found
        time.sleep(0.02)
    raise AssertionError("it did not come to that in time")


@pytest.fixture
def folder(tmp_path: Path, behaving: Path, behaving2: Path) -> Path:
    """A registry whose production runs version 1; version 2 is published."""
    (tmp_path / "registry").mkdir()
    (tmp_path / "registry" / "registry.toml").write_text('[[stages]]\nname = "production"\n')
    registry = mw.Registry(tmp_path / "registry")
    registry.publish(behaving, behaving2)
    registry.promote("behaving", "1.0.0", to="production", reason="first")
    registry.close()
    return tmp_path / "registry"


@pytest.fixture
def happened(behaving: Path, behaving2: Path) -> Callable[..., Happened]:
    """Make what may happen to a canary of version 2."""
    control, tried = (contract_of(read(wheel), digest=read(wheel).sha256) for wheel in (behaving, behaving2))

    def make(what: What = "begun", reference: str = "behaving==2.0.0", **changes: Any) -> Happened:
        request = RolloutRequest(reference=reference, on="production")
        rollout, _ = begin(request, Plan({"control": 1.0}), variant="canary", now=0.0)
        said: dict[str, Any] = {"reason": "try", "before": 0.0, "after": 0.1, "actor": "bob"}
        transition = Transition(time_s=1_790_000_000.25, what=what, phase="running", **said | changes)
        return Happened("behaving", rollout, transition, tried=tried, control=control, on="behaving@production")

    return make


@pytest.fixture
def audited() -> Iterator[Callable[..., Auditing]]:
    """Make what writes into a registry, and close it at the end."""
    made: list[Auditing] = []

    def make(registry: mw.Registry | None, retry_s: float = 0.05) -> Auditing:
        made.append(Auditing(registry, retry_s=retry_s))
        return made[-1]

    yield make
    for one in made:
        one.close()


def rollouts_in(folder: Path) -> tuple[Entry, ...]:
    registry = mw.Registry(folder)
    try:
        assert registry.check_audit().holds
        return registry.history("behaving", selection=Selection(action="rollout"))
    finally:
        registry.close()


def withdrawn(running: Running) -> bool:
    """Ask what version 2 cannot answer, and say whether its canary was withdrawn."""
    for _ in range(20):
        assert running.ask(BAD).status_code in (200, 500)
    return bool(running.server.parts.rollouts.status("behaving").phase == "rolled back")


@pytest.fixture(params=["folder", "server"])
def registry(request: pytest.FixtureRequest, folder: Path) -> Iterator[mw.Registry]:
    """The same registry, asked through its folder and through its server."""
    local = mw.Registry(folder)
    if request.param == "folder":
        yield local
    else:
        secret = local.add_token("server", scopes=["promote"]).secret
        with served(folder) as address:
            yield mw.Registry(address, token=secret)
    local.close()


def test_a_canary_that_is_withdrawn_by_itself_is_in_the_log_with_reason_and_measures(
    folder: Path, registry: mw.Registry
) -> None:
    criteria = Criteria(min_requests=20, p99_ratio=None, drift=None)
    request = RolloutRequest(
        reference="behaving==2.0.0", on="production", percent=50.0, interval_s=1.0, criteria=criteria, reason="faster"
    )
    with serving(deployment("behaving@production", watch=True), registry=registry) as running:
        running.call(running.server.parts.rollouts.begin("behaving", request, actor="bob"))
        until(lambda: withdrawn(running))
        assert running.ask(BAD).status_code == 200
    begun, last = rollouts_in(folder)
    assert (begun.detail["step"], begun.detail["by"], begun.reason) == ("begun", "bob", "faster")
    assert (begun.detail["before"], begun.detail["after"], begun.detail["control"]) == (0.0, 0.5, "1.0.0")
    assert (last.version, last.stage, last.outcome) == ("2.0.0", "production", "done")
    assert (last.detail["step"], last.detail["after"], last.detail.get("by")) == ("rolled back", 0.0, None)
    assert last.reason.startswith("The canary is worse: errors")
    assert last.detail["measures"]["errors"]["worse"] is True
    assert last.detail["measures"]["errors"]["tried"] > 0.9
    assert last.sha256 == registry.find("behaving==2.0.0")[1].digest
    assert registry.project("behaving").current("production").version == "1.0.0"


def test_a_registry_that_does_not_answer_learns_of_everything_in_order_once_it_does(
    folder: Path, happened: Callable[..., Happened], audited: Callable[..., Auditing]
) -> None:
    local = mw.Registry(folder)
    secret = local.add_token("server", scopes=["promote"]).secret
    local.close()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    writing = audited(mw.Registry(f"http://127.0.0.1:{port}", token=secret))
    begun = time.perf_counter()
    writing.happened(happened())
    writing.happened(happened("rolled back", before=0.1, after=0.0, actor="", reason="worse", measures=(WORSE,)))
    assert time.perf_counter() - begun < 0.1
    time.sleep(0.5)
    assert rollouts_in(folder) == ()
    with served(folder, port):
        first, second = until(lambda: len(found := rollouts_in(folder)) == 2 and found)
    assert (first.actor, first.detail["step"], first.detail["by"]) == ("server", "begun", "bob")
    assert first.detail["time"] == "2026-09-21T14:13:20.250000Z"
    assert (second.detail["step"], second.reason, list(second.detail["measures"])) == (
        "rolled back",
        "worse",
        ["errors"],
    )


def test_a_token_without_the_scope_is_refused_and_the_server_says_so(
    folder: Path, happened: Callable[..., Happened], audited: Callable[..., Auditing], caplog: Any
) -> None:
    local = mw.Registry(folder)
    secret = local.add_token("server", scopes=["read"]).secret
    local.close()
    with served(folder) as address:
        writing = audited(mw.Registry(address, token=secret))
        writing.happened(happened())
        (denied,) = until(lambda: rollouts_in(folder))
    assert (denied.outcome, denied.actor, denied.detail["code"]) == ("denied", "server", "MW1108")
    told = until(lambda: [one for one in caplog.records if one.levelno == logging.ERROR])
    assert "behaving 2.0.0: canary begun" in told[0].getMessage()
    assert "takes the scope 'promote'" in told[0].getMessage()
    assert secret not in caplog.text


def test_whatever_is_said_of_a_rollout_the_log_takes_it(
    folder: Path, happened: Callable[..., Happened], audited: Callable[..., Auditing]
) -> None:
    odd = [
        Measure(name=name, canary=1.0, control=1.0, effect=effect, limit=1.0, evidence=1.0, needed=1.0, worse=worse)
        for name, effect, worse in [("\x1b[2J" * 200, 0.0, False), ("nan", float("nan"), False), ("bad", 1.0, True)]
    ]
    local = mw.Registry(folder)
    secret = local.add_token("server", scopes=["promote"]).secret
    local.close()
    with served(folder) as address:
        writing = audited(mw.Registry(address, token=secret))
        writing.happened(happened(reason="\x1b\u202e\ud800" * 2000, actor="\n" * 500, measures=tuple(odd * 20)))
        (entry,) = until(lambda: rollouts_in(folder))
    assert entry.outcome == "done"
    assert "\x1b" not in str(entry)
    assert "bad" in entry.detail["measures"]
    assert "nan" not in entry.detail["measures"]


def test_what_is_not_from_the_registry_is_not_reported(
    folder: Path, happened: Callable[..., Happened], audited: Callable[..., Auditing], behaving2: Path
) -> None:
    registry = mw.Registry(folder)
    writing = audited(registry)
    writing.happened(happened(reference=str(behaving2)))
    writing.happened(happened("checked"))
    audited(None).happened(happened())
    writing.close()
    registry.close()
    assert rollouts_in(folder) == ()


def test_what_cannot_be_written_is_logged_and_never_lost_silently(
    tmp_path: Path, happened: Callable[..., Happened], audited: Callable[..., Auditing], caplog: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(auditing, "MAX_WAITING", 2)
    writing = audited(mw.Registry(tmp_path / "nothing"), retry_s=60.0)
    for what in ("begun", "paused", "resumed", "aborted"):
        writing.happened(happened(what))
    writing.close()
    lost = [one.getMessage() for one in caplog.records if "does not have" in one.getMessage()]
    assert sorted(line.partition(" at ")[0].rpartition(" ")[2] for line in lost) == [
        "aborted",
        "begun",
        "paused",
        "resumed",
    ]
    assert sum("too many wait already" in line for line in lost) == 2
