"""Rollouts on a server at work: withdrawn when worse, taken over when well, never seen by those who did not ask."""

from __future__ import annotations

import asyncio
import concurrent.futures
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx2
import pytest
from behaving import answers_text, dies, double, hangs, needs_more
from running import ROWS, Running, deployment, serving
from serving_contracts import floats
from steady_load import SteadyLoad

import modelwright as mw
from modelwright.errors import DeploymentError, ModelwrightError, RolloutError
from modelwright.registry.registry import Registry
from modelwright.serving.deployment import Limits, ServerSettings
from modelwright.serving.operating.models import Serving
from modelwright.serving.operating.rollouts import Conducted, Rollouts
from modelwright.serving.rollout import rollouts
from modelwright.serving.rollout.criteria import Criteria, Guard
from modelwright.serving.rollout.plans import RolloutRequest
from modelwright.serving.routing.plan import Plan, route

LOOSE = Criteria(min_requests=40, drift=None, p99_ratio=None)


@pytest.fixture
def controlled(behaving: Path) -> Iterator[Running]:
    with serving(deployment(behaving)) as running:
        yield running


def begin(running: Running, reference: Path | str, **asked: Any) -> Any:
    request = RolloutRequest(reference=str(reference), **{"interval_s": 1.0, "criteria": LOOSE} | asked)
    return running.call(running.server.parts.rollouts.begin("behaving", request, actor="ann"))


def command(running: Running, word: Any, reason: str = "") -> Any:
    return running.call(running.server.parts.rollouts.command("behaving", word, actor="ann", reason=reason))


def status(running: Running) -> Any:
    return running.server.parts.rollouts.status("behaving")


def ended(running: Running, phase: str, timeout_s: float = 20.0) -> Any:
    until = time.monotonic() + timeout_s
    while (now := status(running)).phase != phase:
        assert time.monotonic() < until, now
        time.sleep(0.02)
    while "control" not in (variants := serving_now(running)) or len(variants) > 1:
        assert time.monotonic() < until, variants
        time.sleep(0.02)
    return status(running)


def serving_now(running: Running) -> dict[str, str]:
    variants = running.server.plane.served["behaving"].now().variants
    return {name: one.version for name, one in variants.items()}


def same_as_double(folder: Path, version: str = "1.1.0") -> Path:
    return mw.build(mw.capture(double, ROWS, name="behaving", version=version, to=folder / "model"), folder)


def other(folder: Path, function: Any, rows: list[dict[str, Any]] = ROWS[:2]) -> Path:
    folder.mkdir(exist_ok=True)
    return mw.build(mw.capture(function, rows, name="behaving", version="9.0.0", to=folder / "model"), folder)


def test_canary_that_does_well_takes_over(controlled: Running, tmp_path: Path) -> None:
    with SteadyLoad(controlled) as load:
        begun = begin(controlled, same_as_double(tmp_path), percent=50, steps=(100,))
        assert (begun.phase, begun.share) == ("running", 0.5)
        assert serving_now(controlled) == {"control": "1.0.0", "canary": "1.1.0"}
        done = ended(controlled, "finished")
        load.until("1.1.0")
        load.more(30)

    assert load.failures == []
    assert serving_now(controlled) == {"control": "1.1.0"}
    assert done.history[0].what == "begun"
    assert controlled.ask({"x": 1.0, "what": "ok"}).json()["variant"] == "control"


def test_canary_that_does_worse_is_withdrawn_by_itself(controlled: Running, behaving2: Path) -> None:
    """Version 2 fails whenever it is asked in these words; version 1 never does."""
    with SteadyLoad(controlled, what="fails in version 2") as load:
        begin(controlled, behaving2, percent=30)
        done = ended(controlled, "rolled back")
        failed = len(load.failures)
        load.more(60)

    assert len(load.failures) - failed <= 4  # what each of the four threads had sent already
    assert "error" in done.history[-1].reason
    assert serving_now(controlled) == {"control": "1.0.0"}
    metrics = controlled.server.parts.observers.metrics.render()[0].decode()
    assert 'modelwright_rollout_rollbacks_total{model="behaving",variant="canary"} 1.0' in metrics


