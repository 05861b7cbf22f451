"""Describe the Open Inference Protocol in OpenAPI, typed as the protocol types it: any model, tensors by name.

For: :mod:`.openapi`. What each tensor of a model is, its metadata says. Pure.

Source: KServe, "Open Inference Protocol (V2)", REST; its binary tensor data extension is described there.
"""

from __future__ import annotations

from modelwright.serving.web.components import Node, answered, ref, refusals
from modelwright.serving.web.schemas import listed, record

_DATATYPES = ["BOOL", *(f"{kind}{bits}" for kind in ("UINT", "INT") for bits in (8, 16, 32, 64))]
DATATYPES = [*_DATATYPES, "FP16", "FP32", "FP64", "BYTES"]
_TEXT: Node = {"type": "string"}
_FREE: Node = {"type": "object"}
_TAG = "Open Inference Protocol"


def protocol_schemas() -> Node:
    """Return the schemas of requests and answers, by component name."""
    head = {"name": _TEXT, "datatype": {"type": "string", "enum": DATATYPES}}
    size = {"type": "integer", "minimum": 0}
    tensor = record(head | {"shape": listed(size)})
    declared = record(head | {"shape": listed({"type": "integer", "minimum": -1})})
    declared = _with(declared, parameters=_FREE)
    data: Node = {"type": "array", "description": "Values, row by row, flat or nested."}
    return {
        "v2.Tensor": _with(tensor, data=data, parameters=_FREE),
        "v2.Wanted": _with(record({"name": _TEXT}), parameters=_FREE),
        "v2.Request": _with(
            record({"inputs": listed(ref("schemas", "v2.Tensor"), least=1)}),
            id=_TEXT,
            parameters=_FREE,
            outputs=listed(ref("schemas", "v2.Wanted")),
        ),
        "v2.Answer": _with(
            record({"model_name": _TEXT, "outputs": listed(ref("schemas", "v2.Tensor"))}),
            model_version=_TEXT,
            id=_TEXT,
            parameters=_FREE,
        ),
        "v2.Error": _with(
            record({"error": _TEXT}),
            **dict.fromkeys(("code", "where", "why", "hint", "id"), _TEXT),
            details=listed(ref("schemas", "Problem")),
        ),
        "v2.Metadata": _with(
            record({"name": _TEXT, "platform": _TEXT, "inputs": listed(declared), "outputs": listed(declared)}),
            versions=listed(_TEXT),
        ),
        "v2.Server": record({"name": _TEXT, "version": _TEXT, "extensions": listed(_TEXT)}),
    }


def _with(schema: Node, **optional: Node) -> Node:
    """Add properties that may be left out; a server may answer more than the protocol names."""
    return {
        "type": "object",
        "properties": schema["properties"] | optional,
        "required": schema["required"],
    }


def protocol_paths(models: tuple[str, ...], versions: tuple[str, ...]) -> Node:
    """Return the paths of the protocol.

    Args:
        models: Names of the models that are served.
        versions: All their versions.
    """
    model = _part("model_name", models)
    paths: Node = {
        "/v2": {"get": _asked("server_metadata", "Name and extensions of the server", "v2.Server", ())},
        "/v2/health/live": {"get": _health("server_live", "Whether the process works")},
        "/v2/health/ready": {"get": _health("server_ready", "Whether every model is loaded, checked and warm")},
    }
    for root, suffix, parts in (
        ("/v2/models/{model_name}", "", [model]),
        ("/v2/models/{model_name}/versions/{version}", "_version", [model, _part("version", versions)]),
    ):
        about = _asked(f"model_metadata{suffix}", "Names, types and shapes of the tensors", "v2.Metadata", ("404",))
        ready = _health(f"model_ready{suffix}", "Whether the model can answer")
        ready["responses"]["404"] = _refused("There is no such model or version.")
        paths[root] = {"parameters": parts, "get": about}
        paths[f"{root}/ready"] = {"parameters": parts, "get": ready}
        paths[f"{root}/infer"] = {"parameters": parts, "post": _infer(suffix)}
    return paths


def _part(name: str, known: tuple[str, ...]) -> Node:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "enum": list(known)}}


def _asked(operation: str, summary: str, schema: str, statuses: tuple[str, ...]) -> Node:
    content = {"application/json": {"schema": ref("schemas", schema)}}
    refused = {status: _refused("There is no such model or version.") for status in statuses}
    return _named(operation, summary) | {
        "responses": {"200": answered(f"{summary}.", content)} | refused | {"401": ref("responses", "Unauthorized")}
    }


def _health(operation: str, summary: str) -> Node:
    return _named(operation, summary) | {"responses": {"200": {"description": "Yes."}, "503": {"description": "No."}}}


def _infer(suffix: str) -> Node:
    bodies = {"application/json": {"schema": ref("schemas", "v2.Request")}}
    bodies["application/octet-stream"] = {"schema": {"type": "string", "format": "binary"}}
    size = {
        "name": "Inference-Header-Content-Length",
        "in": "header",
        "description": "Bytes of the JSON before binary tensors; only for those.",
        "schema": {"type": "integer", "minimum": 0},
    }
    answer = {"application/json": {"schema": ref("schemas", "v2.Answer")}}
    refused = {status: _refused(_TEXTS.get(status, "Refused.")) for status in refusals()}
    return _named(f"infer{suffix}", "Infer from tensors") | {
        "parameters": [size, ref("parameters", "RequestId"), ref("parameters", "Unit")],
        "requestBody": {"required": True, "content": bodies},
        "responses": {"200": answered("The tensors that were asked for.", answer)} | refused,
    }


_TEXTS = {
    "400": "The request is malformed, or its tensors do not fit the signature.",
    "404": "There is no such model or version.",
    "413": "The body or the number of rows is larger than the server takes.",
    "500": "The model failed, or answered what its signature does not allow.",
    "503": "The model is not ready, or too much is waiting; nothing was computed.",
    "504": "The answer did not come in time.",
}


def _refused(text: str) -> Node:
    return {"description": text, "content": {"application/json": {"schema": ref("schemas", "v2.Error")}}}


def _named(operation: str, summary: str) -> Node:
    return {"operationId": operation, "tags": [_TAG], "summary": summary}
