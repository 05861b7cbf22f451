"""Do something with what was observed, in a thread of its own, with nobody waiting for it.

Called by the record log, outcomes and tracing. What waits is bounded: more is refused at once. A worker that fails is
told so in the log, at most once a minute; it never takes the server with it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

Item = TypeVar("Item")
TICK_S = 0.1
"""How often the thread looks for work, seconds."""
SLICE = 128
"""So many items are taken at a time, and no more of them once they reach :data:`SLICE_WEIGHT`."""
SLICE_WEIGHT = 1024
PAUSE_S = 0.0002
"""Between two slices other threads get their turn for so long, seconds."""
QUIET_S = 60.0
"""A trouble is logged at most once in so many seconds."""
_log = logging.getLogger(__name__)


class Work(Protocol[Item]):
    """What is done with the items."""

    def begin(self) -> None:
        """Do what is due before the first of them."""
        ...

    def take(self, items: list[Item]) -> None:
        """Work on some items, in order."""
        ...

    def tick(self) -> None:
        """Do what is due by now."""
        ...

    def finish(self) -> None:
        """Do what is left: nothing comes any more."""
        ...


class Complaints:
    """Logs trouble without flooding the log.

    Args:
        what: What is in trouble (``The record log``).
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._next = 0.0
        self._unsaid = 0

    def say(self, problem: object, error: BaseException | None = None) -> None:
        """Log a problem, unless one was logged a moment ago.

        Args:
            problem: What is wrong.
            error: What it was noticed by, whose traceback helps; ``None``: nothing more is known.
        """
        now = time.monotonic()
        if now < self._next:
            self._unsaid += 1
            return
        more = f" ({self._unsaid} more since the last line)" if self._unsaid else ""
        _log.warning("%s: %s%s", self._what, problem, more, exc_info=error)
        self._next, self._unsaid = now + QUIET_S, 0

    def conclude(self, problem: object) -> None:
        """Log a last problem, whatever was logged a moment ago: no later line will count it."""
        self._next = 0.0
        self.say(problem)


class Background(Generic[Item]):
    """Hands items to some work.

    Args:
        work: What is done with them.
        name: Name of the thread.
        limit: Most that waits, in the unit of the weights.
    """

    def __init__(self, work: Work[Item], *, name: str, limit: int) -> None:
        self._work, self._limit = work, limit
        self._items: deque[tuple[Item, int]] = deque()
        self._came = 0  # written by those who offer only; the other by the thread only, so neither needs a lock
        self._went = 0
        self._ending = threading.Event()
        self.complaints = Complaints(name)
        self._thread = threading.Thread(target=self._run, name=f"modelwright-{name}", daemon=True)
        self._thread.start()

    def offer(self, item: Item, weight: int = 1) -> bool:
        """Take an item for later, if there is room; always called from the same thread.

        Returns:
            Whether it was taken.
        """
        if self._came - self._went + weight > self._limit or self._ending.is_set():
            return False
        self._came += weight
        self._items.append((item, weight))
        return True

    @property
    def waiting(self) -> int:
        """What waits, in the unit of the weights."""
        return self._came - self._went

    def close(self, timeout_s: float) -> bool:
        """Take nothing more, work on what waits, finish.

        Returns:
            Whether that was done in time.
        """
        self._ending.set()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        self._guarded(self._work.begin)
        ending = False
        while not ending:
            ending = self._ending.wait(TICK_S)
            left = len(self._items)  # what comes meanwhile waits for the next time: many at once are cheaper
            while left > 0:
                left -= self._slice()
                time.sleep(PAUSE_S)
            self._guarded(self._work.tick)
        self._guarded(self._work.finish)

    def _slice(self) -> int:
        items: list[Item] = []
        weight = 0
        while self._items and len(items) < SLICE and weight < SLICE_WEIGHT:
            item, own = self._items.popleft()
            items.append(item)
            weight += own
        self._guarded(lambda: self._work.take(items))
        self._went += weight
        return len(items)

    def _guarded(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception as error:
            self.complaints.say(f"{type(error).__name__}: {error}")
