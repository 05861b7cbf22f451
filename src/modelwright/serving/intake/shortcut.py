"""Read the JSON body of a request that is surely fine at the speed of C; leave every other one to the exact way.

Per contract, a struct is made with one field per input, typed so that the decoder itself refuses what the signature
refuses: names, nulls, types, widths of integers, shapes. What a type cannot say (levels, ranges, dates, text that
stands for bytes) is judged afterwards by the runtime's own judges. NaN and Infinity cannot come in: JSON has no token
for them, and the decoder refuses numbers that overflow. Keys that appear twice are noticed by counting colons, as
:mod:`.strict_json` explains: a struct has all its keys and no others, so their number is known beforehand.

Called by :mod:`.reader`. It has no messages: whatever is not surely fine gives ``None`` and is looked at again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import astuple

from modelwright.runtime.blocks import is_bounded
from modelwright.runtime.encoding import decoder
from modelwright.runtime.values import family_of
from modelwright.serving.contract import Contract
from modelwright.serving.inference import Table
from modelwright.serving.intake import packing
from modelwright.serving.intake.judging import check_size
from modelwright.serving.intake.question import Form, Question
from modelwright.serving.intake.strict_json import MAX_DEPTH, hides_colons, tally

Fields = list[dict[str, Any]]
Columns = list[Any]

_JUDGED = frozenset({"bytes", "date", "datetime", "duration"})
"""Families whose values are never fine by their JSON type alone."""
_TEXT = frozenset({"bytes", "date", "datetime", "string"})
_TYPES: dict[str, Any] = {"bool": bool, "duration": float | int, "float": float}
_AROUND = 3
"""Objects and lists around a value: the envelope, the rows, the row; or the envelope, the columns, the column."""


class Shortcut:
    """Reads JSON bodies for one contract.

    Args:
        contract: What rows are judged by.
        max_rows: Most rows of one request.

    Raises:
        ValueError: A name of the contract is none that the decoder can look for.
    """

    def __init__(self, contract: Contract, *, max_rows: int) -> None:
        self._contract, self._max_rows = contract, max_rows
        self._width = len(contract.fields)
        self._colons = self._width + "".join(contract.fields).count(":")
        fields = contract.inputs
        self._texts = [place for place, field in enumerate(fields) if family_of(field["datatype"]) in _TEXT]
        self._loose = [place for place, field in enumerate(fields) if field["datatype"] == "json"]
        self._judged = [
            (place, judge, decoder(fields[place]))
            for place, judge in enumerate(contract.judges)
            if _needs_judge(fields[place])
        ]
        self._decode = _decoder_of(fields)

    def read(self, body: bytes) -> Question | None:
        """Return what a body asks if it is surely fine.

        Raises:
            MessageError: It holds no rows.
            TooLargeError: It holds too many.
        """
        try:
            found = self._decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        colons = body.count(b":")
        if type(found) is list:
            return self._rows(body, found, "", colons)
        unit = found.unit
        if unit is UNSET:
            unit = ""
            colons -= 1
        else:
            colons -= 2 + unit.count(":")
        if found.columns is UNSET and found.rows is not UNSET:
            return self._rows(body, found.rows, unit, colons)
        if found.rows is UNSET and found.columns is not UNSET:
            return self._columns(body, astuple(found.columns), unit, colons)
        return None

    def _rows(self, body: bytes, rows: list[Any], unit: str, colons: int) -> Question | None:
        size = len(rows)
        check_size(size, self._max_rows)
        spare = colons - size * self._colons
        if self._contract.blocked:
            if not self._adds_up(body, [], spare):
                return None
            return Question(Table(size, block=packing.block(map(astuple, rows), self._width)), "rows", unit)
        columns: Columns = list(map(list, zip(*map(astuple, rows), strict=True)))
        return self._question(columns, size, "rows", unit) if self._adds_up(body, columns, spare) else None

    def _columns(self, body: bytes, held: tuple[Any, ...], unit: str, colons: int) -> Question | None:
        sizes = set(map(len, held))
        if len(sizes) != 1:
            return None
        size = sizes.pop()
        check_size(size, self._max_rows)
        columns = list(held)
        if not self._adds_up(body, columns, colons - self._colons):
            return None
        return self._question(columns, size, "columns", unit)

    def _adds_up(self, body: bytes, columns: Columns, spare: int) -> bool:
        """Say whether the colons that belong to no key of the table are those of its values."""
        if hides_colons(body):
            return False
        for place in self._loose:
            counted = tally(columns[place])
            if counted.depth - 1 + _AROUND > MAX_DEPTH:
                return False
            spare -= counted.keys + counted.colons
        return spare == 0 or spare == sum(_colons(columns[place]) for place in self._texts)

    def _question(self, columns: Columns, size: int, form: Form, unit: str) -> Question | None:
        for place, judge, way in self._judged:
            columns[place], problems = judge.judge(list(map(way, columns[place])), 1)
            if problems:
                return None
        return Question(packing.table(self._contract, columns, size), form, unit)


def _colons(values: list[Any]) -> int:
    """Count the colons in the text of a column."""
    try:
        return "".join(filter(None, values)).count(":")
    except TypeError:  # tensors of text
        return tally(values).colons


def _needs_judge(field: dict[str, Any]) -> bool:
    shaped_json = field["datatype"] == "json" and bool(field.get("shape"))
    wide = field["datatype"] == "uint64"  # the decoder's bounds end at int64
    return wide or shaped_json or is_bounded(field) or family_of(field["datatype"]) in _JUDGED


def _decoder_of(fields: Fields) -> Callable[[bytes], Any]:
    row = _struct("Row", fields, [_type_of(field) for field in fields])
    columns = _struct("Columns", fields, [list[kind] for kind in map(_type_of, fields)])  # type: ignore[valid-type]
    envelope = msgspec.defstruct(
        "Envelope",
        [
            ("rows", list[row] | UnsetType, UNSET),  # type: ignore[valid-type]
            ("columns", columns | UnsetType, UNSET),
            ("unit", str | UnsetType, UNSET),
        ],
        forbid_unknown_fields=True,
        gc=False,
    )
    return msgspec.json.Decoder(envelope | list[row]).decode  # type: ignore[valid-type]


def _struct(name: str, fields: Fields, kinds: list[Any]) -> Any:
    """Make a struct of required fields; its attributes are numbered, for columns may be called anything."""
    attributes = [f"field_{number}" for number in range(len(fields))]
    return msgspec.defstruct(
        name,
        list(zip(attributes, kinds, strict=True)),
        rename={attribute: field["name"] for attribute, field in zip(attributes, fields, strict=True)},
        forbid_unknown_fields=True,
        gc=False,
    )


def _type_of(field: dict[str, Any]) -> Any:
    """Return the type that accepts, of the JSON values, surely fine ones only."""
    family, shape = family_of(field["datatype"]), field.get("shape", ())
    if family == "json":
        return Any
    kind = _or_none(_int_type(field["datatype"]) if family == "int" else _TYPES.get(family, str), field)
    for length in reversed(shape):
        sized = list[kind] if length < 0 else Annotated[list[kind], Meta(min_length=length, max_length=length)]  # type: ignore[valid-type]
        kind = _or_none(sized, field)
    return kind


def _or_none(kind: Any, field: dict[str, Any]) -> Any:
    return kind | None if field.get("nullable") else kind


def _int_type(datatype: str) -> Any:
    bits = int(datatype.lstrip("uint"))
    if not datatype.startswith("u"):
        return Annotated[int, Meta(ge=-(2 ** (bits - 1)), le=2 ** (bits - 1) - 1)]
    return Annotated[int, Meta(ge=0, le=2**bits - 1)] if bits < 64 else Annotated[int, Meta(ge=0)]
