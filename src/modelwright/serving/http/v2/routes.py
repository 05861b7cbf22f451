"""Find the handler of a path of the Open Inference Protocol.

Called by the gateway for every path that begins with ``/v2``.
"""

from __future__ import annotations

from modelwright.serving.http.route import Handler, Names, Route
from modelwright.serving.http.v2 import handlers
from modelwright.serving.http.v2.answering import write_error

_FIXED = {
    "/v2": Route(handlers.server_metadata, "GET", write_error),
    "/v2/": Route(handlers.server_metadata, "GET", write_error),
    "/v2/health/live": Route(handlers.server_live, "GET", write_error, guarded=False),
    "/v2/health/ready": Route(handlers.server_ready, "GET", write_error, guarded=False),
}
_OF_MODEL: dict[str, tuple[Handler, str, bool]] = {
    "": (handlers.model_metadata, "GET", True),
    "ready": (handlers.model_ready, "GET", False),
    "infer": (handlers.model_infer, "POST", True),
}
"""Handler, method, and whether a token is needed."""


def match(path: str) -> Route | None:
    """Return where a path leads; ``None`` if the protocol has no such path.

    Example:
        >>> match("/v2/models/churn/versions/1.3.0/infer").names
        Names(model='churn', version='1.3.0')
        >>> match("/v2/models/churn").method, match("/v2/models/churn/train")
        ('GET', None)
    """
    fixed = _FIXED.get(path)
    if fixed is not None or not path.startswith("/v2/models/"):
        return fixed
    model, *rest = path[11:].split("/")
    version = ""
    if len(rest) >= 2 and rest[0] == "versions":
        version, rest = rest[1], rest[2:]
        if not version:
            return None
    found = _OF_MODEL.get("/".join(rest)) if model and rest != [""] else None
    if found is None:
        return None
    handler, method, guarded = found
    return Route(handler, method, write_error, guarded, Names(model, version))
