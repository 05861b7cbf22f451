"""Measure the pages of a Parquet file before they are read: how many values and bytes they would unpack to.

Called by :mod:`.parquet`, because a small page may claim to unpack to gigabytes while the footer says otherwise. It
unpacks nothing.

Source: Apache Parquet format, "Data pages" (parquet.thrift: PageHeader); Thrift, "Compact protocol encoding".
"""

from __future__ import annotations

from typing import Any, NamedTuple

_ENCODING = {5: 2, 7: 2, 8: 4}
"""Per field of PageHeader that describes a page, its field with the encoding; field 1 is the number of values."""
_DELTA_BYTE_ARRAY = 7
_MAX_DEPTH = 8


class Extent(NamedTuple):
    """What pages claim to hold.

    Attributes:
        values: Number of values.
        unpacked: Number of bytes after decompression.
    """

    values: int
    unpacked: int


def measure(body: bytes, start: int, size: int) -> Extent:
    """Return what the pages of one column chunk claim to hold.

    Args:
        body: The file.
        start: Where the first page begins.
        size: Number of bytes of all its pages.

    Raises:
        ValueError: A page is damaged, or encoded so that its size cannot be known beforehand.
    """
    values = unpacked = 0
    position, end = start, start + size
    if start < 0 or size < 0 or end > len(body):
        raise ValueError("a column lies outside of the file")
    while position < end:
        header, position = _struct(body, position, 0)
        pages = {number: page for number in _ENCODING if isinstance(page := header.get(number), dict)}
        sizes = [header.get(2), header.get(3), *(page.get(1) for page in pages.values())]
        if not all(isinstance(count, int) and count >= 0 for count in sizes):
            raise ValueError("the header of a page is damaged")
        if any(page.get(_ENCODING[number]) == _DELTA_BYTE_ARRAY for number, page in pages.items()):
            raise ValueError("the encoding DELTA_BYTE_ARRAY is not taken; write the file with another")
        unpacked += header[2]
        values += sum(page[1] for page in pages.values())
        position += header[3]
    return Extent(values, unpacked)


def _struct(data: bytes, position: int, depth: int) -> tuple[dict[int, Any], int]:
    """Read one struct: its values by field number, text and lists left out."""
    if depth > _MAX_DEPTH:
        raise ValueError("the header of a page is damaged")
    fields: dict[int, Any] = {}
    number = 0
    try:
        while head := data[position]:
            position += 1
            if head >> 4:
                number += head >> 4
            else:
                number, position = _zigzag(data, position)
            value, position = _value(head & 0x0F, data, position, depth)
            fields[number] = value
    except IndexError:
        raise ValueError("the header of a page is cut off") from None
    return fields, position + 1


def _value(kind: int, data: bytes, position: int, depth: int) -> tuple[Any, int]:
    if kind in (1, 2):  # a truth value is in its type
        return kind == 1, position
    if kind == 3:
        return data[position], position + 1
    if kind in (4, 5, 6):
        return _zigzag(data, position)
    if kind == 7:
        return None, position + 8
    if kind == 8:
        size, position = _varint(data, position)
        return None, position + size
    if kind == 12:
        return _struct(data, position, depth + 1)
    raise ValueError("the header of a page is damaged")  # lists, sets and maps are in no header


def _zigzag(data: bytes, position: int) -> tuple[int, int]:
    value, position = _varint(data, position)
    return (value >> 1) ^ -(value & 1), position


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError("the header of a page is damaged")
