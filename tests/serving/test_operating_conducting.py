"""Changes of what is served, under load: nobody notices; whatever cannot be served never takes a request."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from behaving import answers_text, double, forgets, needs_more
from running import ROWS, Running, deployment, serving
from steady_load import SteadyLoad

import modelwright as mw
from modelwright.errors import DeploymentError, ModelwrightError, NotReadyError, SelftestError
from modelwright.serving.deployment import Limits
from modelwright.serving.operating.conducting import Wanted
from modelwright.serving.operating.models import Serving
from modelwright.serving.routing.plan import Plan


@pytest.fixture
def changing(behaving: Path) -> Iterator[Running]:
    with serving(deployment(behaving)) as running:
        yield running


def change(running: Running, *references: Path | str, **plan: Any) -> Any:
    """Serve these references from now on; the first one is the control."""
    names = ("control", "second", "third")
    wanted = {name: Wanted(str(one)) for name, one in zip(names, references, strict=False)}
    new = Plan(plan.get("weights", {"control": 1.0}))
    return running.call(running.server.conductor.change("behaving", lambda _serving: wanted, lambda _plan: new))


def processes() -> set[int]:
    """Return the processes of models that this process has started and that are not gone."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int(folder.joinpath("stat").read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid() and b"workers/loop.py" in folder.joinpath("cmdline").read_bytes():
                found.add(int(folder.name))
        except (OSError, IndexError):
            continue
    return found


def test_versions_change_under_load_without_a_failed_request(
    changing: Running, behaving: Path, behaving2: Path
) -> None:
    with SteadyLoad(changing) as load:
        load.more(20)
        for number in range(20):
            after = (behaving2, behaving)[number % 2]
            swapped = change(changing, after)
            assert {swapped.before, swapped.after} == {"1.0.0", "2.0.0"}
            load.until(swapped.after)
            load.more(10)

    assert load.failures == []
    assert min(load.versions["1.0.0"], load.versions["2.0.0"]) > 50


def test_going_back_takes_no_loading(changing: Running, behaving: Path, behaving2: Path) -> None:
    first = processes()
    change(changing, behaving2)
    assert change(changing, behaving).seconds < 0.2
    assert change(changing, behaving2).seconds < 0.2
    assert first < processes()
    assert len(processes()) == len(first) + 1


def test_only_the_last_control_stands_by(changing: Running, behaving2: Path, behaving3: Path, behaving: Path) -> None:
    before = len(processes())
    for after in (behaving2, behaving3, behaving, behaving2, behaving3):
        change(changing, after)
    until = time.monotonic() + 10
    while len(processes()) > before + 1:
        assert time.monotonic() < until, "processes were left"
        time.sleep(0.02)


@pytest.fixture(scope="session")
def behaving3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("behaving3")
    return mw.build(mw.capture(double, ROWS, name="behaving", version="3.0.0", to=folder / "model"), folder)


def other(folder: Path, function: Any, rows: list[dict[str, Any]], version: str = "9.0.0") -> Path:
    package = mw.capture(function, rows, name="behaving", version=version, to=folder / "model")
    return mw.build(package, folder)


@pytest.mark.parametrize("kind", ["scenario", "output", "field", "gone", "no wheel"])
def test_version_that_cannot_stand_in_never_takes_a_request(
    changing: Running, behaving: Path, tmp_path: Path, kind: str
) -> None:
    rows = ROWS[:2]
    made = {
        "scenario": lambda: other(tmp_path, forgets, rows),
        "output": lambda: other(tmp_path, answers_text, rows),
        "field": lambda: other(tmp_path, needs_more, [row | {"age": 3} for row in rows]),
        "gone": lambda: tmp_path / "gone-9.0.0-py3-none-any.whl",
        "no wheel": lambda: _written(tmp_path / "odd-9.0.0-py3-none-any.whl"),
    }[kind]()
    before = processes()
    with SteadyLoad(changing) as load:
        with pytest.raises(ModelwrightError) as refused:
            change(changing, behaving, made, weights={"control": 1.0, "second": 1.0})
        load.more(20)

    said = str(refused.value)
    assert {
        "scenario": isinstance(refused.value, SelftestError),
        "output": isinstance(refused.value, DeploymentError) and "prediction" in said,
        "field": isinstance(refused.value, DeploymentError) and "age" in said,
        "gone": "gone-9.0.0" in said,
        "no wheel": "odd-9.0.0" in said,
    }[kind], said
    assert load.failures == []
    assert set(load.versions) == {"1.0.0"}
    status = changing.http.get("/models/behaving").json()
    assert (status["version"], status["versions"], status["ready"]) == ("1.0.0", ["1.0.0"], True)
    assert processes() == before


def _written(path: Path) -> Path:
    path.write_bytes(b"no zip at all")
    return path


def test_what_stood_by_stands_by_again_when_a_change_fails(
    changing: Running, behaving: Path, behaving2: Path, tmp_path: Path
) -> None:
    change(changing, behaving2)
    held = processes()
    with pytest.raises(ModelwrightError):
        change(changing, behaving, tmp_path / "gone.whl", weights={"control": 1.0, "second": 1.0})

    assert changing.ask({"x": 1.0, "what": "ok"}).json()["version"] == "2.0.0"
    assert change(changing, behaving).seconds < 0.2
    assert processes() == held


