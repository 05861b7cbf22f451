"""The admin door: metrics, what is served, rollouts. An address of its own, so that no caller of a model reaches it.

Opened on a port if one is named (a token is needed for everything but metrics), and always on a Unix socket in a folder
of the user's own, where the permissions of the file stand for the token.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec

from modelwright.errors import MessageError, UnknownModelError
from modelwright.serving.http.gateway import Found
from modelwright.serving.http.messages import Reply, Request
from modelwright.serving.http.rest import written_error
from modelwright.serving.http.routes import as_json, not_allowed
from modelwright.serving.operating.reading import ServerStatus


class Administration(Protocol):
    """What the admin door asks."""

    def metrics(self, accept: str) -> tuple[bytes, str]:
        """Return all metrics as text, and its media type."""
        ...

    def status(self) -> ServerStatus:
        """Return what the server is doing."""
        ...

    def rollout(self, model: str) -> Any:
        """Return the status of a model's rollout.

        Raises:
            UnknownModelError: There is no such model.
            RolloutError: There is no rollout.
        """
        ...

    async def begin(self, model: str, asked: bytes, *, actor: str) -> Any:
        """Begin a rollout; return its status."""
        ...

    async def move(self, model: str, verb: str, *, actor: str, reason: str) -> Any:
        """Advance, pause, resume or abort a rollout; return its status."""
        ...

    def shadows(self, model: str) -> Any:
        """Return how the answers of each shadow of a model differ, by variant."""
        ...

    def report(self, model: str) -> Any:
        """Return what a rollout has shown so far: disagreement of a shadow, measures of a canary."""
        ...


class Reason(msgspec.Struct, forbid_unknown_fields=True):
    """Why something is done.

    Attributes:
        reason: For the log.
        actor: Who says so; whether that is believed, the door says.
    """

    reason: str = ""
    actor: str = ""


Identify = Callable[[str], str]
"""Given who a request says asks, returns who does, for the log."""
_ROLLOUT = re.compile(r"/models/([^/]+)/rollout(?:/(advance|pause|resume|abort|report))?")
_SHADOWS = re.compile(r"/models/([^/]+)/shadows")


class AdminDoor:
    """Finds the handlers of the admin door.

    Args:
        administration: What is asked.
        identify: Says who asks: whoever a request names, where callers are believed, or always the same.
    """

    def __init__(self, administration: Administration, *, identify: Identify) -> None:
        self._asked, self._identify = administration, identify

    def find(self, method: str, path: str) -> Found:
        """Return the handler of a request.

        Raises:
            UnknownModelError: There is nothing at that path.
        """
        if path == "/metrics":
            return (self._metrics, written_error, False) if method in ("GET", "HEAD") else not_allowed("GET")
        if path == "/deployment":
            return (self._status, written_error, True) if method == "GET" else not_allowed("GET")
        shadows = _SHADOWS.fullmatch(path)
        if shadows is not None:
            return self._shadows(method, shadows[1])
        matched = _ROLLOUT.fullmatch(path)
        if matched is None:
            raise UnknownModelError(
                f"There is nothing at {path[:80]!r}.", hint="/metrics, /deployment, /models/NAME/rollout"
            )
        return self._rollout(method, *matched.groups(default=""))

    def _shadows(self, method: str, model: str) -> Found:
        async def handler(_request: Request) -> Reply:
            return as_json(self._asked.shadows(model))

        return (handler, written_error, True) if method == "GET" else not_allowed("GET")

    def _rollout(self, method: str, model: str, verb: str) -> Found:
        handler: Callable[[Request], Awaitable[Reply]]
        if verb in ("", "report") and method == "GET":
            shown = self._asked.report if verb else self._asked.rollout

            async def handler(_request: Request) -> Reply:
                return as_json(shown(model))

        elif verb == "report":
            return not_allowed("GET")
        elif method != "POST":
            return not_allowed("POST", "GET") if not verb else not_allowed("POST")
        elif verb:

            async def handler(request: Request) -> Reply:
                said = _decoded(request.body)
                actor = self._identify(said.actor)
                return as_json(await self._asked.move(model, verb, actor=actor, reason=said.reason))

        else:

            async def handler(request: Request) -> Reply:
                return as_json(await self._asked.begin(model, request.body, actor=self._identify("")), status=202)

        return handler, written_error, True

    async def _metrics(self, request: Request) -> Reply:
        text, media_type = self._asked.metrics(request.headers.get(b"accept", b"").decode("latin-1"))
        return Reply(200, text, media_type)

    async def _status(self, _request: Request) -> Reply:
        return as_json(self._asked.status())


def _decoded(body: bytes) -> Reason:
    try:
        return msgspec.json.decode(body or b"{}", type=Reason)
    except msgspec.DecodeError as error:
        raise MessageError("The body is not what was expected.", why=str(error), hint='{"reason": "…"}') from error