def test_requests_that_wait_for_a_canary_are_answered_when_it_is_withdrawn(behaving: Path, tmp_path: Path) -> None:
    slow, pinned = {"rows": [{"x": 0.2, "what": "sleep"}]}, "/models/behaving/versions/9.0.0/predict"

    def ask(running: Running) -> int:
        return httpx2.post(f"http://127.0.0.1:{running.port}{pinned}", json=slow, timeout=30).status_code

    with (
        serving(deployment(behaving, limits=Limits(batch_rows=1))) as running,
        concurrent.futures.ThreadPoolExecutor(20) as threads,
    ):
        begin(running, same_as_double(tmp_path, "9.0.0"), percent=30, interval_s=300)
        pool = running.server.plane.served["behaving"].now().variants["canary"].pool
        asked = [threads.submit(ask, running) for _ in range(20)]
        while pool.in_flight + sum(one.done() for one in asked) < 20:
            time.sleep(0.01)
        command(running, "abort", "enough")
        ended(running, "aborted")
        assert not all(one.done() for one in asked)
        assert [one.result() for one in asked] == [200] * 20


def test_canary_whose_process_dies_all_the_time_is_withdrawn(controlled: Running, tmp_path: Path) -> None:
    with SteadyLoad(controlled, what="dies in version 9") as load:
        begin(controlled, other(tmp_path, dies), percent=20)
        done = ended(controlled, "rolled back")
        failed = len(load.failures)
        load.more(60)
    assert len(load.failures) - failed <= 4  # what each of the four threads had sent already
    assert "broken" in done.history[-1].reason or "error" in done.history[-1].reason


def test_aborted_canary_leaves_nothing(controlled: Running, behaving2: Path) -> None:
    with SteadyLoad(controlled) as load:
        begin(controlled, behaving2, percent=50, interval_s=300)
        load.until("2.0.0")
        command(controlled, "abort", "enough")
        done = ended(controlled, "aborted")
        load.more(10)
        seen = load.versions["2.0.0"]
        load.more(60)

    assert load.failures == []
    assert load.versions["2.0.0"] == seen
    assert (done.history[-1].actor, done.history[-1].reason) == ("ann", "enough")
    with pytest.raises(RolloutError, match="over"):
        command(controlled, "abort")


def test_paused_canary_keeps_its_share_until_it_is_resumed(controlled: Running, tmp_path: Path) -> None:
    with SteadyLoad(controlled) as load:
        begin(controlled, same_as_double(tmp_path), percent=50, steps=(100,))
        command(controlled, "pause")
        until = time.monotonic() + 2.5
        while time.monotonic() < until:
            load.more(20)
        assert (status(controlled).phase, status(controlled).share) == ("paused", 0.5)
        command(controlled, "resume")
        ended(controlled, "finished")
    assert load.failures == []


