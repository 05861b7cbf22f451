"""What each call of the gRPC service answers; everything is asked of the data plane.

Called by :mod:`.door`, which listens.
Source: Open Inference Protocol v2, "gRPC"; gRPC, "Health Checking Protocol".
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

from grpc import StatusCode, method_handlers_generic_handler, unary_unary_rpc_method_handler

from modelwright.errors import ModelwrightError, NotReadyError
from modelwright.serving.asking import Note, asked_of
from modelwright.serving.dataplane import DataPlane
from modelwright.serving.grpc import translating
from modelwright.serving.grpc.protocol import HEALTH, SERVICE, message
from modelwright.serving.grpc.statuses import CANCELLED, code_of, metadata_of, text_of
from modelwright.serving.statuses import status_of
from modelwright.serving.tensors import metadata
from modelwright.serving.tensors.inferring import MAX_ID, infer

Admit = Callable[[str], None]
"""Takes the value of ``authorization``; raises CredentialError if the caller may not ask."""
_SERVING, _NOT_SERVING = 1, 2


def admit_everyone(_authorization: str) -> None:
    """Let every caller ask."""


class Servicer:
    """Answers the calls.

    Args:
        plane: Whom to ask.
        admit: Who may ask; health may be asked by everyone.
    """

    def __init__(self, plane: DataPlane, admit: Admit = admit_everyone) -> None:
        self._plane, self._admit = plane, admit

    def handlers(self) -> tuple[Any, ...]:
        """Return the handlers of the services."""
        calls: dict[str, Callable[[Any, Any], Awaitable[Any]]] = {
            "ServerLive": self.server_live,
            "ServerReady": self.server_ready,
            "ModelReady": self.model_ready,
            "ServerMetadata": self.server_metadata,
            "ModelMetadata": self._guarded(self.model_metadata),
            "ModelInfer": self.model_infer,
        }
        inference = {name: _handler(call, f"{name}Request", f"{name}Response") for name, call in calls.items()}
        check = _handler(self.check, "HealthCheckRequest", "HealthCheckResponse", package="grpc.health.v1")
        return (
            method_handlers_generic_handler(SERVICE, inference),
            method_handlers_generic_handler(HEALTH, {"Check": check}),
        )

    async def server_live(self, _request: Any, _context: Any) -> Any:
        """Say whether the process works."""
        return message("ServerLiveResponse")(live=self._plane.live())

    async def server_ready(self, _request: Any, _context: Any) -> Any:
        """Say whether every configured model can answer."""
        return message("ServerReadyResponse")(ready=self._plane.ready())

    async def server_metadata(self, _request: Any, _context: Any) -> Any:
        """Tell of the server."""
        return message("ServerMetadataResponse")(
            name=metadata.SERVER, version=metadata.server_version(), extensions=metadata.EXTENSIONS
        )

    async def model_ready(self, request: Any, context: Any) -> Any:
        """Say whether a model can answer."""
        try:
            ready = self._plane.endpoint(request.name, request.version).ready
        except NotReadyError:
            ready = False
        except ModelwrightError as error:
            await _refuse(context, error)
        return message("ModelReadyResponse")(ready=ready)

    async def model_metadata(self, request: Any, _context: Any) -> Any:
        """Tell of a model."""
        contract = self._plane.endpoint(request.name, request.version).contract
        versions = self._plane.versions(request.name)
        return translating.write_metadata(metadata.metadata_of(contract, name=request.name, versions=versions))

    async def check(self, request: Any, context: Any) -> Any:
        """Answer a probe: without a name, or with that of the service, whether the server is ready; else a model."""
        if request.service in ("", SERVICE):
            ready = self._plane.ready()
        elif request.service in self._plane.models():
            ready = (await self.model_ready(message("ModelReadyRequest")(name=request.service), context)).ready
        else:
            await context.abort(StatusCode.NOT_FOUND, "There is no such service or model.")
        status = _SERVING if ready else _NOT_SERVING
        return message("HealthCheckResponse", "grpc.health.v1")(status=status)

    async def model_infer(self, request: Any, context: Any) -> Any:
        """Answer the rows of a request, and tell the observers what became of it."""
        began_s, began = time.time(), time.perf_counter()
        sent = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
        request_id = _id_of(request.id, sent.get("x-request-id", ""))
        note = Note("grpc", request_id, request.model_name, sent.get("modelwright-unit", ""))
        status, code = CANCELLED, ""
        try:
            response = await self._infer(request, context, sent=sent, note=note)
            status = 200
            return response
        except Exception as error:
            note.asked, status = asked_of(error), status_of(error)
            code = error.code if isinstance(error, ModelwrightError) else ModelwrightError.code
            await _refuse(context, error, request_id)
        finally:
            seconds, client = time.perf_counter() - began, _address(context.peer())
            self._plane.told(note.event(time_s=began_s, seconds=seconds, status=status, error=code, client=client))

    async def _infer(self, request: Any, context: Any, *, sent: dict[str, str], note: Note) -> Any:
        self._admit(sent.get("authorization", ""))
        endpoint = self._plane.endpoint(request.model_name, request.model_version)
        endpoint.check_room()
        asked = translating.read_request(request)
        answer, tensors = await infer(self._plane, endpoint, asked, note=note, timeout_s=context.time_remaining())
        response = translating.write_answer(answer, tensors, raw=bool(request.raw_input_contents))
        context.set_trailing_metadata((*_identity(note.request_id), ("x-model-version", answer.version)))
        return response

    def _guarded(self, call: Callable[[Any, Any], Awaitable[Any]]) -> Callable[[Any, Any], Awaitable[Any]]:
        """Return a call that only admitted callers may make, and whose errors have a status."""

        async def guarded(request: Any, context: Any) -> Any:
            try:
                sent = dict(context.invocation_metadata() or ())
                self._admit(str(sent.get("authorization", "")))
                return await call(request, context)
            except ModelwrightError as error:
                await _refuse(context, error)

        return guarded


def _handler(call: Any, request: str, response: str, *, package: str = "inference") -> Any:
    return unary_unary_rpc_method_handler(
        call,
        request_deserializer=message(request, package).FromString,
        response_serializer=message(response, package).SerializeToString,
    )


async def _refuse(context: Any, error: BaseException, request_id: str = "") -> None:
    await context.abort(code_of(error), text_of(error), (*metadata_of(error), *_identity(request_id)))


def _id_of(*chosen: str) -> str:
    """Return the id of a request: the first that its caller chose, or a new one for what no log could hold."""
    return next((one for one in chosen if 0 < len(one) <= MAX_ID), uuid.uuid4().hex)


def _identity(request_id: str) -> tuple[tuple[str, str], ...]:
    """Return the metadata that names the request, if its id may stand there."""
    return (("x-request-id", request_id),) if request_id.isascii() and request_id.isprintable() and request_id else ()


def _address(peer: str) -> str:
    """Return the address in what gRPC calls a peer.

    Example:
        >>> _address("ipv4:127.0.0.1:50312"), _address("ipv6:%5B::1%5D:50312")
        ('127.0.0.1', '::1')
    """
    return unquote(peer.partition(":")[2]).rpartition(":")[0].strip("[]")
