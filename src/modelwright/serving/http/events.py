"""The event loop and the signals of a server. It imports no web server, so that models can start before that is there.

The end, on SIGTERM or SIGINT: not ready any more; requests under way and those that still come on open connections are
answered; then models stop; exit code 0. Another signal, a second later or more, ends it at once. Python as process 1 of
a container ignores SIGTERM unless somebody handles it; here somebody does.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
from collections.abc import AsyncIterator, Callable
from typing import Any

YOUNG = 20_000
"""Objects after which the garbage collector looks for cycles among the new ones: those of some hundred requests."""
SAME_S = 1.0
"""Signals so close together are one, seconds: ``timeout``, among others, sends it to the process and to its group."""


@contextlib.asynccontextmanager
async def signals(stop: Callable[[], None]) -> AsyncIterator[None]:
    """Call ``stop`` on SIGTERM and SIGINT for as long as the block lasts; a second one ends the process."""
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT)

    def received(number: int) -> None:
        loop.call_later(SAME_S, loop.remove_signal_handler, number)
        stop()

    try:
        for number in numbers:
            loop.add_signal_handler(number, received, number)
    except (NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread
        yield
        return
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


def run(main: Callable[[], Any]) -> None:
    """Run a coroutine on the fastest event loop there is."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(main())
    else:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main())


def settle() -> Callable[[], None]:
    """Take what is loaded out of the garbage collector's sight; it would be scanned again and again for nothing.

    What requests leave behind has no cycles, so that they are looked for less often than after every 700 objects.

    Returns:
        What makes the collector again what it was: a server may end before its process does.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 20)

    def unsettle() -> None:
        gc.unfreeze()
        gc.set_threshold(*before)

    return unsettle
