"""Mount the pages that people look at: sessions, forms with their CSRF token, login and logout, assets.

What a page shows is made in :mod:`modelwright.registry.web`, which knows no web framework; here HTTP becomes its
:class:`~modelwright.registry.web.requests.Request` and back. Called by :mod:`.application`.

Source: RFC 6265bis (``SameSite=Strict``, ``HttpOnly``, ``Secure``).
"""

from __future__ import annotations

import gzip
import time
from urllib.parse import quote

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from modelwright.errors import LoginError, UnknownReleaseError
from modelwright.registry.app.access import CSRF_HEADER, Access
from modelwright.registry.app.answers import NO_STORE, SAFE, base_url, header
from modelwright.registry.app.bodies import read_form
from modelwright.registry.app.codings import reads_gzip, zipped_tag
from modelwright.registry.app.parameters import checked, query_of
from modelwright.registry.app.ranges import matches
from modelwright.registry.app.sessions import COOKIE, LIFETIME_S, Session
from modelwright.registry.operating.local import LocalService
from modelwright.registry.web import routes as web
from modelwright.registry.web.assets import CACHE_CONTROL, find_asset
from modelwright.registry.web.login import login_refused, own_path
from modelwright.registry.web.requests import CSRF_FIELD, Page, Site
from modelwright.registry.web.requests import Request as PageRequest

SMALL = 1024
"""Pages shorter than this, bytes, are not worth compressing."""
GZIP_LEVEL = 6


class Pages:
    """The pages of one registry.

    Args:
        access: Its door.
        site: What all pages share.
    """

    def __init__(self, access: Access, site: Site) -> None:
        self.access = access
        self.site = site

    def routes(self) -> list[Route]:
        """Return every page, what logs in and out, and the assets."""
        return [
            *(self._route(page) for page in web.ROUTES),
            Route("/login", self.log_in, methods=["POST"]),
            Route("/logout", self.log_out, methods=["POST"]),
            Route("/static/{asset}", self.asset, methods=["GET"]),
        ]

    def _route(self, page: web.Route) -> Route:
        async def endpoint(request: Request) -> Response:
            form = await read_form(request) if page.method == "POST" else {}
            return await anyio.to_thread.run_sync(self._answer, page, request, form)

        return Route(page.path, endpoint, methods=[page.method])

    def _answer(self, page: web.Route, request: Request, form: dict[str, str]) -> Response:
        try:
            return self._let_in(page, request, form)
        except LoginError:
            if page.method == "POST" or header(request.scope, b"authorization"):
                raise
            return _to_login(request)

    def _let_in(self, page: web.Route, request: Request, form: dict[str, str]) -> Response:
        parts = {key: checked(key, value) for key, value in request.path_params.items()}
        query = query_of(request.scope["query_string"])
        session, service = self._enter(request, form)
        csrf = request.scope["csrf"] = self.access.sessions.csrf(session) if session else ""
        asked = PageRequest(
            path=request.scope["path"],
            parts=parts,
            query=query,
            form=form,
            principal=service.principal,
            csrf=csrf,
            base_url=base_url(request.scope),
        )
        return _response(page.answer(self.site, service, asked), request)

    def _enter(self, request: Request, form: dict[str, str]) -> tuple[Session | None, LocalService]:
        session = None if header(request.scope, b"authorization") else self.access.session(request)
        if session is None:
            return None, self.access.enter(request)
        if request.method not in SAFE:
            self.access.check_form(session, form.get(CSRF_FIELD) or header(request.scope, CSRF_HEADER))
        try:
            return session, self.access.resume(request, session)
        except LoginError:
            return None, self.access.enter(request)

    async def log_in(self, request: Request) -> Response:
        """Begin a session with a token, and lead to where somebody wanted to go."""
        form = await read_form(request)
        secret = form.get("token", "").strip()
        try:
            principal = await anyio.to_thread.run_sync(self.access.recognise, request, secret)
        except LoginError as error:
            asked = PageRequest(path="/login", form={"next": form.get("next", "")}, base_url=base_url(request.scope))
            return _response(login_refused(self.site, asked, error), request)
        cookie = self.access.sessions.begin(principal.token, now=time.time())
        answer = Response(
            status_code=303, headers={"Location": own_path(form.get("next", "")) or "/", "Cache-Control": NO_STORE}
        )
        _set_cookie(answer, request, cookie, LIFETIME_S)
        return answer

    async def log_out(self, request: Request) -> Response:
        """End a session in this browser; revoking the token ends it everywhere."""
        form = await read_form(request)
        session = self.access.session(request)
        if session is not None:
            self.access.check_form(session, form.get(CSRF_FIELD, ""))
        answer = Response(status_code=303, headers={"Location": "/", "Cache-Control": NO_STORE})
        _set_cookie(answer, request, "", 0)
        return answer

    def asset(self, request: Request) -> Response:
        """Send a style, a script or the icon; the name changes with the bytes."""
        found = find_asset(checked("filename", request.path_params["asset"]))
        if found is None:
            raise UnknownReleaseError("There is no such asset.")
        zipped = reads_gzip(header(request.scope, b"accept-encoding"))
        etag = zipped_tag(found.etag) if zipped else found.etag
        headers = {"ETag": etag, "Cache-Control": CACHE_CONTROL, "Vary": "Accept-Encoding"}
        if matches(header(request.scope, b"if-none-match"), etag):
            return Response(status_code=304, headers=headers)
        if zipped:
            headers["Content-Encoding"] = "gzip"
            return Response(found.zipped, media_type=found.media_type, headers=headers)
        return Response(found.body, media_type=found.media_type, headers=headers)


def _response(page: Page, request: Request) -> Response:
    """Send a page, compressed for whoever understands that.

    A form's token and what a visitor searched for stand in the same body, whose length tells of both (BREACH). Nobody
    else can make a browser ask for it with its session, because the cookie is ``SameSite=Strict``.
    """
    headers = {"Cache-Control": "private, no-cache", "Vary": "Cookie, Authorization, Accept-Encoding"}
    if page.location:
        headers["Location"] = page.location
    if len(page.body) < SMALL or not reads_gzip(header(request.scope, b"accept-encoding")):
        return Response(page.body, page.status, media_type=page.media_type, headers=headers)
    headers["Content-Encoding"] = "gzip"
    zipped = gzip.compress(page.body, GZIP_LEVEL, mtime=0)
    return Response(zipped, page.status, media_type=page.media_type, headers=headers)


def _to_login(request: Request) -> Response:
    path, query = request.scope["path"], request.scope["query_string"].decode("latin-1")
    target = quote(own_path(f"{path}?{query}") or path, safe="")
    return Response(status_code=303, headers={"Location": f"/login?next={target}", "Cache-Control": NO_STORE})


def _set_cookie(answer: Response, request: Request, value: str, lifetime_s: int) -> None:
    answer.set_cookie(
        COOKIE,
        value,
        max_age=lifetime_s,
        path="/",
        httponly=True,
        samesite="strict",
        secure=request.scope["scheme"] == "https",
    )