def test_rollout_that_cannot_be_checked_goes_on_and_floods_no_log(
    controlled: Running, behaving2: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def failing(*_: object) -> None:
        checks.append(1)
        raise RuntimeError("nobody expected this")

    checks: list[int] = []
    begin(controlled, behaving2)
    monkeypatch.setattr(Rollouts, "_check", failing)
    until = time.monotonic() + 10
    while len(checks) < 3:
        assert time.monotonic() < until, "it is not tried again"
        time.sleep(0.02)
    assert caplog.text.count("could not be checked") == 1
    assert caplog.text.count("RuntimeError: nobody expected this") == 1
    monkeypatch.undo()
    assert command(controlled, "abort").phase == "aborted"


def test_only_metrics_that_are_guarded_are_counted() -> None:
    criteria = Criteria(guards=(Guard(metric="revenue"),))
    request = RolloutRequest(reference="churn==1.4.0", criteria=criteria)
    base = Plan({"control": 1.0})
    variants = {name: SimpleNamespace(generation=name, contract=floats("x")) for name in ("control", "canary")}
    rollout, _ = rollouts.begin(request, base, variant="canary", now=0.0)
    conducted = Conducted(rollout, base, cast(Serving, SimpleNamespace(variants=variants)))
    for name in ("revenue", *map(str, range(100))):
        conducted.outcome("canary", name, 1.0)
    assert [*conducted.windows["canary"].values] == ["revenue"]


def test_two_rollouts_at_once_are_refused(controlled: Running, behaving2: Path) -> None:
    rollouts = controlled.server.parts.rollouts

    async def both() -> list[Any]:
        asked = [RolloutRequest(reference=str(behaving2), kind=kind, percent=10) for kind in ("canary", "shadow", "ab")]
        begun = (rollouts.begin("behaving", one, actor="ann") for one in asked)
        return await asyncio.gather(*begun, return_exceptions=True)

    with SteadyLoad(controlled) as load:
        results = controlled.call(both())
        refused = [one for one in results if isinstance(one, RolloutError)]
        assert len(refused) == 2, results
        with pytest.raises(RolloutError, match="is under way"):
            begin(controlled, behaving2)
        load.more(50)
        command(controlled, "abort")
    assert load.failures == []


@pytest.mark.parametrize("kind", ["text", "more", "gone"])
def test_rollout_of_what_cannot_stand_in_changes_nothing(controlled: Running, tmp_path: Path, kind: str) -> None:
    made = {
        "text": lambda: other(tmp_path, answers_text),
        "more": lambda: other(tmp_path, needs_more, [row | {"age": 3} for row in ROWS]),
        "gone": lambda: tmp_path / "gone-1.0-py3-none-any.whl",
    }[kind]()
    with SteadyLoad(controlled) as load:
        with pytest.raises(ModelwrightError) as refused:
            begin(controlled, made, kind="shadow" if kind == "gone" else "canary")
        assert isinstance(refused.value, DeploymentError) or kind == "gone"
        load.more(20)
    assert load.failures == []
    assert serving_now(controlled) == {"control": "1.0.0"}
    with pytest.raises(RolloutError, match="no rollout"):
        status(controlled)


def test_assignment_is_sticky_and_that_of_the_documents(controlled: Running, behaving2: Path) -> None:
    begin(controlled, behaving2, kind="ab", percent=40, experiment="colour", salt="s1")
    plan = Plan({"control": 0.6, "treatment": 0.4}, experiment="colour", salt="s1")
    seen = {}
    for unit in [f"customer-{number}" for number in range(120)] * 2:
        answer = controlled.ask({"x": 1.0, "what": "ok"}, Modelwright_Unit=unit).json()
        assert answer["variant"] == route(plan, unit).variant
        assert seen.setdefault(unit, answer["variant"]) == answer["variant"]
    assert 30 < sum(variant == "treatment" for variant in seen.values()) < 66
    body = {"rows": [{"x": 1.0, "what": "ok"}], "unit": "customer-3"}
    assert controlled.http.post("/models/behaving/predict", json=body).json()["variant"] == seen["customer-3"]
    with pytest.raises(RolloutError, match="fixed"):
        command(controlled, "advance")
    command(controlled, "abort")


@pytest.mark.parametrize(
    ("function", "what"), [(None, "fails in version 2"), (hangs, "hangs in version 9"), (dies, "dies in version 9")]
)
def test_shadow_that_misbehaves_is_never_seen(
    behaving: Path, behaving2: Path, tmp_path: Path, function: Any, what: str
) -> None:
    shadow = behaving2 if function is None else other(tmp_path, function)
    with (
        serving(deployment(behaving, limits=Limits(deadline_s=1.0))) as running,
        SteadyLoad(running, what=what) as load,
    ):
        load.more(100)
        load.slowest_s = 0.0
        begin(running, shadow, kind="shadow", percent=100)
        begun = time.monotonic()
        while time.monotonic() - begun < 2.5:
            load.more(20)
            assert running.http.get("/v2/health/ready").status_code == 200
        told = running.server.parts.rollouts.status("behaving")

    assert load.failures == []
    assert set(load.variants) == {"control"}
    assert load.slowest_s < 1.0
    assert told.kind == "shadow"


def test_shadow_tells_how_it_differs(controlled: Running, behaving2: Path) -> None:
    begin(controlled, behaving2, kind="shadow", percent=100)
    for number in range(50):
        controlled.ask({"x": float(number), "what": "ok"})
    until = time.monotonic() + 5
    while not (report := status(controlled).differences) or report.compared < 50:
        assert time.monotonic() < until, report
        time.sleep(0.02)
    assert report.outputs[0].different == 49  # twice and three times nothing are the same


def test_promotion_during_a_rollout_supersedes_it(behaving: Path, behaving2: Path, tmp_path: Path) -> None:
    registry = Registry(tmp_path / "registry")
    registry.create()
    registry.publish(behaving, behaving2)
    registry.promote("behaving", "1.0.0", to="dev", reason="first")
    watched = deployment("behaving@dev", watch=True)
    with serving(watched, registry=registry) as running, SteadyLoad(running) as load:
        begin(running, same_as_double(tmp_path), percent=50, interval_s=300)
        load.until("1.1.0")
        registry.promote("behaving", "2.0.0", to="dev", reason="better")
        load.until("2.0.0")
        done = ended(running, "aborted")
        load.more(50)

    assert load.failures == []
    assert "another release" in done.history[-1].reason
    assert serving_now_of(running) == {}


def serving_now_of(running: Running) -> dict[str, str]:
    serving = running.server.plane.served["behaving"].serving
    return {name: one.version for name, one in serving.variants.items()} if serving else {}


def test_rollouts_are_steered_over_the_admin_door_with_a_token(behaving: Path, behaving2: Path) -> None:
    settings = ServerSettings(port=0, admin_port=free_port(), drain_s=5.0)
    url = f"http://127.0.0.1:{settings.admin_port}"
    with (
        serving(deployment(behaving, server=settings), admin_tokens=["s3cret"]),
        httpx2.Client(base_url=url) as admin,
    ):
        path = "/models/behaving/rollout"
        asked = {"reference": str(behaving2), "kind": "canary", "percent": 20}
        assert admin.post(path, json=asked).status_code == 401
        assert admin.get("/deployment").status_code == 401
        assert admin.get("/metrics").status_code == 200
        admin.headers["authorization"] = "Bearer s3cret"
        assert admin.get(path).json()["code"] == RolloutError.code
        for bad in (b"", b"{", b"[]", b'{"reference": 5}', b'{"reference": "x", "percentage": 5}'):
            assert admin.post(path, content=bad).status_code == 400, bad
        assert admin.post(path, json=asked | {"percent": 0}).status_code == 409
        assert admin.post("/models/other/rollout", json=asked).status_code == 404
        unknown = admin.post(path, json=asked | {"reference": "nothing==1.0"})
        assert (unknown.status_code, unknown.json()["code"]) == (409, RolloutError.code)
        assert "nothing" in unknown.json()["error"]
        begun = admin.post(path, json=asked)
        assert (begun.status_code, begun.json()["share"]) == (202, 0.2)
        shown = admin.get("/deployment").json()["models"][0]["variants"]
        assert [(one["name"], one["version"], one["share"]) for one in shown] == [
            ("control", "1.0.0", 0.8),
            ("canary", "2.0.0", 0.2),
        ]
        assert admin.post(f"{path}/advance", json={"reason": "now"}).json()["share"] == 0.25
        assert admin.get(f"{path}/report").status_code == 200
        assert admin.put(path).status_code == 405
        aborted = admin.post(f"{path}/abort", json={"actor": "somebody else"}).json()
        assert (aborted["phase"], aborted["history"][-1]["actor"]) == ("aborted", "admin")
        assert admin.post(f"{path}/abort", json={}).status_code == 409
        for answer in (admin.get(path), admin.post(f"{path}/abort", content=b"\xff")):
            assert "Traceback" not in answer.text


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
