"""Read a file of sample rows: CSV, Parquet, JSON, JSON lines, and arrays of NumPy.

For: ``modelwright capture model.joblib rows.csv`` and everyone who gives a path as sample. CSV and Parquet become a
table of a library that this environment has; JSON becomes a list of dicts (or one dict of columns); ``.npy`` an array,
``.npz`` one dict of arrays by name, which are the tensors of a model that takes several.

It does not: look at what is in the rows, that is the matter of :mod:`modelwright.capturing.table`.
"""

from __future__ import annotations

import csv
import zipfile
from collections import Counter
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import msgspec
import narwhals as nw
import numpy as np

from modelwright.errors import DataFileError, MissingExtraError, SampleError

Library = Literal["pandas", "polars", "pyarrow"]
LIBRARIES: tuple[Library, ...] = ("pandas", "polars", "pyarrow")
"""Libraries that read tables, in the order in which they are looked for."""


def read_sample(path: Path | str, *, container: str | None = None) -> Any:
    """Read a file of rows.

    Args:
        path: ``.csv``, ``.parquet``, ``.json`` (a list of objects, or one object of columns), ``.jsonl``, ``.npy`` or
            ``.npz``.
        container: What the model was trained on: ``pandas``, ``polars`` or ``pyarrow`` to read into that, ``numpy``
            for a bare array of the columns. ``None``: the first library that is installed.

    Returns:
        A table, a NumPy array, a list of dicts, or one dict of columns.

    Raises:
        DataFileError: No such file, an unknown kind, or content that is not of its kind.
        SampleError: A header with a repeated name.
        MissingExtraError: CSV or Parquet, and no library to read it.
    """
    path = Path(path)
    kind = path.suffix.lower().lstrip(".")
    if not path.is_file():
        raise DataFileError("There is no such file of rows.", where=str(path))
    if kind in ("json", "jsonl", "ndjson"):
        return _read_json(path, kind)
    if kind in ("npy", "npz"):
        return _read_arrays(path)
    if kind not in ("csv", "parquet"):
        raise DataFileError(
            f"Rows are not read from {path.suffix or 'files without a suffix'}.",
            where=str(path),
            hint="Give .csv, .parquet, .json, .jsonl, .npy or .npz.",
        )
    library = _library(container)
    if kind == "csv":
        _check_header(path)
    frame = _read_frame(path, nw.read_csv if kind == "csv" else nw.read_parquet, library)
    return frame.to_numpy() if container == "numpy" else frame.to_native()


def _library(container: str | None) -> Library:
    wanted = tuple(name for name in LIBRARIES if name == container) or LIBRARIES
    for name in wanted:
        if find_spec(name) is not None:
            return name
    raise MissingExtraError(
        "No library that reads CSV and Parquet files is installed.", hint=f"pip install {wanted[0]}"
    )


def _read_frame(path: Path, reader: Callable[..., nw.DataFrame[Any]], library: Library) -> nw.DataFrame[Any]:
    try:
        return reader(path.as_posix(), backend=library)
    except ImportError as error:
        raise MissingExtraError(
            f"{library} cannot read {path.suffix} files here.",
            where=str(path),
            why=str(error),
            hint="pip install pyarrow",
        ) from error
    except Exception as error:  # each library has exception classes of its own, and none may be imported here
        raise DataFileError(
            f"{library} cannot read the file as {path.suffix.lstrip('.')}.",
            where=str(path),
            why=f"{type(error).__name__}: {error}"[:500],
        ) from error


def _check_header(path: Path) -> None:
    """Refuse repeated names: pandas would rename them without a word."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            names = next(csv.reader(file), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataFileError("The file is not CSV in UTF-8.", where=str(path), why=str(error)) from error
    if repeated := next((name for name, count in Counter(names).items() if count > 1), None):
        raise SampleError(
            f"The column {repeated!r} occurs {names.count(repeated)} times in the header.",
            where=str(path),
            hint="Rename or drop one of them.",
        )
    if not names:
        raise SampleError("The file is empty.", where=str(path), hint="Give a header and at least one row.")


def _read_arrays(path: Path) -> Any:
    """Read an array, or several by name; one of objects would be a pickle, and is refused."""
    try:
        found = np.load(path, allow_pickle=False)
        return found if isinstance(found, np.ndarray) else dict(found.items())
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise DataFileError(
            "The file is no array of numbers or text.",
            where=str(path),
            why=str(error)[:500],
            hint="Save it with numpy.save or numpy.savez; arrays of objects are pickles, which are not read.",
        ) from error


def _read_json(path: Path, kind: str) -> Any:
    decoder = msgspec.json.Decoder()
    try:
        content = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
        rows = decoder.decode(content) if kind == "json" else decoder.decode_lines(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataFileError(f"The file is not {kind.upper()}.", where=str(path), why=str(error)) from error
    if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
        return rows
    if isinstance(rows, dict) and all(isinstance(values, list) for values in rows.values()):
        return rows
    raise DataFileError(
        "The file holds no rows.",
        where=str(path),
        hint="Give a list of objects, one per row, or one object with a list per column.",
    )
