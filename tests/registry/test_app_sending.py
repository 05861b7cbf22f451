"""Sending files that are elsewhere, shorter than they should be, or asked for by somebody slow."""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from registry_wheels import library_wheel
from server import FIELDS, Server, form
from starlette.requests import Request

from modelwright.registry.app import uploads
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
