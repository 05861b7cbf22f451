"""What goes over the wire, and plans: who asks, waits and understands without doing input or output.

For: the modules beside this one. A plan is a generator that yields requests and is sent replies; the clients, one that
waits and one that awaits, carry it out, so that everything they have in common is said once.
"""

from __future__ import annotations

import random
import time
from collections.abc import Generator, Mapping
from itertools import count
from typing import Any, NamedTuple, TypeVar

import msgspec

from modelwright.errors import UnreachableError
from modelwright.serving.client.refusals import refusal

T = TypeVar("T")

FIRST_WAIT_S = 0.1
"""How long the first repetition waits where the server does not ask for longer; each one after it twice as long."""
JSON = "application/json"


class Request(NamedTuple):
    """One request.

    Attributes:
        verb: HTTP method.
        path: Path below the server's address.
        content: Body.
        headers: Headers beside those of every request.
        timeout_s: How long to wait for the answer, seconds.
        after_s: How long to wait before it is sent, seconds.
    """

    verb: str
    path: str
    content: bytes = b""
    headers: Mapping[str, str] = {}
    timeout_s: float = 30.0
    after_s: float = 0.0


class Reply(NamedTuple):
    """What a server answered.

    Attributes:
        status: HTTP status.
        headers: Its headers, by name in lower case.
        content: Its body.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes


Plan = Generator[Request, Reply, T]
"""Yields requests, is sent replies, returns a result."""


class Patience(NamedTuple):
    """How long and how often to try.

    Attributes:
        timeout_s: From the first request to the answer, repetitions included, seconds.
        retries: How often a request that was not begun is sent again.
    """

    timeout_s: float = 30.0
    retries: int = 3


def exchange(request: Request, *, patience: Patience, where: str) -> Plan[Reply]:
    """Send a request until it is answered; again only if the server says that it was not begun.

    Args:
        request: The request.
        patience: How long and how often to try.
        where: The server's address.

    Raises:
        ModelwrightError: What the server refuses, as it says it.
    """
    ends, wait = time.monotonic() + patience.timeout_s, 0.0
    for attempt in count():
        left = max(ends - time.monotonic() - wait, 0.001)
        reply = yield request._replace(timeout_s=left, after_s=wait)
        if reply.status < 300:
            return reply
        again = wait_s(reply, attempt)
        if again is None or attempt >= patience.retries or time.monotonic() + again >= ends:
            raise refusal(reply.content, reply.headers, status=reply.status, where=where)
        wait = again * random.uniform(1.0, 1.25)  # noqa: S311 - so that those who were refused do not come at once
    raise AssertionError("count() does not end")


def wait_s(reply: Reply, attempt: int) -> float | None:
    """Return how long to wait before a request is sent again, ``None`` if it must not be.

    Args:
        reply: What the server answered.
        attempt: How often it was sent again before.

    Source: RFC 9110 sections 10.2.3 and 15.6.4; our servers send both only for what they have not begun.

    Example:
        >>> wait_s(Reply(503, {"retry-after": "2"}, b""), 0), wait_s(Reply(503, {"retry-after": "0"}, b""), 1)
        (2.0, 0.2)
        >>> wait_s(Reply(503, {}, b""), 0), wait_s(Reply(500, {"retry-after": "2"}, b""), 0)
        (None, None)
    """
    asked = reply.headers.get("retry-after", "")
    if reply.status != 503 or not asked.isdecimal():
        return None
    return max(float(asked), FIRST_WAIT_S * 2.0**attempt)


def decoded(content: bytes, kind: type[T] | Any, *, where: str) -> T:
    """Return what the JSON of an answer says.

    Raises:
        UnreachableError: It is not an answer of one of our servers.
    """
    try:
        found: T = msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise stranger(where, str(error)) from error
    return found


def stranger(where: str, why: str) -> UnreachableError:
    """Return the error for an answer that is none of our servers'."""
    return UnreachableError(
        "What answers there is no modelwright server, or one of another version.",
        where=where,
        why=why,
        hint="Is this the address that modelwright serve printed?",
    )
