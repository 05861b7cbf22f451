"""A server: its parts put together, opened, and closed in good order.

Made by :mod:`.serve`. Begin: bind the addresses, open the doors (live, not ready), prepare and warm the models side by
side, be ready. End, on SIGTERM: not ready any more, close the doors when all is answered, stop the models,
write what observers hold.
"""

from __future__ import annotations

import asyncio
import getpass
import logging
import os
import socket
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple

from modelwright.plugins import need
from modelwright.registry.registry import Registry
from modelwright.serving.client.servers import Running, RunningModel, announce, withdraw
from modelwright.serving.dataplane import Observer
from modelwright.serving.deployment import Deployment
from modelwright.serving.http.admin import AdminDoor
from modelwright.serving.http.gateway import Gateway
from modelwright.serving.http.listening import listen, listen_locally, url_of
from modelwright.serving.http.pages import PagesDoor
from modelwright.serving.http.rest import Rest
from modelwright.serving.http.routes import Doors, inference_protocol, other_servers, outcomes_door
from modelwright.serving.http.server import Door, run, settle, signals
from modelwright.serving.http.tokens import Tokens
from modelwright.serving.observers import Observers
from modelwright.serving.observing.tracing import Tracing
from modelwright.serving.operating.administration import Administrator
from modelwright.serving.operating.conducting import Conductor, Swapped, check_in_process
from modelwright.serving.operating.plane import Plane
from modelwright.serving.operating.preparing import AS_USUAL, Preparing
from modelwright.serving.operating.rollouts import Audit, Rollouts
from modelwright.serving.operating.variants import ServedVariant
from modelwright.serving.operating.watching import Watcher

log = logging.getLogger("modelwright.serving")


async def unaudited(*_what: object) -> None:
    """Write nothing down: what is served does not come from a registry."""


class Surroundings(NamedTuple):
    """What a server is given beside its deployment.

    Attributes:
        registry: Where releases are looked for.
        how: How versions are prepared.
        in_process: Whether the one version there is runs in this process.
        tokens: Tokens of which a request must carry one; none: nobody needs one.
        admin_tokens: Tokens of the admin port, of which a request must carry one.
        access_log: Where the access log goes; ``None``: nowhere.
        servers: Folder in which servers of this machine announce themselves; ``None``: it does not.
        tracing: Makes spans of requests; ``None``: nobody does.
        observers: Further observers.
        audit: Writes down what happens to rollouts.
        started: Told the URL when requests are accepted; the models may still be loading.
        ready: Told the URL when everything is ready.
        changed: Told of every version that is served from now on.
    """

    registry: Registry | None = None
    how: Preparing = AS_USUAL
    in_process: bool = False
    tokens: Iterable[str] = ()
    admin_tokens: Iterable[str] = ()
    access_log: IO[str] | IO[bytes] | int | None = None
    servers: Path | None = None
    tracing: Tracing | None = None
    observers: Iterable[Observer] = ()
    audit: Audit = unaudited
    started: Callable[[str], object] = str
    ready: Callable[[str], object] = str
    changed: Callable[[Swapped], object] = str


