"""Read the elements of one tensor: as many as its shape says, each of its datatype.

Binary numbers become arrays in one step; nothing is done per value where nothing need be looked at per value.

Called by :mod:`.reading`. It knows no signature.
Source: Open Inference Protocol v2, "Tensor Data"; Triton, binary tensor data extension.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Iterable
from itertools import chain, islice
from math import inf, nan, prod
from typing import Any

from modelwright.runtime.errors import Problem
from modelwright.runtime.validation import LIMIT
from modelwright.serving.tensors.datatypes import DATATYPES, Datatype
from modelwright.serving.tensors.tensor import Elements, SentTensor, Tensor

MAX_DIMENSIONS = 16
"""No row's value has so many."""


class FlawedTensor(ValueError):
    """A tensor that cannot be read; its problems say why. Caught by :mod:`.reading`, never seen by a user."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        super().__init__("flawed tensor")
        self.problems = list(problems)


def flawed(name: str, problem: str, hint: str = "") -> FlawedTensor:
    """Return what to raise for a tensor with one problem as a whole."""
    return FlawedTensor([Problem(None, name, problem, hint)])


def read_tensor(sent: SentTensor) -> Tensor:
    """Return a tensor with its elements.

    Raises:
        FlawedTensor: Datatype, shape and data do not go together.
    """
    datatype = DATATYPES.get(sent.datatype) if isinstance(sent.datatype, str) else None
    if datatype is None:
        known = ", ".join(DATATYPES)
        raise flawed(sent.name, f"has the datatype {sent.datatype!r}, which does not exist", f"known are {known}")
    shape = _shape(sent)
    if sent.raw is not None:
        return Tensor(sent.name, datatype, shape, _from_raw(sent.name, datatype, shape, sent.raw))
    elements = _flat(sent.name, shape, sent.data)
    return Tensor(sent.name, datatype, shape, _typed(sent.name, datatype, elements, prod(shape[1:])))


def _shape(sent: SentTensor) -> tuple[int, ...]:
    if not sent.shape or len(sent.shape) > MAX_DIMENSIONS:
        raise flawed(sent.name, f"has {len(sent.shape)} dimensions", "the first dimension is that of the rows")
    if not all(type(size) is int and 0 <= size < 2**63 for size in sent.shape):
        raise flawed(sent.name, f"has the shape {list(sent.shape)!r:.60}", "a shape is a list of whole numbers from 0")
    return sent.shape


def _counted(name: str, shape: tuple[int, ...], found: int, unit: str, wanted: int) -> None:
    if found != wanted:
        raise flawed(name, f"has {found} {unit} of data where the shape {list(shape)} means {wanted}")


def _from_raw(name: str, datatype: Datatype, shape: tuple[int, ...], raw: memoryview) -> Elements:
    count = prod(shape)
    if datatype.family == "bytes":
        elements = _byte_elements(name, raw)
        _counted(name, shape, len(elements), "elements", count)
        return elements
    _counted(name, shape, raw.nbytes, "bytes", count * datatype.size)
    return _unpacked(name, datatype, raw)


def _unpacked(name: str, datatype: Datatype, raw: memoryview) -> Elements:
    if datatype.name == "BF16":
        raw, datatype = _widened(raw), DATATYPES["FP32"]
    if datatype.name == "FP16":
        return list(struct.unpack(f"<{raw.nbytes // 2}e", raw))
    if datatype.name == "BOOL":
        if bytes(raw).translate(None, b"\0\1"):
            raise flawed(name, "has bytes other than 0 and 1", "true is one byte of value 1, false one of value 0")
        return raw.cast("?").tolist() if raw.nbytes else []
    elements: array[Any] = array(datatype.code)
    elements.frombytes(raw)
    if sys.byteorder == "big":
        elements.byteswap()
    return elements


def _widened(raw: memoryview) -> memoryview:
    """Return brain floats as FP32, whose upper half they are."""
    wide = bytearray(2 * raw.nbytes)
    wide[2::4], wide[3::4] = raw[0::2], raw[1::2]
    return memoryview(wide)


def _byte_elements(name: str, raw: memoryview) -> list[Any]:
    data, place = bytes(raw), 0
    elements: list[Any] = []
    while place < len(data):
        if place + 4 > len(data):
            raise flawed(name, f"ends within the length of element {len(elements)}", _LENGTHS)
        begin = place + 4
        place = begin + int.from_bytes(data[place:begin], "little")
        if place > len(data):
            raise flawed(name, f"ends within element {len(elements)}", _LENGTHS)
        elements.append(data[begin:place])
    return elements


_LENGTHS = "each element is its length in bytes, a little-endian 4-byte number, and then the bytes"


def _flat(name: str, shape: tuple[int, ...], data: Any) -> list[Any]:
    """Return elements in one list, whether they came in one or nested by the shape."""
    if not isinstance(data, list):
        raise flawed(name, "has no data", 'send its elements as a list in "data", or as binary data')
    if data and type(data[0]) is list and len(shape) > 1:
        for depth, size in enumerate(shape):
            kinds = set(map(type, data))
            if depth and (kinds != {list} or {*map(len, data)} != {size}):
                raise flawed(name, f"is not nested as its shape {list(shape)} says", "every list needs the same length")
            if depth:
                data = list(chain.from_iterable(data))
            elif len(data) != size:
                raise flawed(name, f"has {len(data)} rows where its shape says {size}")
    _counted(name, shape, len(data), "elements", prod(shape))
    elements: list[Any] = data
    return elements


_KINDS: dict[str, tuple[frozenset[type], str]] = {
    "bool": (frozenset({bool, type(None)}), "true or false is needed"),
    "int": (frozenset({int, type(None)}), "a whole number is needed"),
    "float": (frozenset({float, int, type(None)}), "a number is needed"),
    "bytes": (frozenset({str, type(None)}), "text is needed"),
}
_SPECIAL = {"NaN": nan, "Infinity": inf, "-Infinity": -inf}


def _typed(name: str, datatype: Datatype, elements: list[Any], row_size: int) -> list[Any]:
    """Return JSON values of a datatype; null, which the protocol does not know, is a missing value."""
    allowed, need = _KINDS[datatype.family]
    kinds = set(map(type, elements))
    if str in kinds and datatype.family == "float":
        elements = [_SPECIAL.get(value, value) if type(value) is str else value for value in elements]
        kinds = set(map(type, elements))
    if not kinds <= allowed:
        wrong = (
            Problem(place // row_size, name, f"{value!r:.60} is no {datatype.name}; {need}")
            for place, value in enumerate(elements)
            if type(value) not in allowed
        )
        raise FlawedTensor(islice(wrong, LIMIT))
    if datatype.family == "int":
        _within(name, datatype, elements, row_size)
    return elements


def _within(name: str, datatype: Datatype, elements: list[Any], row_size: int) -> None:
    bits = 8 * datatype.size
    low, high = (0, 2**bits - 1) if datatype.name.startswith("U") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    present = [value for value in elements if value is not None]
    if present and (min(present) < low or max(present) > high):
        wrong = (
            Problem(place // row_size, name, f"{value!r:.60} does not fit {datatype.name}, {low} to {high}")
            for place, value in enumerate(elements)
            if value is not None and not low <= value <= high
        )
        raise FlawedTensor(islice(wrong, LIMIT))
