"""Read the bytes of a friendly request into a judged table: JSON rows or columns, CSV, Arrow, Parquet.

For: the REST door, which makes one :class:`Reader` per contract and keeps it. Whatever is sent, the same rows give the
same table. It does not decompress (:mod:`.compression`) and knows nothing of HTTP but the media type.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from contextlib import suppress

from modelwright.errors import MessageError
from modelwright.serving.contract import Contract
from modelwright.serving.inference import Table
from modelwright.serving.intake import delimited, strict_json
from modelwright.serving.intake.bodies import reader_of
from modelwright.serving.intake.envelope import opened
from modelwright.serving.intake.judging import MAX_ROWS, check_size, table_of, table_of_rows
from modelwright.serving.intake.media_types import Kind, kind_of
from modelwright.serving.intake.question import Question
from modelwright.serving.intake.shortcut import Shortcut

__all__ = ["Question", "Reader"]

MAX_UNPACKED = 16 * 2**20
"""Most bytes that what is packed inside an Arrow or Parquet body may unpack to, unless the caller says otherwise."""


class Reader:
    """Reads requests for one contract.

    Args:
        contract: What rows are judged by.
        max_rows: Most rows of one request.
        max_bytes: Most bytes that what is packed inside a body may unpack to.
    """

    def __init__(self, contract: Contract, *, max_rows: int = MAX_ROWS, max_bytes: int = MAX_UNPACKED) -> None:
        self._contract, self._max_rows, self._max_bytes = contract, max_rows, max_bytes
        self._unpacked = False
        self._shortcut: Shortcut | None = None
        with suppress(ValueError):  # a column may be called what the decoder cannot look for
            self._shortcut = Shortcut(contract, max_rows=max_rows)
        self._ways: dict[Kind, Callable[[bytes], Question]] = {
            "json": self._json,
            "csv": self._csv,
            "arrow": self._arrow,
            "parquet": self._parquet,
        }

    def read(self, body: bytes, content_type: str) -> Question:
        """Return what a request asks.

        Args:
            body: Its body, decompressed.
            content_type: Its header Content-Type.

        Raises:
            MediaTypeError: The content type is none that is understood.
            MessageError: The body is not what it says it is, or holds no rows.
            TooLargeError: It holds too many rows, is nested too deep, or would unpack to too much.
            SignatureError: The rows do not fit; every problem is listed.
            MissingExtraError: The library that reads this kind of body is not installed.
        """
        return self._ways[kind_of(content_type)](body)

    def knows(self, content_type: str) -> bool:
        """Say whether what reads a content type is there, and need not be imported first.

        For Arrow and Parquet that takes a third of a second, when the first such body comes.

        Raises:
            MediaTypeError: It is none that is understood.
        """
        return self._unpacked or kind_of(content_type) in ("json", "csv")

    def _json(self, body: bytes) -> Question:
        question = self._shortcut.read(body) if self._shortcut is not None else None
        return question if question is not None else self._json_exactly(body)

    def _json_exactly(self, body: bytes) -> Question:
        form, values, unit = opened(strict_json.decode(body), self._contract.fields)
        if form == "rows":
            return Question(table_of_rows(self._contract, values, max_rows=self._max_rows), form, unit)
        size = max(map(len, values.values()), default=0)
        return Question(table_of(self._contract, values, size, max_rows=self._max_rows), form, unit)

    def _csv(self, body: bytes) -> Question:
        text = strict_json.text_of(body.removeprefix(b"\xef\xbb\xbf"))  # spreadsheets write a mark
        columns, size = delimited.columns_of(text, self._contract.inputs, max_rows=self._max_rows)
        return Question(table_of(self._contract, columns, size, max_rows=self._max_rows), "csv")

    def _arrow(self, body: bytes) -> Question:
        return Question(self._packed(body, "arrow"), "arrow")

    def _parquet(self, body: bytes) -> Question:
        return Question(self._packed(body, "parquet"), "parquet")

    def _packed(self, body: bytes, kind: Kind) -> Table:
        if not body:
            raise MessageError("The body is empty.", hint="Send the rows in it.")
        contract = self._contract
        rows = reader_of(kind).read(
            body,
            contract.inputs,
            max_rows=self._max_rows,
            max_bytes=self._max_bytes,
            blocked=contract.blocked,
        )
        self._unpacked = True
        if rows.block is not None:
            check_size(rows.size, self._max_rows)
            return Table(rows.size, block=rows.block)
        sure = {name: values for name, values in rows.columns.items() if isinstance(values, array)}
        rest = {name: values for name, values in rows.columns.items() if name not in sure}
        return table_of(contract, rest, rows.size, max_rows=self._max_rows, sure=sure)
