"""What installers read: ``/simple/`` and ``/STAGE/simple/``, rendered once per change and kept compressed.

The hot path asks one cheap question of the database (the number of the last change) and compares it with what the kept
page was made from; nothing is rendered twice. Called by :mod:`.application`.

Source: PEP 503 (redirects to the normal name and the final slash), PEP 691 (negotiation), RFC 9110 (conditional
requests), RFC 9111 (``must-revalidate``: a rollback is seen at the next request).
"""

from __future__ import annotations

import gzip
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import NamedTuple, Protocol
from urllib.parse import urlencode

import anyio
import anyio.to_thread
from packaging.utils import canonicalize_name
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from modelwright.errors import ModelwrightError, RequestError, UnknownReleaseError
from modelwright.registry.app.access import Access
from modelwright.registry.app.answers import base_url, header
from modelwright.registry.app.codings import reads_gzip, zipped_tag
from modelwright.registry.app.parameters import checked, query_of
from modelwright.registry.app.ranges import matches
from modelwright.registry.app.statuses import Refusal
from modelwright.registry.index.html import names_html, project_html
from modelwright.registry.index.json import names_json, project_json
from modelwright.registry.index.links import to_root
from modelwright.registry.index.negotiation import JSON, negotiate
from modelwright.registry.index.pages import ProjectPage
from modelwright.registry.operating.local import LocalService

REVALIDATE = "max-age=0, must-revalidate"
ROOM = 64 * 2**20
"""How many bytes of pages are kept."""
SMALL = 256
"""Pages below this are not worth compressing, bytes."""


@dataclass(slots=True)
class Kept:
    """A page, ready to be sent.

    Attributes:
        serial: What it was made from.
        generation: When it was last known to be right.
        etag: Entity tag of its bytes, with its quotes; compressed they have another one.
        body: Its bytes.
        zipped: The same, compressed; empty if that is not worth it.
    """

    serial: int
    generation: int
    etag: str
    body: bytes
    zipped: bytes


class Rendered:
    """Pages that were made, the least recently used forgotten first.

    Args:
        room: How many bytes are kept.
    """

    def __init__(self, *, room: int = ROOM) -> None:
        self._room, self._used = room, 0
        self._kept: OrderedDict[tuple[str, ...], Kept] = OrderedDict()
        self._lock = threading.Lock()

    def recent(self, key: tuple[str, ...], generation: int) -> Kept | None:
        """Return a page if nothing at all changed since it was last known to be right."""
        with self._lock:
            found = self._kept.get(key)
            if found is None or found.generation != generation:
                return None
            self._kept.move_to_end(key)
            return found

    def get(self, key: tuple[str, ...], *, serial: int, generation: int, make: Callable[[], bytes]) -> Kept:
        """Return the page of a key as it is at a serial, made now if it is not kept.

        Args:
            key: What it is a page of.
            serial: What it is made from.
            generation: Number of the last change to anything, read before the serial.
            make: Renders it.
        """
        with self._lock:
            found = self._kept.get(key)
            if found is not None and found.serial == serial:
                found.generation = max(found.generation, generation)
                self._kept.move_to_end(key)
                return found
        body = make()
        tag = sha256("\n".join((*key, str(serial))).encode() + body).hexdigest()[:32]
        zipped = gzip.compress(body, 6, mtime=0) if len(body) >= SMALL else b""
        made = Kept(serial, generation, f'"{tag}"', body, zipped)
        with self._lock:
            self._forget(key)
            self._kept[key] = made
            self._used += _weight(made)
            while self._used > self._room and self._kept:
                self._forget(next(iter(self._kept)))
        return made

    def _forget(self, key: tuple[str, ...]) -> None:
        old = self._kept.pop(key, None)
        self._used -= _weight(old) if old else 0


def _weight(page: Kept) -> int:
    return len(page.body) + len(page.zipped)


class Behind(Protocol):
    """An index behind this one."""

    def page(self, name: str) -> ProjectPage | None:
        """Return a project's page, ``None`` if it has no such project."""
        ...


