"""Ray in an environment of its own, made once and kept outside the repository; and an application that runs in it."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from pathlib import Path
from typing import Any, NamedTuple

from uv import find_uv_bin

from modelwright.runtime.digests import cache_folder

RAY = "2.60.0"
START_S = 240.0
"""A start takes 40 to 70 s on two cores; more than this means that it never will."""


def ray_environment() -> Path:
    """Return the folder of Ray's programs; about 400 MB are fetched the first time.

    It fails if Ray cannot be installed: a test that is skipped says nothing.
    """
    target = cache_folder() / "exchange-tests" / f"ray-{RAY}-cp{sys.version_info[0]}{sys.version_info[1]}"
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            making = target.with_suffix(".part")
            uv = [find_uv_bin(), "--no-progress"]
            run([*uv, "venv", "--clear", "--relocatable", "--python", sys.executable, making])
            run([*uv, "pip", "install", "--python", making / "bin" / "python", f"ray[serve]=={RAY}", "uv"])
            making.rename(target)
    return target / "bin"


def run(command: list[str | Path]) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, f"Ray cannot be installed: {done.stdout[-2000:]}"


class Said(NamedTuple):
    """What was answered; names of headers in lower case."""

    status: int
    content: Any
    headers: dict[str, str]


def lowered(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


class RunningApp(NamedTuple):
    """An application that ``serve run`` runs."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def ask(self, path: str, body: Any = None, **headers: str) -> Said:
        """Send a request: JSON, bytes as they are, or nothing."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        named = {"Content-Type": "application/json"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        request = urllib.request.Request(self.url + path, data, named)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Said(answer.status, json.load(answer), lowered(answer.headers))
        except urllib.error.HTTPError as error:
            with error:
                return Said(error.code, json.loads(error.read()), lowered(error.headers))


@contextmanager
def serve_run(folder: Path, home: Path) -> Iterator[RunningApp]:
    """Run an exported folder as its README says, on a free port, until the block ends.

    Args:
        folder: The export.
        home: Home folder for Ray, which writes there.
    """
    port, log = free_port(), home / "serve.log"
    config = folder / "serve_config.yaml"
    config.write_text(config.read_text().replace("port: 8000", f"port: {port}"))
    deployment = folder / "deployment.json"
    deployment.write_text(deployment.read_text().replace('"cpus": 1.0', '"cpus": 0.1'))
    bin_folder = ray_environment()
    environment = os.environ | {
        "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "RAY_USAGE_STATS_ENABLED": "0",
        "UV_CACHE_DIR": subprocess.check_output([find_uv_bin(), "cache", "dir"], text=True).strip(),
        "XDG_CONFIG_HOME": os.environ.get("XDG_CONFIG_HOME", str(Path.home() / ".config")),
    }
    environment.pop("VIRTUAL_ENV", None)
    with log.open("wb") as stream:
        command = [bin_folder / "serve", "run", "serve_config.yaml"]
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True
        )
    app = RunningApp(f"http://127.0.0.1:{port}", process, log)
    try:
        wait_ready(app)
        yield app
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


def wait_ready(app: RunningApp) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        assert app.process.poll() is None, app.log.read_text(errors="replace")[-4000:]
        try:
            with urllib.request.urlopen(f"{app.url}/v2/health/ready", timeout=10) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.3)
    raise AssertionError(f"not ready after {START_S} s: {app.log.read_text(errors='replace')[-4000:]}")


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])
