"""Write bytes to something that may block for ever, from a thread of its own, without anybody waiting for it.

Called by the access log. At most one portion is on its way; what to do with the next one meanwhile is the caller's
business.
"""

from __future__ import annotations

import contextlib
import os
import queue
import select
import threading
from typing import IO, Any

Sink = IO[str] | IO[bytes] | int
"""A file descriptor, or a stream; of a stream with a descriptor only that is used."""


class SinkThread:
    """Writes portions to a sink, in order.

    A stream with a descriptor is written to by that: a thread of Python that is stuck in a buffered stream holds its
    lock, and the interpreter aborts when it ends and wants to flush it.

    Args:
        sink: Where to.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._descriptor = _descriptor(sink)
        self._portions: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._free = True
        self._torn = False
        self.lost = 0
        """Lines that a sink refused (closed pipe, full disk)."""
        self._thread = threading.Thread(target=self._run, name="modelwright-log", daemon=True)
        self._thread.start()

    @property
    def free(self) -> bool:
        """Whether the last portion is through, so that the next one can be taken."""
        return self._free

    def send(self, portion: bytes) -> None:
        """Take whole lines to write; only when it is free."""
        self._free = False
        self._portions.put(portion)

    def close(self, timeout_s: float) -> None:
        """Write what was taken, and end; a sink that blocks longer is left as it is."""
        self._portions.put(None)
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while (portion := self._portions.get()) is not None:
            try:
                self._write(b"\n" + portion if self._torn else portion)
                self._torn = False
            except (OSError, ValueError):  # ValueError: the stream was closed
                self.lost += portion.count(b"\n")
                self._torn = True
            self._free = True

    def _write(self, portion: bytes) -> None:
        if self._descriptor is None:
            self._stream(portion)
            return
        left = memoryview(portion)
        while left:
            try:
                left = left[os.write(self._descriptor, left) :]
            except BlockingIOError:
                select.select([], [self._descriptor], [], 1.0)

    def _stream(self, portion: bytes) -> None:
        stream: Any = self._sink
        try:
            stream.write(portion)
        except TypeError:
            stream.write(portion.decode())
        stream.flush()


def _descriptor(sink: Sink) -> int | None:
    if isinstance(sink, int):
        return sink
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sink.flush()
        return sink.fileno()
    return None
