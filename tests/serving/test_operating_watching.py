"""Follow a stage: promotion and rollback reach the requests within two seconds, and nobody's request fails."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from behaving import forgets
from running import ROWS, Running, deployment, serving
from steady_load import SteadyLoad

import modelwright as mw
from modelwright.registry.operating.opening import open_local
from modelwright.registry.registry import Registry
from modelwright.serving.operating.watching import EVERY_S, Watcher

STAGE = "behaving@dev"


@pytest.fixture
def folder(tmp_path: Path, behaving: Path, behaving2: Path) -> Path:
    """A registry in a folder; ``dev`` runs 1.0.0."""
    registry = Registry(tmp_path / "registry")
    registry.create()
    registry.publish(behaving, behaving2)
    registry.promote("behaving", "1.0.0", to="dev", reason="first")
    registry.close()
    return tmp_path / "registry"


@contextlib.contextmanager
def registry_server(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Serve a registry over HTTP."""
    process = subprocess.Popen(
        [sys.executable, "-m", "modelwright", "registry", str(folder), "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"NO_COLOR": "1"},
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"http://")
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextlib.contextmanager
def watching(place: Path | str, token: str | None = None) -> Iterator[Running]:
    with serving(deployment(STAGE, watch=True), registry=Registry(place, token=token)) as running:
        yield running


def test_promotion_and_rollback_reach_the_requests(folder: Path) -> None:
    steering = Registry(folder)
    with watching(folder) as running, SteadyLoad(running, threads=2, pause_s=0.03) as load:
        load.until("1.0.0")
        for _ in range(4):
            steering.promote("behaving", "2.0.0", to="dev", reason="better")
            load.until("2.0.0")
            load.more(10)
            steering.rollback("behaving", stage="dev", reason="worse")
            load.until("1.0.0")
            load.more(10)

    assert load.failures == []


def test_registry_server_is_followed_and_may_go_away_and_come_back(folder: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    steering = Registry(folder)
    token = open_local(folder, user="ann").add_token("server", scopes=("read",)).secret
    with contextlib.ExitStack() as stack:
        with registry_server(folder, port):
            running = stack.enter_context(watching(url, token))
            load = stack.enter_context(SteadyLoad(running, threads=2, pause_s=0.03))
            load.until("1.0.0")
            steering.promote("behaving", "2.0.0", to="dev", reason="better")
            load.until("2.0.0")
            steering.rollback("behaving", stage="dev", reason="worse")
            load.until("1.0.0")
        load.more(40)
        assert running.http.get("/v2/health/ready").status_code == 200
        steering.promote("behaving", "2.0.0", to="dev", reason="while nobody could see it")
        load.more(40)
        assert load.versions.keys() == {"1.0.0", "2.0.0"}
        with registry_server(folder, port):
            load.until("2.0.0")
            load.more(20)
    assert load.failures == []


def test_release_that_does_not_hold_never_takes_a_request_until_the_stage_runs_another(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = tmp_path / "made"
    bad = mw.build(mw.capture(forgets, ROWS[:2], name="behaving", version="9.0.0", to=made / "model"), made)
    steering = Registry(folder)
    steering.publish(bad)
    with watching(folder) as running, SteadyLoad(running, threads=2, pause_s=0.03) as load:
        load.until("1.0.0")
        steering.promote("behaving", "9.0.0", to="dev", reason="nobody looked")
        until = time.monotonic() + 10
        while "release that is not served" not in caplog.text:
            assert time.monotonic() < until, "nobody was told"
            time.sleep(0.02)
        load.more(30)
        assert caplog.text.count("release that is not served") == 1
        assert "9.0.0 do not hold" in caplog.text
        steering.promote("behaving", "2.0.0", to="dev", reason="better")
        load.until("2.0.0")

    assert load.failures == []
    assert "9.0.0" not in load.versions


def test_whatever_goes_wrong_a_stage_goes_on_being_followed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(_watcher: Watcher) -> frozenset[str]:
        raise RuntimeError("nobody expected this")

    steering = Registry(folder)
    with watching(folder) as running, SteadyLoad(running, threads=1) as load:
        monkeypatch.setattr(Watcher, "_digests", failing)
        until = time.monotonic() + 10
        while "cannot be followed" not in caplog.text:
            assert time.monotonic() < until
            time.sleep(0.02)
        time.sleep(3 * EVERY_S)
        assert caplog.text.count("cannot be followed") == 1, "twice a second would be a flood"
        monkeypatch.undo()
        steering.promote("behaving", "2.0.0", to="dev", reason="better")
        load.until("2.0.0")
    assert load.failures == []
