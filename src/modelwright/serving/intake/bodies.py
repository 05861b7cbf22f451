"""Bodies that need a library to be read: found by entry point, ours exactly as a third party's.

A plug-in of the group ``modelwright.bodies`` reads one kind of body and writes answers of the same kind
(:class:`modelwright.serving.answering.bodies.BodyWriter`).

Called by :mod:`.reader`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from modelwright.plugins import find, need
from modelwright.serving.inference import Column

GROUP = "modelwright.bodies"

Fields = list[dict[str, Any]]


class Rows(NamedTuple):
    """The rows of a body.

    Attributes:
        size: Number of rows.
        columns: Values per column as sent, unjudged; an array holds numbers that surely fit the field, a missing float
            as NaN. Empty if there is a block.
        block: All values as float64 in native byte order, row by row; each surely fine.
    """

    size: int
    columns: Mapping[str, Column]
    block: bytes | None = None


class BodyReader(Protocol):
    """Reads one kind of body."""

    def read(self, body: bytes, fields: Fields, *, max_rows: int, max_bytes: int, blocked: bool) -> Rows:
        """Return the rows of a body.

        Args:
            body: The bytes.
            fields: The inputs of the signature.
            max_rows: Most rows.
            max_bytes: Most bytes that anything in it may unpack to.
            blocked: Whether the rows are wanted as a block, if all of them are surely fine.

        Raises:
            MessageError: The body is not of this kind, is damaged, or holds what no field can.
            TooLargeError: It holds more rows, or would unpack to more.
        """
        ...


def reader_of(kind: str) -> BodyReader:
    """Return what reads a kind of body.

    Raises:
        UnknownPluginError: Nothing reads it.
        MissingExtraError: Its library is not installed.
    """
    need("serve", "pyarrow", "numpy")
    found: BodyReader = find(GROUP, kind)
    return found
