"""The real gateway before an honest plane, in a thread of its own, to be asked by real clients."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from modelwright.serving.dataplane import DataPlane
from modelwright.serving.http.gateway import Gateway
from modelwright.serving.http.messages import Reply, Request
from modelwright.serving.http.rest import Rest
from modelwright.serving.http.routes import Doors, inference_protocol, other_servers


def doors(plane: DataPlane) -> Doors:
    """Return the doors of a plane, as a server has them."""
    return Doors(plane, Rest(), (inference_protocol(plane), other_servers(plane)))


async def answer(plane: DataPlane, request: Request) -> Reply:
    """Return what a transport answers, without a gateway."""
    handler, write_error, _ = doors(plane).find(request.method, request.path)
    try:
        return await handler(request)
    except Exception as error:
        return write_error(error, request.note.request_id or request.request_id)


@contextmanager
def serving(plane: DataPlane) -> Iterator[int]:
    """Serve a plane on a free port of the loopback address."""
    gateway: Any = Gateway(plane, doors(plane).find, max_body_bytes=16 * 2**20)
    server = uvicorn.Server(uvicorn.Config(gateway, port=0, log_level="error", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(10)
