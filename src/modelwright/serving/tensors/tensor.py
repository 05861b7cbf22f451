"""One tensor, as both doors of the protocol know it; and the tensors of one request.

Made by the doors from JSON, binary data or protocol buffers; read by :mod:`.reading`, written by :mod:`.writing`.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from math import prod
from typing import Any, NamedTuple

from modelwright.serving.tensors.datatypes import Datatype

Elements = list[Any] | array  # type: ignore[type-arg]
"""All elements of a tensor in row-major order: an array where they are numbers and came as such."""


class SentTensor(NamedTuple):
    """A tensor of a request, not looked at yet.

    Attributes:
        name: Its name.
        datatype: Its datatype, as it was sent.
        shape: Its shape, as it was sent.
        data: Its elements, nested or flat; ``None`` if they are raw.
        raw: Its elements as binary data, little-endian; ``None`` if they are not.
    """

    name: str
    datatype: str
    shape: tuple[Any, ...]
    data: Any = None
    raw: memoryview | None = None


class Tensor(NamedTuple):
    """A tensor whose elements are as many as its shape says, each of its datatype.

    Attributes:
        name: Its name.
        datatype: Its datatype.
        shape: Its shape, rows first.
        elements: Its elements; those of ``BYTES`` are text if they came as text, else bytes.
    """

    name: str
    datatype: Datatype
    shape: tuple[int, ...]
    elements: Elements

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.shape[0]

    @property
    def row_size(self) -> int:
        """Number of elements in each row."""
        return prod(self.shape[1:])


class WantedOutput(NamedTuple):
    """An output that a request asks for.

    Attributes:
        name: Its name.
        binary: Whether it is to come as binary data; ``None``: as the request as a whole says.
    """

    name: str
    binary: bool | None = None


class InferRequest(NamedTuple):
    """One inference request.

    Attributes:
        request_id: Its id; empty if it has none.
        tensors: Its tensors.
        outputs: Outputs that it asks for, in order; none: all.
        parameters: Its parameters.
    """

    request_id: str
    tensors: tuple[SentTensor, ...]
    outputs: tuple[WantedOutput, ...] = ()
    parameters: Mapping[str, Any] = {}
