"""How far an upload is, told to whoever waits for it.

For: the remote service, which reports, and the command line, which draws. It prints nothing.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class Transfer(NamedTuple):
    """How far one file is.

    Attributes:
        name: File name.
        done: Bytes that were handed to the network.
        total: Size of the file, bytes.
        seconds: Time since it began, seconds.
    """

    name: str
    done: int
    total: int
    seconds: float

    @property
    def rate(self) -> float:
        """Mean speed so far, bytes per second."""
        return self.done / self.seconds if self.seconds > 0 else 0.0

    @property
    def remaining_s(self) -> float | None:
        """Time that the rest will take at that speed, seconds; ``None``: nothing was moved yet.

        Example:
            >>> Transfer("churn-1.0.0-py3-none-any.whl", done=250, total=1000, seconds=1.0).remaining_s
            3.0
        """
        return (self.total - self.done) / self.rate if self.rate else None


Watcher = Callable[[Transfer], None]


def unwatched(transfer: Transfer) -> None:
    """Watch nothing."""


class WatchedFile(io.FileIO):
    """A file that is read for an upload and tells its watcher how far it is.

    Args:
        path: The file.
        watcher: Told after each piece.
    """

    def __init__(self, path: Path, watcher: Watcher) -> None:
        super().__init__(path, "rb")
        self._file_name, self._watcher = path.name, watcher
        self._total, self._start = path.stat().st_size, time.monotonic()

    def read(self, size: int | None = -1, /) -> bytes:
        """Read a piece and tell how far the file is."""
        piece = super().read(-1 if size is None else size) or b""
        if piece:
            self._watcher(Transfer(self._file_name, self.tell(), self._total, time.monotonic() - self._start))
        return piece
