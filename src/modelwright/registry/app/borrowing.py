"""Send files of the upstream index: ``/upstream/NAME/SHA256/FILENAME``, fetched once, kept, and hidden by local names.

A client names project, digest and file name, never an address. Called by :mod:`.application`.
"""

from __future__ import annotations

from collections.abc import Iterator

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


def borrowing_routes(access: Access, upstream: Upstream | None) -> list[Route]:
    """Return the route of the upstream's files, none if there is no upstream."""
    if upstream is None:
        return []

    def borrow(request: Request) -> Response:
        parts = request.path_params
        name, sha256 = checked("name", parts["name"]), checked("sha256", parts["sha256"])
        filename = checked("filename", parts["filename"])
        service = access.enter_browsing(request)
        service.desk.allow("read", "")
        if name != canonicalize_name(name) or service.serial(name) is not None:
            raise UnknownReleaseError(f"The upstream offers no such file of {name}.", where=filename)
        public = service.settings.anonymous_read
        if filename.endswith(METADATA):
            key = upstream.metadata(name, sha256, filename.removesuffix(METADATA))
            return answer(request, source_of(upstream.store, key, tag=f"{sha256}{METADATA}", public=public))
        found = upstream.open(name, sha256, filename)
        if isinstance(found, Download) and not header(request.scope, b"range"):
            return GrowingAnswer(found)
        key = found if isinstance(found, Key) else found.wait()
        return answer(request, source_of(upstream.store, key, tag=sha256, public=public))

    return [Route("/upstream/{name}/{sha256}/{filename}", borrow, methods=["GET"])]


class GrowingAnswer(Response):
    """A file that is on its way here, sent as it comes; if it is not what was announced, its end never is.

    Args:
        download: The file.
    """

    def __init__(self, download: Download) -> None:
        self.status_code, self.download = 200, download
        self.media_type, self.background, self.body = "application/octet-stream", None, b""
        headers = {"Content-Disposition": f'attachment; filename="{download.key.name}"', "Cache-Control": "no-store"}
        if download.size is None:
            self.init_headers(headers)
            del self.headers["content-length"]
        else:
            self.init_headers({**headers, "Content-Length": str(download.size)})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        del receive
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if scope["method"] != "HEAD":
            pieces: Iterator[bytes] = await anyio.to_thread.run_sync(self.download.chunks)
            while piece := await anyio.to_thread.run_sync(next, pieces, b""):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
