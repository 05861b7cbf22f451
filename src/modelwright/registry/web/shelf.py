"""Keep what is dear to make and never changes: what was read out of stored wheels.

For: the pages about versions. A wheel has the same bytes for ever under its digest, so that whatever was made of it
holds for ever, too; only the least recently used is forgotten. What is kept is not secret from whoever may see the
project, and every page asks the service for the project first.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

Kept = TypeVar("Kept")
ROOM = 64
"""How many things are kept."""


class Shelf:
    """The least recently used things are forgotten; safe to be used from many threads.

    Args:
        room: How many things are kept.

    Example:
        >>> shelf = Shelf(room=1)
        >>> shelf.get("a", lambda: 1), shelf.get("a", lambda: 2), shelf.get("b", lambda: 3), shelf.get("a", lambda: 4)
        (1, 1, 3, 4)
    """

    def __init__(self, *, room: int = ROOM) -> None:
        self._room = room
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Kept]) -> Kept:
        """Return what is kept under a key, made now if it is not there; two threads may both make it."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                found: Kept = self._kept[key]
                return found
        made = make()
        with self._lock:
            self._kept[key] = made
            self._kept.move_to_end(key)
            while len(self._kept) > self._room:
                self._kept.popitem(last=False)
        return made
