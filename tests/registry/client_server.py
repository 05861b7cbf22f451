"""The real server in a process of its own, and a stranger's server that answers whatever it is told."""

from __future__ import annotations

import http.server
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def served(folder: Path, port: int = 0) -> Iterator[str]:
    """Serve a registry's folder; give its address."""
    command = [sys.executable, "-m", "modelwright", "registry", str(folder), "--port", str(port), "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            address = server.stdout.readline().strip()
            assert address.startswith("http://127.0.0.1:"), server.communicate(timeout=10)
            yield address
        finally:
            server.terminate()
            _, errors = server.communicate(timeout=30)
    assert "Traceback" not in errors, errors


Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


@contextmanager
def stranger(answer: Answer) -> Iterator[str]:
    """Serve what a function writes; give the address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def do_POST(self) -> None:
            answer(self)

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def answering(status: int, body: bytes = b"", **headers: str) -> Answer:
    """Return what answers every request alike."""

    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        request.rfile.read(int(request.headers.get("Content-Length", 0)))
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return answer
