"""Read a CSV body into columns; the text of a cell is parsed by the datatype of its field.

Called by :mod:`.reader`. The command line reads files chunk by chunk (:mod:`modelwright.runtime.files`) by the same
rules: a header line, an empty cell is missing, JSON in the cells of tensors.
Source: RFC 4180.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from modelwright.errors import MessageError, TooLargeError
from modelwright.runtime.cells import parser_of
from modelwright.runtime.values import family_of
from modelwright.serving.intake.judging import check_width
from modelwright.serving.intake.strict_json import MAX_DIGITS, decode

Fields = list[dict[str, Any]]
Cells = Sequence[str]
MAX_CELLS = 200_000
"""Most cells of one line."""
_SHOWN = 60
_numbers = msgspec.json.Decoder(list[float]).decode


def columns_of(text: str, fields: Fields, *, max_rows: int) -> tuple[dict[str, list[Any]], int]:
    r"""Return the values per column, and the number of rows.

    Args:
        text: Comma-separated values; the first line names the columns.
        fields: The inputs of the signature; they say how cells are parsed.
        max_rows: Most rows.

    Raises:
        MessageError: It is no CSV, or a line has another number of cells; the line is named.
        TooLargeError: It holds more rows, or far more columns than the signature.

    Example:
        >>> columns_of("age\n42\n", [{"name": "age", "datatype": "int64"}], max_rows=10)
        ({'age': [42]}, 1)
    """
    reader = csv.reader(_lines(text), strict=True)
    try:
        header = next(reader, [])
        _check_header(header)
        check_width(len(header), len(fields))
        rows = _rows(reader, len(header), max_rows)
    except csv.Error as error:
        raise MessageError("The body is no CSV.", where=f"line {reader.line_num}", why=f"{error}.") from None
    known = {field["name"]: field for field in fields}
    cells = zip(*rows, strict=True) if rows else [()] * len(header)
    columns = {name: _parsed(known.get(name), column) for name, column in zip(header, cells, strict=True)}
    return columns, len(rows)


def _lines(text: str) -> Iterator[str]:
    """Give the lines; one that would be taken apart into millions of cells, all at once, is refused before."""
    for number, line in enumerate(io.StringIO(text, newline="")):
        if len(line) > MAX_CELLS and line.count(",") > MAX_CELLS:
            raise TooLargeError(f"Line {number + 1} holds more than {MAX_CELLS:,} cells.", hint="Send a line per row.")
        yield line


def _check_header(header: list[str]) -> None:
    if not header:
        raise MessageError("The body is empty; its first line must name the columns.")
    name, times = Counter(header).most_common(1)[0]
    if times > 1:
        raise MessageError(f"The first line names the column {name[:_SHOWN]!r} {times} times.", where="line 1")


def _rows(reader: Any, width: int, max_rows: int) -> list[list[str]]:
    rows: list[list[str]] = []
    for cells in reader:
        if not cells:
            continue
        if len(cells) != width:
            what = f"Line {reader.line_num} has {len(cells)} cells; the first line names {width} columns."
            raise MessageError(what, where=f"line {reader.line_num}", hint="Quote cells that contain a comma.")
        if len(rows) == max_rows:
            raise TooLargeError(f"The body holds more than {max_rows} rows.", hint="Send them in several requests.")
        rows.append(cells)
    return rows


def _parsed(field: dict[str, Any] | None, cells: Cells) -> list[Any]:
    """Parse the cells of a column; those of one that the model does not know stay text."""
    if field is None:
        return list(cells)
    if field.get("shape") or field["datatype"] == "json":
        return list(map(_json, cells))
    if family_of(field["datatype"]) == "float":
        return _floats(field, cells)
    try:
        return list(map(parser_of(field), cells))
    except ValueError:  # int() of more digits than Python reads
        raise MessageError(
            f"A cell of the column {field['name']!r} holds a whole number of more than {MAX_DIGITS} digits."
        ) from None


def _floats(field: dict[str, Any], cells: Cells) -> list[Any]:
    """Parse cells all at once, unless one is written as no JSON number is, or as JSON numbers are read otherwise."""
    with suppress(msgspec.DecodeError):
        numbers = _numbers(f"[{','.join(cells)}]")
        if len(numbers) == len(cells) and 0.0 not in numbers:  # -0 is a whole number in JSON, and has no sign
            return numbers
    return list(map(parser_of(field), cells))


def _json(cell: str) -> Any:
    """Parse the JSON in a cell as strictly as a body; what is none stays text, which the judge names."""
    if not cell:
        return None
    try:
        return decode(cell.encode())
    except MessageError:
        return cell
