"""Describe in OpenAPI how a server is told what later turned out to be true.

For: :mod:`.openapi`. What it takes is read by :mod:`modelwright.serving.observing.outcome_reading`. Pure.
"""

from __future__ import annotations

from modelwright.serving.observing.outcome_reading import LONGEST, MOST
from modelwright.serving.web.components import Node, answered, ref, refusals
from modelwright.serving.web.schemas import input_schema, listed, record

_TEXT: Node = {"type": "string", "maxLength": LONGEST}
_NAME: Node = _TEXT | {"minLength": 1}


def outcome_schemas() -> Node:
    """Return the schemas, by component name."""
    time = input_schema({"name": "time", "datatype": "datetime", "timezone": "UTC"})
    number = {"type": "number", "minimum": -(2**53), "maximum": 2**53}
    values: Node = {
        "type": "object",
        "description": "What turned out, by name.",
        "minProperties": 1,
        "propertyNames": _NAME,
        "additionalProperties": {"anyOf": [{"type": "boolean"}, number, _TEXT]},
    }
    happened = {"time": time | {"description": "When it happened."}, "outcome": values}
    by_request = record({"request_id": _NAME, "outcome": values})
    row = {"type": "integer", "minimum": 0, "maximum": 2**31 - 1, "description": "Row of the request; 0 if not said."}
    by_request["properties"] = {"request_id": _NAME, "row": row} | happened
    count = {"type": "integer", "minimum": 0}
    return {
        "Outcome": {"oneOf": [by_request, record({"unit": _NAME} | happened)]},
        "Outcomes": record({"outcomes": listed(ref("schemas", "Outcome"), least=1, most=MOST)}),
        "Receipt": record(
            {
                "accepted": count | {"description": "Those that say something new."},
                "repeated": count,
                "matched": count | {"description": "Those whose prediction is still in memory."},
                "unknown_so_far": count,
                "stored": {"type": "boolean", "description": "Whether they are kept in files."},
            }
        ),
    }


def outcome_paths() -> Node:
    """Return the path."""
    example = {"outcomes": [{"request_id": "7f3a9c01", "row": 0, "outcome": {"churned": True}}]}
    body = {"application/json": {"schema": ref("schemas", "Outcomes"), "example": example}}
    answer = {"application/json": {"schema": ref("schemas", "Receipt")}}
    operation: Node = {
        "operationId": "outcomes",
        "tags": ["Outcomes"],
        "summary": "Tell what later turned out to be true",
        "description": "An outcome names a request and a row of it, or a unit and when it happened.",
        "parameters": [ref("parameters", "RequestId")],
        "requestBody": {"required": True, "content": body},
        "responses": {"200": answered("All of them are taken.", answer)}
        | refusals("400", "401", "408", "413", "415", "503"),
    }
    return {"/outcomes": {"post": operation}}
