"""Load an ``.onnx`` artifact into onnxruntime, after reading by hand where its weights would come from.

For: the runtime, which carries a copy of this file in every package stored in the onnx format; capture asks the live
model through the same class. A graph runs no code of its own; what it could do is read files that are not the
package's, so :func:`audit` names every external location but the one artifact that holds weights.

It does not need the ``onnx`` library. Source of the numbers of fields: ``onnx.proto`` of ONNX 1.23; of the encoding:
protobuf.dev, "Encoding".
"""

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

ARTIFACT = "model.onnx"
WEIGHTS = "model.onnx.data"
"""The one file that external tensors may lie in, beside the model."""

_DEPTH = 64
"""Graphs within graphs beyond this are refused. protobuf itself stops at 100 messages."""
_INSIDE: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
"""Fields of each message that hold, or may hold deeper down, a tensor."""
_RUNS = re.compile(
    rb"(?:\x3d[\s\S]{4}|\x40[\x80-\xff]*[\x00-\x7f]|\x4a(?:"
    + b"|".join(re.escape(bytes([size])) + rb"[\s\S]{%d}" % size for size in range(32))
    + rb"))++"
)
"""Runs of the floats, ints and short strings of an attribute: forests have millions, each with a tag of its own."""

Part = tuple[int, int, int, int]
"""Number of a field, wire type, and where its value starts and ends."""


class DamagedError(ValueError):
    """Bytes that are no protobuf message, or one that is cut off."""


def parts(data: Any, start: int, end: int, *, skip: re.Pattern[bytes] | None = None) -> Iterator[Part]:
    """Walk over the fields of one protobuf message, without descending into any.

    Args:
        data: Bytes, or a memory map.
        start: Where the message starts.
        end: Where it ends.
        skip: What may be passed over at the start of a field.

    Raises:
        DamagedError: It is none, or cut off.
    """
    while start < end:
        if skip is not None and (run := skip.match(data, start, end)):
            start = run.end()
            continue
        tag, start = varint(data, start, end)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            _, after = varint(data, start, end)
        elif kind == 2:
            size, start = varint(data, start, end)
            after = start + size
        elif kind in (1, 5):
            after = start + (8 if kind == 1 else 4)
        else:
            raise DamagedError(f"a field of kind {kind}")
        if after > end or not number:
            raise DamagedError("it is cut off" if number else "a field without a number")
        yield number, kind, start, after
        start = after


def varint(data: Any, start: int, end: int) -> tuple[int, int]:
    """Return a number of variable length, at most 64 bits, and where it ends.

    Raises:
        DamagedError: It does not end.

    Example:
        >>> varint(bytes([0xAC, 0x02]), 0, 2)
        (300, 2)
    """
    value = shift = 0
    while start < end and shift < 70:
        byte = data[start]
        start += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, start
        shift += 7
    raise DamagedError("it is cut off")


def external(data: Any) -> Iterator[tuple[str, dict[str, str]]]:
    """Walk over the tensors of a model that lie elsewhere: each with its name and where (``location``, ``offset`` …).

    Raises:
        DamagedError: It is no protobuf message, cut off, or nested deeper than any model.
    """
    if data.find(b"location") < 0:  # the key that every external tensor must have
        return
    waiting: list[tuple[str, int, int, int]] = [("model", 0, len(data), 0)]
    while waiting:
        kind, start, end, depth = waiting.pop()
        if kind == "tensor":
            name, where = _tensor(data, start, end)
            if where:
                yield name, where
            continue
        if depth > _DEPTH * 4:
            raise DamagedError("graphs within graphs without end")
        inside, skip = _INSIDE[kind], _RUNS if kind == "attribute" else None
        for number, wire, low, high in parts(data, start, end, skip=skip):
            if wire == 2 and number in inside:
                waiting.append((inside[number], low, high, depth + 1))


def _tensor(data: Any, start: int, end: int) -> tuple[str, dict[str, str]]:
    name, where = "", {}
    for number, kind, low, high in parts(data, start, end):
        if number == 8 and kind == 2:
            name = data[low:high].decode("utf-8", "replace")
        elif number == 13 and kind == 2:
            entry = {n: data[a:b].decode("utf-8", "replace") for n, k, a, b in parts(data, low, high) if k == 2}
            where[entry.get(1, "")] = entry.get(2, "")
    return name, where


