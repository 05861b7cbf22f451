"""Send stored files: whole or in part, in constant memory, cached by whoever asked for ever.

A file is addressed by its digest and never changes, so its digest is its entity tag. Called by :mod:`.application`.

Source: RFC 9110 (conditional requests, ranges), RFC 8246 (immutable), PEP 658 and 714 (``.metadata``), PEP 740
(``.provenance``).
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path
from typing import NamedTuple

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from modelwright.errors import UnknownReleaseError
from modelwright.registry.app.answers import header
from modelwright.registry.app.codings import reads_gzip, zipped_tag
from modelwright.registry.app.http1 import SendFile, sender
from modelwright.registry.app.parameters import checked
from modelwright.registry.app.ranges import OutOfRange, Span, matches, span_of
from modelwright.registry.operating.local import LocalService
from modelwright.registry.storing.store import Key, Store

CHUNK = 2**20
"""How much of a file is read at once, bytes."""
FOREVER = "public, max-age=31536000, immutable"
PRIVATELY = "private, max-age=31536000, immutable"
"""For files that only somebody with a token may read: no shared cache may hand them to others."""
WORTH_IT = 1024
"""Metadata below this fits into one packet anyway, bytes."""
METADATA = ".metadata"
MEDIA_TYPES = {
    METADATA: "text/plain; charset=utf-8",
    ".provenance": "application/vnd.pypi.integrity.v1+json",
    "": "application/octet-stream",
}
"""By the end of a name; what belongs to a file first."""


Pieces = Callable[[Span], Iterator[bytes]]
"""Reads a part of a file in pieces."""


class Source(NamedTuple):
    """A file that may be sent.

    Attributes:
        name: What it is called.
        etag: Strong entity tag, with its quotes.
        size: Size, bytes.
        media_type: What it is.
        path: Where it lies on this machine; ``None``: it is read from ``pieces``.
        pieces: Reads it, wherever it lies.
        public: Whether anybody may read it, so that a shared cache may keep it.
    """

    name: str
    etag: str
    size: int
    media_type: str
    path: Path | None
    pieces: Pieces
    public: bool


def find_source(service: LocalService, sha256: str, name: str) -> Source:
    """Find a file by digest and name; who may not read its project learns nothing about it.

    Raises:
        RequestError: Malformed.
        UnknownReleaseError: There is no such file, or not under this name.
    """
    sha256, name = checked("sha256", sha256), checked("filename", name)
    found = service.find(sha256).file
    suffix = next((end for end in MEDIA_TYPES if name == found.filename + end), None)
    if suffix is None:
        raise UnknownReleaseError(f"There is no file {name} with this digest.", where=sha256)
    tag = found.metadata_sha256 if suffix == METADATA else f"{sha256}{suffix}"
    # What the database knows need not be asked of an object store.
    size = None if suffix else found.size
    public = service.settings.anonymous_read
    return source_of(service.desk.store, Key(sha256, name), tag=tag, public=public, size=size)


def source_of(store: Store, key: Key, *, tag: str, public: bool, size: int | None = None) -> Source:
    """Return a stored file as something that may be sent.

    Args:
        store: Where it lies.
        key: Which file.
        tag: What it is, in one word that changes with its bytes.
        public: Whether anybody may read it.
        size: Size, bytes; ``None``: the store is asked.

    Raises:
        UnknownReleaseError: There is no such file.
    """
    if size is None:
        size = store.size(key)
    if size is None:
        raise UnknownReleaseError(f"There is no file {key.name} with this digest.", where=key.sha256)
    suffix = next(end for end in MEDIA_TYPES if key.name.endswith(end))
    return Source(
        name=key.name,
        etag=f'"{tag}"',
        size=size,
        media_type=MEDIA_TYPES[suffix],
        path=store.path(key),
        pieces=lambda span: store.chunks(key, start=span.start, stop=span.stop),
        public=public,
    )


def answer(request: Request, source: Source) -> Response:
    """Answer a request for a file: 200, 206, 304 or 416; metadata compressed for those who read that."""
    asked, zipped = header(request.scope, b"if-none-match"), _compressed(request, source)
    common = {
        "ETag": zipped_tag(source.etag) if zipped else source.etag,
        "Cache-Control": FOREVER if source.public else PRIVATELY,
        "Accept-Ranges": "none" if zipped else "bytes",
    }
    if source.media_type == MEDIA_TYPES[METADATA]:
        common["Vary"] = "Accept-Encoding"
    if asked and matches(asked, common["ETag"]):
        return Response(status_code=304, headers=common)
    common["Content-Disposition"] = f'attachment; filename="{source.name}"'
    if zipped:
        body = gzip.compress(b"".join(source.pieces(Span(0, source.size))), 6, mtime=0)
        return Response(body, media_type=source.media_type, headers={**common, "Content-Encoding": "gzip"})
    given = header(request.scope, b"range") if request.method == "GET" else ""
    try:
        span = span_of(given, source.size, if_range=header(request.scope, b"if-range"), etag=source.etag)
    except OutOfRange:
        return Response(status_code=416, headers={**common, "Content-Range": f"bytes */{source.size}"})
    if span is None:
        return FileAnswer(source, Span(0, source.size), status=200, headers=common)
    common["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{source.size}"
    return FileAnswer(source, span, status=206, headers=common)


def _compressed(request: Request, source: Source) -> bool:
    """Say whether to send a file compressed: metadata that is read whole, since a card makes most of it text.

    Resolving then moves a third of it. Wheels stay as they are: their bytes are what they are addressed by.
    """
    return (
        source.media_type == MEDIA_TYPES[METADATA]
        and WORTH_IT <= source.size <= CHUNK
        and not header(request.scope, b"range")
        and reads_gzip(header(request.scope, b"accept-encoding"))
    )


class FileAnswer(Response):
    """A part of a file, sent piece by piece; the next piece is read when the last one is on its way.

    Args:
        source: The file.
        span: Which part.
        status: 200 or 206.
        headers: Of the answer.
    """

    def __init__(self, source: Source, span: Span, *, status: int, headers: dict[str, str]) -> None:
        self.status_code, self.source, self.span = status, source, span
        self.media_type, self.background, self.body = source.media_type, None, b""
        self.init_headers({**headers, "Content-Length": str(span.stop - span.start)})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        del receive
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if scope["method"] != "HEAD":
            if self.source.path is None:
                await self._send_pieces(send)
            else:
                await self._send_file(self.source.path, sender(scope), send)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_pieces(self, send: Send) -> None:
        """Send what lies elsewhere, as it comes."""
        pieces = await anyio.to_thread.run_sync(self.source.pieces, self.span)
        while piece := await anyio.to_thread.run_sync(next, pieces, b""):
            await send({"type": "http.response.body", "body": piece, "more_body": True})

    async def _send_file(self, path: Path, kernel: SendFile | None, send: Send) -> None:
        """Send a file on this machine: by the kernel, or by pieces where the server does not let it."""
        stream = await anyio.to_thread.run_sync(_open_at, path, self.span.start)
        try:
            if kernel is not None:
                await kernel(stream, self.span.start, self.span.stop)
                return
            left = self.span.stop - self.span.start
            while left and (piece := await anyio.to_thread.run_sync(stream.read, min(CHUNK, left))):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                left -= len(piece)
        finally:
            stream.close()


def _open_at(path: Path, start: int) -> FileIO:
    stream = FileIO(path)
    stream.seek(start)
    return stream
