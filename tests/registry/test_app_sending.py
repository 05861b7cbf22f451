"""Sending files that are elsewhere, shorter than they should be, or asked for by somebody slow."""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from registry_wheels import library_wheel
from server import FIELDS, Server, form
from starlette.requests import Request
from uvicorn.server import ServerState

from modelwright.errors import UnavailableError
from modelwright.registry.app import http1, uploads
from modelwright.registry.app.application import create_app
from modelwright.registry.app.multipart import UploadForm
from modelwright.registry.app.statuses import Refusal
from modelwright.registry.operating.local import LocalService
from modelwright.registry.storing.folder import FolderStore
from modelwright.registry.storing.store import Key

Wheels = Callable[..., Path]


class Elsewhere(FolderStore):
    """A store whose files have no path on this machine, as those of an object store."""

    def path(self, key: Key) -> Path | None:
        del key
        return None


def _ask(app: Any, path: str, **headers: str) -> tuple[int, dict[str, str], list[bytes]]:
    """Ask an application as a server without extensions would."""
    given = {"host": "localhost", **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        "scheme": "http",
        "client": ("127.0.0.1", 1),
        "root_path": "",
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], found, [message["body"] for message in sent[1:]]


@pytest.mark.parametrize("store", [FolderStore, Elsewhere])
def test_files_are_sent_in_pieces_where_the_kernel_cannot_send_them(
    service: LocalService, churn: Wheels, store: type[FolderStore]
) -> None:
    wheel = churn("1.0.0")
    content = wheel.read_bytes()
    sha256 = service.upload(wheel).file.sha256
    secret = service.add_token("ann", scopes=("read",)).secret
    app = create_app(LocalService(replace(service.desk, store=store(service.desk.root))))
    path = f"/files/{sha256[:2]}/{sha256}/{wheel.name}"
    status, headers, pieces = _ask(app, path, authorization=f"Bearer {secret}")
    assert (status, headers["content-length"], b"".join(pieces)) == (200, str(len(content)), content)
    status, _, pieces = _ask(app, path, authorization=f"Bearer {secret}", range="bytes=100-199")
    assert (status, b"".join(pieces)) == (206, content[100:200])


def test_a_file_that_lost_its_end_is_never_sent_as_if_it_were_whole(server: Server, tmp_path: Path) -> None:
    wheel = library_wheel(tmp_path, "1.0", name="shortened")
    body, kind = form(FIELDS, wheel.name, wheel.read_bytes())
    assert server.ask("POST", "/legacy/", role="admin", headers={"Content-Type": kind}, body=body).status == 200
    (file,) = server.get("/api/v1/projects/shortened", role="admin").json["releases"][0]["files"]
    path = f"files/{file['sha256'][:2]}/{file['sha256']}/{file['filename']}"
    with (server.folder / path).open("r+b") as stream:
        stream.truncate(100)
    with pytest.raises(http.client.IncompleteRead):
        server.get(f"/{path}", role="admin")
    assert server.get("/health").status == 200


def test_an_upload_that_stops_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "PATIENCE_S", 0.05)
    begun = False

    async def receive() -> dict[str, Any]:
        nonlocal begun
        if begun:
            await asyncio.sleep(60)
        begun = True
        return {"type": "http.request", "body": b"--x\r\n", "more_body": True}

    arriving = UploadForm("multipart/form-data; boundary=x", tmp_path / "upload", limit=100)
    request = Request({"type": "http", "headers": [], "method": "POST"}, receive)
    with pytest.raises(Refusal) as refused:
        asyncio.run(uploads._receive(request, arriving))
    arriving.close()
    assert refused.value.status == 408


def test_an_upload_that_trickles_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "PATIENCE_S", 0.05)

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b"-", "more_body": True}

    arriving = UploadForm("multipart/form-data; boundary=x", tmp_path / "upload", limit=100)
    request = Request({"type": "http", "headers": [], "method": "POST"}, receive)
    with pytest.raises(Refusal) as refused:
        asyncio.run(uploads._receive(request, arriving))
    arriving.close()
    assert refused.value.status == 408


class Broken(FolderStore):
    """A store whose disk is gone, and that says where it was."""

    def size(self, key: Key) -> int | None:
        raise UnavailableError("The file cannot be looked at.", where=str(self._root), why="/dev/sdb: gone")


def test_what_fails_inside_is_told_without_where_it_lies(
    service: LocalService, churn: Wheels, caplog: pytest.LogCaptureFixture
) -> None:
    wheel = churn("1.0.0")
    sha256 = service.upload(wheel).file.sha256
    secret = service.add_token("ann", scopes=("read",)).secret
    app = create_app(LocalService(replace(service.desk, store=Broken(service.desk.root))))
    path = f"/files/{sha256[:2]}/{sha256}/{wheel.name}"
    status, _, pieces = _ask(app, path, authorization=f"Bearer {secret}")
    told = b"".join(pieces).decode()
    assert status == 503
    assert str(service.desk.root) not in told
    assert "/dev/sdb" not in told
    number = told.rpartition("log entry ")[2].split()[0]
    assert number in caplog.text
    assert str(service.desk.root) in caplog.text


class Surprising(FolderStore):
    """A store that fails in a way nobody thought of."""

    def size(self, key: Key) -> int | None:
        raise RuntimeError(f"{self._root} {key.name}")


def test_what_nobody_thought_of_is_told_by_its_number_only(
    service: LocalService, churn: Wheels, caplog: pytest.LogCaptureFixture
) -> None:
    wheel = churn("1.0.0")
    sha256 = service.upload(wheel).file.sha256
    secret = service.add_token("ann", scopes=("read",)).secret
    app = create_app(LocalService(replace(service.desk, store=Surprising(service.desk.root))))
    status, _, pieces = _ask(app, f"/files/{sha256[:2]}/{sha256}/{wheel.name}", authorization=f"Bearer {secret}")
    told = b"".join(pieces).decode()
    assert status == 500
    assert told.startswith("MW1111: Something went wrong inside the registry.")
    assert "RuntimeError" not in told
    assert str(service.desk.root) not in told
    assert "RuntimeError" in caplog.text


def _talk(app: Any, *said: tuple[bytes, float]) -> tuple[bytes, bool]:
    """Say things to a server, waiting after each; return what it answered, and whether it hung up."""

    async def talk() -> tuple[bytes, bool]:
        config = uvicorn.Config(app, http=http1.RegistryProtocol, ws="none", log_config=None)
        config.load()
        state = ServerState()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: http1.RegistryProtocol(config, state, {}), "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            for words, wait_s in said:
                writer.write(words)
                await asyncio.sleep(wait_s)
            received = b""
            try:
                async with asyncio.timeout(0.1):
                    while piece := await reader.read(65536):
                        received += piece
                return received, True
            except TimeoutError:
                return received, False
            finally:
                writer.close()

    return asyncio.run(talk())


async def _slow(scope: Any, receive: Any, send: Any) -> None:
    await asyncio.sleep(0.6)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


def test_a_connection_whose_request_does_not_come_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http1, "HEAD_S", 0.3)
    head = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
    assert _talk(_slow, (b"", 0.5)) == (b"", True)
    assert _talk(_slow, (b"G", 0.1), (b"E", 0.1), (b"T", 0.3)) == (b"", True)
    answered, closed = _talk(_slow, (head + b"\r\n", 0.7))
    assert (answered[-2:], closed) == (b"ok", False), "an answer may take longer than a request"
    answered, closed = _talk(_slow, (head + b"\r\n", 0.65), (head, 0.5))
    assert (answered[-2:], closed) == (b"ok", True)