class Server:
    """A server, before and while it runs.

    Args:
        deployment: What it serves.
        around: What it is given beside.

    Raises:
        DeploymentError: One process cannot hold it.
    """

    def __init__(self, deployment: Deployment, around: Surroundings = Surroundings()) -> None:  # noqa: B008 - frozen
        if around.in_process:
            check_in_process(deployment)
        self.deployment, self._around = deployment, around
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
        self.rollouts = Rollouts(
            self.conductor, audit=around.audit, rolled_back=self._rolled_back, told=self.plane.told
        )
        self.observers = Observers(
            self.plane,
            deployment.records,
            in_flight=lambda: self.gateway.in_flight,
            guards=self.rollouts.guard,
            access_log=around.access_log,
            tracing=around.tracing,
        )
        self.plane.observers += [*self.observers, self.rollouts]
        self.gateway = self._gateway()
        self._stop = asyncio.Event()

    def _gateway(self) -> Gateway:
        settings = self.deployment.server
        rest = Rest(max_rows=max(model.limits.max_rows for model in self.deployment.models.values()))
        doors = Doors(self.plane, rest)
        pages = PagesDoor(self.plane, doors.infer, base_url=lambda: self.url)
        doors.others = (
            outcomes_door(self.observers.outcomes),
            pages.match,
            inference_protocol(self.plane),
            other_servers(self.plane),
        )
        tokens = Tokens(self._around.tokens)
        return Gateway(self.plane, doors.find, max_body_bytes=settings.max_body_bytes, tokens=tokens)

    def _changed(self, swapped: Swapped) -> None:
        for variant in self.plane.served[swapped.model].now().variants.values():
            self.observers.register(swapped.model, variant.contract)
        self._around.changed(swapped)

    def _lost(self, model: str, variant: ServedVariant, why: str) -> None:
        reason = "deadline" if "longer than" in why else "crash"
        self.observers.metrics.worker_restarted(model, variant.version, reason)
        log.warning("%s: a process of %s was lost: %s", model, variant.contract.title, why)

    def _rolled_back(self, model: str, variant: str) -> None:
        self.observers.metrics.rolled_back(model, variant)

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
            stack.callback(self.observers.close)
            models = loop.create_task(self.conductor.start())
            stack.push_async_callback(self._stop_models, models)
            door = Door(self.gateway, listening, settings, tls=True)
            await door.open()
            stack.push_async_callback(door.close)
            await self._open_others(stack)
            self._around.started(self.url)
            stopped = loop.create_task(self._stop.wait())
            stack.callback(stopped.cancel)
            await asyncio.wait({models, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if models.done():
                models.result()
                settle()
                self._follow(stack)
                self._around.ready(self.url)
                await stopped
            self.plane.stopping = True

    async def _open_others(self, stack: AsyncExitStack) -> None:
        """Open the gRPC, the admin and the control door, as far as they are wanted."""
        settings = self.deployment.server
        admin_url = ""
        if settings.grpc_port >= 0:
            await self._open_grpc(stack)
        administrator = Administrator(self.plane, self.rollouts, self.observers.metrics)
        if settings.admin_port >= 0:
            bound = listen(settings.admin_host, settings.admin_port, option="--admin-port")
            find = AdminDoor(administrator, actor="admin").find
            tokens = Tokens(self._around.admin_tokens)
            admin = Door(Gateway(self.plane, find, max_body_bytes=2**20, tokens=tokens), bound, settings)
            await admin.open()
            stack.push_async_callback(admin.close)
            admin_url = url_of(settings.admin_host, bound)
        if self._around.servers is not None:
            await self._announce(stack, administrator, admin_url)

    async def _open_grpc(self, stack: AsyncExitStack) -> None:
        need("grpc", "grpc", "google.protobuf")
        from modelwright.serving.grpc.door import GrpcDoor

        settings = self.deployment.server
        tokens = Tokens(self._around.tokens)
        door = GrpcDoor(self.plane, max_message_bytes=settings.max_body_bytes, admit=tokens.admit)
        certificate = Path(settings.tls_certificate) if settings.tls_certificate else None
        key = Path(settings.tls_key) if settings.tls_key else None
        self.grpc_port = await door.open(settings.host, settings.grpc_port, certificate=certificate, key=key)
        stack.push_async_callback(door.close, settings.drain_s)

    async def _announce(self, stack: AsyncExitStack, administrator: Administrator, admin_url: str) -> None:
        """Open the control door for this user, and say where it is."""
        folder = self._around.servers
        assert folder is not None, "asked for"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / f"{os.getpid()}.sock"
        models = tuple(
            RunningModel(name=model.name, references=tuple(one.reference for one in model.variants.values()))
            for model in self.deployment.models.values()
        )
        running = Running(url=self.url, admin_url=admin_url, socket=str(path), models=models)
        stack.callback(withdraw, announce(running, folder=folder))
        find = AdminDoor(administrator, actor=getpass.getuser()).find
        control = Door(Gateway(self.plane, find, max_body_bytes=2**20), listen_locally(path), self.deployment.server)
        await control.open()
        stack.push_async_callback(control.close)
        stack.callback(path.unlink, missing_ok=True)

    def _follow(self, stack: AsyncExitStack) -> None:
        """Begin what goes on beside the requests: rollouts, stages, flushing."""
        work: list[Any] = [self.rollouts.run(), self.observers.flush()]
        for model in self.deployment.models.values():
            if model.watch and self._around.registry is not None:
                watcher = Watcher(self.conductor, self._around.registry, model.name, before=self.rollouts.supersede)
                work.append(watcher.run())
        for one in work:
            stack.callback(asyncio.get_running_loop().create_task(one).cancel)

    async def _stop_models(self, models: asyncio.Task[None]) -> None:
        if not models.done():
            models.cancel()
            await asyncio.wait({models})
        await self.conductor.stop()

    def stop(self) -> None:
        """Begin to end; called on the event loop."""
        self._stop.set()
