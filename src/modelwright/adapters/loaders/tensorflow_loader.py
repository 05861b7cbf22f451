"""Look into a TensorFlow SavedModel without TensorFlow, load it, and answer rows with it. Copied into packages.

A SavedModel is a program in a graph: its operations can call Python, and read and write any file. What it holds is
read from the protocol buffer itself, field by field, before TensorFlow sees it; a graph with such operations never
runs, whoever vouches for it. What TensorFlow itself adds to save and to restore the variables is let pass where no
function of the model leads to it: loading runs only those functions.

Source: ``saved_model.proto``, ``meta_graph.proto``, ``graph.proto``, ``function.proto``, ``node_def.proto``,
``attr_value.proto``, ``saved_object_graph.proto`` and ``loader_impl.py`` of TensorFlow 2.21; the wire format is that of
protobuf.dev/programming-guides/encoding.
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
from typing import Any, NamedTuple

FOLDER, GRAPH, VARIABLES, ASSETS = "saved_model", "saved_model.pb", "variables", "assets"
DEFAULT = "serving_default"
"""The signature that ``predict`` answers with; if there is only one, it is that."""
BATCH = 1024
"""Rows that are answered at once, so that a long table needs no more memory than this many."""

_NAMES = (
    "float32 float64 int32 uint8 int16 int8 string - int64 bool - - - bfloat16 - - uint16 - float16 - - uint32 uint64"
)
_DTYPES = {number: name for number, name in enumerate(_NAMES.split(), 1) if name != "-"}
"""Datatypes that rows can have. Source: ``types.proto``."""
_REFUSED = re.compile(
    r"(Eager)?PyFunc(Stateless)?|ReadFile|WriteFile|MatchingFiles\w*|DeleteFile\w*|.*Reader(V2)?|"
    r"(Experimental)?(TextLine|TFRecord|FixedLengthRecord|CSV|LMDB|Sql|Save|Load|Snapshot|Cache|DataService)Dataset\w*|"
    r"(Experimental)?DatasetToTFRecord|LMDBReader|DebugIdentity\w*|CreateSummary\w+|Write\w*Summary\w*|"
    r"LoadAndRemapMatrix|GenerateVocabRemapping|Restore|RestoreSlice|Save|SaveSlices|"
    r"SnapshotDatasetReader|SnapshotChunkDataset|DistributedSave|RpcCall|TryRpc|Rpc"
)
"""Operations that call Python, or read or write files or the network."""
_CHECKPOINT = re.compile(r"SaveV2|RestoreV2|MergeV2Checkpoints")
"""Operations with which TensorFlow saves and restores variables."""


class Node(NamedTuple):
    """One operation of a graph: name of the operation, its inputs, functions that it calls, texts of its attributes."""

    op: str
    inputs: tuple[str, ...]
    calls: tuple[str, ...]
    texts: tuple[bytes, ...]


class Scan(NamedTuple):
    """What a SavedModel says of itself.

    Attributes:
        version: Version of TensorFlow that wrote it.
        signatures: Per name ``inputs`` and ``outputs``: name, shape with the axis of the rows (``None`` is any), dtype.
        problems: What runs code or reads elsewhere, and what is not supported.
    """

    version: str
    signatures: dict[str, Any]
    problems: list[str]


def fields(message: bytes | memoryview) -> Iterator[tuple[int, Any]]:
    r"""Give the fields of a message: number, and an integer or the bytes.

    Raises:
        ValueError: It is cut off, or no protocol buffer.

    Example:
        >>> [(number, bytes(value)) for number, value in fields(b"\x0a\x02hi")]
        [(1, b'hi')]
    """
    view, at = memoryview(message), 0
    while at < len(view):
        key, at = _varint(view, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(view, at)
            yield key >> 3, value
            continue
        if kind == 2:
            size, at = _varint(view, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError(f"wire type {kind}")
        if at + size > len(view):
            raise ValueError("a field is cut off")
        yield key >> 3, view[at : at + size]
        at += size


def _varint(view: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(view) or shift > 63:
            raise ValueError("a number is cut off")
        byte = view[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def _all(message: Any, number: int) -> list[Any]:
    return [value for found, value in fields(message) if found == number]


def _one(message: Any, *path: int) -> Any:
    for number in path:
        message = next(iter(_all(message, number)[-1:]), b"")
    return message


def _text(message: Any, *path: int) -> str:
    return bytes(_one(message, *path)).decode()


def scan(content: bytes) -> Scan:
    """Read a ``saved_model.pb``.

    Raises:
        ValueError: It is damaged.
    """
    graphs = _all(content, 2)
    if len(graphs) != 1:
        return Scan("", {}, [f"{len(graphs)} graphs in one SavedModel, of which one could be chosen by a tag only"])
    (graph,) = graphs
    version, objects = _text(graph, 1, 5), _one(graph, 7)
    signatures = dict(_signature(entry) for entry in _all(graph, 5))
    signatures = {name: found for name, found in signatures.items() if not name.startswith("__")}
    problems = [] if objects else ["a graph of TensorFlow 1, without objects"]
    files = [_text(entry, 2) for entry in _all(graph, 6)]
    problems += [
        f"asset {name!r} outside the folder" for name in files if {"/", "\\"} & set(name) or name in (".", "..")
    ]
    return Scan(version, signatures, problems + _operations(_one(graph, 2), objects))


def _signature(entry: Any) -> tuple[str, dict[str, Any]]:
    found = {"inputs": [_tensor(each) for each in _all(_one(entry, 2), 1)]}
    found["outputs"] = [_tensor(each) for each in _all(_one(entry, 2), 2)]
    return _text(entry, 1), {kind: sorted(tensors, key=lambda each: each["name"]) for kind, tensors in found.items()}


def _tensor(entry: Any) -> dict[str, Any]:
    info = _one(entry, 2)
    shape = _one(info, 3)
    sizes: list[Any] = [_one(dim, 1) or 0 for dim in _all(shape, 2)]
    known = not _one(shape, 3)
    axes = [None if size >= 1 << 63 else size for size in sizes] if known else None
    return {"name": _text(entry, 1), "shape": axes, "dtype": _DTYPES.get(_one(info, 2) or 0, "")}


def _operations(graph: Any, objects: Any) -> list[str]:
    """List the operations that do more than calculate, by name."""
    functions = {}
    for each in _all(_one(graph, 2), 1):
        functions[_text(each, 1, 1)] = [_node(node) for node in _all(each, 3)]
    reached, waiting = set(), [_text(entry, 1) for entry in _all(objects, 2)]
    while waiting:
        name = waiting.pop()
        if name in functions and name not in reached:
            reached.add(name)
            waiting += [called for node in functions[name] for called in (*node.calls, node.op)]
    found = {_refusal(node) for node in map(_node, _all(graph, 1))}
    for name, nodes in functions.items():
        found |= {_refusal(node) for node in nodes}
        found |= {node.op for node in nodes if name in reached and _CHECKPOINT.fullmatch(node.op)}
    return sorted(f"the operation {op}" for op in found - {""})


def _node(message: Any) -> Node:
    op, inputs, calls, texts = "", [], [], []
    for number, value in fields(message):
        if number == 2:
            op = bytes(value).decode()
        elif number == 3:
            inputs.append(bytes(value).decode())
        elif number == 5:
            for kind, attribute in fields(_one(value, 2)):
                if kind == 10:
                    calls.append(_text(attribute, 1))
                elif kind == 1:
                    calls += [_text(each, 1) for each in _all(attribute, 9)]
                elif kind == 2:
                    texts.append(bytes(attribute))
    return Node(op, tuple(inputs), tuple(calls), tuple(texts))


def _refusal(node: Node) -> str:
    """Return what an operation is called if it does more than calculate; empty otherwise."""
    if node.op.startswith("InitializeTableFromTextFile") and ":" in "".join(node.inputs[1:2]):
        return f"{node.op} of a file that is no asset"
    if node.op == "PrintV2" and any(text.startswith(b"file:") for text in node.texts):
        return "PrintV2 into a file"
    return node.op if _REFUSED.fullmatch(node.op) else ""


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
