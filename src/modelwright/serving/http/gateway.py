"""The ASGI application in front of the data plane: reads a request, finds its handler, sends the answer, tells.

One task per request on one event loop; nothing here waits for a model but through the plane. Whatever goes wrong is
answered in the form of the door that was used, and never with a traceback.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from modelwright.errors import ModelwrightError, NotReadyError, OverloadedError, TooLargeError
from modelwright.serving.asking import Note
from modelwright.serving.dataplane import DataPlane
from modelwright.serving.http.messages import Reply, Request
from modelwright.serving.http.protocol import ANSWER, LATE
from modelwright.serving.http.rest import written_error
from modelwright.serving.http.statuses import status_of
from modelwright.serving.http.tokens import Tokens
from modelwright.serving.intake.compression import decompress

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Headers = dict[bytes, bytes]
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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await _live(receive, send)
            return
        begun, note, error = time.perf_counter(), Note(), ""
        headers = dict(scope["headers"])
        request_id = _request_id(headers)
        client = scope["client"]
        write_error: WriteError | None = None
        self.in_flight += 1
        try:
            try:
                handler, write_error, guarded = self._find(scope["method"], scope["path"])
                if guarded and self._tokens:
                    self._tokens.admit(headers.get(b"authorization", b"").decode("latin-1"))
                body = await self._body(headers, receive)
                if body is None:
                    note.transport, error = note.transport or "http", "MW1213" if LATE in scope else ""
                    self._tell(note, begun, 408 if LATE in scope else 499, error, request_id, scope, headers)
                    return
                reply = await handler(
                    Request(
                        scope["method"],
                        scope["path"],
                        scope["query_string"],
                        headers,
                        body,
                        request_id,
                        headers.get(b"modelwright-unit", b"").decode("utf-8", "replace"),
                        client[0] if client else "",
                        note,
                    )
                )
            except Exception as failure:
                error = failure.code if isinstance(failure, ModelwrightError) else "MW000"
                reply = self._refused(failure, write_error, note.request_id or request_id)
            await _send(scope, send, reply, note.request_id or request_id)
            self._tell(note, begun, reply.status, error, request_id, scope, headers)
        finally:
            self.in_flight -= 1

    def _tell(
        self,
        note: Note,
        begun: float,
        status: int,
        error: str,
        request_id: str,
        scope: Scope,
        headers: dict[bytes, bytes],
    ) -> None:
        if note.transport:
            seconds, client = time.perf_counter() - begun, scope["client"]
            self._plane.told(
                note.event(
                    time_s=time.time() - seconds,
                    seconds=seconds,
                    status=status,
                    error=error,
                    request_id=request_id,
                    client=client[0] if client else "",
                    traceparent=headers.get(b"traceparent", b"").decode("latin-1"),
                    tracestate=headers.get(b"tracestate", b"").decode("latin-1"),
                )
            )

    async def _body(self, headers: Headers, receive: Receive) -> bytes | None:
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

    def _refused(self, failure: Exception, write_error: WriteError | None, request_id: str) -> Reply:
        if not isinstance(failure, ModelwrightError):
            error_log.error("%s: a defect", request_id, exc_info=failure)
        elif status_of(failure) >= 500 and not isinstance(failure, OverloadedError | NotReadyError):
            error_log.warning("%s: %s", request_id, failure)
        return (write_error or written_error)(failure, request_id)


def _request_id(headers: Headers) -> str:
    """Return what the caller calls the request, if that can be written anywhere; else a new id."""
    given = headers.get(b"x-request-id")
    if given and len(given) <= MAX_REQUEST_ID and _SAFE.issuperset(given):
        return given.decode("ascii")
    return f"{random.getrandbits(96):024x}"


async def _send(scope: Scope, send: Send, reply: Reply, request_id: str) -> None:
    """Send an answer: in one piece where the server can, else as ASGI has it."""
    status, body, content_type, extra = reply
    headers = [
        (b"content-type", content_type.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"x-request-id", _as_header(request_id)),
        *extra,
    ]
    at_once = scope.get(ANSWER)
    if at_once is not None and at_once(scope, _head(status, headers), body):
        return
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _head(status: int, headers: list[tuple[bytes, bytes]]) -> bytes:
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
