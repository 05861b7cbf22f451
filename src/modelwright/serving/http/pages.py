"""The pages of a server, its OpenAPI documents and what they are drawn with: a door that makes views and sends bytes.

Called by the gateway. What a page looks like is decided in :mod:`modelwright.serving.web`, which knows no HTTP.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from modelwright.errors import ModelwrightError
from modelwright.serving.contract import Contract
from modelwright.serving.http.errors import sentence_of
from modelwright.serving.http.gateway import Found, Handler
from modelwright.serving.http.messages import Reply, Request
from modelwright.serving.http.rest import written_error
from modelwright.serving.http.routes import as_json, model_document, not_allowed
from modelwright.serving.http.statuses import headers_of, status_of
from modelwright.serving.http.tokens import EVERYONE, Tokens
from modelwright.serving.operating.plane import Plane
from modelwright.serving.operating.reading import VariantStatus, model_status
from modelwright.serving.web import pages
from modelwright.serving.web.assets import CONTENT_SECURITY_POLICY, static
from modelwright.serving.web.openapi import Served, openapi, server_openapi
from modelwright.serving.web.security import guarded
from modelwright.serving.web.views import ModelView, Refusal, Sent, ServerView, State, VariantView

Predict = Callable[[str, str, str, Request], Awaitable[Reply]]
FOR_EVER = (b"cache-control", b"public, max-age=31536000, immutable")
_FRESH = (b"cache-control", b"no-store")
_HEADERS = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    _FRESH,
)
_OF_MODEL = re.compile(r"/models/([^/]+)(?:/(openapi\.json|try))?")
_STATES: dict[str, State] = {"starting": "preparing", "ready": "ready", "draining": "draining", "stopped": "draining"}


class PagesDoor:
    """Finds the handlers of pages.

    Args:
        plane: What is shown.
        predict: The friendly API's handler, for forms: model, method, version, request.
        base_url: How the server is reached, for lines that people copy.
        tokens: Who may ask, which documents tell.
    """

    def __init__(
        self, plane: Plane, predict: Predict, *, base_url: Callable[[], str], tokens: Tokens = EVERYONE
    ) -> None:
        self._plane, self._predict, self._base_url, self._tokens = plane, predict, base_url, tokens

    def match(self, method: str, path: str) -> Found | None:
        """Return the handler of a page; ``None``: there is none at that path."""
        handler = self._handler(path)
        if handler is None:
            return None
        wanted = "POST" if path.endswith("/try") else "GET"
        if method != wanted and (method, wanted) != ("HEAD", "GET"):
            return not_allowed(wanted)
        return handler, self._error_of(path), not path.startswith("/static/")

    def _handler(self, path: str) -> Handler | None:
        fixed: dict[str, Handler] = {
            "/": self._front,
            "/docs": self._docs,
            "/openapi.json": self._openapi,
            "/favicon.ico": self._static,
        }
        if path in fixed:
            return fixed[path]
        if path.startswith("/static/"):
            return self._static
        if path.startswith("/docs/") and path.count("/") == 2:
            return self._docs
        found = _OF_MODEL.fullmatch(path)
        if found is None:
            return None
        return {"": self._model, "openapi.json": self._openapi_of, "try": self._try}[found[2] or ""]

    def _error_of(self, path: str) -> Callable[[BaseException, str], Reply]:
        return written_error if path.endswith(".json") or path.startswith("/models/") else self._problem

    def _problem(self, error: BaseException, request_id: str) -> Reply:
        if not isinstance(error, ModelwrightError):
            return written_error(error, request_id)
        status = status_of(error)
        headers = headers_of(error)
        if status == 401:  # a browser asks its user for the token, as a password
            headers = ((b"www-authenticate", b'Basic realm="modelwright", charset="UTF-8"'),)
        body = pages.problem_page(self._server(), Refusal(error=error.what, code=error.code))
        return Reply(status, body, pages.HTML, (*_HEADERS, *headers))

    async def _front(self, _request: Request) -> Reply:
        return _page(pages.front_page(self._server()))

    async def _docs(self, request: Request) -> Reply:
        model = request.path.removeprefix("/docs").strip("/")
        if model:
            self._plane.versions(model)
        return _page(pages.docs_page(self._server(), model=model))

    async def _static(self, request: Request) -> Reply:
        asset = static(request.path.removeprefix("/static/"))
        if asset is None:
            return Reply(404, b"", "text/plain")
        return Reply(200, asset.body, asset.media_type, (FOR_EVER, (b"x-content-type-options", b"nosniff")))

    async def _openapi(self, _request: Request) -> Reply:
        loaded = [self._served(name) for name in self._plane.models() if self._plane.served[name].serving]
        return self._document(server_openapi(loaded, server_url=""))

    async def _openapi_of(self, request: Request) -> Reply:
        name = _name(request.path)
        served = self._served(name)
        return self._document(openapi(served.contract, name=name, versions=served.versions, max_rows=served.max_rows))

    def _document(self, document: dict[str, Any]) -> Reply:
        return as_json(guarded(document) if self._tokens else document)

    def _served(self, name: str) -> Served:
        endpoint = self._plane.endpoint(name)
        return Served(
            name=name, contract=endpoint.contract, versions=self._plane.versions(name), max_rows=endpoint.max_rows
        )

    async def _model(self, request: Request) -> Reply:
        name = _name(request.path)
        if b"text/html" not in request.headers.get(b"accept", b""):
            return model_document(self._plane, name)
        self._plane.versions(name)
        return _page(pages.model_page(self._server(), self._view(name)))

    async def _try(self, request: Request) -> Reply:
        """Put the row of a form to the model, as a client would."""
        name = _name(request.path)
        contract: Contract = self._plane.endpoint(name).contract
        sent = pages.parse_form(contract, request.body)
        if sent.problems:
            return _page(pages.model_page(self._server(), self._view(name), sent=sent), status=400)
        return await self._answered(request, name, sent)

    async def _answered(self, request: Request, name: str, sent: Sent) -> Reply:
        headers = {**request.headers, b"content-type": b"application/json"}
        asked = Request(
            "POST",
            request.path,
            headers=headers,
            body=msgspec.json.encode({"rows": sent.rows}),
            request_id=request.request_id,
            unit=request.unit,
            client=request.client,
            note=request.note,
        )
        try:
            reply = await self._predict(name, sent.method, "", asked)
        except ModelwrightError as error:
            refusal = Refusal(error=sentence_of(error), code=error.code)
            page = pages.model_page(self._server(), self._view(name), sent=sent, refusal=refusal)
            return _page(page, status=status_of(error))
        answer = msgspec.json.decode(reply.body)
        return _page(pages.model_page(self._server(), self._view(name), sent=sent, answer=answer))

    def _server(self) -> ServerView:
        return ServerView(
            models=tuple(self._view(name) for name in self._plane.models()),
            ready=self._plane.ready(),
            base_url=self._base_url(),
        )

    def _view(self, name: str) -> ModelView:
        model = self._plane.served[name]
        status = model_status(model)
        contract = model.serving.control.contract if model.serving else None
        return ModelView(
            name=name,
            ready=status.ready,
            contract=contract,
            variants=tuple(_variant_view(variant) for variant in status.variants),
        )


def _variant_view(variant: VariantStatus) -> VariantView:
    return VariantView(
        name=variant.name,
        version=variant.version,
        digest=variant.digest,
        role="shadow" if variant.role == "shadow" else "live",
        weight=variant.share,
        state=_STATES[variant.state],
        reason="" if variant.workers else "its process is being replaced",
    )


def _name(path: str) -> str:
    found = _OF_MODEL.fullmatch(path)
    return found[1] if found else ""


def _page(body: bytes, *, status: int = 200) -> Reply:
    return Reply(status, body, pages.HTML, _HEADERS)
