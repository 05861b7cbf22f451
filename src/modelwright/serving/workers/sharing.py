"""Memory that a model's process sees as well: large payloads lie there instead of going through the socket in pieces.

Through a socket 240 kB are copied twice, and both processes are woken several times on the way. The memory has one
size from the beginning, and takes up what was ever written to it. It is sealed: nobody can make it smaller, which
would end whoever reads it. Where the system has no such thing (macOS, Windows), everything goes through the socket.

Called by :mod:`.process` and :mod:`modelwright.serving.isolated.process`; the other end is :class:`.loop.Channel`.
Source: memfd_create(2), fcntl(2) "File Sealing".
"""

from __future__ import annotations

import mmap
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from modelwright.serving.workers.loop import SHARED, START


class SharedMemory:
    """The memory; usable when :attr:`descriptor` is there.

    Attributes:
        descriptor: File descriptor for the other process to inherit; -1: there is no such memory.
    """

    def __init__(self) -> None:
        self.descriptor = -1
        self._view = memoryview(b"")
        if sys.platform == "linux":
            with suppress(OSError):  # a sandbox may not let it; then everything goes through the socket
                self.descriptor, self._view = _sealed()

    def inherited(self) -> None:
        """Take note that the other process has it: the descriptor is not needed any more."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def put(self, parts: Sequence[bytes | memoryview]) -> None:
        """Write parts one after another, from the beginning."""
        place = 0
        for part in parts:
            self._view[place : place + len(part)] = part
            place += len(part)

    def holds(self, size: int) -> bool:
        """Say whether so many bytes can lie in it."""
        return 0 <= size <= len(self._view)

    def get(self, size: int) -> bytes:
        """Return a copy of the first bytes; the next batch is written over them."""
        return bytes(self._view[:size])


def _sealed() -> tuple[int, memoryview]:
    """Return sealed memory: its descriptor, and what is used of it.

    Raises:
        OSError: There is none to be had.
    """
    import fcntl

    descriptor = os.memfd_create("modelwright", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(descriptor, SHARED)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
        return descriptor, memoryview(mmap.mmap(descriptor, SHARED))[START:]
    except OSError:
        os.close(descriptor)
        raise
