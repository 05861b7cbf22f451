"""Find the handler of a path of the Open Inference Protocol.

Called by the gateway for every path that begins with ``/v2``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from modelwright.serving.dataplane import DataPlane
from modelwright.serving.http.messages import Reply, Request
from modelwright.serving.http.v2 import handlers
from modelwright.serving.http.v2.answering import write_error
from modelwright.serving.http.v2.handlers import Names

Handler = Callable[[DataPlane, Request, Names], Awaitable[Reply]]


class Route(NamedTuple):
    """Where a path leads.

    Attributes:
        handler: What answers it.
        method: The one HTTP method that it takes.
        names: What the path names.
        write_error: What writes an error in the form of this transport, from the error and the id of the request.
    """

    handler: Handler
    method: str
    names: Names = Names()
    write_error: Callable[[BaseException, str], Reply] = write_error


_FIXED = {
    "/v2": Route(handlers.server_metadata, "GET"),
    "/v2/": Route(handlers.server_metadata, "GET"),
    "/v2/health/live": Route(handlers.server_live, "GET"),
    "/v2/health/ready": Route(handlers.server_ready, "GET"),
}
_OF_MODEL: dict[str, tuple[Handler, str]] = {
    "": (handlers.model_metadata, "GET"),
    "ready": (handlers.model_ready, "GET"),
    "infer": (handlers.model_infer, "POST"),
}


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
    return None if found is None else Route(*found, Names(model, version))
