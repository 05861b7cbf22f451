"""Measure an Arrow stream before it is read: how many rows, values and bytes it would unpack to.

Called by :mod:`.arrow`. PyArrow splits the stream into messages; what a message claims stands in its metadata, a
FlatBuffers table, of which four fields are looked at here because no library of ours exposes them. It unpacks nothing.

Source: Arrow columnar format, "Serialization and Interprocess Communication" (Message.fbs); FlatBuffers, "Internals".
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any, NamedTuple

_DICTIONARY_BATCH, _RECORD_BATCH = 2, 3
_VERSION_5 = 4
_UNCOMPRESSED = -1


class Extent(NamedTuple):
    """What a stream claims to hold.

    Attributes:
        rows: Number of rows in all record batches.
        values: Number of values in all columns and their children.
        unpacked: Number of bytes of its compressed buffers after decompression.
    """

    rows: int
    values: int
    unpacked: int


def measure(messages: Iterable[Any]) -> Extent:
    """Return what messages claim to hold.

    Args:
        messages: ``pyarrow.ipc.Message``, in order.

    Raises:
        ValueError: The metadata is damaged, or older than Arrow 1.0 in a way that hides compression.
    """
    rows = values = unpacked = 0
    for message in messages:
        try:
            batch, is_rows = _batch_of(memoryview(message.metadata))
            if batch is None:
                continue
            length, lengths = batch.integer(0), batch.structs(1)
            rows += length if is_rows else 0
            values += length + sum(count for count, _ in lengths)
            if batch.present(3):
                unpacked += _unpacked(batch, memoryview(message.body) if message.body is not None else memoryview(b""))
        except (struct.error, IndexError) as error:
            raise ValueError("metadata of a message is damaged") from error
        if length < 0 or any(count < 0 for count, _ in lengths):
            raise ValueError("a record batch has less than no rows")
    return Extent(rows, values, unpacked)


def _unpacked(batch: _Table, body: memoryview) -> int:
    """Sum up the lengths before each compressed buffer."""
    total = 0
    for offset, length in batch.structs(2):
        if length >= 8:
            (size,) = struct.unpack_from("<q", body, offset)
            total += length if size == _UNCOMPRESSED else max(size, 0)
    return total


class _Table:
    """A table of FlatBuffers: a list of optional fields by number."""

    def __init__(self, data: memoryview, start: int) -> None:
        self._data, self._start = data, start
        self._fields = start - _read("<i", data, start)
        self._size = _read("<H", data, self._fields)

    def present(self, number: int) -> bool:
        return self._place(number) != 0

    def _place(self, number: int) -> int:
        slot = 4 + 2 * number
        offset = _read("<H", self._data, self._fields + slot) if slot < self._size else 0
        return self._start + offset if offset else 0

    def integer(self, number: int, kind: str = "<q") -> int:
        place = self._place(number)
        return _read(kind, self._data, place) if place else 0

    def table(self, number: int) -> _Table | None:
        place = self._place(number)
        return _Table(self._data, place + _read("<I", self._data, place)) if place else None

    def structs(self, number: int) -> list[tuple[int, int]]:
        """Return a vector of structs of two 64-bit integers."""
        place = self._place(number)
        if not place:
            return []
        vector = place + _read("<I", self._data, place)
        count = _read("<I", self._data, vector)
        return list(struct.iter_unpack("<qq", self._data[vector + 4 : vector + 4 + 16 * count]))


def _batch_of(metadata: memoryview) -> tuple[_Table | None, bool]:
    """Return the record batch of a message, if it has one, and whether it is rows (else a dictionary)."""
    message = _Table(metadata, _read("<I", metadata, 0))
    kind = message.integer(1, "<B")
    if kind not in (_DICTIONARY_BATCH, _RECORD_BATCH):
        return None, False
    if message.integer(0, "<h") != _VERSION_5 and message.present(4):
        raise ValueError("the stream was written before Arrow 1.0")
    header = message.table(2)
    if header is None:
        raise ValueError("a message has no header")
    return (header, True) if kind == _RECORD_BATCH else (header.table(1), False)


def _read(kind: str, data: memoryview, place: int) -> int:
    if place < 0:
        raise IndexError(place)
    value: int = struct.unpack_from(kind, data, place)[0]
    return value
