"""The gRPC door in a thread of its own, to be asked by real clients."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from modelwright.serving.dataplane import DataPlane
from modelwright.serving.grpc.door import GrpcDoor


class Opened:
    """A door that is open; :meth:`close` may be called from any thread."""

    def __init__(self, port: int, close: Any) -> None:
        self.port, self.close = port, close


@contextmanager
def opened(plane: DataPlane, **options: Any) -> Iterator[Opened]:
    """Open the door on a free port of the loopback address."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def run(coroutine: Any) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(coroutine, loop)

    async def open_door() -> tuple[GrpcDoor, int]:
        door = GrpcDoor(plane, **options)
        return door, await door.open("127.0.0.1", 0)

    door, port = run(open_door()).result(20)
    yield Opened(port, lambda drain_s: run(door.close(drain_s)))
    run(door.close(0)).result(20)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()
