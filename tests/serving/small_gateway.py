"""The real gateway before an honest plane, in a thread of its own, to be asked by real clients."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import uvicorn

from modelwright.errors import UnknownModelError
from modelwright.serving.dataplane import DataPlane
from modelwright.serving.http.aliases import routes as aliases
from modelwright.serving.http.gateway import Found, Gateway
from modelwright.serving.http.messages import Reply, Request
from modelwright.serving.http.v2 import routes as v2


def find(plane: DataPlane, method: str, path: str) -> Found:
    """Return what answers a path: a transport, or nobody."""
    route: Any = v2.match(path) or aliases.match(path)
    if route is None or route.method != method:
        raise UnknownModelError(f"There is nothing at {path!r}.")
    return lambda request: route.handler(plane, request, route.names), route.write_error, False


async def answer(plane: DataPlane, request: Request) -> Reply:
    """Return what a transport answers, without a gateway."""
    handler, write_error, _ = find(plane, request.method, request.path)
    try:
        return await handler(request)
    except Exception as error:
        return write_error(error, request.note.request_id or request.request_id)


@contextmanager
def serving(plane: DataPlane) -> Iterator[int]:
    """Serve a plane on a free port of the loopback address."""
    gateway: Any = Gateway(plane, partial(find, plane), max_body_bytes=16 * 2**20)
    server = uvicorn.Server(uvicorn.Config(gateway, port=0, log_level="error", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(10)
