"""TensorFlow Serving's REST API, for its clients: ``:predict`` in row and column form, status, metadata.

The default signature is the model's first method; others go by the method's name. Keys beside those that are known are
left alone, as there. Unlike there, ``NaN`` is no JSON: it is written ``"NaN"``, in requests and answers.

Source: TensorFlow Serving, "RESTful API".
"""

from __future__ import annotations

import base64
import binascii
from functools import partial
from typing import Any

import msgspec

from modelwright.errors import MessageError, NotReadyError
from modelwright.runtime.values import family_of
from modelwright.serving.asking import ask
from modelwright.serving.contract import Contract
from modelwright.serving.dataplane import DataPlane, Endpoint
from modelwright.serving.http.aliases.tables import table_of_columns, table_of_list
from modelwright.serving.http.aliases.values import plain, row_objects
from modelwright.serving.http.errors import error_fields, sentence_of
from modelwright.serving.http.messages import Reply, Request
from modelwright.serving.http.route import Names
from modelwright.serving.http.statuses import headers_of, status_of
from modelwright.serving.inference import Table
from modelwright.serving.intake import strict_json
from modelwright.serving.intake.aside import read_aside
from modelwright.serving.tensors.datatypes import datatype_of

TRANSPORT = "tfserving"
DEFAULT_SIGNATURE = "serving_default"
_DTYPES = {"FP16": "DT_HALF", "FP32": "DT_FLOAT", "FP64": "DT_DOUBLE", "BYTES": "DT_STRING"}
_encode = msgspec.json.Encoder().encode


async def predict(plane: DataPlane, request: Request, names: Names) -> Reply:
    """Answer rows in the form they came in.

    Raises:
        ModelwrightError: The request is malformed, does not fit, or cannot be answered.
    """
    note = request.note
    note.transport, note.model, note.unit, note.request_id = TRANSPORT, names.model, request.unit, request.request_id
    endpoint = plane.endpoint(*names)
    endpoint.check_room()
    contract = endpoint.contract
    form, method, table = await read_aside(len(request.body), partial(_question, endpoint, request.body))
    answer = await ask(plane, endpoint, table, methods=(method,), note=note)
    columns = {field["name"]: _values(field, plain(field, answer)) for field in contract.outputs[method]}
    single = next(iter(columns.values())) if len(columns) == 1 else None
    if form == "instances":
        return Reply(200, _encode({"predictions": row_objects(columns) if single is None else single}))
    return Reply(200, _encode({"outputs": columns if single is None else single}))


def _question(endpoint: Endpoint, body: bytes) -> tuple[str, str, Table]:
    """Return the form of a body, the method it asks for, and its rows."""
    message = strict_json.decode(body)
    form, method = _form(message), _method(endpoint.contract, message)
    return form, method, _read(endpoint, form, _without_b64(message[form]))


def _form(message: Any) -> str:
    if not isinstance(message, dict) or ("instances" in message) == ("inputs" in message):
        raise MessageError(
            "The body is no object with either instances or inputs.",
            hint='Send {"instances": [row, …]} or {"inputs": {"column": [value, …]}}.',
        )
    return "instances" if "instances" in message else "inputs"


def _method(contract: Contract, message: dict[str, Any]) -> str:
    name = message.get("signature_name") or DEFAULT_SIGNATURE
    if name == DEFAULT_SIGNATURE:
        return contract.methods[0]
    if name in contract.methods:
        return str(name)
    known = ", ".join((DEFAULT_SIGNATURE, *contract.methods))
    raise MessageError(f"{contract.title} has no signature {name!r:.60}.", hint=f"It has: {known}.")


def _read(endpoint: Endpoint, form: str, value: Any) -> Table:
    read: Any = table_of_columns if form == "inputs" and isinstance(value, dict) else table_of_list
    table: Table = read(endpoint.contract, value, key=form, max_rows=endpoint.max_rows)
    return table


def _without_b64(value: Any) -> Any:
    """Return values with ``{"b64": …}`` replaced by the bytes that it stands for."""
    if isinstance(value, list):
        return [_without_b64(one) for one in value] if _may_hold_objects(value) else value
    if isinstance(value, dict):
        if value.keys() == {"b64"} and isinstance(value["b64"], str):
            return _bytes(value["b64"])
        return {key: _without_b64(one) for key, one in value.items()}
    return value


def _may_hold_objects(values: list[Any]) -> bool:
    return not {dict, list}.isdisjoint(map(type, values))


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise MessageError(f"{text!r:.60} is no base64.", hint='Bytes are written {"b64": "aGVsbG8="}.') from None


def _values(field: dict[str, Any], values: list[Any]) -> list[Any]:
    """Return the values of an output; bytes stand in an object of their own."""
    if family_of(field["datatype"]) != "bytes" or field.get("shape"):
        return values
    return [None if value is None else {"b64": value} for value in values]


async def status(plane: DataPlane, _request: Request, names: Names) -> Reply:
    """Say of each version whether it can answer.

    Raises:
        UnknownModelError: There is no such model or version.
    """
    versions = (names.version,) if names.version else plane.versions(names.model)
    told = [
        {
            "version": version,
            "state": "AVAILABLE" if _ready(plane, names.model, version) else "LOADING",
            "status": {"error_code": "OK", "error_message": ""},
        }
        for version in versions
    ]
    return Reply(200, _encode({"model_version_status": told}))


def _ready(plane: DataPlane, model: str, version: str) -> bool:
    try:
        return plane.endpoint(model, version).ready
    except NotReadyError:
        return False


async def metadata(plane: DataPlane, _request: Request, names: Names) -> Reply:
    """Tell of a model: a signature per method.

    Raises:
        UnknownModelError: There is no such model or version.
        NotReadyError: Nothing is known of it yet.
    """
    contract = plane.endpoint(*names).contract
    inputs = {field["name"]: _tensor(field) for field in contract.inputs}
    signatures = {
        name: {
            "inputs": inputs,
            "outputs": {field["name"]: _tensor(field) for field in contract.outputs[method]},
            "method_name": "tensorflow/serving/predict",
        }
        for name, method in (
            (DEFAULT_SIGNATURE, contract.methods[0]),
            *zip(contract.methods, contract.methods, strict=True),
        )
    }
    told = {
        "model_spec": {"name": names.model, "signature_name": "", "version": names.version or contract.version},
        "metadata": {"signature_def": {"signature_def": signatures}},
    }
    return Reply(200, _encode(told))


def _tensor(field: dict[str, Any]) -> dict[str, Any]:
    datatype = datatype_of(field).name
    sizes = (-1, *field.get("shape", ()))
    return {
        "dtype": _DTYPES.get(datatype, f"DT_{datatype}"),
        "tensor_shape": {"dim": [{"size": str(size), "name": ""} for size in sizes], "unknown_rank": False},
        "name": field["name"],
    }


def write_error(error: BaseException, request_id: str) -> Reply:
    """Return the reply that tells of an error; its sentence names the first problem, for clients that show no more."""
    told = error_fields(error) | {"error": sentence_of(error), "request_id": request_id}
    return Reply(status_of(error), _encode(told), headers=headers_of(error))
