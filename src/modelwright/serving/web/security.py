"""Say in an OpenAPI document that a server asks for a token; a document without it names no security.

For: the HTTP door of a server that has tokens. Pure.

Source: OpenAPI 3.1.1, "Security Requirement Object": an empty list on an operation takes the requirement away.
"""

from __future__ import annotations

from modelwright.serving.web.components import Node

_TOKEN: Node = {"type": "http", "scheme": "bearer", "description": "One of the tokens of the server."}
_REFUSED = "401"


def guarded(document: Node) -> Node:
    """Return a document whose operations ask for a token, but for those that never refuse a caller: health.

    Example:
        >>> paths = {"/ready": {"get": {"responses": {"200": {}}}}, "/ask": {"post": {"responses": {"401": {}}}}}
        >>> asking = guarded({"paths": paths, "components": {}})
        >>> asking["security"], asking["paths"]["/ready"]["get"]["security"]
        ([{'token': []}], [])
    """
    paths = {
        path: {name: _operation(part) for name, part in parts.items()} for path, parts in document["paths"].items()
    }
    components = document["components"] | {"securitySchemes": {"token": _TOKEN}}
    return document | {"security": [{"token": []}], "paths": paths, "components": components}


def _operation(part: Node) -> Node:
    """Return an operation; the parameters of a path stand beside it, and stay as they are."""
    if not isinstance(part, dict) or _REFUSED in part["responses"]:
        return part
    return part | {"security": []}
