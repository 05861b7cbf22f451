"""Write answers and errors of the protocol over HTTP: JSON, followed by binary data where the caller asked for it.

Source: Open Inference Protocol v2, "Inference Response JSON Object"; Triton, binary tensor data extension.
"""

from __future__ import annotations

from typing import Any

import msgspec

from modelwright.serving.http.errors import error_fields, sentence_of
from modelwright.serving.http.messages import Reply
from modelwright.serving.http.statuses import headers_of, status_of
from modelwright.serving.inference import Answer
from modelwright.serving.tensors.tensor import InferRequest
from modelwright.serving.tensors.writing import OutTensor

_encode = msgspec.json.Encoder().encode


def write_answer(request: InferRequest, answer: Answer, tensors: list[OutTensor]) -> Reply:
    """Return the reply that holds an answer.

    Raises:
        OutputError: An output has no form in which it was asked for.
    """
    binary = _binary(request, tensors)
    parts: list[bytes] = []
    outputs = []
    for tensor in tensors:
        written: dict[str, Any] = {
            "name": tensor.name,
            "shape": tensor.shape,
            "datatype": tensor.datatype.name,
        }
        if tensor.name in binary:
            parts.append(tensor.binary())
            written["parameters"] = {"binary_data_size": len(parts[-1])}
        else:
            written["data"] = tensor.listed()
        outputs.append(written)
    head = _encode(
        {
            "model_name": answer.model,
            "model_version": answer.version,
            "id": answer.request_id,
            "parameters": {"variant": answer.variant},
            "outputs": outputs,
        }
    )
    if not parts:
        return Reply(200, head)
    length = (b"inference-header-content-length", b"%d" % len(head))
    return Reply(200, b"".join([head, *parts]), "application/octet-stream", (length,))


def _binary(request: InferRequest, tensors: list[OutTensor]) -> set[str]:
    """Return the names of the outputs that are to come as binary data."""
    usual = bool(request.parameters.get("binary_data_output", False))
    said = {one.name: one.binary for one in request.outputs if one.binary is not None}
    return {tensor.name for tensor in tensors if said.get(tensor.name, usual)}


def write_error(error: BaseException, request_id: str) -> Reply:
    """Return the reply that tells of an error; its sentence names the first problem, for clients that show no more."""
    body = error_fields(error) | {"error": sentence_of(error), "id": request_id}
    return Reply(status_of(error), _encode(body), headers=headers_of(error))


def write_json(status: int, value: Any) -> Reply:
    """Return a reply that holds plain data."""
    return Reply(status, _encode(value))
