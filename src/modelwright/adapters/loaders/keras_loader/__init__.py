"""Look into a saved Keras model without Keras, load it, and answer rows with it. Copied into packages.

What the model names is judged by :mod:`.configs` before Keras reads it.
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

from .configs import CONFIG, entries, look, read_config

FOLDER = "network"
"""The folder below the artifacts: an unpacked ``.keras`` archive, whose weights Keras reads without a copy of them."""
BATCH = 1024
"""Rows that are answered at once, so that a long table needs no more memory than this many."""


def audit(artifacts: Path, options: dict[str, Any], package: str) -> list[str]:
    """List what the saved model names, links or holds beyond Keras' own and the package's; import nothing of Keras.

    Args:
        artifacts: The folder that holds the model's.
        options: Not used.
        package: Import package whose own code the consumer imports anyway.
    """
    try:
        return look(artifacts / FOLDER, package)
    except (KeyError, ValueError, OSError, RecursionError):
        return [f"{FOLDER}, which is no Keras model"]


def load(artifacts: Path, options: dict[str, Any], package: str, trusted: Iterable[str]) -> object:
    """Construct the model in safe mode, whatever was vouched for, and let it answer rows.

    Raises:
        RuntimeError: Keras runs on another backend in this process.
    """
    keras = import_keras(options["backend"])
    folder = artifacts / FOLDER
    own = _own_objects(read_config((folder / CONFIG).read_bytes()), package)
    return Rows(keras.saving.load_model(folder, custom_objects=own, compile=False, safe_mode=True), options)


def _own_objects(config: Any, package: str) -> dict[str, Any]:
    """Import what the package's own code adds to Keras, by the name that the archive calls it."""
    found = {}
    for entry, _ in entries(config):
        name = str(entry["config"] if entry["class_name"] == "function" else entry.get("registered_name"))
        module, _, attribute = name.partition(">")
        if attribute and module.startswith(f"{package}."):
            found[name] = getattr(import_module(module), attribute)
    return found


def import_keras(backend: str) -> Any:
    """Import Keras with a backend, which it reads from the environment, once, when it is imported.

    Raises:
        RuntimeError: It was imported with another one.
    """
    if "keras" not in sys.modules:
        before = os.environ.get("KERAS_BACKEND")
        os.environ["KERAS_BACKEND"] = backend
        try:
            with without_log_lines():
                import_module("keras")
        finally:
            _restore("KERAS_BACKEND", before)
    keras: Any = import_module("keras")
    if keras.config.backend() != backend:
        raise RuntimeError(
            f"the model was captured with the backend {backend!r}, and this process runs Keras with "
            f"{keras.config.backend()!r}; a process has one, so load the model in another"
        )
    return keras


def _restore(name: str, value: str | None) -> None:
    if value is None:
        del os.environ[name]
    else:
        os.environ[name] = value


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
    """Answer rows through a Keras model: one value or array per row and output, nothing printed.

    Args:
        model: The Keras model.
        options: What its format wrote: ``backend``, ``inputs`` (name, shape of one row, dtype each), ``style`` (how the
            model takes them: ``one``, ``list`` or ``dict``) and ``outputs`` (names, if there are several).
    """

    def __init__(self, model: Any, options: Mapping[str, Any]) -> None:
        self.keras_model = model
        self.options = dict(options)
        self._inputs: list[dict[str, Any]] = list(options["inputs"])
        self._ask = self._compiled() if options["backend"] == "tensorflow" else self._asked

    def predict(self, rows: Any) -> Any:
        """Return ``[n_rows, …]`` for one output, a dict of such arrays by name for several.

        A last axis of one is left out: a number per row.

        Args:
            rows: A table whose columns are the inputs, or the numbers of the one input; or an array ``[n_rows, …]``.

        Raises:
            ValueError: An input is missing or has another shape.
        """
        numpy: Any = import_module("numpy")
        tensors = self.tensors(rows)
        count = len(tensors[0])
        if any(len(tensor) != count for tensor in tensors):
            raise ValueError("the inputs have different numbers of rows")
        parts = [
            self._named(self._ask(*(tensor[start : start + BATCH] for tensor in tensors)))
            for start in range(0, max(count, 1), BATCH)
        ]
        whole = {name: _plain(numpy.concatenate([part[name] for part in parts])) for name in parts[0]}
        return whole[""] if set(whole) == {""} else whole

    def tensors(self, rows: Any) -> list[Any]:
        """Return one array ``[n_rows, *shape]`` per input, in the dtypes that the model declares."""
        numpy: Any = import_module("numpy")
        if hasattr(rows, "ndim") and hasattr(rows, "dtype"):
            if len(self._inputs) > 1:
                raise ValueError(f"one array was given, and the model takes {_names(self._inputs)}")
            return [_shaped(rows, self._inputs[0])]
        columns = _columns_of(rows)
        if len(self._inputs) == 1 and set(columns) != {self._inputs[0]["name"]}:
            one, *more = columns.values()
            return [_shaped(one if not more else numpy.column_stack([one, *more]), self._inputs[0])]
        missing = [entry for entry in self._inputs if entry["name"] not in columns]
        if missing:
            raise ValueError(f"the rows have no {_names(missing)}; they have {', '.join(map(repr, columns))}")
        return [_shaped(columns[entry["name"]], entry) for entry in self._inputs]

    def _compiled(self) -> Any:
        tensorflow: Any = import_module("tensorflow")
        specs = [tensorflow.TensorSpec([None, *entry["shape"]], entry["dtype"]) for entry in self._inputs]
        return tensorflow.function(self._asked, input_signature=specs, autograph=False)

    def _asked(self, *tensors: Any) -> Any:
        if self.options["backend"] == "torch":
            with import_module("torch").no_grad():
                return self.keras_model(self._arranged(tensors), training=False)
        return self.keras_model(self._arranged(tensors), training=False)

    def _arranged(self, tensors: tuple[Any, ...]) -> Any:
        style = self.options["style"]
        if style == "dict":
            return {entry["name"]: tensor for entry, tensor in zip(self._inputs, tensors, strict=True)}
        return list(tensors) if style == "list" else tensors[0]

    def _named(self, answer: Any) -> dict[str, Any]:
        names = self.options["outputs"]
        if isinstance(answer, list | tuple):
            names = names or [f"output_{place}" for place in range(len(answer))]
            answer = dict(zip(names, answer, strict=True))
        parts = answer if isinstance(answer, Mapping) else {"": answer}
        to_numpy = import_module("keras").ops.convert_to_numpy
        return {name: to_numpy(part) for name, part in parts.items()}


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
