"""How long work tells its caller what it is doing, without printing.

For: capture, build, verify and diff take a ``listener``; the command line shows each step with ✓ and its time,
tests collect them, everyone else passes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple


class Step(NamedTuple):
    """One finished step.

    Attributes:
        name: What was done, one or two words (``signature``).
        detail: What came out of it, half a line (``30 fields, 2 outputs``).
        seconds: Wall time it took, seconds.
    """

    name: str
    detail: str
    seconds: float


Listener = Callable[[Step], None]


def ignore(step: Step) -> None:
    """Listen to nothing."""


class Note:
    """Collects the detail of a step while it runs."""

    detail: str = ""


@contextmanager
def timed(name: str, listener: Listener) -> Iterator[Note]:
    """Time a block and tell the listener when it has finished without an error.

    Example:
        >>> seen = []
        >>> with timed("hash", seen.append) as note:
        ...     note.detail = "2 files"
        >>> seen[0].name, seen[0].detail
        ('hash', '2 files')
    """
    note, start = Note(), time.perf_counter()
    yield note
    listener(Step(name, note.detail, time.perf_counter() - start))
