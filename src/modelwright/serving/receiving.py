"""Who is told the outcome of a request: a future, or what stands for one where a task would cost too much.

Given to the plane, and on to a pool, along with rows; told exactly once, on the event loop. Whoever gave up is done
and is told nothing.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

T_contra = TypeVar("T_contra", contravariant=True)


class Receiver(Protocol[T_contra]):
    """Is told an outcome; an :class:`asyncio.Future` is one."""

    def done(self) -> bool:
        """Say whether it was told already, or does not want to know any more."""
        ...

    def set_result(self, result: T_contra, /) -> None:
        """Take the outcome."""
        ...

    def set_exception(self, exception: Exception, /) -> None:
        """Take the error."""
        ...
