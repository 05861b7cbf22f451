"""A server that is told to end while an installer makes an environment: it ends, and nothing of that is left."""

from __future__ import annotations

import concurrent.futures
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from needing import majors
from running import command, deployment, serving

import modelwright as mw
from modelwright.errors import EnvironmentBuildError
from modelwright.inspecting.processes import Interruption, installer_variables, interruptible, run
from modelwright.serving.operating.conducting import Wanted
from modelwright.serving.operating.preparing import Preparing

SOON_S = 10.0
"""A server ends within so long, seconds; an installer may take half an hour."""


@pytest.fixture(scope="module")
def needing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("needing")
    rows = [{"version": "1.2"}, {"version": "3.0"}]
    return mw.build(mw.capture(majors, rows, name="needing", version="1.0.0", to=folder / "model"), folder)


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """An index that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(60)
        yield listening


def slow_index(silent: socket.socket, folder: Path) -> dict[str, str]:
    """Return the settings with which both installers ask that index, with nothing in their caches."""
    url = f"http://127.0.0.1:{silent.getsockname()[1]}/simple"
    told = {"UV_DEFAULT_INDEX": url, "UV_INDEX_URL": url, "PIP_INDEX_URL": url, "PIP_CONFIG_FILE": os.devnull}
    emptied = dict.fromkeys(("UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "PIP_FIND_LINKS"), "")
    caches = {"UV_CACHE_DIR": str(folder / "uv"), "XDG_CACHE_HOME": str(folder / "cache")}
    return told | emptied | caches | {"PIP_EXTRA_INDEX_URL": "", "UV_OFFLINE": "0", "UV_NO_CONFIG": "1"}


def marked(folder: Path) -> list[str]:
    """Return the processes whose settings name a folder, and what they are."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(folder).encode() in process.joinpath("environ").read_bytes():
                found.append(process.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def none_left(folder: Path) -> None:
    assert [one for one in marked(folder) if "install" in one] == []
    assert list((folder / "cache" / "modelwright" / "environments").iterdir()) == []


@pytest.mark.parametrize(("installer", "number"), [("uv", signal.SIGTERM), ("pip", signal.SIGINT)])
def test_a_server_ends_while_an_installer_waits_for_its_index(
    needing: Path, silent: socket.socket, tmp_path: Path, installer: str, number: int
) -> None:
    settings = slow_index(silent, tmp_path)
    options = (str(needing), "--port", "0", "--installer", installer)
    with command(*options, folder=tmp_path, ready="Listening", **settings) as (process, url):
        asked, _ = silent.accept()
        with asked:
            assert any("install" in one for one in marked(tmp_path))
            assert httpx2.get(f"{url}/v2/health/ready").status_code == 503
            begun = time.monotonic()
            process.send_signal(number)
            assert process.wait(SOON_S) == 0
        assert time.monotonic() - begun < SOON_S
    none_left(tmp_path)
    said = (tmp_path / "serve.log").read_text()
    assert "Traceback" not in said
    assert "never retrieved" not in said


def test_a_server_ends_while_a_version_to_try_is_installed(
    behaving: Path, needing: Path, silent: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in slow_index(silent, tmp_path).items():
        monkeypatch.setenv(name, value)
    with (
        concurrent.futures.ThreadPoolExecutor(1) as threads,
        serving(deployment(behaving), how=Preparing(installer="uv")) as running,
    ):
        conductor, variants = running.server.conductor, running.server.conductor.configured("behaving")
        wanted = variants | {"canary": Wanted(str(needing))}
        change = conductor.change("behaving", lambda _serving: wanted, lambda plan: plan)
        changing = threads.submit(running.call, change)
        with silent.accept()[0]:
            begun = time.monotonic()
            running.stop()
            assert time.monotonic() - begun < SOON_S
        with pytest.raises((EnvironmentBuildError, concurrent.futures.CancelledError)):
            changing.result(SOON_S)
    assert [one.name for one in (tmp_path / "cache" / "modelwright" / "environments").glob(".*")] == []


def test_what_is_begun_after_an_interruption_is_ended_at_once() -> None:
    interruption = Interruption()
    interruption.interrupt()
    with interruptible(interruption):
        begun = time.monotonic()
        assert run(["sleep", "60"], variables=installer_variables(), timeout_s=60).code == -signal.SIGKILL
        assert time.monotonic() - begun < SOON_S
    assert run(["true"], variables=installer_variables(), timeout_s=60).code == 0
