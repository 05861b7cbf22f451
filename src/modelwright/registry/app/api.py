"""The JSON API: each route of :mod:`modelwright.registry.protocol` asks one verb of the service.

It translates and decides nothing: names are matched, bodies are decoded into the protocol's structs, answers are the
structs that the service returns. Called by :mod:`.application`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version as installed_version
from typing import Any, NamedTuple, TypeVar, get_args

import anyio.to_thread
import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from modelwright.errors import LoginError, RequestError
from modelwright.registry import protocol
from modelwright.registry.app.access import Access
from modelwright.registry.app.answers import as_json
from modelwright.registry.app.bodies import read_body
from modelwright.registry.app.files import answer, find_source
from modelwright.registry.app.parameters import checked, number, query_of, text
from modelwright.registry.audit import Action, Head, Outcome
from modelwright.registry.operating.local import LocalService
from modelwright.registry.people import NOBODY
from modelwright.registry.service import Selection

T = TypeVar("T")
Names = dict[str, str]
"""What the path of a route names, already matched."""
MAX_BODY = 2**20
MAX_EVIDENCE = 64 * 2**20
"""Largest body of ``attach``, bytes: the results of many scenarios are large."""
MAX_NAMES = 100
"""Most names in one request."""


class Asked(NamedTuple):
    """What a route was asked.

    Attributes:
        service: The registry, bound to who asks.
        names: What the path names, matched.
        query: The query.
        body: The body; empty for GET.
    """

    service: LocalService
    names: Names
    query: Names
    body: bytes = b""

    def body_as(self, kind: type[T]) -> T:
        """Return the body as one of the protocol's structs."""
        try:
            return msgspec.json.decode(self.body, type=kind)
        except (msgspec.DecodeError, RecursionError) as error:
            raise RequestError("The body of the request cannot be understood.", why=str(error)) from error


Verb = Callable[[Asked], Any]


def _whoami(asked: Asked) -> protocol.Welcome:
    service = asked.service
    service.desk.allow("read", "")
    return protocol.Welcome(
        principal=service.principal,
        stages=service.stages,
        title=service.settings.title,
        proxies_upstream=service.settings.upstream is not None,
        version=installed_version("modelwright"),
    )


def _gates(asked: Asked) -> Any:
    version, stage = checked("version", asked.query.get("version", "")), checked("stage", asked.query.get("to", ""))
    return asked.service.gates(asked.names["name"], version, to=stage)


def _known(asked: Asked) -> protocol.Known:
    filename = checked("filename", asked.query.get("filename", ""))
    return protocol.Known(known=asked.service.has(filename, asked.names["sha256"]))


def selection_of(query: Names) -> Selection:
    """Return which entries of the log a query means; it is bounded.

    Raises:
        RequestError: Malformed, or a field that no selection has.

    Example:
        >>> selection_of({"project": "churn", "limit": "5"})
        Selection(project='churn', version='', actor='', action='', stage='', outcome='', after=0, before=0, limit=5, newest_first=False)
    """  # noqa: E501 - one line of output
    unknown = sorted(set(query) - set(Selection.__struct_fields__))
    if unknown:
        raise RequestError(f"The log cannot be searched by {unknown[0]!r}.")
    given = {key: value for key, value in query.items() if value}
    found: dict[str, Any] = {"limit": protocol.PAGE}
    for key, value in given.items():
        if key in ("after", "before", "limit"):
            found[key] = number(key, value, most=protocol.PAGE if key == "limit" else 2**62)
        elif key == "newest_first":
            found[key] = value.lower() in ("true", "1")
        elif key in ("action", "outcome"):
            if value not in get_args(Action if key == "action" else Outcome):
                raise RequestError(f"There is no {key} {value!r}.")
            found[key] = value
        elif key == "actor":
            found[key] = text("actor", value)
        else:
            found[key] = checked({"project": "name"}.get(key, key), value)
    return Selection(**found)


def _check_audit(asked: Asked) -> Any:
    if not asked.query.get("hash"):
        return asked.service.check_audit(None)
    sequence = number("sequence", asked.query.get("sequence", ""), most=2**62)
    return asked.service.check_audit(Head(sequence=sequence, hash=checked("sha256", asked.query["hash"])))


def _attach(asked: Asked) -> Any:
    body = asked.body_as(protocol.EvidenceRequest)
    return asked.service.attach(asked.names["sha256"], body.kind, body.content)


def _approve(asked: Asked) -> Any:
    body = asked.body_as(protocol.ApprovalRequest)
    version, stage = checked("version", body.version), checked("stage", body.stage)
    return asked.service.approve(asked.names["name"], version, stage=stage, reason=text("reason", body.reason))


