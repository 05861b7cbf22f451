"""One line of JSON per request: who asked what, which version answered, how it went, how long it took.

Told by the data plane; flushed by the server, ten times a second. No value of a field or of an answer is in it, and
no query string. What the request was about (its unit) may be a person: it is left out, or hashed with a salt.

Source: RFC 8259 (JSON), one text per line; RFC 3339 (time, UTC).
"""

from __future__ import annotations

import hashlib
import hmac
import time

import msgspec

from modelwright.serving.inference import Event
from modelwright.serving.observing.sinks import Sink, SinkThread

LIMIT_BYTES = 4 * 2**20
"""So much is held for a sink that does not take it: about 15,000 lines."""
LONGEST = 200
"""Characters of what a caller chose (request id, model's name); the rest is cut off."""
DIGEST = 12
"""Characters of the digest that are shown: enough to tell the releases of one model apart."""


class Line(msgspec.Struct, omit_defaults=True):
    """A line of the access log; what is empty is left out.

    Attributes:
        time: When the request came.
        request_id: Its id.
        transport: Which door it came through.
        model: Name of the model, as it was asked for.
        status: HTTP status of the answer, or the one that means the same.
        rows: Number of rows.
        total_ms: From the head of the request to its answer, milliseconds.
        queue_ms: Of these, waiting for a worker.
        predict_ms: Of these, in the worker.
        client: Address of the caller.
        version: Version that answered.
        variant: Name of the variant.
        digest: First characters of the sha256 of its wheel.
        error: Code of the error.
        unit: What the request was about, hashed; only if there is a salt.
        trace_id: Id of the caller's trace.
    """

    time: str
    request_id: str
    transport: str
    model: str
    status: int
    rows: int
    total_ms: float
    queue_ms: float
    predict_ms: float
    client: str = ""
    version: str = ""
    variant: str = ""
    digest: str = ""
    error: str = ""
    unit: str = ""
    trace_id: str = ""


class AccessLog:
    """Writes the access log.

    A sink that blocks (a pipe that nobody reads) never stops serving: what does not fit into memory is dropped and
    counted.

    Args:
        sink: Where the lines go: a file descriptor or a stream.
        limit_bytes: Most bytes that are held while the sink does not take them.
        unit_salt: Secret that units are hashed with; empty: units are left out.

    Attributes:
        dropped: Lines that were dropped, because the sink was too slow or refused them.
    """

    def __init__(self, sink: Sink, *, limit_bytes: int = LIMIT_BYTES, unit_salt: str = "") -> None:
        self._sink = SinkThread(sink)
        self._limit = limit_bytes
        self._salt = unit_salt.encode()
        self._lines: list[bytes] = []
        self._held = 0
        self._skipped = 0
        self._second = -1
        self._prefix = ""
        self._encode = msgspec.json.Encoder().encode

    @property
    def dropped(self) -> int:
        """Count the lines that were dropped."""
        return self._skipped + self._sink.lost

    def observe(self, event: Event) -> None:
        """Take note of a request; those of shadows, which nobody asked for, are none."""
        if event.shadow:
            return
        if self._held > self._limit:
            self._skipped += 1
            return
        line = self._line(event)
        try:
            text = self._encode(line)
        except (UnicodeEncodeError, ValueError, TypeError):
            text = self._encode(_clean(line))
        self._lines.append(text)
        self._held += len(text) + 1

    def flush(self) -> None:
        """Hand what is held to the sink, unless that still writes the last portion; never waits."""
        if self._lines and self._sink.free:
            self._lines.append(b"")
            portion = b"\n".join(self._lines)
            self._lines.clear()
            self._held = 0
            self._sink.send(portion)

    def close(self, timeout_s: float = 2.0) -> None:
        """Write what is held, and end; a sink that blocks longer loses it."""
        ends = time.monotonic() + timeout_s
        while self._lines and time.monotonic() < ends:
            self.flush()
            time.sleep(0.005)
        self._skipped += len(self._lines)
        self._lines.clear()
        self._sink.close(max(0.0, ends - time.monotonic()))

    def _line(self, event: Event) -> Line:
        return Line(
            self._time(event.time_s),
            event.request_id[:LONGEST],
            event.transport,
            event.model[:LONGEST],
            event.status,
            event.rows,
            round(event.seconds * 1000, 3),
            round(event.queue_seconds * 1000, 3),
            round(event.predict_seconds * 1000, 3),
            event.client,
            event.version,
            event.variant,
            event.digest[:DIGEST],
            event.error,
            self._unit(event.unit) if self._salt and event.unit else "",
            event.traceparent[3:35],  # version, trace, span, flags: W3C Trace Context
        )

    def _time(self, seconds: float) -> str:
        second = int(seconds)
        if second != self._second:
            self._second = second
            self._prefix = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._prefix}.{int((seconds - second) * 1000):03d}Z"

    def _unit(self, unit: str) -> str:
        text = unit.encode("utf-8", "surrogatepass")
        return hmac.digest(self._salt, text, hashlib.sha256).hex()[:16]


def _clean(line: Line) -> Line:
    """Return a line with what UTF-8 has no bytes for replaced."""
    texts = {
        name: value.encode("utf-8", "replace").decode()
        for name, value in ((name, getattr(line, name)) for name in line.__struct_fields__)
        if isinstance(value, str)
    }
    return msgspec.structs.replace(line, **texts)