def audit(artifacts: Path, options: dict[str, Any], package: str) -> list[str]:
    """Name each external tensor that does not lie in the artifact for it, and a file that is no ONNX model."""
    path, size = artifacts / ARTIFACT, 0
    if (weights := artifacts / WEIGHTS).is_file() and not weights.is_symlink():
        size = weights.stat().st_size
    try:
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            found = {number for number, *_ in parts(data, 0, len(data))}
            if not {1, 7} <= found:  # the version and the graph, which every model has
                raise DamagedError("neither version nor graph")
            return [f"{name}: {where.get('location')}" for name, where in external(data) if not _lies(where, size)]
    except ValueError as error:  # also what mmap says of an empty file
        return [f"{ARTIFACT}, which is no ONNX model ({error})"]


def _lies(where: dict[str, str], size: int) -> bool:
    """Say whether a tensor lies in the artifact for weights, all of it."""
    numbers = where.get("offset", "0"), where.get("length", "0")
    plain = all(number.isascii() and number.isdigit() for number in numbers)
    return plain and where.get("location") == WEIGHTS and sum(map(int, numbers)) <= size


def load(artifacts: Path, options: dict[str, Any], package: str, trusted: Iterable[str]) -> object:
    """Give the graph as something that answers rows."""
    return answering(session(str(artifacts / ARTIFACT), shared=(artifacts / WEIGHTS).exists()), options)


