"""The application in front of the data plane: reads a request, finds its handler, sends the answer, tells.

An ASGI application, with a task per request on one event loop; small predictions whose bodies are there need none
(:mod:`.exchange`). Nothing here waits for a model but through the plane. Whatever goes wrong is answered in the form
of the door that was used, and never with a traceback.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from modelwright.errors import ModelwrightError, NotReadyError, OverloadedError, SlowRequestError, TooLargeError
from modelwright.serving.asking import NOBODY, asked_of
from modelwright.serving.dataplane import DataPlane
from modelwright.serving.http.exchange import Exchange
from modelwright.serving.http.messages import Reply, Request
from modelwright.serving.http.protocol import ANSWER, LATE
from modelwright.serving.http.rest import written_error
from modelwright.serving.http.statuses import status_of
from modelwright.serving.http.tokens import Tokens
from modelwright.serving.intake.aside import LARGE
from modelwright.serving.intake.compression import decompress
from modelwright.serving.operating.failures import error_line

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Handler = Callable[[Request], Awaitable[Reply]]
WriteError = Callable[[BaseException, str], Reply]
Found = tuple[Handler, WriteError, bool]
"""Handler, how it writes errors, and whether a token is needed."""
Find = Callable[[str, str], Found]
"""By method and path; raises what the router refuses with."""

error_log = logging.getLogger("modelwright.serving.errors")
MAX_REQUEST_ID = 128
_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:/+=")


class Gateway:
    """An ASGI application.

    Args:
        plane: What is told of requests.
        find: Finds the handler of a method and a path.
        max_body_bytes: Largest body, also after decompression.
        tokens: Who may ask; ``None``: everyone.
    """

    def __init__(self, plane: DataPlane, find: Find, *, max_body_bytes: int, tokens: Tokens | None = None) -> None:
        self._plane, self._find = plane, find
        self._max_body = max_body_bytes
        self._tokens = tokens
        self.in_flight = 0

    def begin(self, scope: Scope, body: bytes, later: Callable[[Any], None]) -> bool:
        """Begin to answer a request that arrived whole, if that needs no task; else say so, and nothing was done.

        Args:
            scope: Its ASGI scope, which holds :data:`.protocol.ANSWER`.
            body: Its body.
            later: Runs an ASGI application for it.
        """
        begun = time.perf_counter()
        try:
            handler, write_error, guarded = self._find(scope["method"], scope["path"])
        except ModelwrightError:
            return False
        begin = getattr(handler, "begin", None)
        if begin is None or len(body) > LARGE:
            return False
        request = _request(scope)
        if b"content-encoding" in request.headers:
            return False
        request.body = body
        exchange = Exchange(self, request, scope, begun, write_error, later)
        self.in_flight += 1
        try:
            if guarded:
                self._admit(request)
            if not begin(request, exchange):
                self.in_flight -= 1
                return False
        except Exception as failure:
            exchange.set_exception(failure)
        return True

    def send(self, exchange: Exchange, reply: Reply, error: str) -> None:
        """Send the reply of an exchange, and tell the observers."""
        request, scope = exchange.request, exchange.scope
        if not scope[ANSWER](scope, _head(reply, request.request_id), reply.body):
            exchange.later(_sends(reply, request.request_id))
        self.in_flight -= 1
        self._tell(request, exchange.begun, reply.status, error)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await _live(receive, send)
            return
        begun, request, error = time.perf_counter(), _request(scope), ""
        note = request.note
        write_error: WriteError | None = None
        self.in_flight += 1
        try:
            try:
                handler, write_error, guarded = self._find(request.method, request.path)
                if guarded:
                    self._admit(request)
                body = await self._body(request.headers, receive)
                if body is None:
                    note.transport, late = note.transport or "http", LATE in scope
                    self._tell(request, begun, 408 if late else 499, SlowRequestError.code if late else "")
                    return
                request.body = body
                reply = await handler(request)
            except Exception as failure:
                error = failure.code if isinstance(failure, ModelwrightError) else ModelwrightError.code
                note.asked = asked_of(failure)
                reply = self.refused(failure, write_error, note.request_id or request.request_id)
            await _send(scope, send, reply, note.request_id or request.request_id)
            self._tell(request, begun, reply.status, error)
        finally:
            self.in_flight -= 1

    def _admit(self, request: Request) -> None:
        if self._tokens:
            self._tokens.admit(request.headers.get(b"authorization", b"").decode("latin-1"))

    def _tell(self, request: Request, begun: float, status: int, error: str) -> None:
        note, headers = request.note, request.headers
        if note.transport:
            seconds = time.perf_counter() - begun
            self._plane.told(
                note.event(
                    time_s=time.time() - seconds,
                    seconds=seconds,
                    status=status,
                    error=error,
                    request_id=request.request_id,
                    client=request.client,
                    traceparent=headers.get(b"traceparent", b"").decode("latin-1"),
                    tracestate=headers.get(b"tracestate", b"").decode("latin-1"),
                )
            )

    async def _body(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes | None:
        """Return the whole body, decompressed; ``None``: the client went away, or took too long."""
        length = headers.get(b"content-length", b"")
        if length and int(length) > self._max_body:
            raise self._too_large()
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body: bytes = message["body"]
        if message["more_body"]:
            collected = bytearray(body)
            while message["more_body"]:
                if len(collected) > self._max_body:
                    raise self._too_large()
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                collected += message["body"]
            body = bytes(collected)
        if len(body) > self._max_body:
            raise self._too_large()
        encoding = headers.get(b"content-encoding")
        if encoding:
            body = decompress(body, encoding.decode("latin-1"), limit=self._max_body)
        return body

    def _too_large(self) -> TooLargeError:
        return TooLargeError(
            f"The body is larger than {self._max_body:,} bytes.",
            why="A server holds whole requests in memory.",
            hint="Send fewer rows at once, or Arrow instead of JSON; max_body_bytes is the limit.",
        )

    def refused(self, failure: Exception, write_error: WriteError | None, request_id: str) -> Reply:
        """Return what a client is told of an error, and log what its operator should know."""
        if not isinstance(failure, ModelwrightError):
            error_log.error("%s: a defect", request_id, exc_info=failure)
        elif (
            status_of(failure) >= 500
            and not isinstance(failure, OverloadedError | NotReadyError)
            and asked_of(failure) == NOBODY  # failures of a version are in the log already
        ):
            error_log.warning("%s: %s", request_id, error_line(failure))
        return (write_error or written_error)(failure, request_id)


def _request(scope: Scope) -> Request:
    """Return a request, still without its body."""
    headers, client = dict(scope["headers"]), scope["client"]
    unit = headers.get(b"modelwright-unit")
    return Request(
        scope["method"],
        scope["path"],
        scope["query_string"],
        headers,
        b"",
        _request_id(headers),
        unit.decode("utf-8", "replace") if unit else "",
        client[0] if client else "",
    )


def _request_id(headers: Mapping[bytes, bytes]) -> str:
    """Return what the caller calls the request, if that can be written anywhere; else a new id."""
    given = headers.get(b"x-request-id")
    if given and len(given) <= MAX_REQUEST_ID and _SAFE.issuperset(given):
        return given.decode("ascii")
    return f"{random.getrandbits(96):024x}"


async def _send(scope: Scope, send: Send, reply: Reply, request_id: str) -> None:
    """Send an answer: in one piece where the server can, else as ASGI has it."""
    at_once = scope.get(ANSWER)
    if at_once is None or not at_once(scope, _head(reply, request_id), reply.body):
        await _sends(reply, request_id)(scope, None, send)


def _sends(reply: Reply, request_id: str) -> Callable[[Scope, object, Send], Awaitable[None]]:
    """Return the ASGI application that sends a reply."""
    status, body, content_type, extra = reply
    headers = [
        (b"content-type", content_type.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"x-request-id", _as_header(request_id)),
        *extra,
    ]

    async def app(_scope: Scope, _receive: object, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


def _head(reply: Reply, request_id: str) -> bytes:
    """Return status line and headers as they are sent, without the empty line."""
    status, body, content_type, extra = reply
    same = _same_head(status, content_type, extra)
    return b"%bcontent-length: %d\r\nx-request-id: %b\r\n" % (same, len(body), _as_header(request_id))


@lru_cache(maxsize=256)
def _same_head(status: int, content_type: str, extra: tuple[tuple[bytes, bytes], ...]) -> bytes:
    """Return what is the same in the head of many answers."""
    headers = [(b"content-type", content_type.encode()), *extra]
    return b"".join([_STATUS_LINES[status], *[b"%b: %b\r\n" % header for header in headers]])


_STATUS_LINES = {one.value: f"HTTP/1.1 {one.value} {one.phrase}\r\n".encode() for one in HTTPStatus}


def _as_header(request_id: str) -> bytes:
    """Return an id as a header can hold it; a message may carry one with any characters."""
    text = request_id.encode("ascii", "replace")
    return text if _SAFE.issuperset(text) else bytes(char if char in _SAFE else 63 for char in text)


async def _live(receive: Receive, send: Send) -> None:
    while (message := await receive())["type"] != "lifespan.shutdown":
        await send({"type": f"{message['type']}.complete"})
    await send({"type": "lifespan.shutdown.complete"})
