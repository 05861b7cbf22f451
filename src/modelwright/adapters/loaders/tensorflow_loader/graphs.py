"""Look into the graph of a SavedModel: its signatures, and the operations that do more than calculate.

For the loader of SavedModels. The operations of a graph can call Python, and read and write any file. They are read
from the protocol buffer itself, field by field. What TensorFlow adds to save and to restore the variables is let pass
where no function of the model leads to it: loading runs only those functions.

Source: ``saved_model.proto``, ``meta_graph.proto``, ``graph.proto``, ``function.proto``, ``node_def.proto``,
``attr_value.proto`` and ``saved_object_graph.proto`` of TensorFlow 2.21; the wire format is that of
protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

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
