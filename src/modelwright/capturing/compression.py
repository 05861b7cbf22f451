"""Open a file that may be compressed, by its first bytes and not by its name.

Called by the reader of pickles. joblib compresses whole files with these methods. lz4 is recognised but not in the
standard library; such a file is given back as it is.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ", "xz"),
    (b"]\x00", "lzma"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"x\x01", "zlib"),
    (b"x\x5e", "zlib"),
    (b"x\x9c", "zlib"),
    (b"x\xda", "zlib"),
)
_OPENERS: dict[str, Callable[[BinaryIO], Any]] = {
    "gzip": lambda stream: gzip.GzipFile(fileobj=stream),
    "bz2": bz2.BZ2File,
    "xz": lzma.LZMAFile,
    "lzma": lzma.LZMAFile,
    "zlib": lambda stream: io.BufferedReader(_ZlibReader(stream)),
}


def decompressed(stream: BinaryIO) -> tuple[str, Any]:
    """Tell how a file is compressed and open it.

    Args:
        stream: Seekable binary stream at the start of the file.

    Returns:
        The kind (``gzip``, ``bz2``, ``xz``, ``lzma``, ``lz4``, ``zlib``, or empty), and a readable stream.

    Example:
        >>> kind, opened = decompressed(io.BytesIO(gzip.compress(b"text")))
        >>> kind, opened.read()
        ('gzip', b'text')
    """
    start = stream.read(8)
    stream.seek(-len(start), io.SEEK_CUR)
    kind = next((kind for magic, kind in _MAGIC if start.startswith(magic)), "")
    return kind, _OPENERS[kind](stream) if kind in _OPENERS else stream


class _ZlibReader(io.RawIOBase):
    """A zlib stream as a file that is read as it is decompressed."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._inflate = zlib.decompressobj()
        self._position = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = b""
        while not data and not self._inflate.eof:
            raw = self._inflate.unconsumed_tail or self._stream.read(1 << 16)
            if not raw:
                raise EOFError("the compressed stream is cut off")
            data = self._inflate.decompress(raw, len(buffer))
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Stay where it is: buffered readers ask for the position this way."""
        if offset != 0 or whence != io.SEEK_CUR:
            raise io.UnsupportedOperation("seek")
        return self._position
