"""Read large bodies in a thread, so that whoever sends one, or a hostile one, does not stop the requests of others.

Called by the HTTP doors. What is small is read at once, because a thread costs more than reading. Whatever the thread
does in Python gives way to the event loop every few milliseconds; what the decoder does in C is short.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

LARGE = 2**19
"""A body of more bytes is read in a thread."""
_threads = ThreadPoolExecutor(2, thread_name_prefix="modelwright-reading")


async def read_aside(size: int, read: Callable[[], T], *, known: bool = True) -> T:
    """Return what reading a body gives, in a thread if it is large.

    Args:
        size: Size of the body, bytes.
        read: Reads it; what it raises is raised.
        known: Whether what reads it is there, and need not be imported first.
    """
    if known and size <= LARGE:
        return read()
    return await asyncio.get_running_loop().run_in_executor(_threads, read)
