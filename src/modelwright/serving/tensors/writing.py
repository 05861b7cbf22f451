"""Write the values of outputs as tensors: as lists for JSON and typed contents, or as binary data.

Called by the doors of the protocol.
Source: Open Inference Protocol v2, "Tensor Data"; Triton, binary tensor data extension.
"""

from __future__ import annotations

import math
import struct
import sys
from array import array
from collections.abc import Mapping
from itertools import chain
from typing import Any, NamedTuple

from modelwright.errors import OutputError
from modelwright.serving.answering.outputs import lists
from modelwright.serving.inference import Values
from modelwright.serving.tensors.datatypes import DATATYPES, Datatype, datatype_of
from modelwright.serving.tensors.text import encode_bytes, encode_text

_WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class OutTensor(NamedTuple):
    """A tensor of an answer.

    Attributes:
        name: Its name.
        datatype: Its datatype.
        shape: Its shape, rows first.
        field: The output in the signature.
        elements: Its elements in row-major order: a flat list of JSON-able values (those of ``BYTES`` are
            text), or an array's, native.
    """

    name: str
    datatype: Datatype
    shape: tuple[int, ...]
    field: Mapping[str, Any]
    elements: list[Any] | memoryview

    def listed(self) -> list[Any]:
        """Return the elements as JSON holds them; floats that are not finite are text (``NaN``), missing is null."""
        values: list[Any] = self.elements if isinstance(self.elements, list) else self.elements.tolist()
        return values if self.datatype.family != "float" else _without_specials(values)

    def binary(self) -> bytes:
        """Return the elements as binary data, little-endian.

        Raises:
            OutputError: Some are missing, for which binary data of their datatype has no word.
        """
        if isinstance(self.elements, memoryview):
            return _little(self.elements)
        present = self._present()
        if self.datatype.family == "bytes":
            encoded = [encode_bytes(self.field, value) for value in present]
            return b"".join([part for one in encoded for part in (len(one).to_bytes(4, "little"), one)])
        try:
            return struct.pack(f"<{len(present)}{self.datatype.code}", *present)
        except (struct.error, OverflowError) as error:
            raise self._misfit(error) from None

    def _misfit(self, error: Exception) -> OutputError:
        return OutputError(
            f"Answers of {self.name!r} do not fit {self.datatype.name}, which the signature promises.",
            why=str(error),
            hint="This is a fault of the model; report it with these rows.",
        )

    def fill(self, contents: Any) -> None:
        """Put the elements into typed contents: numbers, or bytes.

        Args:
            contents: A repeated field of a message, which checks what it takes.

        Raises:
            OutputError: Some are missing, or do not fit.
        """
        try:
            contents.extend(self._contents())
        except (TypeError, ValueError, OverflowError) as error:
            raise self._misfit(error) from None

    def _contents(self) -> list[Any]:
        if isinstance(self.elements, memoryview):
            return self.elements.tolist()
        present = self._present()
        return [encode_bytes(self.field, value) for value in present] if self.datatype.family == "bytes" else present

    def _present(self) -> list[Any]:
        values: list[Any] = self.elements  # type: ignore[assignment]
        if self.datatype.family == "float":
            return [math.nan if value is None else _WORDS.get(value, value) for value in values]
        if any(value is None for value in values):
            raise OutputError(
                f"Answers of {self.name!r} are missing, for which binary data of {self.datatype.name} has no word.",
                hint="Ask for this output as JSON over HTTP, where a missing value is null.",
            )
        return values


def tensor_of(field: Mapping[str, Any], values: Values, size: int) -> OutTensor:
    """Return the values of one output as a tensor.

    Args:
        field: The output in the signature.
        values: Its values.
        size: Number of rows.

    Raises:
        OutputError: Its rows differ in shape, so that they are no tensor.
    """
    datatype = datatype_of(field)
    shape: tuple[int, ...] = (size, *values.shape)
    if not isinstance(values.data, list) and datatype.family != "bytes":
        return OutTensor(field["name"], datatype, shape, field, _cast(values, datatype))
    rows = lists(values)
    if datatype.family == "bytes" and not field.get("shape"):
        shape, elements = (size,), rows
    else:
        shape, elements = _flattened(field, rows)
    if datatype.family == "bytes":
        elements = [encode_text(field, value) for value in elements]
    return OutTensor(field["name"], datatype, shape, field, elements)


def _cast(values: Values, datatype: Datatype) -> list[Any] | memoryview:
    """Return an array's elements in the datatype that the signature promises."""
    own = DATATYPES[_dtype_name(values.dtype)]
    data = memoryview(values.data).cast("B") if values.data else memoryview(b"")  # type: ignore[arg-type]
    if own is datatype and own.code != "e":  # a memory view knows no halves
        same: memoryview = data.cast(own.code)  # type: ignore[call-overload]
        return same
    numbers: list[Any] = lists(values._replace(shape=()))
    if datatype.family == "float" and datatype.code != "e":
        return memoryview(array(datatype.code, numbers))
    if datatype.family == "bool":
        return list(map(bool, numbers))
    return list(map(_whole, numbers)) if datatype.family == "int" else numbers


def _whole(value: float) -> float | None:
    """Return a number as a whole one; what is none stays, and is refused when it is packed; NaN is missing."""
    if value != value:
        return None
    return int(value) if math.isfinite(value) and value == int(value) else value


def _dtype_name(dtype: str) -> str:
    return {"bool": "BOOL", "float16": "FP16", "float32": "FP32", "float64": "FP64"}.get(dtype) or dtype.upper()


def _flattened(field: Mapping[str, Any], rows: list[Any]) -> tuple[tuple[int, ...], list[Any]]:
    shape, elements = [len(rows)], rows
    while elements and isinstance(elements[0], list):
        sizes = {len(one) if isinstance(one, list) else -1 for one in elements}
        if len(sizes) != 1:
            raise OutputError(
                f"The rows of {field['name']!r} differ in length, so they are no tensor.",
                hint="Ask for it over the REST API, which answers row by row.",
            )
        shape.append(sizes.pop())
        elements = list(chain.from_iterable(elements))
    return tuple(shape), elements


def _without_specials(values: list[Any]) -> list[Any]:
    try:
        if math.isfinite(sum(values)):
            return values
    except TypeError:  # some are missing, or text already
        pass
    return [_special(value) if isinstance(value, float) and not math.isfinite(value) else value for value in values]


def _special(value: float) -> str:
    if value != value:
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _little(elements: memoryview) -> bytes:
    if sys.byteorder == "little" or elements.itemsize == 1:
        return elements.tobytes()
    swapped = array(elements.format, elements)
    swapped.byteswap()
    return swapped.tobytes()
