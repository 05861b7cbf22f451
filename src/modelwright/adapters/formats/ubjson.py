"""Read UBJSON (draft 12) strictly and to its end, without the library that wrote it; numbers in bulk stay bytes.

Called by the xgboost format, to see what a file is before anything is constructed from it. Every length is checked
against what is there, so that a file that was cut off or forged is refused here and not by a parser in C++.

Source: Universal Binary JSON specification, draft 12, "Value Types" and "Optimized Format".
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

MAX_DEPTH = 64
"""So deep containers may lie in each other; models nest eight."""

_NUMBERS = {b"i": ">b", b"U": ">B", b"I": ">h", b"l": ">i", b"L": ">q", b"d": ">f", b"D": ">d"}
_CONSTANTS = {b"Z": None, b"T": True, b"F": False}


class UbjsonError(ValueError):
    """The bytes are no UBJSON, or not all of it."""


class Numbers(NamedTuple):
    """An array of numbers of one type, not read.

    Attributes:
        marker: The type (``l``: 32-bit integers).
        content: Its bytes, big-endian.
    """

    marker: bytes
    content: memoryview

    def values(self) -> list[Any]:
        """Return the numbers."""
        return [value for (value,) in struct.iter_unpack(_NUMBERS[self.marker], self.content)]


def read(content: bytes | bytearray) -> Any:
    r"""Return the one value that the bytes hold; arrays of typed numbers as :class:`Numbers`.

    Raises:
        UbjsonError: They hold something else, less, or more.

    Example:
        >>> read(b"{U\x01a[$U#U\x02\x05\x06}")["a"].values()
        [5, 6]
    """
    reader = _Reader(memoryview(content))
    value = reader.value(reader.marker(), 0)
    if reader.place != len(content):
        raise UbjsonError(f"{len(content) - reader.place} bytes follow its end")
    return value


class _Reader:
    """Reads from one place to the next.

    Args:
        content: All bytes.
    """

    def __init__(self, content: memoryview) -> None:
        self._content = content
        self.place = 0

    def marker(self) -> bytes:
        """Return the next byte."""
        return bytes(self._take(1))

    def value(self, marker: bytes, depth: int) -> Any:
        """Return the value that a marker begins."""
        if depth > MAX_DEPTH:
            raise UbjsonError("containers lie too deep in each other")
        if marker in _CONSTANTS:
            return _CONSTANTS[marker]
        if marker in _NUMBERS:
            return self._number(marker)
        if marker == b"S":
            return self._text()
        if marker == b"C":
            return chr(self._take(1)[0])
        if marker == b"{":
            return self._object(depth)
        if marker == b"[":
            return self._array(depth)
        raise UbjsonError(f"the byte {marker!r} at {self.place - 1} begins no value")

    def _take(self, size: int) -> memoryview:
        end = self.place + size
        if size < 0 or end > len(self._content):
            raise UbjsonError(f"it is cut off at byte {self.place}")
        taken = self._content[self.place : end]
        self.place = end
        return taken

    def _number(self, marker: bytes) -> Any:
        form = _NUMBERS[marker]
        return struct.unpack(form, self._take(struct.calcsize(form)))[0]

    def _length(self, marker: bytes = b"") -> int:
        length = self._number(marker or self.marker()) if (marker or self._peek()) in _NUMBERS else -1
        if not isinstance(length, int) or length < 0:
            raise UbjsonError(f"there is no length at byte {self.place}")
        return length

    def _peek(self) -> bytes:
        return bytes(self._content[self.place : self.place + 1])

    def _text(self, marker: bytes = b"") -> str:
        try:
            return str(self._take(self._length(marker)), "utf-8")
        except UnicodeDecodeError as error:
            raise UbjsonError(f"text that is not UTF-8 ends at byte {self.place}") from error

    def _header(self) -> tuple[bytes, int]:
        """Return type and count of an optimised container; empty and -1 where they are not given."""
        kind = b""
        if self._peek() == b"$":
            self.place += 1
            kind = self.marker()
            if self._peek() != b"#":
                raise UbjsonError(f"a type without a count at byte {self.place}")
        if self._peek() != b"#":
            return kind, -1
        self.place += 1
        count = self._length()
        if count > len(self._content) - self.place and kind not in _CONSTANTS:
            raise UbjsonError(f"it is cut off: {count} values cannot follow byte {self.place}")
        if kind in _CONSTANTS:
            raise UbjsonError("a container of constants is no part of a model")
        return kind, count

    def _array(self, depth: int) -> Any:
        kind, count = self._header()
        if kind in _NUMBERS:
            return Numbers(kind, self._take(count * struct.calcsize(_NUMBERS[kind])))
        if count >= 0:
            return [self.value(kind or self.marker(), depth + 1) for _ in range(count)]
        found = []
        while (marker := self.marker()) != b"]":
            found.append(self.value(marker, depth + 1))
        return found

    def _object(self, depth: int) -> dict[str, Any]:
        kind, count = self._header()
        found: dict[str, Any] = {}
        if count >= 0:
            for _ in range(count):
                name = self._text()
                found[name] = self.value(kind or self.marker(), depth + 1)
            return found
        while (marker := self.marker()) != b"}":
            name = self._text(marker)
            found[name] = self.value(kind or self.marker(), depth + 1)
        return found
