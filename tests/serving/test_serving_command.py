"""``modelwright serve`` as people and machines run it: started, asked, told to stop, killed, misused."""

from __future__ import annotations

import concurrent.futures
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import httpx2
import pytest
from behaving import slow_to_load
from running import ROWS, command
from speaking import modelwright

import modelwright as mw

GOOD = {"rows": [{"x": 2.0, "what": "ok"}]}
PREDICT = "/models/behaving/predict"


def run(*arguments: str, folder: Path, code: int, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command that is expected to end by itself."""
    return modelwright(
        "serve", *arguments, cwd=folder, code=code, XDG_RUNTIME_DIR=str(folder / "run"), NO_COLOR="1", **variables
    )


def said(folder: Path) -> str:
    return (folder / "serve.log").read_text()


def workers_of(process: Any) -> list[int]:
    """Return the processes of models that a server has started."""
    children = Path(f"/proc/{process.pid}/task").glob("*/children")
    return [int(one) for listed in children for one in listed.read_text().split()]


def unpacked(wheel: Path, folder: Path) -> str:
    """Install a wheel into a folder."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return str(folder / "site")


def gone(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] in ("Z", "X")
    except OSError:
        return True


def until(condition: Any, what: str, timeout_s: float = 15.0) -> None:
    ends = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < ends, what
        time.sleep(0.02)


def test_several_models_of_a_file_are_served_behind_one_address(
    tmp_path: Path, behaving: Path, behaving2: Path
) -> None:
    (tmp_path / "deployment.toml").write_text(
        f"""
[server]
port = 0
admin_port = {free_port()}

[models.first]
reference = "{behaving}"
max_rows = 2

[models.second.variants.control]
reference = "{behaving2}"
weight = 1

[models.second.variants.other]
reference = "{behaving}"
weight = 1
"""
    )
    admin = f"http://127.0.0.1:{port_in(tmp_path)}"
    with command("deployment.toml", folder=tmp_path, MODELWRIGHT_ADMIN_TOKEN="s3cret") as (process, url):
        first = httpx2.post(f"{url}/models/first/predict", json=GOOD).json()
        assert (first["model"], first["version"], first["predictions"]) == ("first", "1.0.0", [{"prediction": 4.0}])
        many = httpx2.post(f"{url}/models/first/predict", json={"rows": GOOD["rows"] * 3})
        assert (many.status_code, many.json()["code"]) == (413, "MW1205")
        answers = [httpx2.post(f"{url}/models/second/predict", json=GOOD).json()["version"] for _ in range(40)]
        assert {*answers} == {"1.0.0", "2.0.0"}
        assert httpx2.get(f"{admin}/deployment").status_code == 401
        told = httpx2.get(f"{admin}/deployment", headers={"authorization": "Bearer s3cret"}).json()
        assert [model["name"] for model in told["models"]] == ["first", "second"]
        metrics = httpx2.get(f"{admin}/metrics").text
        assert 'modelwright_requests_total{code="200",model="first"' in metrics
        assert httpx2.get(f"{url}/metrics").status_code == 404
        assert len(workers_of(process)) == 3
        log = process.stdout
    lines = [json.loads(line) for line in log.read().splitlines()] if not log.closed else []
    assert all("x" not in line for line in lines)


def test_admin_port_without_a_token_shows_metrics_only(tmp_path: Path, behaving: Path) -> None:
    port = free_port()
    with (
        command(str(behaving), "--port", "0", "--admin-port", str(port), folder=tmp_path),
        httpx2.Client(base_url=f"http://127.0.0.1:{port}") as admin,
    ):
        assert admin.get("/metrics").status_code == 200
        for answer in (admin.get("/deployment"), admin.post("/models/behaving/rollout", json={"reference": "x==1"})):
            assert (answer.status_code, answer.json()["code"]) == (401, "MW1212")


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def port_in(folder: Path) -> int:
    text = (folder / "deployment.toml").read_text()
    return int(text.partition("admin_port = ")[2].split()[0])


def test_port_that_is_taken_is_told_with_who_has_it_and_the_next(tmp_path: Path, behaving: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = run(str(behaving), "--port", str(port), folder=tmp_path, code=5)

    assert f"Port {port} of 127.0.0.1 is taken by " in refused.stderr
    assert f"(process {os.getpid()})" in refused.stderr
    assert "--port " in refused.stderr.partition("taken")[2]


@pytest.mark.parametrize("number", [signal.SIGTERM] * 4 + [signal.SIGINT])
def test_signal_ends_it_after_what_is_under_way(tmp_path: Path, behaving: Path, number: int) -> None:
    with (
        command(str(behaving), "--port", "0", folder=tmp_path) as (process, url),
        concurrent.futures.ThreadPoolExecutor(8) as threads,
        httpx2.Client() as idle,
    ):
        idle.get(f"{url}/v2/health/live")  # a connection that is kept open keeps nobody
        connected = threading.Barrier(7)

        def ask(_: int) -> httpx2.Response:
            with httpx2.Client(base_url=url, timeout=30) as http:
                http.get("/v2/health/live")
                connected.wait()
                return http.post(PREDICT, json={"rows": [{"x": 0.5, "what": "sleep"}]})

        asked = [threads.submit(ask, number) for number in range(6)]
        connected.wait()
        time.sleep(0.3)
        workers = workers_of(process)
        begun = time.monotonic()
        process.send_signal(number)
        assert process.wait(15) == 0
        assert time.monotonic() - begun < 8
        assert [one.result().json()["predictions"] for one in asked] == [[{"prediction": 1.0}]] * 6
    assert workers
    assert all(map(gone, workers))
    assert "Traceback" not in said(tmp_path)


def test_second_signal_ends_it_at_once(tmp_path: Path, behaving: Path) -> None:
    with (
        command(str(behaving), "--port", "0", folder=tmp_path) as (process, url),
        concurrent.futures.ThreadPoolExecutor(1) as threads,
    ):
        asked = threads.submit(httpx2.post, url + PREDICT, json={"rows": [{"x": 0.0, "what": "hang"}]}, timeout=30)
        time.sleep(0.3)
        workers = workers_of(process)
        process.send_signal(signal.SIGTERM)
        time.sleep(1.3)  # two within a second are one
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) != 0
        assert isinstance(asked.exception(), httpx2.TransportError)
    until(lambda: all(map(gone, workers)), "a process was left behind")


def test_it_is_live_and_not_ready_while_models_load_and_may_be_stopped_then(tmp_path: Path) -> None:
    package = mw.capture(slow_to_load, ROWS[:2], name="slow", version="1.0.0", to=tmp_path / "model")
    wheel = mw.build(package, tmp_path)
    with command(str(wheel), "--port", "0", folder=tmp_path, ready="Listening") as (process, url):
        until(lambda: workers_of(process), "no process was started")
        assert httpx2.get(f"{url}/v2/health/live").status_code == 200
        assert httpx2.get(f"{url}/v2/health/ready").status_code == 503
        refused = httpx2.post(f"{url}/models/slow/predict", json=GOOD)
        assert (refused.status_code, refused.json()["code"]) == (503, "MW1209"), refused.text
        workers = workers_of(process)
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        assert time.monotonic() - begun < 5
    until(lambda: all(map(gone, workers)), "a process was left behind")
    assert "Traceback" not in said(tmp_path)


def test_log_that_nobody_reads_any_more_stops_nothing(tmp_path: Path, behaving: Path) -> None:
    with command(str(behaving), "--port", "0", folder=tmp_path) as (process, url), httpx2.Client(base_url=url) as http:
        assert http.post(PREDICT, json=GOOD).status_code == 200
        line = json.loads(process.stdout.readline())
        assert (line["model"], line["status"], line["rows"]) == ("behaving", 200, 1)
        process.stdout.close()
        assert {http.post(PREDICT, json=GOOD).status_code for _ in range(200)} == {200}
        time.sleep(0.3)
        assert {http.post(PREDICT, json=GOOD).status_code for _ in range(200)} == {200}
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        process.stdout = None
    assert "Traceback" not in said(tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device here")
def test_log_on_a_full_disk_stops_nothing(tmp_path: Path, behaving: Path) -> None:
    with Path("/dev/full").open("wb") as full, (tmp_path / "serve.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "modelwright", "serve", str(behaving), "--port", "0"],
            cwd=tmp_path,
            env=os.environ | {"XDG_RUNTIME_DIR": str(tmp_path / "run")},
            stdout=full,
            stderr=log,
        )
        try:
            until(lambda: "Ready." in said(tmp_path) or process.poll() is not None, "it never was ready", 60)
            url = next(word for word in said(tmp_path).split() if word.startswith("http"))
            with httpx2.Client(base_url=url) as http:
                assert {http.post(PREDICT, json=GOOD).status_code for _ in range(100)} == {200}
            process.send_signal(signal.SIGTERM)
            assert process.wait(15) == 0
        finally:
            process.kill()
            process.wait()
    assert "Traceback" not in said(tmp_path)


def test_records_that_cannot_be_written_stop_nothing(tmp_path: Path, behaving: Path) -> None:
    records = tmp_path / "records"
    with (
        command(str(behaving), "--port", "0", "--records", str(records), folder=tmp_path) as (process, url),
        httpx2.Client(base_url=url) as http,
    ):
        assert http.post(PREDICT, json=GOOD).status_code == 200
        if records.exists():
            shutil.rmtree(records)
        records.write_text("a file stands where the folder was")
        assert {http.post(PREDICT, json=GOOD).status_code for _ in range(100)} == {200}
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert "Traceback" not in said(tmp_path)


def test_killed_server_leaves_no_process_behind(tmp_path: Path, behaving: Path, behaving2: Path) -> None:
    """Also while a model computes, when it cannot notice that nobody is there any more."""
    with (
        command(str(behaving), "--port", "0", "--workers", "3", folder=tmp_path) as (process, url),
        concurrent.futures.ThreadPoolExecutor(1) as threads,
    ):
        hung = threads.submit(httpx2.post, url + PREDICT, json={"rows": [{"x": 0.0, "what": "hang"}]}, timeout=30)
        time.sleep(0.3)
        workers = workers_of(process)
        assert len(workers) == 3
        process.kill()
        process.wait()
        assert hung.exception() is not None
    until(lambda: all(map(gone, workers)), "a process was left behind", 5)


def test_process_that_was_killed_from_outside_is_replaced(tmp_path: Path, behaving: Path) -> None:
    with (
        command(str(behaving), "--port", "0", "--workers", "2", folder=tmp_path) as (process, url),
        httpx2.Client(base_url=url) as http,
    ):
        for _ in range(3):
            before = workers_of(process)
            os.kill(before[0], signal.SIGKILL)
            until(lambda before=before: before[0] not in workers_of(process), "it was not reaped")
            assert http.post(PREDICT, json=GOOD).status_code == 200
            until(lambda: len(workers_of(process)) == 2, "it was not replaced")
        assert http.get("/v2/health/ready").status_code == 200
    assert "was ended by SIGKILL" in said(tmp_path)


def test_processes_hold_no_socket_of_each_other(tmp_path: Path, behaving: Path) -> None:
    """Or the end of the server would go unnoticed: each would keep the others' sockets open."""
    with command(str(behaving), "--port", "0", "--workers", "3", folder=tmp_path) as (process, _):
        held = [
            {
                held
                for one in Path(f"/proc/{worker}/fd").iterdir()
                if (held := str(one.readlink())).startswith("socket:")
            }
            for worker in workers_of(process)
        ]
    assert [len(sockets) for sockets in held] == [1, 1, 1]
    assert len(set.union(*held)) == 3


def test_one_process_is_enough_where_the_model_is_installed(tmp_path: Path, behaving: Path) -> None:
    refused = run(str(behaving), "--in-process", "--port", "0", folder=tmp_path, code=2)
    assert "is installed here" in refused.stderr
    variables = {"PYTHONPATH": unpacked(behaving, tmp_path)}
    with command("behaving", "--in-process", "--port", "0", folder=tmp_path, **variables) as (process, url):
        assert httpx2.post(url + PREDICT, json=GOOD).json()["predictions"] == [{"prediction": 4.0}]
        assert workers_of(process) == []


def test_thread_that_hangs_is_left_behind_and_others_are_answered(tmp_path: Path, behaving: Path) -> None:
    arguments = ("behaving", "--in-process", "--port", "0", "--deadline-s", "0.4")
    with (
        command(*arguments, folder=tmp_path, PYTHONPATH=unpacked(behaving, tmp_path)) as (process, url),
        httpx2.Client(base_url=url) as http,
    ):
        late = http.post(PREDICT, json={"rows": [{"x": 2.0, "what": "sleep"}]})
        assert late.status_code == 504
        until(lambda: http.post(PREDICT, json=GOOD).status_code == 200, "it never answered again")
        time.sleep(2)
        assert http.post(PREDICT, json=GOOD).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


@pytest.mark.parametrize(
    ("arguments", "text", "code", "told"),
    [
        (("{wheel}", "--watch"), "", 2, "stage"),
        (("gone.toml",), "", 2, "gone.toml"),
        (("deployment.toml",), "models = 5", 2, "models"),
        (("deployment.toml",), "[models.a]\nreferense = 'x'", 2, "reference"),
        (("deployment.toml",), "[models.a\n", 2, "deployment.toml"),
        (("nothing==1.0",), "", 2, "nothing"),
        (("churn@production",), "", 2, "registry"),
        ((), "", 2, ""),
        (("{wheel}", "{wheel}"), "", 2, "behaving"),
        (("{wheel}", "--admin-port", "70000"), "", 2, "70000"),
        (("{wheel}", "--token-file", "none.txt"), "", 4, "none.txt"),
        (("{wheel}", "--workers", "0"), "", 2, "workers"),
        (("{wheel}", "--deadline-s", "-1"), "", 2, "--deadline-s"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_sentence(
    tmp_path: Path, behaving: Path, arguments: tuple[str, ...], text: str, code: int, told: str
) -> None:
    if text:
        (tmp_path / "deployment.toml").write_text(text)
    given = [one.format(wheel=behaving) for one in arguments]
    done = subprocess.run(
        [sys.executable, "-m", "modelwright", "serve", "--port", "0", *given],
        cwd=tmp_path,
        env=os.environ | {"XDG_RUNTIME_DIR": str(tmp_path / "run"), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode != 0
    assert told in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_rehearsing_serves_nothing_and_shows_the_deployment(tmp_path: Path, behaving: Path) -> None:
    shown = run(str(behaving), "--port", "0", "--workers", "2", "--dry-run", folder=tmp_path, code=0).stdout
    assert "workers = 2" in shown
    (tmp_path / "again.toml").write_text(shown)
    assert run("again.toml", "--dry-run", folder=tmp_path, code=0).stdout == shown