def _promote(asked: Asked) -> Any:
    body = asked.body_as(protocol.PromotionRequest)
    if body.expected:
        checked("sha256", body.expected)
    return asked.service.promote(
        asked.names["name"],
        checked("version", body.version),
        to=checked("stage", body.to),
        reason=text("reason", body.reason),
        expected=body.expected,
        break_glass=body.break_glass,
    )


def _rollback(asked: Asked) -> Any:
    body = asked.body_as(protocol.RollbackRequest)
    stage, reason = checked("stage", body.stage), text("reason", body.reason)
    if body.expected:
        checked("sha256", body.expected)
    return asked.service.rollback(asked.names["name"], stage=stage, reason=reason, expected=body.expected)


def _report_rollout(asked: Asked) -> Any:
    body = asked.body_as(protocol.RolloutReport)
    version, reason = checked("version", body.version), text("reason", body.reason)
    if body.stage:
        checked("stage", body.stage)
    return asked.service.report_rollout(asked.names["name"], version, event=body.event, stage=body.stage, reason=reason)


def _of_release(verb: Callable[..., Any]) -> Verb:
    """Return what answers for a verb about one release and a reason."""

    def change(asked: Asked) -> Any:
        body = asked.body_as(protocol.ReleaseRequest)
        version, reason = checked("version", body.version), text("reason", body.reason)
        return verb(asked.service, asked.names["name"], version, reason=reason)

    return change


def _set_status(asked: Asked) -> Any:
    body = asked.body_as(protocol.StatusRequest)
    return asked.service.set_status(asked.names["name"], body.status, reason=text("reason", body.reason))


def _set_owners(asked: Asked) -> Any:
    body = asked.body_as(protocol.OwnersRequest)
    if len(body.owners) > MAX_NAMES:
        raise RequestError(f"A project has at most {MAX_NAMES} owners.")
    return asked.service.set_owners(asked.names["name"], tuple(text("owner", owner) for owner in body.owners))


def _add_token(asked: Asked) -> Any:
    body = asked.body_as(protocol.TokenRequest)
    if len(body.projects) > MAX_NAMES:
        raise RequestError(f"A token is for at most {MAX_NAMES} projects.")
    return asked.service.add_token(
        text("user", body.user),
        scopes=body.scopes,
        projects=tuple(checked("name", name) for name in body.projects),
        days=body.days,
        note=text("note", body.note),
    )


VERBS: dict[str, Verb] = {
    "whoami": _whoami,
    "projects": lambda asked: asked.service.projects(asked.query.get("search", "")),
    "project": lambda asked: asked.service.project(asked.names["name"]),
    "gates": _gates,
    "approve": _approve,
    "promote": _promote,
    "rollback": _rollback,
    "yank": _of_release(LocalService.yank),
    "unyank": _of_release(LocalService.unyank),
    "delete": _of_release(LocalService.delete),
    "report_rollout": _report_rollout,
    "set_status": _set_status,
    "set_owners": _set_owners,
    "has": _known,
    "evidence": lambda asked: asked.service.evidence(asked.names["sha256"]),
    "attach": _attach,
    "tokens": lambda asked: asked.service.tokens(),
    "add_token": _add_token,
    "revoke_token": lambda asked: asked.service.revoke_token(asked.names["token"]),
    "history": lambda asked: tuple(asked.service.history(selection_of(asked.query))),
    "head": lambda asked: asked.service.head(),
    "check_audit": _check_audit,
}
"""What answers for each verb of the protocol; ``open_file``, whose answer is a file, is beside it."""


def api_routes(access: Access) -> list[Route]:
    """Return every route of the protocol."""
    return [_route(access, verb, method, path) for verb, (method, path) in protocol.ROUTES.items()]


def _route(access: Access, verb: str, method: str, path: str) -> Route:
    def look(request: Request) -> Response:
        names, query = _names(request), query_of(request.scope["query_string"])
        return as_json(VERBS[verb](Asked(access.enter_browsing(request), names, query)))

    async def change(request: Request) -> Response:
        names = _names(request)
        service = await anyio.to_thread.run_sync(access.enter_browsing, request)
        if service.principal == NOBODY:
            # Nothing is changed without a token, so nobody's body is worth reading.
            raise LoginError("It takes a token to change something, and none was sent.", hint="modelwright login URL")
        body = await read_body(request, most=MAX_EVIDENCE if verb == "attach" else MAX_BODY)
        return as_json(await anyio.to_thread.run_sync(VERBS[verb], Asked(service, names, {}, body)))

    def send(request: Request) -> Response:
        sha256, service = _names(request)["sha256"], access.enter_browsing(request)
        return answer(request, find_source(service, sha256, service.find(sha256).file.filename))

    endpoint = send if verb == "open_file" else look if method == "GET" else change
    return Route(protocol.ROOT + path, endpoint, methods=[method])


def _names(request: Request) -> Names:
    return {key: checked(key, value) for key, value in request.path_params.items()}
