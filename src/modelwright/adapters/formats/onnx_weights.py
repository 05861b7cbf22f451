"""Write a model's protobuf with the same bytes every time; big weights into a file of their own, ready to be mapped.

Called by the onnx format. onnxruntime maps a file of weights into memory, so that all processes of a machine share one
copy; what stands inside ``model.onnx`` it copies into each.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

from modelwright.adapters.loaders import onnx_loader
from modelwright.errors import SerialisationError

BIG = 64 * 2**20
"""From so many bytes of initialisers on, they lie in a file of their own."""
_SMALL = 2**16
"""Tensors below so many bytes stay in the graph: shapes and scales, which onnxruntime looks at when it optimises."""
_PAGE = 2**16
"""Alignment of big tensors, bytes: what every system maps. Source: ONNX, ``ExternalData.md``."""
_PADDING = 64
"""A tensor is aligned to at most so many parts of its size: the file grows by less than 1.6 %."""
_FIELDS = {1: ("float_data", "<f4"), 7: ("int64_data", "<i8"), 11: ("double_data", "<f8")}
"""Typed fields that hold a tensor which has no raw bytes, by type of element."""


def is_big(model: Any) -> bool:
    """Say whether the initialisers of a model are big enough for a file of their own."""
    return bool(sum(tensor.ByteSize() for tensor in model.graph.initializer) >= BIG)


def write_model(model: Any, folder: Path) -> None:
    """Write a model into an empty folder.

    Args:
        model: The ``ModelProto``, with all of its tensors in memory; it is not changed.
        folder: Where ``model.onnx`` is written, and ``model.onnx.data`` for a big one.

    Raises:
        SerialisationError: What stays in the graph is more than protobuf can write.
    """
    if is_big(model):
        with (folder / onnx_loader.WEIGHTS).open("wb") as stream:
            model = _outsourced(model, stream)
    (folder / onnx_loader.ARTIFACT).write_bytes(serialised(model))


def serialised(model: Any) -> bytes:
    """Return the bytes of a model, the same for the same model.

    Raises:
        SerialisationError: They are more than protobuf can write.
    """
    try:
        return bytes(_ordered(model).SerializeToString(deterministic=True))
    except Exception as error:  # EncodeError or ValueError, by the version of protobuf
        raise SerialisationError(
            "The model cannot be written, even with its initialisers in a file of their own.",
            why=f"{type(error).__name__}: {error}. protobuf ends at 2 GiB.",
            hint="Turn constants of nodes into initialisers.",
        ) from error


def _ordered(model: Any) -> Any:
    """Return a model whose versions of operators stand in order, each once: converters keep them in sets."""
    wanted = sorted({(entry.domain, entry.version) for entry in model.opset_import})
    if wanted == [(entry.domain, entry.version) for entry in model.opset_import]:
        return model
    ordered = _without(model, "opset_import")
    for domain, version in wanted:
        ordered.opset_import.add(domain=domain, version=version)
    return ordered


def _outsourced(model: Any, stream: BinaryIO) -> Any:
    """Return a model without its big tensors, which are written."""
    light = _without(model, "graph")
    light.graph.CopyFrom(_without(model.graph, "initializer"))
    for tensor in model.graph.initializer:
        raw = _raw(tensor)
        if len(raw) < _SMALL:
            light.graph.initializer.append(tensor)
            continue
        page = min(_PAGE, 1 << (len(raw) // _PADDING).bit_length() - 1)
        stream.write(bytes(-stream.tell() % page))
        there = light.graph.initializer.add(
            name=tensor.name, data_type=tensor.data_type, dims=tensor.dims, doc_string=tensor.doc_string
        )
        there.data_location = there.EXTERNAL
        where = {"location": onnx_loader.WEIGHTS, "offset": str(stream.tell()), "length": str(len(raw))}
        for key, value in where.items():
            there.external_data.add(key=key, value=value)
        stream.write(raw)
    return light


def _without(message: Any, left_out: str) -> Any:
    """Return a copy of a message without one of its fields, which may be too big to be copied."""
    copy = type(message)()
    for field, value in message.ListFields():
        if field.name == left_out:
            continue
        if hasattr(value, "extend"):
            getattr(copy, field.name).extend(value)
        elif hasattr(value, "CopyFrom"):
            getattr(copy, field.name).CopyFrom(value)
        else:
            setattr(copy, field.name, value)
    return copy


def _raw(tensor: Any) -> bytes:
    """Return the bytes of a tensor as a file of weights holds them; nothing for text and packed types."""
    if tensor.HasField("raw_data"):
        return bytes(tensor.raw_data)
    if tensor.data_type not in _FIELDS:
        return b""
    import numpy as np

    name, dtype = _FIELDS[tensor.data_type]
    return np.array(getattr(tensor, name), dtype=dtype).tobytes()