def test_changes_of_one_model_happen_one_after_another(changing: Running, behaving: Path, behaving2: Path) -> None:
    conductor = changing.server.conductor
    seen: list[str] = []

    def going_on(serving: Serving | None) -> dict[str, Wanted]:
        assert serving is not None
        seen.append(serving.control.version)
        return {"control": Wanted(str(behaving if seen[-1] == "2.0.0" else behaving2))}

    async def several() -> None:
        await asyncio.gather(
            *(conductor.change("behaving", going_on, lambda _: Plan({"control": 1.0})) for _ in "1234")
        )

    with SteadyLoad(changing) as load:
        changing.call(several())
    assert seen == ["1.0.0", "2.0.0", "1.0.0", "2.0.0"]
    assert load.failures == []


def test_version_that_is_retired_answers_what_it_has_and_no_more(
    changing: Running, behaving: Path, behaving2: Path
) -> None:
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        change(changing, behaving, behaving2, weights={"control": 1.0, "second": 1.0})
        pinned = "/models/behaving/versions/1.0.0/predict"
        slow = threads.submit(changing.ask, {"x": 0.8, "what": "sleep"}, path=pinned)
        time.sleep(0.2)
        change(changing, behaving2)
        assert slow.result().json()["predictions"] == [{"prediction": 1.6}]

    refused = changing.ask({"x": 1.0, "what": "ok"}, path=pinned)
    assert (refused.status_code, refused.json()["code"]) == (404, "MW1202")


def test_model_that_cannot_be_served_at_the_start_says_why(behaving: Path, tmp_path: Path) -> None:
    with (
        pytest.raises(SelftestError, match=r"scenarios of behaving 9\.0\.0 do not hold"),
        serving(deployment(other(tmp_path, forgets, ROWS[:2]))),
    ):
        pass
    assert processes() == set()


def test_process_that_dies_again_and_again_is_started_less_and_less_often(
    behaving: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its environment is broken under it: no process starts any more, requests are refused at once, probes say so."""
    with serving(deployment(behaving, limits=Limits(deadline_s=20))) as running:
        pool = running.server.plane.served["behaving"].now().control.pool
        made = pool._make

        def failing() -> Any:
            worker: Any = made()
            worker._launch = worker._launch._replace(python=Path("/bin/false"))
            return worker

        monkeypatch.setattr(pool, "_make", failing)
        assert running.ask({"x": 1.0, "what": "die"}).status_code == 502
        begun = time.monotonic()
        refused = running.ask({"x": 1.0, "what": "ok"})
        assert (refused.status_code, refused.json()["code"]) == (503, NotReadyError.code)
        assert refused.headers["retry-after"]
        assert time.monotonic() - begun < 10
        assert running.http.get("/v2/health/ready").status_code == 503
        assert running.http.get("/v2/health/live").status_code == 200
        begun = time.monotonic()
        assert running.ask({"x": 1.0, "what": "ok"}).status_code == 503
        assert time.monotonic() - begun < 1
        until = time.monotonic() + 10
        while not pool.broken:
            assert time.monotonic() < until
            time.sleep(0.02)
        monkeypatch.setattr(pool, "_make", made)
        until = time.monotonic() + 15
        while running.http.get("/v2/health/ready").status_code != 200:
            assert time.monotonic() < until, "it never came back"
            time.sleep(0.05)
        assert running.ask({"x": 1.0, "what": "ok"}).status_code == 200
        assert pool.broken == ""


def test_processes_that_were_ended_are_reaped(behaving: Path) -> None:
    with serving(deployment(behaving, limits=Limits(workers=2))) as running:
        for _ in range(4):
            running.ask({"x": 1.0, "what": "killed"})
        assert not [one for one in processes() if _zombie(one)]
        until = time.monotonic() + 10
        while running.server.plane.served["behaving"].now().control.pool.alive < 2:
            assert time.monotonic() < until
            time.sleep(0.02)
    assert processes() == set()


def _zombie(process: int) -> bool:
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def test_callers_who_give_up_hold_no_place_in_the_queue(behaving: Path) -> None:
    with (
        serving(deployment(behaving, limits=Limits(queue_rows=10, batch_rows=1))) as running,
        concurrent.futures.ThreadPoolExecutor(12) as threads,
    ):
        pool = running.server.plane.served["behaving"].now().control.pool
        busy = threads.submit(running.ask, {"x": 1.5, "what": "sleep"})
        time.sleep(0.2)
        waiting = threads.submit(running.ask, {"x": 1.0, "what": "ok"})
        time.sleep(0.05)
        hurried = "/models/behaving/predict?timeout=0.1"
        late = [threads.submit(running.ask, {"x": 1.0, "what": "ok"}, path=hurried) for _ in range(9)]
        assert {one.result().status_code for one in late} == {504}
        time.sleep(0.1)
        assert pool.queued_rows == 1
        assert running.ask({"x": 1.0, "what": "ok"}).status_code == 200
        assert busy.result().status_code == waiting.result().status_code == 200
        assert (pool.queued_rows, pool.in_flight) == (0, 0)
