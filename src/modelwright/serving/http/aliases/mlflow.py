"""MLflow's scoring server, for its clients: ``/invocations``, ``/ping``, ``/health``, ``/version``.

Rows come as ``dataframe_split``, ``dataframe_records``, ``instances``, ``inputs`` or CSV; keys beside these are left
alone, as there. The answer is that of the model's first method. Unlike there, columns that the model does not know are
refused, ``NaN`` is no JSON, and no traceback is told.

Source: MLflow, "Deploy MLflow Model as a Local Inference Server", and its module ``mlflow.pyfunc.scoring_server``.
"""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import Any
from urllib.parse import parse_qs

import msgspec

from modelwright import __version__
from modelwright.errors import MediaTypeError, MessageError, UnknownModelError
from modelwright.runtime.suggestions import nearest
from modelwright.serving.answering import outputs
from modelwright.serving.asking import ask
from modelwright.serving.contract import Contract
from modelwright.serving.dataplane import DataPlane
from modelwright.serving.http.aliases.tables import table_of_columns, table_of_list, table_of_lists, table_of_objects
from modelwright.serving.http.aliases.values import plain, row_objects
from modelwright.serving.http.errors import error_fields, sentence_of
from modelwright.serving.http.messages import Reply, Request
from modelwright.serving.http.route import Names
from modelwright.serving.http.statuses import headers_of, status_of
from modelwright.serving.inference import Answer, Table
from modelwright.serving.intake import delimited, media_types, strict_json
from modelwright.serving.intake.aside import read_aside
from modelwright.serving.intake.judging import table_of

TRANSPORT = "invocations"
FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")
"""Keys of which a body has exactly one."""
_SHOWN = 60
_ERROR_CODES = {
    401: "UNAUTHENTICATED",
    404: "RESOURCE_DOES_NOT_EXIST",
    413: "RESOURCE_EXHAUSTED",
    503: "TEMPORARILY_UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_encode = msgspec.json.Encoder().encode


async def invocations(plane: DataPlane, request: Request, _names: Names) -> Reply:
    """Answer rows by the only model, or by the one that ``?model=`` names.

    Raises:
        ModelwrightError: The request is malformed, does not fit, or cannot be answered.
    """
    note = request.note
    note.transport, note.unit, note.request_id = TRANSPORT, request.unit, request.request_id
    note.model, version = chosen(plane, request.query)
    endpoint = plane.endpoint(note.model, version)
    endpoint.check_room()
    contract = endpoint.contract
    table = await read_aside(len(request.body), partial(read_rows, contract, request, max_rows=endpoint.max_rows))
    answer = await ask(plane, endpoint, table, methods=contract.methods[:1], note=note)
    return Reply(200, _encode({"predictions": _predictions(contract, answer)}))


def chosen(plane: DataPlane, query: bytes) -> tuple[str, str]:
    """Return the model and version that a query names; without one, the only model.

    Raises:
        UnknownModelError: None is named, and there are several or none.
    """
    given = parse_qs(query.decode("latin-1"))
    version = given.get("version", [""])[0]
    if "model" in given:
        return given["model"][0], version
    names = plane.models()
    if len(names) != 1:
        raise UnknownModelError(
            f"The request does not say which of {len(names)} models it is for.",
            why=f"Served are {', '.join(names[:10])}." if names else "",
            hint="POST /invocations?model=NAME.",
        )
    return names[0], version


def read_rows(contract: Contract, request: Request, *, max_rows: int) -> Table:
    """Return the rows of a request.

    Raises:
        MediaTypeError: The body is neither JSON nor CSV.
        MessageError: It is malformed.
        SignatureError: The rows do not fit.
    """
    kind = media_types.kind_of(request.headers.get(b"content-type", b"").decode("latin-1"))
    if kind == "json":
        return _read_json(contract, strict_json.decode(request.body), max_rows)
    if kind != "csv":
        raise MediaTypeError("The body is neither JSON nor CSV.", hint="Send application/json or text/csv.")
    columns, size = delimited.columns_of(strict_json.text_of(request.body), contract.inputs, max_rows=max_rows)
    columns.pop("", None)  # the index, which DataFrame.to_csv() writes unless it is told not to
    return table_of(contract, columns, size, max_rows=max_rows)


def _read_json(contract: Contract, message: Any, max_rows: int) -> Table:
    form = _form(message)
    value = message[form]
    if form == "dataframe_split":
        return _read_split(contract, value, max_rows)
    if form == "dataframe_records":
        if not isinstance(value, list):
            raise MessageError("'dataframe_records' is no list of objects.", hint="Send one object per row.")
        return table_of_objects(contract, value, max_rows=max_rows)
    if form == "inputs" and isinstance(value, dict):
        return table_of_columns(contract, value, key=form, max_rows=max_rows)
    return table_of_list(contract, value, key=form, max_rows=max_rows)


def _form(message: Any) -> str:
    """Return the one key that holds the rows."""
    if not isinstance(message, dict):
        raise MessageError("The body is no JSON object.", hint=f"Send an object with one of: {', '.join(FORMS)}.")
    found = [form for form in FORMS if form in message]
    if len(found) != 1:
        meant = next(filter(None, (nearest(key[:_SHOWN], FORMS) for key in islice(message, 10))), "")
        sent = ", ".join(repr(key[:_SHOWN]) for key in islice(message, 10)) or "none"
        raise MessageError(
            f"The body must be an object with exactly one of {', '.join(FORMS)}; its keys are: {sent}.",
            hint=f"Did you mean {meant!r}?" if meant and not found else 'Send {"dataframe_split": …}.',
        )
    if message.get("params"):
        raise MessageError("The model takes no params.", why="It answers rows only.", hint="Leave 'params' out.")
    return found[0]


def _read_split(contract: Contract, value: Any, max_rows: int) -> Table:
    names = value.get("columns") if isinstance(value, dict) else None
    data = value.get("data") if isinstance(value, dict) else None
    names = list(contract.fields) if names is None and isinstance(data, list) else names
    if not isinstance(data, list) or not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise MessageError(
            "'dataframe_split' is no object with columns and data.",
            hint='Send {"dataframe_split": {"columns": ["a"], "data": [[1]]}}.',
        )
    return table_of_lists(contract, data, names=tuple(names), max_rows=max_rows)


def _predictions(contract: Contract, answer: Answer) -> list[Any]:
    """Return values of a single output, as of an array; objects of several, as of a data frame."""
    method = contract.methods[0]
    fields = contract.outputs[method]
    if len(fields) == 1:
        return plain(fields[0], answer)
    return row_objects(outputs.columns(contract, answer, (method,)))


async def ping(plane: DataPlane, _request: Request, _names: Names) -> Reply:
    """Say by the status whether the server can answer."""
    return Reply(200 if plane.ready() else 503, b"\n")


async def version(_plane: DataPlane, _request: Request, _names: Names) -> Reply:
    """Say which version the server has."""
    return Reply(200, __version__.encode(), "text/plain; charset=utf-8")


def write_error(error: BaseException, request_id: str) -> Reply:
    """Return the reply that tells of an error: MLflow's keys, and ours."""
    status = status_of(error)
    code = _ERROR_CODES.get(status, "BAD_REQUEST" if status < 500 else "INTERNAL_ERROR")
    told = {"error_code": code, "message": sentence_of(error), **error_fields(error), "request_id": request_id}
    return Reply(status, _encode(told), headers=headers_of(error))
