"""Send files of the upstream index: ``/upstream/NAME/SHA256/FILENAME``, fetched once, kept, and hidden by local names.

A client names project, digest and file name, never an address. Called by :mod:`.application`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import anyio
import anyio.to_thread
from packaging.utils import canonicalize_name
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from modelwright.errors import UnknownReleaseError
from modelwright.registry.app.access import Access
from modelwright.registry.app.answers import header
from modelwright.registry.app.files import METADATA, answer, source_of
from modelwright.registry.app.parameters import checked
from modelwright.registry.storing.store import Key
from modelwright.registry.upstream.downloads import Download
from modelwright.registry.upstream.upstream import Upstream


class Wanted(NamedTuple):
    """A file of the upstream that somebody may read, if the upstream has it.

    Attributes:
        name: Its project, normalised.
        sha256: Its digest.
        filename: Its name.
        public: Whether anybody may read it.
    """

    name: str
    sha256: str
    filename: str
    public: bool


def borrowing_routes(access: Access, upstream: Upstream | None, *, waiting: anyio.CapacityLimiter) -> list[Route]:
    """Return the route of the upstream's files, none if there is no upstream.

    Args:
        access: The registry's door.
        upstream: The index behind it.
        waiting: How many may wait for it at once; they wait apart from everybody else.
    """
    if upstream is None:
        return []

    async def borrow(request: Request) -> Response:
        wanted = await anyio.to_thread.run_sync(_wanted, access, request)
        return await anyio.to_thread.run_sync(fetch, request, wanted, limiter=waiting)

    def fetch(request: Request, wanted: Wanted) -> Response:
        name, sha256, filename, public = wanted
        if filename.endswith(METADATA):
            key = upstream.metadata(name, sha256, filename.removesuffix(METADATA))
            return answer(request, source_of(upstream.store, key, tag=f"{sha256}{METADATA}", public=public))
        found = upstream.open(name, sha256, filename)
        if isinstance(found, Download) and not header(request.scope, b"range"):
            return GrowingAnswer(found, waiting=waiting)
        key = found if isinstance(found, Key) else found.wait()
        return answer(request, source_of(upstream.store, key, tag=sha256, public=public))

    return [Route("/upstream/{name}/{sha256}/{filename}", borrow, methods=["GET"])]


def _wanted(access: Access, request: Request) -> Wanted:
    """Return what is asked for, if it may be: local names hide the upstream's."""
    parts = request.path_params
    name, sha256 = checked("name", parts["name"]), checked("sha256", parts["sha256"])
    filename = checked("filename", parts["filename"])
    service = access.enter_browsing(request)
    service.desk.allow("read", "")
    if name != canonicalize_name(name) or service.serial(name) is not None:
        raise UnknownReleaseError(f"The upstream offers no such file of {name}.", where=filename)
    return Wanted(name, sha256, filename, service.settings.anonymous_read)


class GrowingAnswer(Response):
    """A file that is on its way here, sent as it comes; if it is not what was announced, its end never is.

    Args:
        download: The file.
        waiting: How many may wait for the upstream at once.
    """

    def __init__(self, download: Download, *, waiting: anyio.CapacityLimiter) -> None:
        self.status_code, self.download, self.waiting = 200, download, waiting
        self.media_type, self.background, self.body = "application/octet-stream", None, b""
        headers = {"Content-Disposition": f'attachment; filename="{download.key.name}"', "Cache-Control": "no-store"}
        if download.size is None:
            self.init_headers(headers)
            del self.headers["content-length"]
        else:
            self.init_headers({**headers, "Content-Length": str(download.size)})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; nothing is promised before there is something to send, so that a refusal can still be one."""
        del receive
        pieces: Iterator[bytes] = self.download.chunks() if scope["method"] != "HEAD" else iter(())
        piece = await self._next(pieces)
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        while piece:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            piece = await self._next(pieces)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _next(self, pieces: Iterator[bytes]) -> bytes:
        return await anyio.to_thread.run_sync(next, pieces, b"", limiter=self.waiting)
