"""What a server has beside its models: doors, observers, rollouts; put together, and opened.

Imported by :mod:`.server` while models load: web servers and pages take as long to import as a small model.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Protocol

from modelwright.errors import AddressTakenError, StorageError
from modelwright.plugins import need
from modelwright.serving.client.servers import Running, RunningModel, announce, control_door, user_name, withdraw
from modelwright.serving.deployment import Deployment
from modelwright.serving.http.admin import AdminDoor
from modelwright.serving.http.door import Door
from modelwright.serving.http.gateway import Gateway
from modelwright.serving.http.listening import listen, listen_locally, url_of
from modelwright.serving.http.pages import PagesDoor
from modelwright.serving.http.rest import Rest
from modelwright.serving.http.routes import Doors, inference_protocol, other_servers, outcomes_door
from modelwright.serving.http.tokens import Closed, Tokens
from modelwright.serving.observers import Observers
from modelwright.serving.observing.records.checking import check
from modelwright.serving.operating.administration import Administrator
from modelwright.serving.operating.auditing import Auditing
from modelwright.serving.operating.conducting import Conductor
from modelwright.serving.operating.plane import Plane
from modelwright.serving.operating.rollouts import Rollouts
from modelwright.serving.operating.watching import Watcher
from modelwright.serving.surroundings import Surroundings

log = logging.getLogger("modelwright.serving")
ADMIN_BODY = 2**20
"""Largest body that the admin door takes, bytes."""


class Host(Protocol):
    """A server, as far as its parts know it.

    Attributes:
        deployment: What it serves.
        around: What it is given beside.
        url: Where it is reached.
        plane: The data plane.
        conductor: Changes what is served.
    """

    deployment: Deployment
    around: Surroundings
    url: str
    plane: Plane
    conductor: Conductor


class Assembly:
    """Doors, observers and rollouts of a server.

    Args:
        server: The server.

    Attributes:
        gateway: The data port's application.
        observers: Who is told of requests.
        rollouts: The rollouts.
        grpc_port: Port of the gRPC door; -1: there is none.
    """

    def __init__(self, server: Host) -> None:
        self._server, self._plane, self._around = server, server.plane, server.around
        self._settings = server.deployment.server
        self.auditing = Auditing(self._around.registry)
        self.rollouts = Rollouts(
            server.conductor,
            audit=self.auditing.happened,
            rolled_back=self._rolled_back,
            compared=self._compared,
            dropped=self._shadow_dropped,
            told=self._plane.told,
        )
        self.observers = Observers(
            self._plane,
            server.deployment.records,
            in_flight=lambda: self.gateway.in_flight,
            guards=self.rollouts.guard,
            access_log=self._around.access_log,
            tracing=self._around.tracing,
        )
        self._plane.observers += [*self.observers, self.rollouts]
        server.conductor.batched = self.observers.metrics.tallies.batch
        server.conductor.retired = self.observers.metrics.tallies.retire
        self.gateway = self._gateway()
        self.grpc_port = -1
        for model in self._plane.models():
            self.register(model)

    def register(self, model: str) -> None:
        """Get ready for the requests of what a model serves now."""
        serving = self._plane.served[model].serving
        for variant in serving.variants.values() if serving else ():
            self.observers.register(model, variant.contract)

    def _rolled_back(self, model: str, variant: str) -> None:
        self.observers.metrics.rolled_back(model, variant)

    def _compared(self, model: str, variant: str, rows: int, differing: int) -> None:
        self.observers.metrics.shadow_compared(model, variant, rows=rows, differing=differing)

    def _shadow_dropped(self, model: str, variant: str) -> None:
        self.observers.metrics.shadow_dropped(model, variant)

    def _gateway(self) -> Gateway:
        doors = Doors(self._plane, Rest(max_bytes=self._settings.max_body_bytes))
        tokens = Tokens(self._around.tokens)
        pages = PagesDoor(self._plane, doors.infer, base_url=lambda: self._server.url, tokens=tokens)
        doors.others = (
            outcomes_door(self.observers.outcomes),
            pages.match,
            inference_protocol(self._plane),
            other_servers(self._plane),
        )
        return Gateway(self._plane, doors.find, max_body_bytes=self._settings.max_body_bytes, tokens=tokens)

    async def open(self, stack: AsyncExitStack, listening: socket.socket) -> None:
        """Open the doors; they are closed with the stack, the last one first.

        Raises:
            AddressTakenError: An address is taken.
        """
        stack.callback(self.observers.close)
        stack.callback(self.auditing.close)
        await self._door(stack, self.gateway, listening, tls=True)
        if self._settings.grpc_port >= 0:
            await self._open_grpc(stack)
        administrator = Administrator(self._plane, self.rollouts, self.observers.metrics)
        admin_url = await self._open_admin(stack, administrator) if self._settings.admin_port >= 0 else ""
        if self._around.servers is not None:
            await self._announce(stack, administrator, self._around.servers, admin_url)

    async def _door(self, stack: AsyncExitStack, gateway: Gateway, bound: socket.socket, *, tls: bool = False) -> None:
        door = Door(gateway, bound, self._settings, tls=tls)
        await door.open()
        stack.push_async_callback(door.close)

    async def _open_grpc(self, stack: AsyncExitStack) -> None:
        need("grpc", "grpc", "google.protobuf")
        from modelwright.serving.grpc.door import GrpcDoor

        settings = self._settings
        admit = Tokens(self._around.tokens).admit
        door = GrpcDoor(self._plane, max_message_bytes=settings.max_body_bytes, admit=admit)
        certificate = Path(settings.tls_certificate) if settings.tls_certificate else None
        key = Path(settings.tls_key) if settings.tls_key else None
        self.grpc_port = await door.open(settings.host, settings.grpc_port, certificate=certificate, key=key)
        stack.push_async_callback(door.close, settings.drain_s)

    async def _open_admin(self, stack: AsyncExitStack, administrator: Administrator) -> str:
        settings = self._settings
        bound = listen(settings.admin_host, settings.admin_port, option="--admin-port")
        find = AdminDoor(administrator, identify=lambda _said: "admin").find  # the token says no more than that
        tokens = Tokens(self._around.admin_tokens) or Closed()
        await self._door(stack, Gateway(self._plane, find, max_body_bytes=ADMIN_BODY, tokens=tokens), bound)
        return url_of(settings.admin_host, bound)

    async def _announce(
        self, stack: AsyncExitStack, administrator: Administrator, folder: Path, admin_url: str
    ) -> None:
        """Open the control door for this user, and say where it is; a server serves without it as well."""
        path = control_door(folder, os.getpid())
        models = tuple(
            RunningModel(name=model.name, references=tuple(one.reference for one in model.variants.values()))
            for model in self._server.deployment.models.values()
        )
        running = Running(url=self._server.url, admin_url=admin_url, socket=str(path), models=models)
        try:
            file = announce(running, folder=folder)
            stack.callback(withdraw, file)
            bound = listen_locally(path)
        except (StorageError, AddressTakenError) as error:
            log.warning("commands of this machine will not find this server: %s", error)
            return
        stack.callback(path.unlink, missing_ok=True)
        find = AdminDoor(administrator, identify=lambda said: said or user_name()).find
        await self._door(stack, Gateway(self._plane, find, max_body_bytes=ADMIN_BODY), bound)

    def follow(self, stack: AsyncExitStack) -> None:
        """Begin what goes on beside the requests: rollouts, stages, flushing.

        Raises:
            RecordLogError: The record log names a column that no model has.
        """
        check(self._server.deployment.records, [self._server.conductor.contract(one) for one in self._plane.models()])
        work: list[Any] = [self.rollouts.run(), self.observers.flush()]
        for model in self._server.deployment.models.values():
            if model.watch and self._around.registry is not None:
                watching = Watcher(
                    self._server.conductor, self._around.registry, model.name, before=self.rollouts.supersede
                )
                work.append(watching.run())
        for one in work:
            stack.callback(asyncio.get_running_loop().create_task(one).cancel)
