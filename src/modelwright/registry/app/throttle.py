"""How often an address may be wrong about a token.

Called by :mod:`.access`. A secret has 256 random bits, so that guessing is hopeless; this bounds the noise it makes,
in the log and in the database. A token that was right a moment ago is not held up by somebody else's wrong ones behind
the same address.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

BURST = 10
"""Wrong tokens in a row that are simply refused."""
REFILL_S = 6.0
"""After so many seconds one more is."""
REMEMBERED = 4096
"""Addresses, and right tokens, that are remembered."""


class Throttle:
    """A bucket of tries per address.

    Args:
        clock: Seconds, never backwards.

    Example:
        >>> throttle = Throttle(clock=lambda: 0.0)
        >>> for _ in range(BURST):
        ...     throttle.wrong("10.0.0.1")
        >>> throttle.wait("10.0.0.1", "some digest"), throttle.wait("10.0.0.2", "some digest")
        (6, 0)
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tries: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._right: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, address: str, digest: str) -> int:
        """Return how long an address has to wait before it may show a token, seconds; 0: not at all."""
        with self._lock:
            left = self._left(address)
            return 0 if digest in self._right or left >= 1 else int((1 - left) * REFILL_S + 0.999)

    def wrong(self, address: str) -> None:
        """Count a token that was wrong."""
        with self._lock:
            self._tries[address] = (max(0.0, self._left(address) - 1), self._clock())
            self._tries.move_to_end(address)
            while len(self._tries) > REMEMBERED:
                self._tries.popitem(last=False)

    def right(self, digest: str) -> None:
        """Remember a token that was right, by its digest."""
        with self._lock:
            self._right[digest] = None
            self._right.move_to_end(digest)
            while len(self._right) > REMEMBERED:
                self._right.popitem(last=False)

    def _left(self, address: str) -> float:
        left, since = self._tries.get(address, (float(BURST), 0.0))
        return min(float(BURST), left + (self._clock() - since) / REFILL_S)
