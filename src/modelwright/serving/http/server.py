"""The server as a whole: bind, prepare, serve, drain, stop.

Called by :func:`modelwright.serving.serve.serve`. One process with one event loop; what blocks runs in threads, models
in processes of their own.

The end, on SIGTERM or SIGINT: not ready any more; requests under way and those that still come on open connections are
answered; then models stop; exit code 0. A second signal ends it at once. Python as process 1 of a container ignores
SIGTERM unless somebody handles it; here somebody does.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import uvicorn

from modelwright.serving.deployment import ServerSettings
from modelwright.serving.http.protocol import Patience, speaking

log = logging.getLogger("modelwright.serving")
KEEP_ALIVE_S = 75
"""An idle connection stays open for so long, seconds: longer than the usual 60 s of a proxy in front."""


class Door(uvicorn.Server):
    """One address that is listened on; signals are left to who opened it.

    Args:
        application: What answers there.
        listening: The socket.
        settings: Of the server.
        tls: Whether it speaks TLS.
    """

    def __init__(
        self, application: Any, listening: socket.socket, settings: ServerSettings, *, tls: bool = False
    ) -> None:
        patience = Patience(settings.head_s, settings.body_s, settings.max_connections)
        super().__init__(
            uvicorn.Config(
                application,
                http=speaking(patience),
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=True,
                proxy_headers=False,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=max(1, round(settings.drain_s)),
                ssl_certfile=settings.tls_certificate if tls and settings.tls_certificate else None,
                ssl_keyfile=settings.tls_key if tls and settings.tls_key else None,
            )
        )
        self._listening = listening
        self._task: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield

    async def open(self) -> None:
        """Begin to accept."""
        self._task = asyncio.get_running_loop().create_task(self.serve(sockets=[self._listening]))
        while not self.started and not self._task.done():
            await asyncio.sleep(0.001)
        if self._task.done():
            self._task.result()

    async def close(self) -> None:
        """Accept no more, and wait until what is under way is answered, at most as long as the settings say."""
        self.should_exit = True
        if self._task is not None:
            await self._task


@contextlib.asynccontextmanager
async def signals(stop: Callable[[], None]) -> AsyncIterator[None]:
    """Call ``stop`` on SIGTERM and SIGINT for as long as the block lasts; the second one ends the process at once."""
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT)

    def received(number: int) -> None:
        loop.remove_signal_handler(number)
        stop()

    try:
        for number in numbers:
            loop.add_signal_handler(number, received, number)
    except (NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread
        yield
        return
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


def run(main: Callable[[], Any]) -> None:
    """Run a coroutine on the fastest event loop there is."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(main())
    else:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main())


def settle() -> None:
    """Take what is loaded out of the garbage collector's sight; it would be scanned again and again for nothing."""
    gc.collect()
    gc.freeze()
