"""What the protocol tells of the server and of a model: names, versions, platform, tensors, properties.

What the protocol has no word for (labels of classes, units, that text is a date) are ``parameters`` of a tensor over
HTTP, and ``properties`` of the model over both doors: ``outputs.probability.labels``.

Called by the doors of the protocol.
Source: Open Inference Protocol v2, "Server Metadata", "Model Metadata", "Platforms".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from modelwright import __version__
from modelwright.serving.contract import Contract
from modelwright.serving.tensors.datatypes import datatype_of

SERVER = "modelwright"
"""Name of the server."""
EXTENSIONS = ("binary_tensor_data", "parameters")
"""Extensions of the protocol that the server has."""
_TOLD = ("nullable", "categories", "unit", "description", "method", "labels", "timezone")


class TensorMetadata(NamedTuple):
    """What is told of one tensor.

    Attributes:
        name: Its name.
        datatype: Name of its datatype.
        shape: Its shape; -1 is any size.
        parameters: What else is known of it; lists as JSON text, for a parameter is text, a number or a truth value.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]
    parameters: dict[str, str | float | bool]


class ModelMetadata(NamedTuple):
    """What is told of a model.

    Attributes:
        name: Name it is served under.
        versions: Versions that can be asked for.
        platform: Library and format, as ``sklearn_skops``.
        inputs: Its inputs.
        outputs: Its outputs.
        properties: What else is known of it.
    """

    name: str
    versions: tuple[str, ...]
    platform: str
    inputs: tuple[TensorMetadata, ...]
    outputs: tuple[TensorMetadata, ...]
    properties: dict[str, str]


def server_version() -> str:
    """Return the version of the server."""
    return __version__


def metadata_of(contract: Contract, *, name: str, versions: tuple[str, ...]) -> ModelMetadata:
    """Return what is told of a model.

    Args:
        contract: What it promises.
        name: Name it is served under.
        versions: Versions that can be asked for.
    """
    inputs = tuple(map(_tensor, contract.inputs))
    outputs = tuple(_tensor(output) for fields in contract.outputs.values() for output in fields)
    manifest = contract.manifest
    properties = {"package": contract.title, "digest": contract.digest, "summary": manifest.summary}
    for side, tensors in (("inputs", inputs), ("outputs", outputs)):
        for tensor in tensors:
            properties |= {f"{side}.{tensor.name}.{key}": _text(value) for key, value in tensor.parameters.items()}
    told = {key: value for key, value in properties.items() if value}
    return ModelMetadata(name, versions, platform_of(contract), inputs, outputs, told)


def platform_of(contract: Contract) -> str:
    """Return the platform of a model: library and format."""
    storage = contract.manifest.storage
    library = storage.model_type.partition(".")[0]
    own = library in ("", contract.name, contract.name.replace("-", "_"))
    return f"{'python' if own else library}_{storage.format}"


def _tensor(field: Mapping[str, Any]) -> TensorMetadata:
    datatype = datatype_of(field)
    parameters: dict[str, Any] = {}
    if datatype.name == "BYTES" or field["datatype"] == "duration":
        parameters["datatype"] = field["datatype"]
    parameters |= {key: _parameter(field[key]) for key in _TOLD if field.get(key)}
    return TensorMetadata(field["name"], datatype.name, (-1, *field.get("shape", ())), parameters)


def _parameter(value: Any) -> str | float | bool:
    return msgspec.json.encode(value).decode() if isinstance(value, list | tuple) else value


def _text(value: str | float | bool) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
