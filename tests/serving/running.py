"""Servers that really run: in a thread of the tests, or as the command, before packages that really are wheels."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2

from modelwright.serving.deployment import Deployment, Limits, ModelDeployment, ServerSettings, Variant
from modelwright.serving.http.listening import listen
from modelwright.serving.server import Server
from modelwright.serving.surroundings import Surroundings

ANY = ServerSettings(port=0, drain_s=5.0)
USUAL = Limits()
ROWS = [{"x": 1.0, "what": "ok"}, {"x": 2.5, "what": "fine"}, {"x": -3.0, "what": "fails in version 2"}]


def deployment(
    *references: Path | str,
    name: str = "behaving",
    limits: Limits = USUAL,
    server: ServerSettings = ANY,
    **settings: Any,
) -> Deployment:
    """One model; the first reference is its control, the others take equal shares."""
    names = ("control", *(f"v{number}" for number in range(2, 9)))
    variants = {label: Variant(reference=str(one)) for label, one in zip(names, references, strict=False)}
    model = ModelDeployment(name=name, variants=variants, limits=limits, **settings)
    return Deployment(models={name: model}, server=server)


class Running:
    """A server in a thread, and a client of it.

    Attributes:
        server: The server.
        http: Asks it.
    """

    def __init__(self, server: Server, timeout_s: float = 20.0) -> None:
        self.server = server
        self._loop = asyncio.new_event_loop()
        self._failure: BaseException | None = None
        settings = server.deployment.server
        self._listening = listen(settings.host, settings.port)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        port = self._listening.getsockname()[1]
        self.port: int = port
        self.http = httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=timeout_s)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self.server.main(self._listening))
        except BaseException as error:
            self._failure = error
        finally:
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    def wait(self, timeout_s: float = 60.0) -> Running:
        """Wait until it is ready; raise what kept it from that."""
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            if self._failure is not None:
                raise self._failure
            if self.server.plane.ready() and self.server.url and self.server.plane.served:
                with contextlib.suppress(httpx2.TransportError):
                    if self.http.get("/v2/health/ready").status_code == 200:
                        return self
            time.sleep(0.01)
        raise AssertionError("the server was not ready in time")

    def ask(self, *rows: dict[str, Any], path: str = "/models/behaving/predict", **headers: str) -> httpx2.Response:
        """Send rows to the friendly API."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.post(path, json={"rows": list(rows)}, headers=given)

    def call(self, awaitable: Any) -> Any:
        """Run something on the server's event loop, and return its result."""
        return asyncio.run_coroutine_threadsafe(awaitable, self._loop).result(60)

    def soon(self, function: Any, *arguments: Any) -> None:
        """Call something on the server's event loop."""
        self._loop.call_soon_threadsafe(function, *arguments)

    def stop(self) -> None:
        """Stop it as SIGTERM does, and wait."""
        if self._thread.is_alive():
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self.server.stop)
        self._thread.join(30)
        self.http.close()
        assert not self._thread.is_alive(), "the server did not stop"


@contextlib.contextmanager
def serving(deployed: Deployment, **around: Any) -> Iterator[Running]:
    """Serve in a thread, and wait until it is ready."""
    running = Running(Server(deployed, Surroundings(**around)))
    try:
        yield running.wait()
    finally:
        running.stop()


@contextlib.contextmanager
def command(*arguments: str, folder: Path, ready: str = "Ready.", **variables: str) -> Iterator[tuple[Any, str]]:
    """Run ``modelwright serve`` as a user does; give the process and its URL when it is ready."""
    log = folder / "serve.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "modelwright", "serve", *arguments],
            cwd=folder,
            env={**os.environ, "XDG_RUNTIME_DIR": str(folder / "run"), **variables},
            stdout=subprocess.PIPE,
            stderr=stderr,
        )
    try:
        until = time.monotonic() + 60
        while ready not in log.read_text() and process.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        text = log.read_text()
        assert process.poll() is None, text
        yield process, next(word for word in text.split() if word.startswith("http"))
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
        process.communicate()
