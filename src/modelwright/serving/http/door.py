"""A door: an address that is listened on, and what answers there, as uvicorn serves it.

Opened and closed by :mod:`modelwright.serving.assembly`.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn

from modelwright.serving.deployment import ServerSettings
from modelwright.serving.http.gateway import Gateway
from modelwright.serving.http.listening import BACKLOG
from modelwright.serving.http.protocol import Patience, speaking

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
        self, application: Gateway, listening: socket.socket, settings: ServerSettings, *, tls: bool = False
    ) -> None:
        patience = Patience(settings.head_s, settings.body_s, settings.max_connections, settings.max_body_bytes)
        super().__init__(
            uvicorn.Config(
                application,
                http=speaking(patience, application.begin),
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

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the address, and wait for what is under way; who had connected by then is answered.

        A connection that the kernel holds is reset when the address is closed, although its client is connected and may
        have sent a request. So they are accepted to the last, and the address is closed at once, before anything else
        runs. A handshake that the kernel finishes between the two is still reset; nothing in the interface of sockets
        closes an address to new connections without losing those that wait.

        Source: Linux kernel, ``inet_csk_listen_stop``; listen(2).
        """
        waiting = self._waiting()
        for server in self.servers:
            server.close()
        for listening in sockets or ():
            listening.close()
        loop = asyncio.get_running_loop()
        made = [loop.connect_accepted_socket(self._protocol, one, ssl=self.config.ssl) for one in waiting]
        await asyncio.gather(*made, asyncio.sleep(0), return_exceptions=True)  # TLS may fail, as it may at any time
        await super().shutdown(sockets)

    def _waiting(self) -> list[socket.socket]:
        """Accept what waits to be."""
        accepted: list[socket.socket] = []
        with contextlib.suppress(OSError):  # none is left; or there are no more descriptors
            while len(accepted) < BACKLOG:
                accepted.append(self._listening.accept()[0])
                accepted[-1].setblocking(False)
        return accepted

    def _protocol(self) -> asyncio.Protocol:
        kind: Any = self.config.http_protocol_class
        made: asyncio.Protocol = kind(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)
        return made

    async def close(self) -> None:
        """Accept no more, and wait until what is under way is answered, at most as long as the settings say."""
        self.should_exit = True
        if self._task is not None:
            await self._task
