"""Look into a TensorFlow SavedModel without TensorFlow, load it, and answer rows with it. Copied into packages.

A SavedModel is a program in a graph, which :mod:`.graphs` looks into before TensorFlow sees it; one that calls Python,
or reads and writes files, never runs, whoever vouches for it.

Source: ``loader_impl.py`` of TensorFlow 2.21.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from .graphs import scan

FOLDER, GRAPH, VARIABLES, ASSETS = "saved_model", "saved_model.pb", "variables", "assets"
DEFAULT = "serving_default"
"""The signature that ``predict`` answers with; if there is only one, it is that."""
BATCH = 1024
"""Rows that are answered at once, so that a long table needs no more memory than this many."""


def audit(artifacts: Path, options: dict[str, Any], package: str) -> list[str]:
    """List what in the graph does more than calculate; TensorFlow is not imported.

    Args:
        artifacts: The folder that holds the SavedModel's.
        options: Not used.
        package: Not used.
    """
    try:
        return scan((artifacts / FOLDER / GRAPH).read_bytes()).problems
    except (ValueError, OSError, TypeError):
        return [f"{GRAPH}, which is no SavedModel"]


def load(artifacts: Path, options: dict[str, Any], package: str, trusted: Iterable[str]) -> object:
    """Construct the model and let it answer rows.

    Raises:
        ValueError: The graph does more than calculate; nobody can vouch for that.
    """
    if trusted:
        raise ValueError(f"the graph does more than calculate: {', '.join(trusted)}")
    return Rows(artifacts / FOLDER, options["signatures"])


def import_tensorflow() -> Any:
    """Import TensorFlow, with nothing told about it on standard error."""
    with without_log_lines():
        return import_module("tensorflow")


_LOG_LINE = re.compile(rb"[IW]\d{4} [\d:.]+ +\d+ |WARNING: All log messages before absl|To enable the following instr")


@contextmanager
def without_log_lines() -> Iterator[None]:
    """Keep what TensorFlow's C++ tells about itself at import from standard error; pass on all other lines.

    TensorFlow 2.21 writes these lines before any of its settings is read (TF_CPP_MIN_LOG_LEVEL does not stop them), so
    the descriptor is the one place to stop them.
    """
    with tempfile.TemporaryFile() as kept:
        try:
            stderr = os.dup(2)
        except OSError:  # a process without standard error has nobody who would read them
            yield
            return
        os.dup2(kept.fileno(), 2)
        try:
            yield
            if "tensorflow" in sys.modules:  # the first tensor makes the device, which tells about itself as well
                sys.modules["tensorflow"].zeros(())
        finally:
            os.dup2(stderr, 2)
            kept.seek(0)
            os.write(stderr, b"".join(line for line in kept if not _LOG_LINE.match(line)))
            os.close(stderr)


class Rows:
    """Answer rows through the signatures of a SavedModel, each a method of its name; ``predict`` is the default.

    Args:
        folder: The SavedModel.
        signatures: What :func:`scan` says of them.
    """

    def __init__(self, folder: Path, signatures: Mapping[str, Any]) -> None:
        self.folder = folder
        self.signatures = dict(signatures)
        self._loaded = import_tensorflow().saved_model.load(str(folder))  # its variables live as long as this does

    def __getattr__(self, name: str) -> Any:
        """Return the method of a signature."""
        if name in self.__dict__.get("signatures", ()):
            return lambda rows: self.ask(name, rows)
        raise AttributeError(name)

    @property
    def default(self) -> str:
        """The signature of ``predict``.

        Raises:
            ValueError: There are several, and none is the default.
        """
        if DEFAULT in self.signatures or len(self.signatures) != 1:
            return DEFAULT
        return next(iter(self.signatures))

    def predict(self, rows: Any) -> Any:
        """Answer with the default signature; see :meth:`ask`."""
        return self.ask(self.default, rows)

    def ask(self, signature: str, rows: Any) -> Any:
        """Return ``[n_rows, …]`` for one output, a dict of such arrays by name for several.

        A last axis of one is left out: a number per row.

        Args:
            signature: Its name.
            rows: A table whose columns are the inputs, or the numbers of the one input; or an array ``[n_rows, …]``.

        Raises:
            ValueError: There is no such signature, or an input is missing or has another shape.
        """
        numpy: Any = import_module("numpy")
        tensorflow: Any = import_module("tensorflow")
        if signature not in self.signatures:
            raise ValueError(
                f"the SavedModel has no signature {signature!r}; choose one of its own, methods=[…]: "
                f"{', '.join(map(repr, self.signatures))}"
            )
        found = self.signatures[signature]
        tensors = self.tensors(found["inputs"], rows)
        count, size = len(next(iter(tensors.values()))), _batch(found["inputs"])
        if any(len(tensor) != count for tensor in tensors.values()):
            raise ValueError("the inputs have different numbers of rows")
        function, dtypes = self._loaded.signatures[signature], {each["name"]: each["dtype"] for each in found["inputs"]}
        parts: dict[str, list[Any]] = {each["name"]: [] for each in found["outputs"]}
        for start in range(0, max(count, 1), size):
            part = {name: _whole(tensor[start : start + size], found["inputs"]) for name, tensor in tensors.items()}
            answer = function(**{n: tensorflow.constant(v, dtypes[n]) for n, v in part.items()})
            for name, values in parts.items():
                values.append(answer[name].numpy()[: count - start])
        whole = {name: _plain(numpy.concatenate(values)) for name, values in parts.items()}
        return whole if len(whole) > 1 else next(iter(whole.values()))

    def tensors(self, inputs: list[dict[str, Any]], rows: Any) -> dict[str, Any]:
        """Return one array ``[n_rows, …]`` per input, in the dtypes that the signature declares."""
        numpy: Any = import_module("numpy")
        entries = [entry | {"shape": entry["shape"][1:]} for entry in inputs]
        one = entries[0]
        if hasattr(rows, "ndim") and hasattr(rows, "dtype"):
            if len(entries) > 1:
                raise ValueError(f"one array was given, and the model takes {_names(entries)}")
            return {one["name"]: _shaped(rows, one)}
        columns = _columns_of(rows)
        if len(entries) == 1 and set(columns) != {one["name"]}:
            first, *more = columns.values()
            return {one["name"]: _shaped(first if not more else numpy.column_stack([first, *more]), one)}
        missing = [entry for entry in entries if entry["name"] not in columns]
        if missing:
            raise ValueError(f"the rows have no {_names(missing)}; they have {', '.join(map(repr, columns))}")
        return {entry["name"]: _shaped(columns[entry["name"]], entry) for entry in entries}


def _batch(inputs: list[dict[str, Any]]) -> int:
    """Return how many rows are asked at once: what the graph was made for, if it was made for a number."""
    return next((entry["shape"][0] for entry in inputs if entry["shape"][0] is not None), BATCH)


def _whole(part: Any, inputs: list[dict[str, Any]]) -> Any:
    """Fill a batch up with its last row, for a graph that takes a number of rows only."""
    numpy: Any = import_module("numpy")
    lacking = _batch(inputs) - len(part) if any(entry["shape"][0] is not None for entry in inputs) else 0
    return numpy.concatenate([part, numpy.repeat(part[-1:], lacking, axis=0)]) if lacking > 0 and len(part) else part


def _names(inputs: Iterable[Mapping[str, Any]]) -> str:
    return ", ".join(repr(entry["name"]) for entry in inputs)


def _columns_of(rows: Any) -> dict[str, Any]:
    """Return the columns of a table of any kind as arrays or lists."""
    if isinstance(rows, Mapping):
        return dict(rows)
    if isinstance(rows, list):
        return {name: [row[name] for row in rows] for name in rows[0]}
    if hasattr(rows, "column_names"):  # PyArrow
        return {name: rows.column(name).to_numpy() for name in rows.column_names}
    return {str(name): rows[name].to_numpy() for name in rows.columns}


def _shaped(values: Any, entry: Mapping[str, Any]) -> Any:
    """Return the values of one input as an array ``[n_rows, *shape]``; a missing axis of one is added."""
    numpy: Any = import_module("numpy")
    shape, dtype = entry["shape"], object if entry["dtype"] == "string" else entry["dtype"]
    array = numpy.asarray(values)
    if array.dtype == object and dtype is not object:
        array = numpy.array([numpy.asarray(value, dtype) for value in values])
    if array.dtype.kind == "f" and numpy.dtype(dtype).kind in "iu":
        raise ValueError(f"input {entry['name']!r} takes {entry['dtype']} and got {array.dtype}")
    array = array.astype(dtype, copy=False)
    if array.ndim == len(shape) and shape[-1:] == [1]:
        array = array[..., None]
    if array.ndim == len(shape) + 2 and array.shape[1] == 1:
        array = array[:, 0]
    fits = array.ndim == len(shape) + 1 and all(w in (None, g) for w, g in zip(shape, array.shape[1:], strict=True))
    if not fits:
        raise ValueError(f"input {entry['name']!r} takes [n, {_axes(shape)}] and got [n, {_axes(array.shape[1:])}]")
    return array


def _axes(shape: Iterable[int | None]) -> str:
    return ", ".join("any" if axis is None else str(axis) for axis in shape)


def _plain(array: Any) -> Any:
    """Return an array of NumPy's own dtypes without a last axis of one."""
    if array.dtype.kind in "OS":
        flat = [value.decode() if isinstance(value, bytes) else value for value in array.ravel().tolist()]
        array = import_module("numpy").array(flat, dtype=object).reshape(array.shape)
    elif array.dtype.name == "bfloat16":
        array = array.astype("float32")
    return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
