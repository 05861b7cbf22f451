"""Spans of requests for OpenTelemetry, made in a thread of their own.

Switched on by the server's settings; nothing of OpenTelemetry is imported before. What makes the spans is found by
entry point; where they are sent is said by the standard ``OTEL_*`` variables, which its SDK reads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, cast

import msgspec

from modelwright.plugins import find, need
from modelwright.serving.inference import Event
from modelwright.serving.observing.background import Background

GROUP = "modelwright.observers"
LIMIT = 10_000
"""So many requests wait to become spans; of more there are none."""


class Tracer(Protocol):
    """Makes spans of events."""

    def observe(self, event: Event) -> None:
        """Make the spans of a request."""
        ...

    def close(self) -> None:
        """Send what is left."""
        ...


class Tracing:
    """Hands requests to a tracer.

    Args:
        tracer: Makes the spans.

    Attributes:
        dropped: Requests that there are no spans of, because they came too fast.
    """

    def __init__(self, tracer: Tracer) -> None:
        self._thread = Background(_Spans(tracer), name="tracing", limit=LIMIT)
        self.dropped = 0

    def observe(self, event: Event) -> None:
        """Take note of a request; its rows and answers are no part of a span."""
        if not self._thread.offer(msgspec.structs.replace(event, table=None, outputs=None)):
            self.dropped += 1
            self._thread.complaints.say(f"requests get no spans, because they come too fast: {self.dropped} so far")

    def close(self, timeout_s: float = 5.0) -> bool:
        """Send what is left; say whether that was done in time."""
        return self._thread.close(timeout_s)


class _Spans:
    """What the thread does with the events."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def begin(self) -> None:
        """Do nothing."""

    def take(self, items: list[Event]) -> None:
        for event in items:
            self._tracer.observe(event)

    def tick(self) -> None:
        """Do nothing: the SDK sends in a thread of its own."""

    def finish(self) -> None:
        self._tracer.close()


def tracing(name: str = "opentelemetry") -> Tracing:
    """Return what makes spans of requests.

    Args:
        name: Name of the plug-in in ``modelwright.observers``.

    Raises:
        UnknownPluginError: There is none of that name.
        MissingExtraError: Its library is not installed.
    """
    if name == "opentelemetry":
        need("tracing", "opentelemetry")
    return Tracing(cast(Callable[[], Tracer], find(GROUP, name))())
