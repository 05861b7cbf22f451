"""Read the head of a CatBoost model file (``.cbm``): what it says of itself, and whether all of it is there.

Called by the catboost format. Nothing is constructed: the file is a FlatBuffer, of which three fields are followed, and
tables whose sizes are added up. It does not read trees.

Source: CatBoost, ``catboost/libs/model/flatbuffers/model.fbs`` (``TModelCore``) and ``static_ctr_provider.cpp``;
FlatBuffers, "FlatBuffer Internals".
"""

from __future__ import annotations

import struct
from typing import NamedTuple

MAGIC = b"CBM1"
"""What every file begins with; the size of its core follows, 32 bits, little-endian."""
_INFO, _PARTS = 2, 3
"""Places of ``InfoMap`` and ``ModelPartIds`` among the fields of ``TModelCore``."""
_CTR_PART = "static_provider_v1"


class CbmError(ValueError):
    """The bytes are no model, or not all of one."""


class Head(NamedTuple):
    """What a model says of itself.

    Attributes:
        info: Its metadata, by name (``params``, ``class_params``, ``catboost_version_info``).
        parts: What follows its core (``static_provider_v1``).
    """

    info: dict[str, str]
    parts: tuple[str, ...]


def read(content: bytes) -> Head:
    """Return what a model says of itself.

    Raises:
        CbmError: It is no model, or cut off.
    """
    if not content.startswith(MAGIC) or len(content) < 8:
        raise CbmError("it does not begin as a model does")
    end = 8 + struct.unpack_from("<I", content, 4)[0]
    if end > len(content):
        raise CbmError(f"it is cut off: its core has {end - 8} bytes, and {len(content) - 8} are there")
    core = _Core(memoryview(content)[8:end])
    try:
        head = core.head()
    except (struct.error, UnicodeDecodeError) as error:
        raise CbmError(f"its core is damaged: {error}") from error
    _check_parts(content, end, head.parts)
    return head


def _check_parts(content: bytes, place: int, parts: tuple[str, ...]) -> None:
    """Check that the tables of categories are whole: their number, and each with its size before it."""
    if parts[:1] == (_CTR_PART,):
        try:
            (count,) = struct.unpack_from("<I", content, place)
            place += 4
            for _ in range(count):
                place += 4 + struct.unpack_from("<I", content, place)[0]
        except struct.error as error:
            raise CbmError("it is cut off in its tables of categories") from error
    if place > len(content) or (place == len(content) and len(parts) > (parts[:1] == (_CTR_PART,))):
        raise CbmError("it is cut off behind its trees")
    if place < len(content) and all(part == _CTR_PART for part in parts):
        raise CbmError(f"{len(content) - place} bytes follow its end")


class _Core:
    """A FlatBuffer.

    Args:
        content: All of it.
    """

    def __init__(self, content: memoryview) -> None:
        self._content = content

    def head(self) -> Head:
        root = self._word(0)
        info = {self._text(entry, 0): self._text(entry, 1) for entry in self._vector(root, _INFO)}
        parts = tuple(self._string(place) for place in self._vector(root, _PARTS))
        return Head(info, parts)

    def _word(self, place: int) -> int:
        return int(struct.unpack_from("<I", self._content, self._checked(place))[0])

    def _checked(self, place: int) -> int:
        if not 0 <= place < len(self._content):
            raise struct.error(f"a reference leads to byte {place}")
        return place

    def _field(self, table: int, number: int) -> int:
        """Return what a field of a table refers to; -1 if it is not there."""
        (back,) = struct.unpack_from("<i", self._content, self._checked(table))
        listing = self._checked(table - back)
        (size,) = struct.unpack_from("<H", self._content, listing)
        if 4 + 2 * number >= size:
            return -1
        (offset,) = struct.unpack_from("<H", self._content, listing + 4 + 2 * number)
        return table + offset + self._word(table + offset) if offset else -1

    def _vector(self, table: int, number: int) -> list[int]:
        """Return what the elements of a vector of references refer to."""
        start = self._field(table, number)
        if start < 0:
            return []
        places = (start + 4 + 4 * each for each in range(self._word(start)))
        return [place + self._word(place) for place in places]

    def _text(self, table: int, number: int) -> str:
        place = self._field(table, number)
        return self._string(place) if place >= 0 else ""

    def _string(self, place: int) -> str:
        size = self._word(place)
        if place + 4 + size > len(self._content):
            raise struct.error(f"the text at byte {place} is cut off")
        return bytes(self._content[place + 4 : place + 4 + size]).decode("utf-8")
