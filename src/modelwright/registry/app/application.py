"""The application: every route of a registry behind one edge.

Called by :mod:`.serving` and by tests. It opens nothing: the registry that it is given decides where files and state
are, and who may do what.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, Router
from starlette.types import ASGIApp

from modelwright.registry.app.access import Access
from modelwright.registry.app.api import api_routes
from modelwright.registry.app.borrowing import borrowing_routes
from modelwright.registry.app.edge import Edge
from modelwright.registry.app.feeds import feed_routes
from modelwright.registry.app.files import answer, find_source
from modelwright.registry.app.health import health_of
from modelwright.registry.app.pages import Pages
from modelwright.registry.app.sessions import Sessions, session_key
from modelwright.registry.app.simple import Rendered, Simple
from modelwright.registry.app.throttle import Throttle
from modelwright.registry.app.trusting import Trusting
from modelwright.registry.app.uploads import upload
from modelwright.registry.events.webhooks import Deliverer, delivering
from modelwright.registry.operating.local import LocalService
from modelwright.registry.operating.promoting import keys_of
from modelwright.registry.settings import PRIVATE
from modelwright.registry.upstream.opening import open_upstream
from modelwright.registry.web.requests import Site

THREADS = 32
"""How many requests are worked on at once; what else arrives waits for its turn."""
WAITING = 64
"""How many more wait for the upstream at once, which may be silent for long; uv alone asks 50 questions at once."""


def create_app(service: LocalService, *, listening_on: str = "") -> ASGIApp:
    """Return the ASGI application of a registry.

    Args:
        service: The registry; it stays open, and is asked as whoever sent each request.
        listening_on: Address it listens on, which a request may name as its host; empty: unknown.

    Raises:
        SettingsError: A file that the settings name is not there, or is not what it has to be.
    """
    settings = service.settings
    for stage in settings.stages:
        keys_of(service.desk, stage)  # a gate that could not be judged is an error now, not when somebody promotes
    access = Access(service, sessions=Sessions(session_key(service.desk.root / PRIVATE)), throttle=Throttle())
    site = Site(settings=settings)
    router = Router(routes=_routes(access, site), redirect_slashes=False, lifespan=_lifespan(service, access))
    return Edge(router, site=site, hosts=(*settings.hosts, *([listening_on] if listening_on else [])))


def _routes(access: Access, site: Site) -> list[BaseRoute]:
    """Return every route; what is asked most often comes first."""
    upstream = open_upstream(access.service.settings, access.service.desk.root)
    waiting = anyio.CapacityLimiter(WAITING)
    simple = Simple(access, Rendered(), upstream=upstream, waiting=waiting)

    def stored(request: Request) -> Response:
        sha256, name = request.path_params["sha256"], request.path_params["filename"]
        if sha256[:2] != request.path_params["first"]:
            sha256 = ""
        return answer(request, find_source(access.enter_browsing(request), sha256, name))

    async def take(request: Request) -> Response:
        return await upload(request, access)

    looks: list[tuple[str, Callable[[Request], Response | Awaitable[Response]]]] = [
        ("/simple/{name}/", simple.project),
        ("/{stage}/simple/{name}/", simple.project),
        ("/files/{first}/{sha256}/{filename}", stored),
        ("/simple/", simple.root),
        ("/{stage}/simple/", simple.root),
        ("/simple/{name}", simple.project),
        ("/{stage}/simple/{name}", simple.project),
        ("/simple", simple.root),
        ("/{stage}/simple", simple.root),
        ("/health", health_of(access.service)),
    ]
    return [
        *(Route(path, endpoint, methods=["GET"]) for path, endpoint in looks),
        *(Route(path, take, methods=["POST"]) for path in ("/legacy/", "/legacy", "/")),
        *borrowing_routes(access, upstream, waiting=waiting),
        *api_routes(access),
        *Trusting(access).routes(),
        *feed_routes(access),
        *Pages(access, site).routes(),
    ]


def _lifespan(service: LocalService, access: Access) -> Callable[[Router], AbstractAsyncContextManager[None]]:
    """Return what runs beside the requests: whoever wants to be told of changes is told."""
    desk = service.desk
    told = desk.settings.webhooks
    # Made now, not when the server begins: what is wrong with the settings is then said as every error is.
    deliverer = Deliverer(desk.state, settings=desk.settings, root=desk.root) if told else None

    @asynccontextmanager
    async def lifespan(router: Router) -> AsyncIterator[None]:
        del router
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        with delivering(deliverer) if deliverer else nullcontext():
            yield
        access.glance.close()

    return lifespan
