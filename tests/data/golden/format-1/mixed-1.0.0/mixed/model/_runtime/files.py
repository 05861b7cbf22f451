"""Read files of rows chunk by chunk, and write answers: CSV, TSV, JSON lines, JSON, Parquet; gzip is fine.

Called by the command line. Text is parsed by the datatype of its field, so that ``"1"`` is a number exactly where
one is declared. Memory stays constant, but for a JSON document that is one value. Parquet needs PyArrow.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import IO, Any, BinaryIO, NamedTuple

from .cells import parser_of
from .encoding import decode_rows
from .errors import DataFileError

CHUNK = 10_000
"""Rows that are in memory at a time."""
KINDS = ("csv", "tsv", "jsonl", "json", "parquet")


class Chunk(NamedTuple):
    """Some rows of a file.

    Attributes:
        rows: A dict of columns, a list of dicts, or a PyArrow table.
        first: Zero-based position of the first row in the file.
        lines: Line number of each row in the file; empty where a file has no lines.
    """

    rows: Any
    first: int
    lines: list[int]


def kind_of_file(name: str) -> str:
    """Return the kind of a file by its name; compressed ones count as what is inside.

    Raises:
        DataFileError: The ending is none that is understood.

    Example:
        >>> kind_of_file("rows.csv"), kind_of_file("rows.ndjson.gz")
        ('csv', 'jsonl')
    """
    ending = name.lower().removesuffix(".gz").rpartition(".")[2]
    kind = {"ndjson": "jsonl", "pq": "parquet"}.get(ending, ending)
    if kind not in KINDS:
        raise DataFileError(
            f"The kind of {name!r} is not known.",
            why="The ending says how a file is read.",
            hint="Use .csv, .tsv, .jsonl, .json or .parquet (the text ones also with .gz).",
        )
    return kind


def read_chunks(source: str, fields: list[dict[str, Any]], *, size: int = CHUNK) -> Iterator[Chunk]:
    """Read the rows of a file.

    Args:
        source: Path of the file; ``-`` is standard input (CSV or JSON lines, whichever it begins like).
        fields: The input fields of the signature; they say how text is parsed.
        size: Rows in a chunk.

    Raises:
        DataFileError: There is no such file, or it is not of the kind its name says.
    """
    if source == "-":
        yield from _read_stream(sys.stdin.buffer, fields, size)
        return
    kind = kind_of_file(source)
    try:
        if kind == "parquet":
            yield from _read_parquet(source, size)
        else:
            opener: Callable[[str], Any] = gzip.open if source.lower().endswith(".gz") else open_bytes
            with _text(opener(source)) as stream:
                yield from _READERS[kind](stream, fields, size)
    except (UnicodeDecodeError, csv.Error, EOFError, gzip.BadGzipFile) as error:
        raise DataFileError(f"{source} cannot be read as {kind}.", where=source, why=str(error)) from error
    except OSError as error:
        raise DataFileError("The file cannot be read.", where=source, why=error.strerror or str(error)) from error


def open_bytes(path: str) -> BinaryIO:
    """Open a file for reading bytes."""
    return Path(path).open("rb")


def _text(stream: Any) -> io.TextIOWrapper:
    return io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")


def _read_stream(stream: BinaryIO, fields: list[dict[str, Any]], size: int) -> Iterator[Chunk]:
    head = stream.peek(1)[:4096].lstrip() if hasattr(stream, "peek") else b""
    kind = "json" if head.startswith(b"[") else "jsonl" if head.startswith(b"{") else "csv"
    text = _text(stream)
    try:
        yield from _READERS[kind](text, fields, size)
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataFileError(f"Standard input cannot be read as {kind}.", why=str(error)) from error
    finally:
        text.detach()  # standard input belongs to the process: it is not ours to close


def _read_csv(stream: IO[str], fields: list[dict[str, Any]], size: int, delimiter: str = ",") -> Iterator[Chunk]:
    reader = csv.reader(stream, delimiter=delimiter, strict=True)
    header = next(reader, None)
    if header is None:
        raise DataFileError("The file is empty; its first line must name the columns.")
    repeated = {name for name in header if header.count(name) > 1} if len({*header}) < len(header) else set()
    if repeated:
        raise DataFileError(f"The columns {sorted(repeated)} appear more than once in the first line.")
    parsers = {field["name"]: parser_of(field) for field in fields}
    parse = [parsers.get(name, str) for name in header]
    first = 0
    while chunk := list(islice(((reader.line_num, cells) for cells in reader if cells), size)):
        _check_width(chunk, len(header))
        columns = zip(*(cells for _, cells in chunk), strict=True)
        rows = {name: list(map(way, cells)) for name, way, cells in zip(header, parse, columns, strict=True)}
        yield Chunk(rows, first, [line for line, _ in chunk])
        first += len(chunk)
    if first == 0:
        yield Chunk({name: [] for name in header}, 0, [])


def _check_width(chunk: list[tuple[int, list[str]]], width: int) -> None:
    for line, cells in chunk:
        if len(cells) != width:
            raise DataFileError(f"Line {line} has {len(cells)} cells; the first line names {width} columns.")


def _read_tsv(stream: IO[str], fields: list[dict[str, Any]], size: int) -> Iterator[Chunk]:
    return _read_csv(stream, fields, size, "\t")


def _read_jsonl(stream: IO[str], fields: list[dict[str, Any]], size: int) -> Iterator[Chunk]:
    numbered = ((number, line) for number, line in enumerate(stream, start=1) if line.strip())
    first = 0
    while chunk := list(islice(numbered, size)):
        rows = [_json_row(line, number) for number, line in chunk]
        yield Chunk(decode_rows(rows, fields), first, [number for number, _ in chunk])
        first += len(chunk)
    if first == 0:
        yield Chunk([], 0, [])


def _json_row(line: str, number: int) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise DataFileError(f"Line {number} is not JSON.", why=str(error), hint="Write one object per line.") from error
    if not isinstance(row, dict):
        raise DataFileError(f"Line {number} is no JSON object.", hint='Write one object per line: {"column": value}.')
    return row


def _read_json(stream: IO[str], fields: list[dict[str, Any]], size: int) -> Iterator[Chunk]:
    try:
        document = json.load(stream)
    except ValueError as error:
        raise DataFileError("The file is not JSON.", why=str(error)) from error
    if isinstance(document, dict) and all(isinstance(column, list) for column in document.values()):
        document = [dict(zip(document, row, strict=False)) for row in zip(*document.values(), strict=False)]
    if not isinstance(document, list) or not all(isinstance(row, dict) for row in document):
        raise DataFileError("The JSON document holds no rows.", hint="Write a list of objects, or an object of lists.")
    for first in range(0, len(document), size) or [0]:
        yield Chunk(decode_rows(document[first : first + size], fields), first, [])


def _read_parquet(source: str, size: int) -> Iterator[Chunk]:
    parquet = parquet_library()
    try:
        file = parquet.ParquetFile(source)
    except (OSError, ValueError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise DataFileError("The file is no Parquet file.", where=source, why=str(error)) from error
    first = 0
    with file:
        for batch in file.iter_batches(batch_size=size):
            yield Chunk(batch, first, [])
            first += batch.num_rows
        if first == 0:
            yield Chunk(file.schema_arrow.empty_table(), 0, [])


def parquet_library() -> Any:
    """Return PyArrow's Parquet module.

    Raises:
        DataFileError: It is not installed.
    """
    try:
        return import_module("pyarrow.parquet")
    except ImportError as error:
        raise DataFileError("Parquet needs PyArrow, which is not installed.", hint="pip install pyarrow") from error


_READERS: dict[str, Callable[[IO[str], list[dict[str, Any]], int], Iterator[Chunk]]] = {
    "csv": _read_csv,
    "tsv": _read_tsv,
    "jsonl": _read_jsonl,
    "json": _read_json,
}
