"""A client that looks at every answer: as fast as answers come, or at a rate that does not wait for them.

For the scripts about mix-ups, changes, overload and shadows, where each answer matters more than how many there are.
Connections stay open; there is one request at a time on each. A request counts as broken if it was sent and no whole
answer came; a connection that the server ends between requests is opened anew.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import uvloop
from registry_peers import CLIENT_CORE

TICK_S = 0.001
BROKEN = 0
"""Status of a request that was sent and not answered."""


class Seen(NamedTuple):
    """What became of one request.

    Attributes:
        at_s: When it was sent, seconds after the first.
        seconds: How long its answer took.
        status: Of the answer, or ``BROKEN``.
        body: Of the answer.
    """

    at_s: float
    seconds: float
    status: int
    body: bytes


def post(path: str, body: bytes, media_type: str = "application/json") -> bytes:
    """Return the bytes of a request."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Connection(asyncio.Protocol):
    """One connection; ``done`` is told of every answer, and of the end: status ``BROKEN`` if one was awaited."""

    def __init__(self, done: Callable[[Connection, int, bytes], None], lost: Callable[[Connection], None]) -> None:
        self._done, self._lost, self._buffer, self._size = done, lost, b"", -1
        self.tag, self.sent, self.busy, self.open = 0, 0.0, False, False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.open = transport, True

    def send(self, tag: int, request: bytes) -> None:
        """Send a request."""
        self.tag, self.busy, self.sent = tag, True, time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer = self._buffer + data if self._buffer else data
        if self._size < 0:
            end = buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            self._head = buffer[:end].lower()
            place = self._head.find(b"content-length:") + 15
            self._start = end + 4
            self._size = self._start + int(self._head[place:].split(b"\r\n", 1)[0])
        if len(buffer) >= self._size:
            status, body = int(buffer[9:12]), buffer[self._start : self._size]
            self._buffer, self._size, self.busy = b"", -1, False
            if b"connection: close" in self._head:
                self.open = False
                self.transport.close()
            self._done(self, status, body)

    def connection_lost(self, _exc: Exception | None) -> None:
        self.open = False
        if self.busy:
            self.busy = False
            self._done(self, BROKEN, b"")
        self._lost(self)


def ask_all(
    port: int, requests: Iterator[tuple[int, bytes]], check: Callable[[int, int, bytes], None], *, connections: int
) -> float:
    """Send every request, the next one on each connection when an answer is complete.

    Args:
        port: Of the server.
        requests: Numbers and bytes.
        check: Told number, status and body of each.
        connections: How many.

    Returns:
        How long it took, seconds.
    """
    return run_beside(_ask_all(port, requests, check, connections))


async def _ask_all(
    port: int, requests: Iterator[tuple[int, bytes]], check: Callable[[int, int, bytes], None], connections: int
) -> float:
    loop, begun = asyncio.get_running_loop(), time.perf_counter()
    ended = [loop.create_future() for _ in range(connections)]

    async def run(place: int) -> None:
        def following(connection: Connection) -> None:
            found = next(requests, None)
            if found is not None:
                connection.send(*found)
            elif not ended[place].done():
                ended[place].set_result(None)
                connection.transport.close()

        def done(connection: Connection, status: int, body: bytes) -> None:
            check(connection.tag, status, body)
            if connection.open:
                following(connection)

        def lost(_connection: Connection) -> None:
            if not ended[place].done():
                loop.create_task(run(place))

        _, connection = await loop.create_connection(lambda: Connection(done, lost), "127.0.0.1", port)
        following(connection)

    await asyncio.gather(*(run(place) for place in range(connections)))
    await asyncio.gather(*ended)
    return time.perf_counter() - begun


class Paced:
    """Requests at a rate, whatever becomes of them.

    Args:
        port: Of the server.
        requests: Their bytes.
        per_s: How many in a second.
        most: Connections at once; a request that finds none free waits, and its time counts from when it was due.

    Attributes:
        seen: What became of each request.
        refused: How often a connection could not be opened.
    """

    def __init__(self, port: int, requests: Iterator[bytes], *, per_s: float, most: int = 64) -> None:
        self._port, self._requests, self._per_s, self._most = port, requests, per_s, most
        self._idle: list[Connection] = []
        self._opening, self._number, self._open = 0, 0, 0
        self.seen: list[Seen] = []
        self.refused = 0
        self.stopping = False

    def run(self, seconds: float) -> list[Seen]:
        """Ask for so long; return what was seen."""
        run_beside(self.ask(seconds))
        return self.seen

    async def ask(self, seconds: float) -> None:
        """Ask for so long, or until ``stopping`` is set, and wait for what is under way."""
        self._begun = time.perf_counter()
        sent, due = 0, 0
        while not self.stopping and (now := time.perf_counter() - self._begun) < seconds:
            due = int(now * self._per_s)
            while sent < due and self._idle and not self.stopping:
                connection = self._idle.pop()
                if connection.open:
                    connection.send(sent, next(self._requests))
                    connection.sent = self._begun + sent / self._per_s
                    sent += 1
            wanted = due - sent
            while wanted > 0 and self._open + self._opening < self._most and not self.stopping:
                wanted -= 1
                self._opening += 1
                asyncio.get_running_loop().create_task(self._connect())
            await asyncio.sleep(TICK_S)
        until = time.perf_counter() + 60
        while len(self.seen) < sent and time.perf_counter() < until:
            await asyncio.sleep(0.01)
        self.seen += [Seen(0.0, 60.0, BROKEN, b"")] * (sent - len(self.seen))
        for connection in self._idle:
            connection.transport.close()

    async def _connect(self) -> None:
        try:
            make = lambda: Connection(self._done, self._lost)  # noqa: E731
            _, connection = await asyncio.get_running_loop().create_connection(make, "127.0.0.1", self._port)
            self._open += 1
            self._idle.append(connection)
        except OSError:
            self.refused += 1
        finally:
            self._opening -= 1

    def _done(self, connection: Connection, status: int, body: bytes) -> None:
        self.seen.append(Seen(connection.sent - self._begun, time.perf_counter() - connection.sent, status, body))
        if connection.open:
            self._idle.append(connection)

    def _lost(self, connection: Connection) -> None:
        self._open -= 1
        if connection in self._idle:
            self._idle.remove(connection)


def run_beside(what: Any) -> Any:
    """Run a coroutine on the clients' core, beside a server on another."""
    os.sched_setaffinity(0, {CLIENT_CORE or 0})
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(what)
    finally:
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