def session(source: str | bytes, *, shared: bool) -> Any:
    """Start onnxruntime on a model, on processors only.

    Args:
        source: Path of the model, or its bytes.
        shared: Whether its weights lie in a file, which stays mapped into memory: all processes of a machine share
            one copy. onnxruntime would otherwise pack them anew into memory of its own, and drop the mapping.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # whatever is wrong is raised as well
    options.intra_op_num_threads = threads()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads leave others the processor
    if shared:
        options.add_session_config_entry("session.disable_prepacking", "1")
    provider = ["CPUExecutionProvider"]
    return onnxruntime.InferenceSession(source, options, provider, enable_fallback=0, read_config_from_model=0)


def threads() -> int:
    """Return how many threads one call may use; 0 leaves it to onnxruntime, which takes every core.

    onnxruntime looks neither at the processors that the process is limited to nor at ``OMP_NUM_THREADS``, by which
    servers tell numerical libraries how many threads are theirs.
    """
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    told = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    limit = int(told) if told.isascii() and told.isdigit() and int(told) else 0
    if limit:
        return min(limit, here)
    return here if here < (os.cpu_count() or 1) else 0


def answering(running: Any, options: dict[str, Any]) -> OnnxModel:
    """Return what answers rows for a running graph.

    Args:
        running: The session of onnxruntime.
        options: What capture found out about the graph.
    """
    return (OnnxClassifier if options.get("classes") else OnnxModel)(running, options)


class OnnxModel:
    """A graph as a model of rows; threads may share one.

    Args:
        running: The session of onnxruntime.
        options: What capture found out about the graph: ``inputs`` and ``outputs`` (``name``, ``datatype``,
            ``shape`` with the row axis first), ``takes`` (``matrix``: all columns in one tensor; ``columns``: a tensor
            per column), ``columns`` (their names), ``one_by_one`` (the graph takes a single row).
    """

    def __init__(self, running: Any, options: dict[str, Any]) -> None:
        self.session = running
        self.options = options
        self.source: Any = None  # what capture stores of a live one
        self._inputs = options["inputs"]
        self._outputs = [output["name"] for output in options["outputs"]]
        self._single = {o["name"] for o in options["outputs"] if o.get("shape", [-1, 1])[1:] == [1]}
        self._columns = options["columns"]
        self._matrix = options["takes"] == "matrix"
        self._one_by_one = options.get("one_by_one", False)
        self._estimator_type = options.get("task")

    def predict(self, rows: Any) -> Any:
        """Return the output of the graph, ``[n_rows, …]``, or one per name where it has several."""
        found = self._ask(rows, self._outputs)
        return found[0] if len(found) == 1 else dict(zip(self._outputs, found, strict=True))

    def _ask(self, rows: Any, outputs: list[str]) -> list[Any]:
        feed = self._matrix_of(rows) if self._matrix else self._tensors_of(rows)
        if self._one_by_one or any(isinstance(values, list) for values in feed.values()):
            found = self._ask_one_by_one(feed, outputs)
        else:
            found = self.session.run(outputs, feed)
        return [_flat(answer) if name in self._single else answer for name, answer in zip(outputs, found, strict=True)]

    def _ask_one_by_one(self, feed: dict[str, Any], outputs: list[str]) -> list[Any]:
        import numpy

        answers = []
        for row in range(len(next(iter(feed.values())))):
            one = {}
            for given in self._inputs:
                value = feed[given["name"]][row]
                one[given["name"]] = numpy.asarray(value, dtype=_dtype(given))[None]
            answers.append(self.session.run(outputs, one))
        return [_joined(column) for column in zip(*answers, strict=True)]

    def _matrix_of(self, rows: Any) -> dict[str, Any]:
        """Return all columns as one array ``[n_rows, n_columns]``."""
        import numpy

        given, dtype = self._inputs[0], _dtype(self._inputs[0])
        if isinstance(rows, numpy.ndarray) or (hasattr(rows, "to_numpy") and dtype != "object"):
            block = rows if isinstance(rows, numpy.ndarray) else rows.to_numpy()
            return {given["name"]: numpy.ascontiguousarray(_text(block, given) if dtype == "object" else block, dtype)}
        names = self._columns or list(rows[0] if isinstance(rows, list) else rows)
        columns = [_column(rows, name, given) for name in names]
        return {given["name"]: numpy.stack(columns, axis=1)}

    def _tensors_of(self, rows: Any) -> dict[str, Any]:
        """Return one array per input, ``[n_rows, *shape]``; a list of rows where their lengths differ."""
        if hasattr(rows, "ndim") and hasattr(rows, "reshape"):  # an array of more than two axes
            return {self._inputs[0]["name"]: rows.astype(_dtype(self._inputs[0]), copy=False)}
        feed = {}
        for given, name in zip(self._inputs, self._columns, strict=True):
            values = _column(rows, name, given)
            wide = len(given["shape"]) == 2 and given["shape"][1] == 1 and not isinstance(values, list)
            feed[given["name"]] = values.reshape(-1, 1) if wide else values
        return feed


class OnnxClassifier(OnnxModel):
    """A graph that answers a label and a probability per class.

    Attributes:
        classes_: The labels ``[n_classes]``, in the order of the probabilities.
    """

    def __init__(self, running: Any, options: dict[str, Any]) -> None:
        import numpy

        super().__init__(running, options)
        self.classes_ = numpy.array(options["classes"])
        self._label, self._probabilities = options["label"], options["probabilities"]

    def predict(self, rows: Any) -> Any:
        """Return the label of each row, ``[n_rows]``; text as an array of text, as scikit-learn answers it."""
        labels = self._ask(rows, [self._label])[0]
        return labels.astype(self.classes_.dtype) if labels.dtype.kind == "O" else labels

    def predict_proba(self, rows: Any) -> Any:
        """Return the probability of each class, ``[n_rows, n_classes]``."""
        return self._ask(rows, [self._probabilities])[0]


def _dtype(given: dict[str, Any]) -> str:
    return "object" if given["datatype"] == "string" else str(given["datatype"])


def _column(rows: Any, name: str, given: dict[str, Any]) -> Any:
    """Return one column as an array of the type that the graph declares; a list if its rows have several lengths."""
    import numpy

    values = [row.get(name) for row in rows] if isinstance(rows, list) else rows[name]
    dtype = _dtype(given)
    if dtype == "object":
        return _text(values, given)
    nested = len(given["shape"]) > 2 or (len(given["shape"]) == 2 and given["shape"][1] != 1)
    if nested and not isinstance(values, numpy.ndarray):
        values = values.tolist() if hasattr(values, "tolist") else list(values)
        if len({numpy.shape(value) for value in values}) > 1:
            return values
    return numpy.asarray(values, dtype=dtype)


def _text(values: Any, given: dict[str, Any]) -> Any:
    """Return text as an array of objects; onnxruntime would take ``None`` for the word."""
    import numpy

    array = numpy.asarray(values, dtype=object)
    strangers = [value for value in array.ravel().tolist() if not isinstance(value, str)]
    if strangers:
        raise ValueError(f"{given['name']!r} takes text, and a row holds {strangers[0]!r}")
    return array


def _flat(answer: Any) -> Any:
    """Return ``[n_rows, 1]`` as ``[n_rows]``: one value per row."""
    return answer[:, 0] if getattr(answer, "ndim", 0) == 2 and answer.shape[1] == 1 else answer


def _joined(answers: tuple[Any, ...]) -> Any:
    """Return the answers to single rows as one array, or as a list where their lengths differ."""
    import numpy

    rows = [answer[0] if getattr(answer, "ndim", 0) else answer for answer in answers]
    same = len({numpy.shape(row) for row in rows}) == 1
    return numpy.stack(rows) if same else [row.tolist() for row in rows]
