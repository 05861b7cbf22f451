"""kill -9 of a server while somebody uploads: nothing half, nothing acknowledged lost, and it starts again."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from powercut.replay import read_log
from powercut.running import build_shim, fresh_copy
from powercut.standing import standing
from server import FIELDS, form, serving

from modelwright.errors import ModelwrightError
from modelwright.registry.client.remote import RemoteService
from modelwright.registry.operating.opening import open_local

Wheels = Callable[..., Path]


@pytest.fixture
def prepared(registry_folder: Path, churn: Wheels) -> tuple[Path, str]:
    """A registry with one release, and a token to publish."""
    service = open_local(registry_folder, user="ann")
    service.upload(churn("1.0.0"))
    token = service.add_token("ann", scopes=("publish",)).secret
    service.close()
    return registry_folder, token


def versions(folder: Path) -> tuple[list[str], int]:
    """Say which releases a sound registry has, and how many publications its log tells of."""
    found = standing(folder)
    (project,) = json.loads(found.projects)
    return [one["version"] for one in project["releases"]], found.log.count(b'"action":"publish"')


def test_a_server_that_is_killed_in_the_middle_of_an_upload_has_nothing_of_it(
    prepared: tuple[Path, str], churn: Wheels
) -> None:
    folder, token = prepared
    wheel = churn("1.1.0")
    body, kind = form(FIELDS, wheel.name, wheel.read_bytes())
    with serving(folder) as server:
        head = f"POST /legacy/ HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nContent-Type: {kind}\r\n"
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[: len(body) // 2])
            while not list((folder / ".registry" / "incoming").iterdir()):
                assert server.get("/health").status == 200  # it has not come that far yet
            server.process.send_signal(signal.SIGKILL)
            server.process.wait(10)
    assert versions(folder) == (["1.0.0"], 1)
    with serving(folder) as server:
        assert RemoteService(server.url, token).upload(wheel).new
    assert versions(folder) == (["1.0.0", "1.1.0"], 2)


def upload_to_victim(folder: Path, token: str, wheel: Path) -> bool:
    """Upload to a server that may die of it; say whether that was acknowledged."""
    with serving(folder) as server:
        try:
            return RemoteService(server.url, token).upload(wheel).new
        except ModelwrightError:
            assert server.process.wait(10) == -signal.SIGKILL
            return False


def test_a_server_that_is_killed_before_any_change_has_the_upload_or_has_it_not(
    prepared: tuple[Path, str], churn: Wheels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, token = prepared
    base = fresh_copy(folder, tmp_path / "base")
    monkeypatch.setenv("LD_PRELOAD", str(build_shim(tmp_path)))
    monkeypatch.setenv("POWERCUT_ROOT", str(folder))
    monkeypatch.setenv("POWERCUT_LOG", str(tmp_path / "log"))
    assert upload_to_victim(folder, token, churn("1.1.0"))
    changes = len(read_log(tmp_path / "log"))
    found = []
    for kill in (changes // 3, changes * 2 // 3):
        monkeypatch.setenv("POWERCUT_KILL", str(kill))
        fresh_copy(base, folder)
        acknowledged = upload_to_victim(folder, token, churn("1.1.0"))
        found.append(versions(folder))
        assert found[-1] in ((["1.0.0"], 1), (["1.0.0", "1.1.0"], 2))
        assert not acknowledged or len(found[-1][0]) == 2
    assert found[0] == (["1.0.0"], 1)
