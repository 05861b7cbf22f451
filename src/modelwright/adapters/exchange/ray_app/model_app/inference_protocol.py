"""The Open Inference Protocol v2 over REST: tensors to rows, answers to tensors.

Called by the replica. JSON tensors only: no binary extension and no gRPC.
Source: KServe, Open Inference Protocol v2, "Inference REST API" and "Tensor Data Types".
"""

# mypy: ignore-errors

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from typing import Any

from model_app.answers import gathered
from model_app.bodies import Rows, malformed, read_json, within

DATATYPES = {
    **{f"int{bits}": f"INT{bits}" for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": f"UINT{bits}" for bits in (8, 16, 32, 64)},
    **{f"float{bits}": f"FP{bits}" for bits in (16, 32, 64)},
    "bool": "BOOL",
    "duration": "FP64",
}
"""The protocol's name of each datatype; all others travel as BYTES, which hold text."""


def datatype_of(field: dict[str, Any]) -> str:
    """Return the protocol's datatype of a field."""
    return DATATYPES.get(field["datatype"], "BYTES")


def metadata(variant: dict[str, Any], signature: dict[str, Any]) -> dict[str, Any]:
    """Return the model metadata: name, versions, platform, tensors."""
    return {
        "name": variant["model"],
        "versions": [variant["version"]],
        "platform": "modelwright",
        "inputs": [_tensor_metadata(field) for field in signature["inputs"]],
        "outputs": [_tensor_metadata(field) for field in signature["outputs"]],
    }


def _tensor_metadata(field: dict[str, Any]) -> dict[str, Any]:
    return {"name": field["name"], "datatype": datatype_of(field), "shape": [-1, *field.get("shape", ())]}


def read_tensors(body: bytes, fields: list[dict[str, Any]], *, max_rows: int) -> tuple[Rows, dict[str, Any]]:
    """Return the rows of an inference request, and the request.

    One tensor per field, or, where every field is one number, a single tensor ``[n_rows, n_fields]``.
    """
    request = read_json(body)
    tensors = request.get("inputs") if isinstance(request, dict) else None
    if not isinstance(tensors, list) or not all(isinstance(tensor, dict) for tensor in tensors) or not tensors:
        raise malformed("The request has no list of inputs.")
    names = [field["name"] for field in fields]
    if len(tensors) == 1 and tensors[0].get("name") not in names and len(names) > 1:
        return within(_rows_of_block(tensors[0], names), max_rows), request
    columns = {str(tensor.get("name")): _column(tensor) for tensor in tensors}
    if len(columns) != len(tensors):
        raise malformed("Two inputs have the same name.")
    if len(set(map(len, columns.values()))) > 1:
        raise malformed("The inputs have different numbers of rows, the first number of their shapes.")
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return within(rows, max_rows), request


def _rows_of_block(tensor: dict[str, Any], names: list[str]) -> Rows:
    shape = tensor.get("shape")
    if not isinstance(shape, list) or len(shape) != 2 or shape[1] != len(names):
        raise malformed(
            f"The input {str(tensor.get('name'))[:100]!r} is no field, and its shape is not [rows, {len(names)}].",
            f"Send one input per field: {', '.join(names[:20])}.",
        )
    return [dict(zip(names, row, strict=True)) for row in _column(tensor)]


def _column(tensor: dict[str, Any]) -> list[Any]:
    """Return one value per row."""
    name, shape, data = str(tensor.get("name"))[:100], tensor.get("shape"), tensor.get("data")
    sizes = isinstance(shape, list) and shape and all(type(size) is int and size >= 0 for size in shape)
    if not sizes or not isinstance(data, list):
        raise malformed(f"The input {name!r} needs a shape, a list of whole numbers, and data, a list.")
    flat = list(_leaves(data, len(shape)))
    if len(flat) != math.prod(shape):
        raise malformed(f"The input {name!r} has {len(flat)} values, and its shape {shape} {math.prod(shape)}.")
    return _shaped(flat, shape)


def _leaves(data: list[Any], depth: int) -> Iterator[Any]:
    for value in data:
        if isinstance(value, list) and depth > 1:
            yield from _leaves(value, depth - 1)
        else:
            yield value


def _shaped(flat: list[Any], shape: list[int]) -> list[Any]:
    if len(shape) == 1:
        return flat
    if shape[1:] == [1]:  # a column vector: one scalar per row
        return flat
    step = math.prod(shape[1:])
    return [_shaped(flat[start * step : (start + 1) * step], shape[1:]) for start in range(shape[0])]


def wanted_outputs(request: dict[str, Any], outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the outputs that a request asks for; all, if it names none.

    Args:
        request: The request.
        outputs: The outputs of the signature.
    """
    asked = request.get("outputs") or []
    if not isinstance(asked, list) or not all(isinstance(one, dict) for one in asked):
        raise malformed("The outputs of the request are no list of objects.")
    known = [output["name"] for output in outputs]
    wanted = [one.get("name") for one in asked]
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise malformed(f"The model has no output {str(unknown[0])[:100]!r}.", f"It has {', '.join(known)}.")
    return [output for output in outputs if not wanted or output["name"] in wanted]


def write_tensors(
    variant: dict[str, Any],
    request_id: str,
    outputs: list[tuple[dict[str, Any], list[str]]],
    answers: dict[str, list[Any]],
    encode: Callable[[Any], Any],
) -> dict[str, Any]:
    """Return the inference response.

    Args:
        variant: The version that answered.
        request_id: Id of the request.
        outputs: Each output that is wanted, with the names of its flat columns.
        answers: The flat columns.
        encode: Brings a value into the form that JSON can hold.
    """
    return {
        "model_name": variant["model"],
        "model_version": variant["version"],
        "id": request_id,
        "parameters": {"variant": variant["name"]},
        "outputs": [_tensor(output, gathered(output, names, answers), encode) for output, names in outputs],
    }


def _tensor(output: dict[str, Any], values: list[Any], encode: Callable[[Any], Any]) -> dict[str, Any]:
    shape, kind = output.get("shape", ()), datatype_of(output)
    flat = list(_leaves(values, 1 + len(shape)))
    rest = [side if side >= 0 else len(flat) // len(values) for side in shape]
    data = [encode(value) for value in flat]
    if kind == "BYTES":
        data = [value if isinstance(value, str) else json.dumps(value) for value in data]
    return {"name": output["name"], "datatype": kind, "shape": [len(values), *rest], "data": data}
