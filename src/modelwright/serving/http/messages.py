"""What an HTTP request and its answer are to the transports: plain data, so that they know no web server.

The gateway makes a :class:`Request` when a body is complete (and decompressed), finds the handler, and sends the
:class:`Reply`. Handlers raise typed errors; each transport writes them in its own form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from modelwright.serving.asking import Note


@dataclass(slots=True)
class Request:
    """One HTTP request.

    Attributes:
        method: ``GET``, ``POST`` …
        path: Path, percent-decoded.
        query: What follows the question mark, as it was sent.
        headers: Values by lower-case name.
        body: The whole body, decompressed.
        request_id: What the caller said in ``X-Request-Id``, or an id that the gateway made.
        unit: What the request is about, for sticky assignment; empty if the caller did not say.
        client: Address of the caller.
        note: What handlers learn on the way, for the event that the gateway tells after the answer.
    """

    method: str
    path: str
    query: bytes = b""
    headers: Mapping[bytes, bytes] = field(default_factory=dict)
    body: bytes = b""
    request_id: str = ""
    unit: str = ""
    client: str = ""
    note: Note = field(default_factory=Note)


class Reply(NamedTuple):
    """One HTTP answer.

    Attributes:
        status: Its status.
        body: Its body.
        content_type: Media type of the body.
        headers: Further headers, lower-case names.
    """

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: tuple[tuple[bytes, bytes], ...] = ()
