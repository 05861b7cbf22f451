"""Run the application: bind, say where, serve, and end in good order.

Called by ``modelwright registry``. One process with one event loop; what blocks runs in a bounded pool of threads.

Python as process 1 of a container ignores SIGTERM unless somebody handles it; here it and SIGINT end the server
gracefully, with exit code 0.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TextIO

import uvicorn

from modelwright.errors import UnavailableError
from modelwright.registry.app.application import create_app
from modelwright.registry.app.edge import MAX_HEADERS
from modelwright.registry.app.http1 import RegistryProtocol
from modelwright.registry.app.sockets import bound
from modelwright.registry.operating.local import LocalService

HOST, PORT = "127.0.0.1", 8080
"""Loopback unless somebody says otherwise: a registry is not shown to a network by accident."""
GRACE_S = 10
"""How long requests under way may go on after SIGTERM, seconds."""
KEEP_ALIVE_S = 30
BACKLOG = 512


def serve(
    service: LocalService,
    *,
    host: str = HOST,
    port: int = PORT,
    trusted_proxies: tuple[str, ...] = (),
    started: Callable[[str], object] = str,
    log: TextIO | None = None,
) -> None:
    """Serve a registry until SIGTERM or SIGINT.

    Args:
        service: The registry; it stays open.
        host: Address to listen on.
        port: Port; 0: any that is free.
        trusted_proxies: Addresses of reverse proxies whose ``X-Forwarded-For`` and ``-Proto`` are believed.
        started: Told the URL once connections are accepted.
        log: Where a line per request goes, and what went wrong; ``None``: only warnings, where logging is set up to.

    Raises:
        UnavailableError: The address cannot be listened on.
    """
    with _bound(host, port) as listening, _logging(log):
        config = uvicorn.Config(
            create_app(service, listening_on=host),
            http=RegistryProtocol,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(trusted_proxies),
            forwarded_allow_ips=list(trusted_proxies),
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=GRACE_S,
            h11_max_incomplete_event_size=MAX_HEADERS,
        )
        server = _Server(config, lambda: started(_url(host, listening)))
        asyncio.run(server.serve(sockets=[listening]))


@contextlib.contextmanager
def _logging(stream: TextIO | None) -> Iterator[None]:
    """Write what the registry logs to a stream for as long as the block lasts."""
    logger = logging.getLogger("modelwright.registry")
    if stream is None:
        yield
        return
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    level, logger.propagate = logger.level, False
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = True


class _Server(uvicorn.Server):
    """Uvicorn, which after a graceful end would raise the signal that ended it once more."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], object]) -> None:
        super().__init__(config)
        self._told = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._told()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        def stop(number: int, frame: FrameType | None) -> None:
            self.handle_exit(number, frame)

        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _bound(host: str, port: int) -> socket.socket:
    try:
        return bound(host, port, backlog=BACKLOG)
    except OSError as error:
        raise UnavailableError(
            f"The registry cannot listen on {host}, port {port}.",
            why=error.strerror or str(error),
            hint="modelwright registry --port 8081",
        ) from error


def _url(host: str, listening: socket.socket) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listening.getsockname()[1]}/"