class Simple:
    """The simple API of one registry.

    Args:
        access: Its door.
        pages: What was rendered.
        upstream: Another index behind it; ``None``: there is none.
        waiting: How many may wait for it at once.
    """

    def __init__(
        self, access: Access, pages: Rendered, *, upstream: Behind | None, waiting: anyio.CapacityLimiter
    ) -> None:
        self.access = access
        self.pages = pages
        self.upstream = upstream
        self._waiting = waiting

    def root(self, request: Request) -> Response:
        """List the names that a view shows."""
        path = request.scope["path"]
        if not path.endswith("/"):
            return _moved(request, f"{path.rpartition('/')[2]}/")
        service = self.access.enter_browsing(request)
        stage, kind = _stage(service, request), _kind(request)
        service.desk.allow("read", "")
        key, now = ("root", stage, kind, *service.principal.projects), request.scope["generation"]
        kept = self.pages.recent(key, now) or self.pages.get(
            key, serial=service.serial() or 0, generation=now, make=lambda: _names(service.names(stage), kind)
        )
        return _page(request, kept, kind)

    async def project(self, request: Request) -> Response:
        """Show a project in a view: a page that is still right at once, any other one from a thread.

        Who waits for the upstream waits apart, so that what is here is there for everybody meanwhile.
        """
        kept = self._at_once(request)
        if kept is not None:
            return kept
        found = await run_in_threadpool(self._project, request)
        return found if isinstance(found, Response) else await anyio.to_thread.run_sync(found, limiter=self._waiting)

    def _at_once(self, request: Request) -> Response | None:
        """Return a kept page if nothing has to be waited for; a refusal is left to the thread, which says it whole."""
        service = self.access.at_once(request)
        name = request.path_params["name"]
        if service is None or not request.scope["path"].endswith("/"):
            return None
        try:
            view = _View(_stage(service, request), _kind(request), base_url(request.scope))
            kept = self.pages.recent(("project", name, *view), request.scope["generation"])
            if kept is None:
                return None
            service.desk.allow("read", name)
        except (ModelwrightError, Refusal):
            return None
        return _page(request, kept, view.kind)

    def _project(self, request: Request) -> Response | Callable[[], Response]:
        """Show a project in a view; what was ever published here hides what the upstream calls the same.

        Returns:
            Or what remains to be done, if only the upstream may know the project.
        """
        asked = checked("name", request.path_params["name"])
        name = canonicalize_name(asked)
        if name != asked or not request.scope["path"].endswith("/"):
            return _moved(request, f"../{name}/" if request.scope["path"].endswith("/") else f"{name}/")
        service = self.access.enter_browsing(request)
        stage, kind = _stage(service, request), _kind(request)
        view, now = _View(stage, kind, base_url(request.scope)), request.scope["generation"]
        kept = self.pages.recent(("project", name, *view), now)
        if kept is not None:
            service.desk.allow("read", name)
            return _page(request, kept, kind)
        serial = service.serial(name)
        if serial is None:
            service.desk.allow("read", "")
            return partial(self._borrowed, request, name, view)
        service.desk.allow("read", name)
        kept = self.pages.get(
            ("project", name, *view),
            serial=serial,
            generation=now,
            make=lambda: _rendered(service.page(name, view.stage), name, view),
        )
        return _page(request, kept, kind)

    def _borrowed(self, request: Request, name: str, view: _View) -> Response:
        """Show a project of the upstream."""
        page = self.upstream.page(name) if self.upstream else None
        key = ("upstream", name, *view)
        kept = self.pages.get(
            key, serial=page.serial if page else 0, generation=0, make=lambda: _rendered(page, name, view)
        )
        return _page(request, kept, view.kind)


class _View(NamedTuple):
    """What a page depends on, beside the project: stage, form, and how the registry is reached."""

    stage: str
    kind: str
    base_url: str


def _names(names: tuple[str, ...], kind: str) -> bytes:
    return names_json(names) if kind == JSON else names_html(names).encode()


def _rendered(page: ProjectPage | None, name: str, view: _View) -> bytes:
    if page is None:
        where = f"stage {view.stage}" if view.stage else "registry"
        raise UnknownReleaseError(f"There is no project {name!r} in this {where}.")
    root = to_root(view.stage)
    if view.kind == JSON:
        return project_json(page, root=root, base_url=view.base_url)
    return project_html(page, root=root, base_url=view.base_url).encode()


def _stage(service: LocalService, request: Request) -> str:
    stage = request.path_params.get("stage", "")
    return service.desk.stage(checked("stage", stage)).name if stage else ""


def _kind(request: Request) -> str:
    kind = negotiate(header(request.scope, b"accept"), query_of(request.scope["query_string"]).get("format"))
    if kind is None:
        raise Refusal(406, RequestError("None of the forms that are accepted is one of an index (PEP 691)."))
    return kind


def _moved(request: Request, location: str) -> Response:
    """Lead to the normal address; what form was asked for is asked for there, too."""
    form = query_of(request.scope["query_string"]).get("format")
    if form is not None:
        location += f"?{urlencode({'format': form})}"
    return Response(status_code=301, headers={"Location": location, "Cache-Control": REVALIDATE})


def _page(request: Request, kept: Kept, kind: str) -> Response:
    zipped = bool(kept.zipped) and reads_gzip(header(request.scope, b"accept-encoding"))
    etag = zipped_tag(kept.etag) if zipped else kept.etag
    headers = {"ETag": etag, "Cache-Control": REVALIDATE, "Vary": "Accept, Accept-Encoding, Authorization, Cookie"}
    asked = header(request.scope, b"if-none-match")
    if asked and matches(asked, etag):
        return Response(status_code=304, headers=headers)
    headers["Content-Type"] = kind if kind == JSON else f"{kind}; charset=utf-8"
    if zipped:
        headers["Content-Encoding"] = "gzip"
        return Response(kept.zipped, headers=headers)
    return Response(kept.body, headers=headers)
