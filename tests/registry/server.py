"""A real registry, served by the real command in a process of its own, and small ways to ask it."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

READY_S = 30.0
ADDRESSES = itertools.count(0, 2)
"""Numbers of loopback addresses, since wrong tokens are counted by address."""


@dataclass
class Answer:
    """What was answered; headers in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return msgspec.json.decode(self.body)

    @property
    def text(self) -> str:
        """The body, as text."""
        return self.body.decode()


@dataclass
class Server:
    """A server that runs.

    Attributes:
        url: Where, ending in ``/``.
        folder: The registry's folder.
        process: The server's process.
        ready_s: How long it took to answer, seconds.
        tokens: Secrets, by the name of the role.
    """

    url: str
    folder: Path
    process: subprocess.Popen[str]
    ready_s: float
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def port(self) -> int:
        """Its port."""
        return int(urlsplit(self.url).port or 0)

    def ask(
        self,
        method: str,
        path: str,
        *,
        role: str = "",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        json: Any = None,
        address: str = "",
    ) -> Answer:
        """Send one request, the path exactly as it is given; each from another address unless one is given."""
        sent = dict(headers or {})
        if role:
            sent["Authorization"] = f"Bearer {self.tokens[role]}"
        if json is not None:
            body = msgspec.json.encode(json)
            sent["Content-Type"] = "application/json"
        number = next(ADDRESSES)
        source = address or f"127.{number >> 16 & 255 | 1}.{number >> 8 & 255}.{number & 255 | 1}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30, source_address=(source, 0))
        try:
            connection.putrequest(method, path, skip_host="Host" in sent, skip_accept_encoding=True)
            for name, value in sent.items():
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())
        finally:
            connection.close()

    def get(self, path: str, *, role: str = "", **headers: str) -> Answer:
        """GET; underscores in names of headers are hyphens."""
        return self.ask(
            "GET", path, role=role, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )

    def raw(self, request: bytes) -> bytes:
        """Send bytes as they are, and return what comes back until the connection is closed or nothing more comes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
            connection.sendall(request)
            received = b""
            with contextlib.suppress(TimeoutError):
                while piece := connection.recv(65536):
                    received += piece
            return received

    def rss_kb(self, *, peak: bool = False) -> int:
        """Resident memory of the process, KiB."""
        key = "VmHWM:" if peak else "VmRSS:"
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(key))


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """Serve a registry's folder until the block ends."""
    begun = time.monotonic()
    with (folder.parent / "server.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "modelwright", "registry", str(folder), "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=os.environ | {"NO_COLOR": "1"},
        )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http://"), (folder.parent / "server.log").read_text()
        server = Server(url.rstrip("/") + "/", folder, process, 0.0)
        while server.get("/health").status != 200:
            assert time.monotonic() - begun < READY_S
            time.sleep(0.02)
        server.ready_s = time.monotonic() - begun
        yield server
    finally:
        process.terminate()
        process.wait(20)
        assert process.stdout is not None
        process.stdout.close()


def form(fields: Mapping[str, str], filename: str, content: bytes, *, first: bool = False) -> tuple[bytes, str]:
    """Return the body and content type of an upload; ``first``: the file comes before the fields."""
    boundary = "0123456789abcdef"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="content"; filename="{filename}"\r\n'
    file = head.encode() + b"Content-Type: application/octet-stream\r\n\r\n" + content + b"\r\n"
    parts.insert(0 if first else len(parts), file)
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


FIELDS = {":action": "file_upload", "protocol_version": "1"}
