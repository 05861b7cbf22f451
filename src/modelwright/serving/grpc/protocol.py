"""The messages of the Open Inference Protocol over gRPC, built from a table: names and numbers are the standard's.

They lie in a pool of their own, because clients in the same process (Triton's, KServe's) register messages of the same
names in the common one, and two of a name are an error. gRPC's own health service is here too: probes of Kubernetes
ask it.

Source: Open Inference Protocol v2, ``open_inference_grpc.proto``; gRPC, ``grpc/health/v1/health.proto``.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

SERVICE = "inference.GRPCInferenceService"
"""Full name of the service."""
HEALTH = "grpc.health.v1.Health"
"""Full name of gRPC's own health service."""

_Field = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "bool": _Field.TYPE_BOOL,
    "bytes": _Field.TYPE_BYTES,
    "double": _Field.TYPE_DOUBLE,
    "float": _Field.TYPE_FLOAT,
    "int32": _Field.TYPE_INT32,
    "int64": _Field.TYPE_INT64,
    "string": _Field.TYPE_STRING,
    "uint32": _Field.TYPE_UINT32,
    "uint64": _Field.TYPE_UINT64,
}
_PARAMETERS = "map InferParameter parameters"
_TENSOR = ("string name", "string datatype", "repeated int64 shape", _PARAMETERS, "InferTensorContents contents")
MESSAGES: dict[str, tuple[str, ...]] = {
    "ServerLiveRequest": (),
    "ServerLiveResponse": ("bool live",),
    "ServerReadyRequest": (),
    "ServerReadyResponse": ("bool ready",),
    "ModelReadyRequest": ("string name", "string version"),
    "ModelReadyResponse": ("bool ready",),
    "ServerMetadataRequest": (),
    "ServerMetadataResponse": ("string name", "string version", "repeated string extensions"),
    "ModelMetadataRequest": ("string name", "string version"),
    "ModelMetadataResponse.TensorMetadata": ("string name", "string datatype", "repeated int64 shape"),
    "ModelMetadataResponse": (
        "string name",
        "repeated string versions",
        "string platform",
        "repeated ModelMetadataResponse.TensorMetadata inputs",
        "repeated ModelMetadataResponse.TensorMetadata outputs",
        "map string properties",
    ),
    "InferParameter": (
        "oneof bool bool_param",
        "oneof int64 int64_param",
        "oneof string string_param",
        "oneof double double_param",
        "oneof uint64 uint64_param",
    ),
    "InferTensorContents": (
        "repeated bool bool_contents",
        "repeated int32 int_contents",
        "repeated int64 int64_contents",
        "repeated uint32 uint_contents",
        "repeated uint64 uint64_contents",
        "repeated float fp32_contents",
        "repeated double fp64_contents",
        "repeated bytes bytes_contents",
    ),
    "ModelInferRequest.InferInputTensor": _TENSOR,
    "ModelInferRequest.InferRequestedOutputTensor": ("string name", _PARAMETERS),
    "ModelInferRequest": (
        "string model_name",
        "string model_version",
        "string id",
        _PARAMETERS,
        "repeated ModelInferRequest.InferInputTensor inputs",
        "repeated ModelInferRequest.InferRequestedOutputTensor outputs",
        "repeated bytes raw_input_contents",
    ),
    "ModelInferResponse.InferOutputTensor": _TENSOR,
    "ModelInferResponse": (
        "string model_name",
        "string model_version",
        "string id",
        _PARAMETERS,
        "repeated ModelInferResponse.InferOutputTensor outputs",
        "repeated bytes raw_output_contents",
    ),
}
"""Fields per message: the first has the number 1, the next 2, and so on."""
HEALTH_MESSAGES: dict[str, tuple[str, ...]] = {
    "HealthCheckRequest": ("string service",),
    "HealthCheckResponse": ("int32 status",),  # an enum is a number on the wire
}
"""The same for gRPC's own health service."""


def _file(package: str, messages: dict[str, tuple[str, ...]]) -> descriptor_pb2.FileDescriptorProto:
    """Return the description of one file of messages."""
    file = descriptor_pb2.FileDescriptorProto(name=f"modelwright/{package}.proto", package=package, syntax="proto3")
    made: dict[str, descriptor_pb2.DescriptorProto] = {}
    for name in sorted(messages, key=lambda one: one.count(".")):
        outer, _, own = name.rpartition(".")
        made[name] = made[outer].nested_type.add(name=own) if outer else file.message_type.add(name=own)
    for name, fields in messages.items():
        for number, line in enumerate(fields, 1):
            _add_field(made[name], f".{package}.", f"{package}.{name}", number=number, line=line)
    return file


def _add_field(message: descriptor_pb2.DescriptorProto, prefix: str, own: str, *, number: int, line: str) -> None:
    *how, kind, name = line.split()
    repeated = how in (["repeated"], ["map"])
    label = _Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL
    field = message.field.add(name=name, number=number, label=label)
    if how == ["map"]:
        entry = message.nested_type.add(name=f"{name.capitalize()}Entry")
        entry.options.map_entry = True
        _add_field(entry, prefix, own, number=1, line="string key")
        _add_field(entry, prefix, own, number=2, line=f"{kind} value")
        field.type, field.type_name = _Field.TYPE_MESSAGE, f".{own}.{entry.name}"
    elif kind in _SCALARS:
        field.type = _SCALARS[kind]
    else:
        field.type, field.type_name = _Field.TYPE_MESSAGE, prefix + kind
    if how == ["oneof"]:
        if not message.oneof_decl:
            message.oneof_decl.add(name="parameter_choice")
        field.oneof_index = 0


_pool = descriptor_pool.DescriptorPool()
for _package, _messages in (("inference", MESSAGES), ("grpc.health.v1", HEALTH_MESSAGES)):
    _pool.Add(_file(_package, _messages))


def message(name: str, package: str = "inference") -> Any:
    """Return the class of a message.

    Example:
        >>> list(message("ServerLiveResponse")(live=True).SerializeToString())
        [8, 1]
    """
    return message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"{package}.{name}"))
