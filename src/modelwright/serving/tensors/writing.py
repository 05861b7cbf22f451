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
        if isinstance(self.elements, memoryview):
            values = self.elements.tolist()
            return values if self.datatype.family != "float" else _without_specials(values)
        return self.elements

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
        return struct.pack(f"<{len(present)}{self.datatype.code}", *present)

    def contents(self) -> list[Any]:
        """Return the elements for typed contents: numbers, or bytes.

        Raises:
            OutputError: Some are missing.
        """
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
    if not isinstance(values.data, list):
        return OutTensor(field["name"], datatype, shape, field, _cast(values, datatype))
    if datatype.family == "bytes" and not field.get("shape"):
        shape, elements = (size,), values.data
    else:
        shape, elements = _flattened(field, values.data)
    if datatype.family == "bytes":
        elements = [encode_text(field, value) for value in elements]
    return OutTensor(field["name"], datatype, shape, field, elements)


def _cast(values: Values, datatype: Datatype) -> list[Any] | memoryview:
    """Return an array's elements in the datatype that the signature promises."""
    own = DATATYPES[_dtype_name(values.dtype)]
    data = memoryview(values.data).cast("B") if values.data else memoryview(b"")  # type: ignore[arg-type]
    if own.code == "e":
        listed: list[Any] = list(struct.unpack(f"={data.nbytes // 2}e", data))
        return listed
    cast = data.cast(own.code)  # type: ignore[call-overload]
    if own is datatype or datatype.family == "bytes":
        return cast if own is datatype else list(map(str, cast.tolist()))
    if datatype.code in "?e":
        return [bool(value) if datatype.code == "?" else value for value in cast.tolist()]
    convert = int if datatype.family == "int" else float
    return memoryview(array(datatype.code, map(convert, cast.tolist())))


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
    if math.isfinite(sum(values)):
        return values
    return [value if math.isfinite(value) else _special(value) for value in values]


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
