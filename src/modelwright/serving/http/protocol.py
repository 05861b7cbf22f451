"""HTTP/1.1 as uvicorn speaks it, with limits: how long a head and a body may take, and how many connections there are.

Uvicorn counts between requests only: whoever sends a byte a minute would keep a connection for ever. A request that
arrives in one piece, as nearly all do, costs nothing here; a timer is set only while one is incomplete.

Source: RFC 9110, 15.5.9 "408 Request Timeout" and 15.6.4 "503 Service Unavailable"; RFC 9112, 9.6 "Tear-down".
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

ANSWER = "modelwright.answer"
"""Key of the scope whose value sends a whole answer at once."""
LATE = "modelwright.late"
"""Key of the scope that says that the body did not arrive in time."""
MAX_HEAD = 64 * 2**10
"""Largest head of a request that arrives in pieces, bytes."""
LINGER_S = 0.5
"""While the server stops, a connection that was idle for so long is closed, seconds."""


class Patience(NamedTuple):
    """How long is waited, and for how many.

    Attributes:
        head_s: Longest time until the head of a request is complete, seconds.
        body_s: Longest time until its body is complete, seconds.
        max_connections: Connections at once.
        max_body_bytes: Largest body.
    """

    head_s: float = 10.0
    body_s: float = 30.0
    max_connections: int = 1000
    max_body_bytes: int = 16 * 2**20


Begin: TypeAlias = "Callable[[Any, bytes, Callable[[Any], None]], bool]"
"""Answers a request that arrived whole, without a task, and says whether it does: its scope, its body, and what runs
an ASGI application for it later."""


def _needs_a_task(_scope: Any, _body: bytes, _later: Callable[[Any], None]) -> bool:
    return False


class GatewayProtocol(HttpToolsProtocol):
    """HTTP/1.1 with limits; :func:`speaking` gives one with limits of its own."""

    patience = Patience()
    begin: Begin = staticmethod(_needs_a_task)
    _written: tuple[Any, bytes] = (None, b"")
    _idle_since = 0.0
    _held: tuple[RequestResponseCycle, Any] | None = None
    _feeding = False
    _timer: asyncio.TimerHandle | None = None
    _reading = False
    _in_head = False
    _head_bytes = _body_bytes = 0
    _parts: list[bytes]
    _stopping = False
    _closing = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request, unless there are too many connections."""
        super().connection_made(transport)
        if len(self.connections) > self.patience.max_connections:
            self._refuse(503, "More connections are open than this server takes.", "MW1206", b"retry-after: 1\r\n")
            return
        self._in_head = True
        self._arm(self.patience.head_s)

    def data_received(self, data: bytes) -> None:
        """Take in what arrived."""
        if self.parser is None or self._closing or self.transport.is_closing():
            return
        self._feeding = True
        super().data_received(data)
        self._feeding = False
        if self._held is not None:
            held, self._held = self._held, None
            self._begin(*held)
        if self._reading or (self._in_head and self._timer is not None):
            self._still_reading(len(data))

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Start a task for a request; if its head was just read, not before the rest of what arrived was read, too."""
        if self._feeding:
            self._held = cycle, app
        else:
            super()._start_asgi_task(cycle, app)

    def _begin(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Answer a request without a task, if it is all there and that is possible."""
        start = super()._start_asgi_task
        whole = not cycle.more_body and not cycle.waiting_for_100_continue and not self._closing
        body: Any = cycle.body
        if not whole or not self.begin(cycle.scope, body, partial(start, cycle)):
            start(cycle, app)

    def _still_reading(self, size: int) -> None:
        if self.transport.is_closing():
            self._disarm()
        elif self._in_head:
            self._head_bytes += size
            if self._head_bytes > MAX_HEAD:
                self._refuse(431, f"The head of a request is at most {MAX_HEAD} bytes.", "MW1205")
            elif self._timer is None:
                self._arm(self.patience.head_s)
        elif self._timer is None:
            self._arm(self.patience.body_s)

    def on_message_begin(self) -> None:
        """Take note that a request begins."""
        super().on_message_begin()
        self._reading = self._in_head = True
        self._head_bytes = self._body_bytes = 0
        self._parts = []

    def on_headers_complete(self) -> None:
        """Take note that its head is there."""
        self._in_head = False
        self._disarm()
        super().on_headers_complete()
        if self.cycle is not None:
            self.cycle.scope[ANSWER] = self._answer  # type: ignore[literal-required]
            if self._stopping:
                self.cycle.keep_alive = False

    def _answer(self, cycle_scope: object, head: bytes, body: bytes) -> bool:
        """Send a whole answer in one piece; say whether that was possible.

        What uvicorn checks header by header was written by the gateway itself; and two writes are more than one. Not
        possible while a client does not read, for HEAD, and before a body that the client still waits to send.

        Args:
            cycle_scope: The scope of the request that is answered.
            head: Status line and headers, without the empty line.
            body: The body.
        """
        cycle = self.cycle
        if (
            cycle.scope is not cycle_scope
            or cycle.response_started
            or cycle.disconnected
            or cycle.waiting_for_100_continue
            or self.flow.write_paused
            or cycle.scope["method"] == "HEAD"
        ):
            return False
        cycle.response_started = cycle.response_complete = True
        if self._reading and cycle.more_body:  # the rest of the body would be taken for another request
            cycle.keep_alive = False
        end = b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n"
        self.transport.write(b"".join((head, self._usual(), end, body)))
        cycle.message_event.set()
        if not cycle.keep_alive:
            self._close_gently()
        cycle.on_response()
        return True

    def _usual(self) -> bytes:
        """Return the headers that every answer has: the date, which uvicorn writes anew once a second."""
        headers = self.server_state.default_headers
        if self._written[0] is not headers:
            type(self)._written = headers, b"".join([b"%b: %b\r\n" % header for header in headers])
        return self._written[1]

    def on_response_complete(self) -> None:
        """Take note that the answer is sent, and wait for the next request: with one timer, not one per request."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self._idle_since = self.loop.time()
            if self.timeout_keep_alive_task is None:
                self._expect_within(self.timeout_keep_alive)

    def _expect_within(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self._close_if_unused)

    def _close_if_unused(self) -> None:
        """Close a connection that had no request for too long; else look again when that can be so."""
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if self._reading or (self.cycle is not None and not self.cycle.response_complete):
            left = self.timeout_keep_alive
        if left > 0:
            self._expect_within(left)
        else:
            self.timeout_keep_alive_task = None
            self.timeout_keep_alive_handler()

    def _unset_keepalive_if_required(self) -> None:
        """Leave the timer; it looks by itself whether a request came."""

    def _close_gently(self) -> None:
        """Close, but not before a client that still sends could read the answer: unread bytes would reset it.

        Source: RFC 9112, 9.6 "Tear-down".
        """
        if not self._reading:
            self.transport.close()
            return
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._closing = True
        self.flow.resume_reading()
        self.loop.call_later(LINGER_S, self.transport.close)

    def on_body(self, body: bytes) -> None:
        """Take in a part of the body, and wake the application when all of it is there, or too much.

        It needs the whole of it anyway; waking it for each part, and stopping the socket meanwhile, costs more than
        everything else that is done with a large body.
        """
        cycle = self.cycle
        if cycle.response_complete:
            return
        self._parts.append(body)
        self._body_bytes += len(body)
        if self._body_bytes > self.patience.max_body_bytes:
            self._put_together()
            self.flow.pause_reading()
            cycle.message_event.set()

    def _put_together(self) -> None:
        """Give the request the parts of its body that have come: without a copy if it came in one."""
        cycle: Any = self.cycle
        parts = [bytes(cycle.body), *self._parts] if cycle.body else self._parts
        cycle.body = parts[0] if len(parts) == 1 else b"".join(parts)
        self._parts = []

    def on_message_complete(self) -> None:
        """Take note that it is there."""
        self._reading = False
        self._disarm()
        self._put_together()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._disarm()
        super()._unset_keepalive_if_required()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Close when the request under way is answered, or when none comes: a client may be sending one just now."""
        self._stopping = True
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.keep_alive = False
        self.loop.call_later(LINGER_S, self._close_if_idle)

    def _close_if_idle(self) -> None:
        if self.transport.is_closing():
            return
        if self._reading or (self.cycle is not None and not self.cycle.response_complete):
            self.loop.call_later(LINGER_S, self._close_if_idle)
        else:
            self.transport.close()

    def _arm(self, seconds: float) -> None:
        self._timer = self.loop.call_later(seconds, self._too_late)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_late(self) -> None:
        self._timer = None
        if self._in_head and self.cycle is not None and not self.cycle.response_complete:
            self._arm(self.patience.head_s)  # of the next request; the one before is not answered yet
        elif self._in_head and not self._reading:  # nothing of a request came at all
            self.transport.close()
        elif self._in_head:
            self._refuse(408, f"The head of the request did not arrive within {self.patience.head_s:g} s.", "MW1213")
        else:
            self._give_up_on(self.cycle)
            self._refuse(408, f"The body of the request did not arrive within {self.patience.body_s:g} s.", "MW1213")

    def _give_up_on(self, cycle: RequestResponseCycle) -> None:
        cycle.scope[LATE] = True  # type: ignore[literal-required]
        cycle.disconnected = True
        cycle.message_event.set()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP."""
        self._refuse(400, msg, "MW1203")

    def _refuse(self, status: int, said: str, code: str, headers: bytes = b"") -> None:
        """Answer without the application, and close; what the application still answers is not sent any more."""
        if self._closing or self.transport.is_closing():
            return
        self._disarm()
        if self.pipeline:  # several requests wait for answers, and this would be taken for the first of them
            self.transport.abort()
            return
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        request_id = f"{random.getrandbits(96):024x}"
        body = msgspec.json.encode({"error": said, "code": code, "details": [], "request_id": request_id})
        self.transport.write(
            b"HTTP/1.1 %d %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\nx-request-id: %b\r\n"
            b"connection: close\r\n%b\r\n" % (status, _REASONS[status], len(body), request_id.encode(), headers) + body
        )
        self._close_gently()


_REASONS = {
    400: b"Bad Request",
    408: b"Request Timeout",
    431: b"Request Header Fields Too Large",
    503: b"Service Unavailable",
}


def speaking(patience: Patience, begin: Begin = _needs_a_task) -> type[asyncio.Protocol]:
    """Return the protocol with these limits, and with what answers requests that need no task."""
    kind: Any = type("GatewayProtocol", (GatewayProtocol,), {"patience": patience, "begin": staticmethod(begin)})
    return kind  # type: ignore[no-any-return]
