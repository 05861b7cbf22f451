"""What every operation of a server shares in OpenAPI: errors, headers, parameters.

For: :mod:`.operations`, :mod:`.inference_protocol`, :mod:`.openapi`. Plain data.

Source: OpenAPI 3.1.1, "Components Object"; RFC 9110 for the statuses and Retry-After.
"""

from __future__ import annotations

from typing import Any

from modelwright.serving.web.schemas import listed, record

Node = dict[str, Any]

REQUEST_ID_PATTERN = r"^[!-~]{1,128}$"
"""Ids of requests that a caller may choose: visible ASCII, so that they fit a header and a line of a log."""
UNIT_PATTERN = r"^[!-~](?:[ -~]{0,254}[!-~])?$"
"""Units in a header: ASCII without blanks at the ends, which HTTP strips; any other text goes into the body."""
_STATUSES = {
    "400": (
        "BadRequest",
        "MW201",
        "The body is malformed, or its rows do not fit; every problem is listed.",
    ),
    "401": ("Unauthorized", "MW1212", "The server asks for a token, and there is none, or not one that it knows."),
    "404": ("NotFound", "MW1202", "There is no such model or version; the nearest name is suggested."),
    "408": ("SlowRequest", "MW1213", "The request did not arrive in time."),
    "413": ("TooLarge", "MW1205", "The body or the number of rows is larger than the server takes."),
    "415": ("UnknownMediaType", "MW1204", "The body is of a type or encoding that is not understood."),
    "500": ("ModelFailed", "MW202", "The model failed, or answered what its signature does not allow."),
    "502": ("WorkerLost", "MW1208", "The process of the model ended while it had the request; it has been replaced."),
    "503": ("Unavailable", "MW1206", "The model is not ready, or too much is waiting; nothing was computed."),
    "504": ("TooLate", "MW1207", "The answer did not come in time."),
}
"""Name of the response, code of its most frequent error, and what it means, by status."""
_REQUEST_ID: Node = {
    "description": "Id of the request: the caller's own, or a new one.",
    "schema": {"type": "string"},
}


def ref(kind: str, name: str) -> Node:
    """Refer to a component.

    Example:
        >>> ref("schemas", "Error")
        {'$ref': '#/components/schemas/Error'}
    """
    return {"$ref": f"#/components/{kind}/{name}"}


def refusals(*statuses: str) -> Node:
    """Return the responses of these statuses; of all, if none is named."""
    return {status: ref("responses", _STATUSES[status][0]) for status in statuses or _STATUSES}


def answered(description: str, content: Node) -> Node:
    """Return a successful response that names the request."""
    return {"description": description, "headers": {"X-Request-Id": ref("headers", "X-Request-Id")}, "content": content}


def shared_components() -> Node:
    """Return the components that every document has."""
    return {
        "schemas": {"Problem": _problem(), "Error": _error()},
        "headers": {"X-Request-Id": _REQUEST_ID},
        "parameters": _parameters(),
        "responses": {name: _refusal(status, code, text) for status, (name, code, text) in _STATUSES.items()},
    }


def _problem() -> Node:
    place = {"type": ["integer", "null"], "minimum": 0, "description": "Position of the row; null: the whole column."}
    properties: dict[str, Node] = {
        "row": place,
        "column": {"type": ["string", "null"], "description": "Name of the column; null: the whole table."},
        "problem": {"type": "string", "description": "What is wrong, as a sentence."},
        "hint": {"type": "string", "description": "What to do about it; may be empty."},
    }
    schema = record(properties)
    item = {"type": "string", "description": "Name of the file or tensor that is meant, if it is not about rows."}
    return schema | {"properties": properties | {"item": item}}


def _error() -> Node:
    code = {"type": "string", "pattern": "^MW[0-9]{3,4}$", "description": "What modelwright explain tells about."}
    always: dict[str, Node] = {
        "error": {"type": "string", "description": "What went wrong: a sentence for people."},
        "code": code,
        "details": listed(ref("schemas", "Problem")),
        "request_id": {"type": "string"},
    }
    if_any: dict[str, Node] = {
        "where": {"type": "string", "description": "The place in the request, such as line and column of the body."},
        "why": {"type": "string", "description": "The reason."},
        "hint": {"type": "string", "description": "What to do about it."},
    }
    schema = record(always)
    return schema | {"properties": always | if_any}


def _refusal(status: str, code: str, text: str) -> Node:
    headers = {"X-Request-Id": ref("headers", "X-Request-Id")}
    if status == "503":
        headers["Retry-After"] = {"description": "When to try again, seconds.", "schema": {"type": "integer"}}
    if status == "401":
        headers["WWW-Authenticate"] = {"description": "RFC 6750.", "schema": {"type": "string"}}
    problem = {"row": 0, "column": "age", "problem": "is missing; a value is needed", "hint": ""}
    example = {"error": text, "code": code, "details": [problem] if status == "400" else [], "request_id": "7f3a9c01"}
    content = {"application/json": {"schema": ref("schemas", "Error"), "example": example}}
    return {"description": text, "headers": headers, "content": content}


def _parameters() -> Node:
    return {
        "RequestId": {
            "name": "X-Request-Id",
            "in": "header",
            "description": "Id of the request; answer and logs name it. If there is none, the server makes one.",
            "schema": {"type": "string", "pattern": REQUEST_ID_PATTERN},
        },
        "Unit": {
            "name": "Modelwright-Unit",
            "in": "header",
            "description": "What the request is about (a customer, a session): the same unit always gets the same "
            "variant. It may stand in the body instead.",
            "schema": {"type": "string", "pattern": UNIT_PATTERN},
        },
        "Timeout": {
            "name": "timeout",
            "in": "query",
            "description": "How long the caller waits, seconds; at most what the model allows.",
            "schema": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 86_400},
        },
    }
