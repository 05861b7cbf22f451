"""Servers of this machine are found by what they serve, and only while they run."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from answering_server import listening
from steering_server import TOKEN, Steering

from modelwright.errors import CredentialError, RolloutError, StorageError, UnknownModelError, UnreachableError
from modelwright.serving.client.admin import Admin
from modelwright.serving.client.servers import (
    Running,
    RunningModel,
    announce,
    control_door,
    find,
    running,
    servers_folder,
    withdraw,
)
from modelwright.serving.rollout.plans import RolloutRequest

CHURN = RunningModel(name="churn", references=("churn@production", "churn==1.3.0"))
SERVER = Running(url="http://127.0.0.1:8080", socket="/run/control.sock", models=(CHURN,))


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "modelwright" / "servers"


def test_a_server_is_found_until_it_withdraws(folder):
    file = announce(SERVER, folder=folder)
    (found,) = running(folder)
    assert (found.url, found.pid, found.models) == (SERVER.url, os.getpid(), (CHURN,))
    withdraw(file)
    withdraw(file)
    assert running(folder) == ()


def test_only_its_user_may_look(folder):
    file = announce(SERVER, folder=folder)
    assert (file.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)
    assert [path.name for path in folder.iterdir()] == [file.name]
    folder.chmod(0o755)
    assert running(folder) == ()
    announce(SERVER, folder=folder)
    assert len(running(folder)) == 1


@pytest.mark.parametrize("on", ["", "production", "churn", "churn@production", "http://127.0.0.1:8080/"])
def test_it_is_found_by_what_it_serves(folder, on):
    announce(SERVER, folder=folder)
    assert [server.socket for server in find(on, folder=folder)] == [SERVER.socket]


@pytest.mark.parametrize("on", ["staging", "fraud", "churn@staging", "1.3.0"])
def test_what_does_not_run_is_said_with_what_does(folder, on):
    announce(SERVER, folder=folder)
    with pytest.raises(UnreachableError) as caught:
        find(on, folder=folder)
    assert caught.value.why == "Running are http://127.0.0.1:8080 (churn)."


def test_without_a_server_it_is_said_how_to_start_one(folder):
    with pytest.raises(UnreachableError) as caught:
        find("production", folder=folder, model="churn")
    assert caught.value.hint.startswith("modelwright serve churn@production;")
    announce(SERVER, folder=folder)
    with pytest.raises(UnreachableError) as caught:
        find("prodution", folder=folder)
    assert caught.value.hint == "Did you mean 'production'?"


def test_an_address_may_be_anywhere(folder):
    (found,) = find("https://models.internal:9090/", folder=folder)
    assert (found.admin_url, found.socket, found.models) == ("https://models.internal:9090", "", ())


def test_what_is_left_of_a_killed_server_is_removed(folder):
    script = (
        "import sys, time; from pathlib import Path; from modelwright.serving.client.servers import *;"
        "print(announce(Running(url='http://127.0.0.1:1'), folder=Path(sys.argv[1])), flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline()
        assert len(running(folder)) == 1
        with socket.socket(socket.AF_UNIX) as door:
            door.bind(str(control_door(folder, process.pid)))
        process.kill()
    assert running(folder) == ()
    assert [*folder.iterdir()] == []


def test_another_process_of_the_same_number_is_not_taken_for_it(folder):
    file = announce(SERVER, folder=folder)
    file.write_bytes(file.read_bytes().replace(b'"born":"', b'"born":"earlier'))
    assert running(folder) == ()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"url": 3}', b"\xff"])
def test_what_is_no_announcement_is_passed_over(folder, content):
    announce(SERVER, folder=folder)
    (folder / "other.json").write_bytes(content)
    assert len(running(folder)) == 1


def test_readers_never_see_half_an_announcement(folder):
    announce(SERVER, folder=folder)
    stop = threading.Event()

    def write():
        while not stop.is_set():
            announce(SERVER, folder=folder)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert all(len(running(folder)) == 1 for _ in range(100))
    finally:
        stop.set()
        writer.join()


def test_a_folder_that_is_a_link_is_not_announced_in(tmp_path):
    elsewhere, link = tmp_path / "elsewhere", tmp_path / "servers"
    elsewhere.mkdir(mode=0o755)
    link.symlink_to(elsewhere)
    with pytest.raises(StorageError):
        announce(SERVER, folder=link)
    assert elsewhere.stat().st_mode & 0o777 == 0o755


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError):
        announce(SERVER, folder=tmp_path / "file" / "servers")


def test_the_folder_is_where_the_system_says():
    assert servers_folder({}, Path("/home/ann")) == Path("/home/ann/.cache/modelwright/servers")


def test_the_control_door_needs_no_token(tmp_path):
    socket = str(tmp_path / "control.sock")
    with listening(Steering("churn"), unix=socket), Admin(Running(url="http://x", socket=socket)) as admin:
        assert list(admin.deployment()["models"]) == ["churn"]
        with pytest.raises(RolloutError, match="There is no rollout"):
            admin.rollout("churn")
        assert admin.begin("churn", RolloutRequest(reference="churn==1.3.0", percent=10)).share == 0.1
        with pytest.raises(RolloutError, match="under way"):
            admin.begin("churn", RolloutRequest(reference="churn==1.4.0"))
        assert admin.move("churn", "advance", actor="ann", reason="looks fine").history[-1].actor == "ann"
        assert admin.move("churn", "pause").phase == "paused"
        assert admin.move("churn", "abort").phase == "aborted"
        with pytest.raises(RolloutError, match="it is over"):
            admin.move("churn", "resume")
        assert admin.report("churn") == {"compared": 7}
        with pytest.raises(UnknownModelError):
            admin.rollout("fraud")


def test_the_admin_address_needs_one():
    with listening(Steering("churn", token=TOKEN)) as url:
        server = Running(url=url, admin_url=url)
        with Admin(server) as admin, pytest.raises(CredentialError):
            admin.deployment()
        with Admin(server, token=TOKEN) as admin:
            assert "churn" in admin.deployment()["models"]
            assert TOKEN not in repr(admin)


def test_a_server_without_an_admin_door_says_how_to_open_one():
    with pytest.raises(UnreachableError, match="no admin door") as caught:
        Admin(Running(url="http://127.0.0.1:8080"))
    assert "admin_port" in caught.value.hint


def test_a_control_door_that_is_gone_is_unreachable(tmp_path):
    with (
        Admin(Running(url="http://x", socket=str(tmp_path / "gone.sock"))) as admin,
        pytest.raises(UnreachableError),
    ):
        admin.deployment()
