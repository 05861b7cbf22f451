"""Several requests as one call of the model: put together, taken apart again, by rows.

Pure. Called by the pool; the worker's side of the same bytes is :mod:`.loop`.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeAlias

import msgspec

from modelwright.errors import TooLargeError, WorkerError
from modelwright.runtime.values import family_of
from modelwright.serving.inference import Column, Table, Values
from modelwright.serving.workers.loop import LENGTHS, WORTH_SHARING
from modelwright.serving.workers.sharing import SharedMemory

_ITEM_BYTES = {"float32": 4, "float64": 8, "bool": 1} | {
    f"{sign}int{bits}": bits // 8 for sign in ("", "u") for bits in (8, 16, 32, 64)
}
_encode = msgspec.json.Encoder().encode
_ALIGNED = 16
LONGEST = 2**32 - 1
"""Most bytes of the head and of the payload of one frame."""
Part: TypeAlias = "bytes | memoryview"


def together(tables: Sequence[Table]) -> Table:
    """Return the rows of several tables of one contract, in order, as one table."""
    if len(tables) == 1:
        return tables[0]
    size = sum(table.size for table in tables)
    if tables[0].block is not None:
        return Table(size, block=b"".join([table.block or b"" for table in tables]))
    parts = [table.columns or {} for table in tables]
    return Table(size, columns={name: _joined([part[name] for part in parts]) for name in parts[0]})


def _joined(parts: list[Column]) -> Column:
    first = parts[0]
    if isinstance(first, array) and all(isinstance(one, array) and one.typecode == first.typecode for one in parts):
        whole = array(first.typecode)
        for part in parts:
            whole.frombytes(part.tobytes() if isinstance(part, array) else b"")
        return whole
    joined: list[Any] = []
    for part in parts:
        joined.extend(part)
    return joined


def parts_of(head: dict[str, Any], payload: Sequence[Part], shared: SharedMemory | None = None) -> list[Part]:
    """Return a frame in parts: lengths and head, then the parts of the payload as they are.

    The head is padded, so that numbers in the payload lie where processors, and NumPy, want them. A large payload is
    written to the shared memory, if that is there.

    Raises:
        TooLargeError: It is longer than a frame can be.
    """
    size = sum(map(len, payload))
    if shared is not None and size >= WORTH_SHARING and shared.holds(size):
        shared.put(payload)
        head["shared"], size, payload = size, 0, ()
    text = _encode(head)
    text += b" " * (-len(text) % _ALIGNED)
    if max(len(text), size) > LONGEST:
        raise TooLargeError(
            f"These rows are {max(len(text), size):,} bytes; the process of a model takes {LONGEST:,} at once.",
            hint="Ask about them in parts.",
        )
    return [LENGTHS.pack(len(text), size) + text, *payload]


class Framer:
    """Writes the frames of one contract's batches, whose rows are judged on the other side.

    Args:
        signature: The signature, as plain data.
    """

    judged = False

    def __init__(self, signature: dict[str, Any]) -> None:
        self._plain: dict[str, Callable[[list[Any]], Any]] = {}
        for field in signature["inputs"]:
            family = family_of(field["datatype"])
            if family in ("float", "duration", "json"):
                self._plain[field["name"]] = _PLAIN[family]

    def frame(self, number: int, methods: tuple[str, ...], table: Table, shared: SharedMemory | None = None) -> bytes:
        """Return the frame that asks for a batch.

        Args:
            number: Number of the batch, which its answer names.
            methods: Methods to call.
            table: The rows.
            shared: Memory for a large payload.
        """
        return b"".join(self.parts(number, methods, table, shared))

    def parts(
        self, number: int, methods: tuple[str, ...], table: Table, shared: SharedMemory | None = None
    ) -> list[Part]:
        """Return the same in parts, none of them a copy of what is in the table."""
        head: dict[str, Any] = {"id": number, "methods": methods, "size": table.size, "judged": self.judged}
        payload = [table.block] if table.block is not None else self._columns(head, table.columns or {})
        return parts_of(head, payload, shared)

    def plain(self, columns: Mapping[str, Column]) -> dict[str, Column]:
        """Return columns as a worker in this process takes them."""
        return {name: self._numbers(name, values) for name, values in columns.items()}

    def _columns(self, head: dict[str, Any], columns: Mapping[str, Column]) -> list[Part]:
        parts: list[Part] = []
        place = 0
        listed, arrays = head.setdefault("columns", {}), head.setdefault("arrays", {})
        for name, values in columns.items():
            found = self._numbers(name, values)
            if isinstance(found, array):
                data = memoryview(found).cast("B")
                arrays[name] = (found.typecode, place, place + len(data))
                listed[name] = None  # keeps the order of the columns
                parts.append(data)
                place += len(data)
            else:
                listed[name] = found
        return parts

    def _numbers(self, name: str, values: Column) -> Column:
        plain = self._plain.get(name)
        return values if plain is None or isinstance(values, array) else plain(values)


class JudgedFramer(Framer):
    """Writes the frames of batches whose rows were judged on this side, by the same signature.

    They are not judged a second time, unless values change their kind on the way. Where a model takes a frame or an
    array, numbers go as bytes, a missing float among them as NaN, which is what it becomes there anyway.

    Args:
        signature: The signature, as plain data.
    """

    def __init__(self, signature: dict[str, Any]) -> None:
        super().__init__(signature)
        self.judged = all(map(_needs_no_change, signature["inputs"]))
        if not self.judged or signature["container"] not in ("pandas", "numpy"):
            return
        for field in signature["inputs"]:
            family = family_of(field["datatype"])
            if family in ("float", "int") and _is_numpys(field.get("native", "")):
                self._plain[field["name"]] = _floats_or_nan if family == "float" else _integers


def _needs_no_change(field: dict[str, Any]) -> bool:
    """Say whether the values of a field in normal form are those of JSON."""
    return not field.get("shape") and family_of(field["datatype"]) in ("bool", "float", "int", "string")


def _is_numpys(native: str) -> bool:
    """Say whether a column's own dtype is one of NumPy's for numbers; an array of no name is."""
    return not native or native in _ITEM_BYTES


def _floats_or_nan(values: list[Any]) -> Any:
    try:
        return array("d", values)
    except TypeError:
        return array("d", [_NAN if value is None else value for value in values])


_NAN = float("nan")


def _integers(values: list[Any]) -> Any:
    try:
        return array("q", values)
    except (TypeError, OverflowError):  # missing ones, or unsigned ones of 64 bits
        return values


def _floats(values: list[Any]) -> Any:
    try:
        return array("d", values)
    except TypeError:  # missing ones, or tensors
        return _told_apart(values)


def _told_apart(value: Any) -> Any:
    """Return values with text for what JSON has no number for: NaN is not null to every model."""
    if isinstance(value, list):
        return [_told_apart(element) for element in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    return value


def _seconds(values: list[Any]) -> list[Any]:
    return [value.total_seconds() if isinstance(value, timedelta) else value for value in values]


_PLAIN: dict[str, Callable[[list[Any]], Any]] = {"float": _floats, "duration": _seconds, "json": lambda values: values}


def values_of(head: dict[str, Any], payload: bytes | bytearray, size: int) -> dict[str, Values]:
    """Return the outputs that a worker sent, after a look at whether they can be what it says.

    A worker runs the model's own code; what it sends is not believed.

    Raises:
        WorkerError: It sent something else than one value per row of each output.
    """
    found: dict[str, Values] = {}
    view = memoryview(payload)
    try:
        for name, *rest in head["outputs"]:
            if len(rest) == 1:
                found[name] = Values(_exactly(rest[0], size))
                continue
            dtype, shape, start, stop = rest
            data = view[start:stop]
            _exactly(data, _row_bytes(dtype, shape) * size)
            found[name] = Values(data, dtype, tuple(shape))
    except (KeyError, TypeError, ValueError) as error:
        raise WorkerError("The process of the model sent what is no answer.", why=type(error).__name__) from error
    return found


def _exactly(data: Any, length: int) -> Any:
    if not isinstance(data, list | memoryview) or len(data) != length:
        raise ValueError("another number of values")
    return data


def _row_bytes(dtype: str, shape: Sequence[int]) -> int:
    size = _ITEM_BYTES[dtype]
    for length in shape:
        if not isinstance(length, int) or length < 0:
            raise ValueError("a negative length")
        size *= length
    return size


def part_of(outputs: dict[str, Values], start: int, stop: int) -> dict[str, Values]:
    """Return the rows from ``start`` to before ``stop``."""
    found = {}
    for name, (data, dtype, shape) in outputs.items():
        if dtype:
            width = _row_bytes(dtype, shape) if shape else _ITEM_BYTES[dtype]
            found[name] = Values(data[start * width : stop * width], dtype, shape)
        else:
            found[name] = Values(data[start:stop])
    return found
