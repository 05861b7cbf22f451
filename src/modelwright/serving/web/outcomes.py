"""Describe in OpenAPI how a server is told what later turned out to be true.

For: :mod:`.openapi`. Pure.
"""

from __future__ import annotations

from modelwright.serving.web.components import Node, answered, ref, refusals
from modelwright.serving.web.schemas import listed, record


def outcome_schemas() -> Node:
    """Return the schemas, by component name."""
    known: Node = {
        "request_id": {"type": "string", "minLength": 1, "description": "Id of the request that predicted."},
        "unit": {"type": "string", "minLength": 1, "description": "What it was about, if the id is not known."},
        "row": {"type": "integer", "minimum": 0, "description": "Which row of the request; 0 if not said."},
        "model": {"type": "string", "description": "Name of the model; needed with a unit."},
        "name": {"type": "string", "description": "What was observed, if there is more than one thing."},
        "time": {"type": "string", "format": "date-time", "description": "When it turned out; now if not said."},
    }
    value: Node = {"description": "What turned out to be true: any JSON value."}
    outcome: Node = {
        "type": "object",
        "properties": known | {"value": value},
        "required": ["value"],
        "anyOf": [{"required": ["request_id"]}, {"required": ["unit"]}],
        "additionalProperties": False,
    }
    return {
        "Outcome": outcome,
        "Outcomes": record({"outcomes": listed(ref("schemas", "Outcome"), least=1)}),
        "OutcomesTaken": record({"taken": {"type": "integer", "minimum": 0}}),
    }


def outcome_paths() -> Node:
    """Return the path."""
    body = {"application/json": {"schema": ref("schemas", "Outcomes")}}
    answer = {"application/json": {"schema": ref("schemas", "OutcomesTaken")}}
    operation: Node = {
        "operationId": "outcomes",
        "tags": ["Outcomes"],
        "summary": "Tell what later turned out to be true",
        "parameters": [ref("parameters", "RequestId")],
        "requestBody": {"required": True, "content": body},
        "responses": {"202": answered("They are joined to the predictions.", answer)}
        | refusals("400", "401", "408", "413", "415", "503"),
    }
    return {"/outcomes": {"post": operation}}
