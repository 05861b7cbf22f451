"""The small interface behind which files lie. A stored file is addressed by its digest and never changes.

For: operating (which keeps and opens files), the application (which sends them) and the static index. It knows no
project and no stage.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from modelwright.errors import RequestError

FOLDER = "files"
"""Where stored files lie, below the root of the store; nothing else does."""
PIECE = 2**20
"""Bytes that :meth:`Store.chunks` gives at once. Larger pieces were no faster, smaller ones cost more calls."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]{0,254}")
"""Everything a file name of a distribution can contain, ``1!2.0`` included; no separator, no dot in front.

255 bytes is what file systems allow. Source: Binary distribution format and Source distribution file name (PyPA).
"""


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
        """The relative path, ``/`` between parts. Every store addresses by it, so no key goes round this check.

        Raises:
            RequestError: Not a digest, or not a file name.

        Example:
            >>> Key("ab" * 32, "x.whl").path[:12]
            'files/ab/aba'
            >>> Key("ab" * 32, "../x.whl").path
            Traceback (most recent call last):
            ...
            modelwright.registry_errors.RequestError: MW1116: '../x.whl' is not the name of a file.
              why: Letters, digits and ._+!- only, beginning with a letter or digit, at most 255.
        """
        if not _SHA256.fullmatch(self.sha256):
            raise RequestError(f"{self.sha256[:80]!r} is not a digest.", why="64 lower-case hexadecimal digits.")
        if not _NAME.fullmatch(self.name):
            raise RequestError(
                f"{self.name[:80]!r} is not the name of a file.",
                why="Letters, digits and ._+!- only, beginning with a letter or digit, at most 255.",
            )
        return f"{FOLDER}/{self.sha256[:2]}/{self.sha256}/{self.name}"


def key_at(path: str) -> Key | None:
    """Return the key that has a path; ``None``: no key has, whoever put it there.

    Example:
        >>> key_at("files/ab/" + "ab" * 32 + "/x.whl").name
        'x.whl'
        >>> key_at("files/ab/" + "cd" * 32 + "/x.whl") is None
        True
    """
    parts = path.split("/")
    if len(parts) != 4 or not _SHA256.fullmatch(parts[2]) or not _NAME.fullmatch(parts[3]):
        return None
    key = Key(parts[2], parts[3])
    return key if key.path == path else None


class Store(Protocol):
    """Where files lie. Every verb may raise ``UnavailableError`` and ``RequestError``; nothing is ever half there."""

    def keep(self, key: Key, source: Path) -> None:
        """Take a complete file in; when this returns it is durable. A file that is there already stays.

        Args:
            key: Where it shall lie.
            source: A regular file on this machine; it is moved away if that is possible, and may be gone afterwards.

        Raises:
            DamageError: What lies there already is not this file.
        """
        ...

    def put(self, key: Key, content: bytes) -> None:
        """Write a small document beside a file, durable and at once; one that was there is replaced."""
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
