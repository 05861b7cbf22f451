"""A real HTTP server before the transports: as little as they need, to be asked by real clients."""

from __future__ import annotations

import gzip
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from modelwright.serving.dataplane import DataPlane
from modelwright.serving.http.messages import Reply, Request
from modelwright.serving.http.v2 import routes as v2

_ENCODINGS = {b"gzip": gzip.decompress, b"deflate": zlib.decompress}


def application(plane: DataPlane) -> Any:
    """Return an ASGI application that asks the transports."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        headers = dict(scope["headers"])
        body = _ENCODINGS.get(headers.get(b"content-encoding", b""), bytes)(body)
        request_id = headers.get(b"x-request-id", b"made-by-the-gateway").decode()
        path = scope["path"]
        request = Request(scope["method"], path, scope["query_string"], headers, body, request_id)
        reply = await answer(plane, request)
        sent = [(b"content-type", reply.content_type.encode()), *reply.headers]
        await send({"type": "http.response.start", "status": reply.status, "headers": sent})
        await send({"type": "http.response.body", "body": reply.body})

    return app


async def answer(plane: DataPlane, request: Request) -> Reply:
    """Return what a transport answers."""
    route: Any = v2.match(request.path)
    if route is None or route.method != request.method:
        return Reply(404 if route is None else 405, b"{}")
    try:
        return await route.handler(plane, request, route.names)
    except Exception as error:
        request_id = request.note.request_id or request.request_id
        return route.write_error(error, request_id)


@contextmanager
def serving(plane: DataPlane) -> Iterator[int]:
    """Serve a plane on a free port of the loopback address."""
    config = uvicorn.Config(application(plane), port=0, log_level="error", lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(10)
