"""Where a path of a transport leads.

Made by the ``routes`` of each transport that only translates; read by :mod:`.routes`, for the gateway.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from modelwright.serving.dataplane import DataPlane
from modelwright.serving.http.messages import Reply, Request


class Names(NamedTuple):
    """What a path names.

    Attributes:
        model: Name of the model; empty if it names none.
        version: Its version; empty: whichever the router chooses.
    """

    model: str = ""
    version: str = ""


Handler = Callable[[DataPlane, Request, Names], Awaitable[Reply]]
WriteError = Callable[[BaseException, str], Reply]


class Route(NamedTuple):
    """Where a path leads.

    Attributes:
        handler: What answers it.
        method: The one HTTP method that it takes.
        write_error: What writes an error in the form of the transport, from the error and the id of the request.
        guarded: Whether a token is needed, where the server has tokens; probes carry none.
        names: What the path names.
    """

    handler: Handler
    method: str
    write_error: WriteError
    guarded: bool = True
    names: Names = Names()
