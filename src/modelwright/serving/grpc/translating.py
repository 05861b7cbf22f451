"""Translate between the messages of gRPC and tensors.

Numbers come raw or typed; both lead to the same tensor. Answers are raw if the request was, or if an output has a
datatype without typed contents, as Triton answers; else typed.

Source: Open Inference Protocol v2, "Inference" and "Tensor Data" of gRPC.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelwright.errors import MessageError
from modelwright.serving.grpc.protocol import message
from modelwright.serving.inference import Answer
from modelwright.serving.tensors.datatypes import DATATYPES
from modelwright.serving.tensors.inferring import check_id, check_parameters
from modelwright.serving.tensors.metadata import ModelMetadata, TensorMetadata
from modelwright.serving.tensors.tensor import InferRequest, SentTensor, WantedOutput
from modelwright.serving.tensors.writing import OutTensor

CONTENTS: Mapping[str, str] = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}
"""Where the typed contents of each datatype are; the others have none."""
_ModelMetadataResponse = message("ModelMetadataResponse")
_ModelInferResponse = message("ModelInferResponse")


def read_request(sent: Any) -> InferRequest:
    """Return what a ModelInferRequest says.

    Raises:
        MessageError: Raw contents and tensors are not as many, or a tensor has contents of another datatype.
    """
    raw = sent.raw_input_contents
    if raw and len(raw) != len(sent.inputs):
        raise MessageError(
            f"The request has {len(sent.inputs)} tensors and {len(raw)} raw contents.",
            hint="Send raw_input_contents for every tensor, in the order of the inputs, or for none.",
        )
    tensors = tuple(_tensor(one, raw[place] if raw else None) for place, one in enumerate(sent.inputs))
    outputs = tuple(WantedOutput(one.name) for one in sent.outputs)
    for one in (*sent.inputs, *sent.outputs):
        check_parameters(parameters_of(one.parameters), one.name)
    return InferRequest(check_id(sent.id), tensors, outputs, parameters_of(sent.parameters))


def _tensor(one: Any, raw: bytes | None) -> SentTensor:
    shape = tuple(one.shape)
    if raw is not None:
        if one.HasField("contents"):
            raise MessageError(f"The tensor {one.name!r} has both contents and raw contents.", hint="Send one of them.")
        return SentTensor(one.name, one.datatype, shape, raw=memoryview(raw))
    there = [field.name for field, _ in one.contents.ListFields()]
    wanted = CONTENTS.get(one.datatype, "")
    if one.datatype in DATATYPES and (not wanted or there not in ([], [wanted])):
        raise MessageError(
            f"The tensor {one.name!r} of {one.datatype} has its contents in {', '.join(there) or 'nothing'}.",
            hint=f"Send them in {wanted}." if wanted else "Send them as raw_input_contents.",
        )
    contents = list(getattr(one.contents, wanted)) if wanted else []
    if one.datatype == "BYTES":
        return SentTensor(one.name, one.datatype, shape, raw=memoryview(_joined(contents)))
    return SentTensor(one.name, one.datatype, shape, data=contents)


def _joined(contents: list[bytes]) -> bytes:
    """Return elements as binary data."""
    return b"".join([part for one in contents for part in (len(one).to_bytes(4, "little"), one)])


def parameters_of(parameters: Any) -> dict[str, Any]:
    """Return parameters as plain values."""
    found = {}
    for name, parameter in parameters.items():
        choice = parameter.WhichOneof("parameter_choice")
        found[name] = getattr(parameter, choice) if choice else None
    return found


def write_answer(answer: Answer, tensors: list[OutTensor], *, raw: bool) -> Any:
    """Return the ModelInferResponse that holds an answer.

    Args:
        answer: The answer.
        tensors: Its outputs.
        raw: Whether the request was raw.

    Raises:
        OutputError: An output has missing values, for which its datatype has no word.
    """
    response = _ModelInferResponse(model_name=answer.model, model_version=answer.version, id=answer.request_id)
    response.parameters["variant"].string_param = answer.variant
    raw = raw or any(tensor.datatype.name not in CONTENTS for tensor in tensors)
    for tensor in tensors:
        output = response.outputs.add(name=tensor.name, datatype=tensor.datatype.name, shape=tensor.shape)
        if raw:
            response.raw_output_contents.append(tensor.binary())
        else:
            tensor.fill(getattr(output.contents, CONTENTS[tensor.datatype.name]))
    return response


def write_metadata(told: ModelMetadata) -> Any:
    """Return the ModelMetadataResponse that tells of a model."""
    response = _ModelMetadataResponse(
        name=told.name, versions=told.versions, platform=told.platform, properties=told.properties
    )
    for tensors, place in ((told.inputs, response.inputs), (told.outputs, response.outputs)):
        for tensor in tensors:
            _add(place, tensor)
    return response


def _add(place: Any, tensor: TensorMetadata) -> None:
    place.add(name=tensor.name, datatype=tensor.datatype, shape=tensor.shape)
