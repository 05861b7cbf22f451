"""The small interface behind which files lie. A stored file is addressed by its digest and never changes.

For: operating (which keeps and opens files), the application (which sends them) and the static index. It knows no
project and no stage.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol


class Key(NamedTuple):
    """Where a file lies: ``files/ab/abcd…/churn-1.3.0-py3-none-any.whl``, in the store as in its URL.

    What belongs to a file lies beside it under the same digest: ``FILENAME.metadata``, ``FILENAME.provenance``.

    Attributes:
        sha256: Digest of the file, 64 hexadecimal digits.
        name: Its file name, or that of what belongs to it.
    """

    sha256: str
    name: str

    @property
    def path(self) -> str:
        """The relative path, ``/`` between parts.

        Example:
            >>> Key("ab" * 32, "x.whl").path[:12]
            'files/ab/aba'
        """
        return f"files/{self.sha256[:2]}/{self.sha256}/{self.name}"


class Store(Protocol):
    """Where files lie. Every verb may raise ``UnavailableError``; nothing is ever half there."""

    def keep(self, key: Key, source: Path) -> None:
        """Take a complete file in; when this returns it is durable. A file that is there already stays.

        Args:
            key: Where it shall lie.
            source: A file on this machine; it is moved away if that is possible, and may be gone afterwards.
        """
        ...

    def put(self, key: Key, content: bytes) -> None:
        """Write a small document beside a file, durable and at once."""
        ...

    def open(self, key: Key) -> BinaryIO:
        """Open a file as a seekable stream.

        Raises:
            UnknownReleaseError: There is no such file.
        """
        ...

    def size(self, key: Key) -> int | None:
        """Return the size of a file, bytes; ``None``: there is no such file."""
        ...

    def path(self, key: Key) -> Path | None:
        """Return the path of a file on this machine; ``None``: it lies elsewhere, or is not there."""
        ...

    def chunks(self, key: Key, *, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Read a part of a file in pieces, in constant memory.

        Args:
            key: Which file.
            start: First byte.
            stop: Byte after the last one; ``None``: to the end.

        Raises:
            UnknownReleaseError: There is no such file.
        """
        ...

    def remove(self, key: Key) -> None:
        """Remove a file; one that is not there is no error."""
        ...

    def keys(self) -> Iterator[Key]:
        """List everything that is stored, in no particular order."""
        ...
