"""A server: begin, go on, end, in good order.

Made by :mod:`.serve`. Begin: bind the addresses, start the models side by side, and meanwhile import and open the doors
(live, not ready); be ready when every model is warm. End, on SIGTERM: not ready any more, prepare no more, close the
doors when all is answered, stop the models, write what observers hold.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING

from modelwright.serving.deployment import Deployment
from modelwright.serving.http.events import run, settle, signals
from modelwright.serving.http.listening import listen, url_of
from modelwright.serving.operating.conducting import Conductor, Swapped, check_in_process
from modelwright.serving.operating.plane import Plane
from modelwright.serving.operating.variants import ServedVariant
from modelwright.serving.surroundings import ALONE, Surroundings

if TYPE_CHECKING:
    from modelwright.serving.assembly import Assembly

log = logging.getLogger("modelwright.serving")


class Server:
    """A server, before and while it runs.

    Args:
        deployment: What it serves.
        around: What it is given beside.

    Attributes:
        url: Where it is reached; empty before it listens.
        plane: The data plane.
        conductor: Changes what is served.
        parts: Doors, observers and rollouts, once they are there.

    Raises:
        DeploymentError: One process cannot hold it.
    """

    def __init__(self, deployment: Deployment, around: Surroundings = ALONE) -> None:
        if around.in_process:
            check_in_process(deployment)
        self.deployment, self.around = deployment, around
        self.url = ""
        self.plane = Plane(around.observers)
        self.conductor = Conductor(
            self.plane,
            deployment,
            registry=around.registry,
            how=around.how,
            in_process=around.in_process,
            told=self._changed,
            lost=self._lost,
        )
        self.parts: Assembly | None = None
        self._stop = asyncio.Event()

    def _changed(self, swapped: Swapped) -> None:
        if self.parts is not None:
            self.parts.register(swapped.model)
        self.around.changed(swapped)

    def _lost(self, model: str, variant: ServedVariant, why: str) -> None:
        log.warning("%s: a process of %s was lost: %s", model, variant.contract.title, why)
        if self.parts is not None:
            reason = "deadline" if "longer than" in why else "crash"
            self.parts.observers.metrics.worker_restarted(model, variant.version, reason)

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT.

        Raises:
            AddressTakenError: An address is taken; nothing was started.
            ModelwrightError: A model cannot be served.
        """
        settings = self.deployment.server
        listening = listen(settings.host, settings.port)
        run(partial(self.main, listening))

    async def main(self, listening: socket.socket) -> None:
        """Serve on a socket until :meth:`stop` is called, or a signal comes."""
        settings = self.deployment.server
        loop = asyncio.get_running_loop()
        self.url = url_of(settings.host, listening, scheme="https" if settings.tls_certificate else "http")
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(signals(self.stop))
            models = loop.create_task(self.conductor.start())
            stack.push_async_callback(self._stop_models, models)
            await self._assemble(stack, listening)
            stopped = loop.create_task(self._stop.wait())
            stack.callback(stopped.cancel)
            await asyncio.wait({models, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if models.done():
                models.result()
                assert self.parts is not None, "assembled"
                self.parts.follow(stack)
                stack.callback(settle())
                self.around.ready(self.url)
                await stopped
            self.plane.stopping = True
            models.cancel()
            self.conductor.interrupt()

    async def _assemble(self, stack: AsyncExitStack, listening: socket.socket) -> None:
        """Import and open the doors, while the models load in processes of their own."""
        assembly = await asyncio.to_thread(_imported)
        self.parts = assembly(self)
        await self.parts.open(stack, listening)
        self.around.started(self.url)

    async def _stop_models(self, models: asyncio.Task[None]) -> None:
        models.cancel()
        self.conductor.interrupt()
        await asyncio.wait({models})
        if not models.cancelled():
            models.exception()  # raised already, or a consequence of the interruption
        await self.conductor.stop()

    def stop(self) -> None:
        """Begin to end; called on the event loop."""
        self._stop.set()


def _imported() -> type[Assembly]:
    from modelwright.serving.assembly import Assembly  # takes as long as many a model does to load

    return Assembly
