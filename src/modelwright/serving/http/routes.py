"""Which handler answers a path: the doors of the data port, the friendly one first.

Called by the gateway for every request. It knows paths; what happens behind them is each door's own business.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from urllib.parse import unquote

import msgspec

from modelwright.errors import UnknownModelError
from modelwright.serving.dataplane import DataPlane
from modelwright.serving.http.aliases import routes as aliases
from modelwright.serving.http.gateway import Found, Handler
from modelwright.serving.http.messages import Reply, Request
from modelwright.serving.http.rest import Rest, describe, described, written_error
from modelwright.serving.http.route import Route
from modelwright.serving.http.v2 import routes as v2
from modelwright.serving.intake.aside import read_aside
from modelwright.serving.intake.strict_json import check_containers
from modelwright.serving.observing.outcome_reading import read_outcomes
from modelwright.serving.observing.outcomes import Outcomes

Match = Callable[[str, str], Found | None]
"""By method and path; ``None``: this door does not know the path."""


MAX_KNOWN = 256
"""So many paths are remembered with what answers them."""


class Doors:
    """Finds the handler of a request.

    Args:
        plane: The data plane.
        rest: The friendly API.
        others: Further doors, asked in order for what the friendly one does not know.
    """

    def __init__(self, plane: DataPlane, rest: Rest, others: tuple[Match, ...] = ()) -> None:
        self._plane, self._rest, self.others = plane, rest, others
        self._known: dict[tuple[str, str], Found] = {}

    def find(self, method: str, path: str) -> Found:
        """Return the handler of a request.

        Raises:
            UnknownModelError: There is nothing at that path.
        """
        found = self._known.get((method, path))
        if found is not None:
            return found
        found = self._rest_found(method, path) if path.startswith(("/models", "/health/")) else None
        if found is not None:
            if len(self._known) < MAX_KNOWN:
                self._known[method, path] = found
            return found
        for match in self.others:
            found = match(method, path)
            if found is not None:
                return found
        raise UnknownModelError(
            f"There is nothing at {path[:80]!r}.",
            hint="POST /models/NAME/predict; GET /models lists the models, GET /docs describes everything.",
        )

    def _rest_found(self, method: str, path: str) -> Found | None:
        parts = path.split("/")
        match parts[1:]:
            case ["models", name, verb] if method == "POST" and verb != "try":
                return self._rest.inference(self._plane, name, verb), written_error, True
            case ["models", name, "versions", version, verb] if method == "POST":
                return self._rest.inference(self._plane, name, verb, version), written_error, True
            case ["models"] if method == "GET":
                return self._list, written_error, True
            case ["health", "live" | "ready" as word] if method in ("GET", "HEAD"):
                return partial(self._health, word), written_error, False
        return None

    async def infer(self, name: str, method: str, version: str, request: Request) -> Reply:
        """Answer rows; also for the forms of pages."""
        return await self._rest.inference(self._plane, name, method, version)(request)

    async def _list(self, _request: Request) -> Reply:
        models = [describe(self._plane, name) for name in self._plane.models()]
        return as_json({"models": models})

    async def _health(self, word: str, _request: Request) -> Reply:
        good = self._plane.live() if word == "live" else self._plane.ready()
        return as_json({word: good}, status=200 if good else 503)


def inference_protocol(plane: DataPlane) -> Match:
    """Return the door of the Open Inference Protocol v2."""
    return _translating(plane, v2.match)


def other_servers(plane: DataPlane) -> Match:
    """Return the door for clients of MLflow's scoring server and of TensorFlow Serving."""
    return _translating(plane, aliases.match)


def _translating(plane: DataPlane, find: Callable[[str], Route | None]) -> Match:
    """Return the door of a transport that only translates."""

    def match(method: str, path: str) -> Found | None:
        route = find(path)
        if route is None:
            return None
        if method != route.method and (method, route.method) != ("HEAD", "GET"):
            return not_allowed(route.method)
        return lambda request: route.handler(plane, request, route.names), route.write_error, route.guarded

    return match


def outcomes_door(outcomes: Outcomes) -> Match:
    """Return the door that takes what later turned out to be true."""

    async def take(request: Request) -> Reply:
        check_containers(request.body)
        told = await read_aside(len(request.body), partial(read_outcomes, request.body))
        return as_json(outcomes.keep(told))

    def match(method: str, path: str) -> Found | None:
        if path != "/outcomes":
            return None
        return (take, written_error, True) if method == "POST" else not_allowed("POST")

    return match


def as_json(content: object, *, status: int = 200) -> Reply:
    """Return a reply of JSON."""
    return Reply(status, msgspec.json.encode(content))


def not_allowed(*methods: str) -> Found:
    """Return what answers a method that a path does not have.

    Source: RFC 9110, 15.5.6 "405 Method Not Allowed".
    """

    async def refuse(request: Request) -> Reply:
        said = UnknownModelError(
            f"{request.method} is not something to be done here.", hint=f"Use {' or '.join(methods)}."
        )
        reply = written_error(said, request.request_id)
        return reply._replace(status=405, headers=((b"allow", ", ".join(methods).encode()),))

    handler: Handler = refuse
    return handler, written_error, False


def model_document(plane: DataPlane, name: str) -> Reply:
    """Return a model as data."""
    return as_json(described(plane, unquote(name)))
