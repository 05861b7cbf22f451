"""Write answers as CSV, JSON lines or Parquet, chunk by chunk; a file appears whole or not at all.

Called by the command line.
"""

from __future__ import annotations

import csv
import io
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from .encoding import encode
from .errors import DataFileError
from .files import parquet_library
from .values import family_of

Columns = dict[str, list[Any]]


class Writer(Protocol):
    """Writes chunks of answers."""

    def write(self, columns: Columns) -> None:
        """Write some rows, given as columns."""

    def close(self) -> None:
        """Write what must stand at the end."""


class CsvWriter:
    """Writes comma-separated values with a header; a missing value is an empty cell."""

    def __init__(self, stream: BinaryIO, outputs: dict[str, str], delimiter: str = ",") -> None:
        self._stream = io.TextIOWrapper(stream, encoding="utf-8", newline="", write_through=True)
        self._writer = csv.writer(self._stream, lineterminator="\n", delimiter=delimiter)
        self._writer.writerow(outputs)

    def write(self, columns: Columns) -> None:
        """Write some rows."""
        self._writer.writerows(zip(*([_cell(value) for value in column] for column in columns.values()), strict=True))

    def close(self) -> None:
        """Flush, and leave the stream open for its owner."""
        self._stream.detach()


class JsonLinesWriter:
    """Writes one JSON object per row."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, columns: Columns) -> None:
        """Write some rows."""
        encoded = [[encode(value) for value in column] for column in columns.values()]
        for row in zip(*encoded, strict=True):
            line = json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False, allow_nan=False)
            self._stream.write(line.encode("utf-8") + b"\n")

    def close(self) -> None:
        """Flush."""
        self._stream.flush()


class ParquetWriter:
    """Writes Parquet; the columns have the datatypes of the outputs from the first chunk on."""

    def __init__(self, stream: BinaryIO, outputs: dict[str, str]) -> None:
        self._pyarrow = import_module("pyarrow")
        self._schema = self._pyarrow.schema([(name, _arrow_type(datatype)) for name, datatype in outputs.items()])
        self._writer = parquet_library().ParquetWriter(stream, self._schema)

    def write(self, columns: Columns) -> None:
        """Write some rows."""
        try:
            self._writer.write_table(self._pyarrow.table(columns, schema=self._schema))
        except (self._pyarrow.ArrowInvalid, self._pyarrow.ArrowTypeError) as error:
            raise DataFileError(
                "The answers do not fit into Parquet columns.", why=str(error), hint="--format jsonl"
            ) from error

    def close(self) -> None:
        """Write the footer."""
        self._writer.close()


def _arrow_type(datatype: str) -> Any:
    pyarrow = import_module("pyarrow")
    named = {"bool": "bool_", "bytes": "binary", "date": "date32", "json": "string", "datetime": "", "duration": ""}
    name = named.get(family_of(datatype), datatype)
    if name:
        return getattr(pyarrow, name)()
    return pyarrow.timestamp("us") if datatype == "datetime" else pyarrow.duration("us")


def _cell(value: Any) -> Any:
    value = encode(value)
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value).lower() if isinstance(value, bool) else value


def write_all(answers: Iterable[Columns], kind: str, stream: BinaryIO, outputs: dict[str, str]) -> None:
    """Write answers as they come; nothing is written if the first chunk already fails.

    Args:
        answers: Chunks of answers, at least one.
        kind: As for :func:`writer`.
        stream: Where the bytes go.
        outputs: Datatype per column.

    Raises:
        DataFileError: The answers do not fit the kind of file, or PyArrow is needed and not installed.
    """
    chunks = iter(answers)
    first = next(chunks)
    out = writer(kind, stream, outputs)
    for columns in chain([first], chunks):
        out.write(columns)
    out.close()


def writer(kind: str, stream: BinaryIO, outputs: dict[str, str]) -> Writer:
    """Return what writes answers of a kind.

    Args:
        kind: ``csv``, ``tsv``, ``jsonl``, ``json`` (written as JSON lines) or ``parquet``.
        stream: Where the bytes go.
        outputs: Datatype per column.

    Raises:
        DataFileError: PyArrow is needed and not installed.
    """
    if kind == "parquet":
        parquet_library()
        return ParquetWriter(stream, outputs)
    if kind in ("csv", "tsv"):
        return CsvWriter(stream, outputs, "\t" if kind == "tsv" else ",")
    return JsonLinesWriter(stream)


@contextmanager
def destination(path: str | None) -> Iterator[BinaryIO]:
    """Give a stream for answers: standard output, or a file that appears only when everything is written.

    Raises:
        DataFileError: The file cannot be written; what was there before is untouched.
    """
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    target = Path(path)
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        raise DataFileError("The output cannot be written.", where=path, why=error.strerror or str(error)) from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(target)
    except OSError as error:
        raise DataFileError("The output cannot be written.", where=path, why=error.strerror or str(error)) from error
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
