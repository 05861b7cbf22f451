"""The friendly REST API: ``POST /models/{name}/{method}`` with rows, columns, CSV, Arrow or Parquet.

Translates only: intake reads, the plane infers, answering writes. Called by the gateway.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, TypeAlias
from urllib.parse import parse_qs
from weakref import WeakKeyDictionary

import msgspec

from modelwright.errors import MessageError, UnknownModelError
from modelwright.runtime.suggestions import nearest
from modelwright.serving.answering.writer import Writer
from modelwright.serving.asking import Note, ask
from modelwright.serving.contract import Contract
from modelwright.serving.dataplane import DataPlane, Endpoint
from modelwright.serving.http.errors import error_fields
from modelwright.serving.http.exchange import Exchange
from modelwright.serving.http.messages import Reply, Request
from modelwright.serving.http.statuses import headers_of, status_of
from modelwright.serving.inference import Answer
from modelwright.serving.intake.aside import read_aside
from modelwright.serving.intake.question import Form
from modelwright.serving.intake.reader import MAX_UNPACKED, Reader

TRANSPORT = "rest"
Kit: TypeAlias = tuple[Reader, Writer]
"""How rows are read and answers written, by one contract."""


class Rest:
    """The friendly REST API of one server.

    Args:
        max_bytes: Most bytes that what is packed inside a body may unpack to.
    """

    def __init__(self, *, max_bytes: int = MAX_UNPACKED) -> None:
        self._max_bytes = max_bytes
        self._kits: WeakKeyDictionary[Contract, Kit] = WeakKeyDictionary()

    def _kit(self, endpoint: Endpoint) -> Kit:
        contract = endpoint.contract
        kit = self._kits.get(contract)
        if kit is None:
            reader = Reader(contract, max_rows=endpoint.max_rows, max_bytes=self._max_bytes)
            kit = self._kits[contract] = (reader, Writer(contract))
        return kit

    def inference(self, plane: DataPlane, name: str, method: str, version: str = "") -> Inference:
        """Return what answers rows at one path."""
        return Inference(plane, self._kit, name, method, version)


class Inference:
    """Answers rows at one path: ``POST /models/{name}/{method}``, for one version or for whichever is served.

    Args:
        plane: Whom it asks.
        kit: Returns reader and writer of an endpoint's contract.
        name: Name of the model.
        method: Name of the method, or ``all``.
        version: The version; empty: whichever is served.
    """

    def __init__(self, plane: DataPlane, kit: Callable[[Endpoint], Kit], name: str, method: str, version: str) -> None:
        self._plane, self._kit_of = plane, kit
        self._name, self._method, self._version = name, method, version
        self._known: tuple[Contract, Kit, tuple[str, ...]] | None = None

    async def __call__(self, request: Request) -> Reply:
        """Answer rows.

        Raises:
            ModelwrightError: Whatever stands in the way.
        """
        note, plane = self._noted(request), self._plane
        while True:
            endpoint, (reader, writer), methods = self._served()
            content_type = content_type_of(request)
            known = reader.knows(content_type)
            read = partial(reader.read, request.body, content_type)
            question = await read_aside(len(request.body), read, known=known)
            if self._plane.endpoint(self._name, self._version).contract is endpoint.contract:
                break  # else another version was put in its place meanwhile, and judges by itself
        note.unit = note.unit or question.unit
        answer = await ask(
            plane, endpoint, question.table, methods=methods, note=note, timeout_s=_timeout(request.query)
        )
        return _reply(writer, methods, question.form, answer)

    def begin(self, request: Request, exchange: Exchange) -> bool:
        """Begin to answer rows that are few; see :class:`modelwright.serving.http.exchange.Begins`."""
        note = self._noted(request)
        endpoint, (reader, writer), methods = self._served()
        content_type = content_type_of(request)
        if not reader.knows(content_type):
            return False
        question = reader.read(request.body, content_type)
        note.table = table = question.table
        note.unit = note.unit or question.unit
        exchange.finish = partial(_reply, writer, methods, question.form)
        self._plane.submit(
            endpoint,
            table,
            exchange,
            methods=methods,
            request_id=note.request_id,
            unit=note.unit,
            timeout_s=_timeout(request.query),
        )
        return True

    def _noted(self, request: Request) -> Note:
        note = request.note
        note.transport, note.model, note.request_id, note.unit = TRANSPORT, self._name, request.request_id, request.unit
        return note

    def _served(self) -> tuple[Endpoint, Kit, tuple[str, ...]]:
        """Return what is served now: where requests go, how rows are read and answers written, methods to call."""
        endpoint = self._plane.endpoint(self._name, self._version)
        endpoint.check_room()
        contract = endpoint.contract
        if self._known is None or self._known[0] is not contract:
            self._known = (contract, self._kit_of(endpoint), _methods(contract, self._method))
        return endpoint, self._known[1], self._known[2]


def content_type_of(request: Request) -> str:
    """Return what a request says that its body is; empty if it does not."""
    given = request.headers.get(b"content-type")
    return given.decode("latin-1") if given else ""


def _reply(writer: Writer, methods: tuple[str, ...], form: Form, answer: Answer) -> Reply:
    body, content_type = writer.write(answer, methods, form)
    return Reply(200, body, content_type, _identity(answer.model, answer.version, answer.variant))


@lru_cache(maxsize=256)
def _identity(model: str, version: str, variant: str) -> tuple[tuple[bytes, bytes], ...]:
    """Return the headers that say who answered."""
    return (
        (b"modelwright-model", model.encode()),
        (b"modelwright-version", version.encode()),
        (b"modelwright-variant", variant.encode()),
    )


def written_error(error: BaseException, request_id: str) -> Reply:
    """Return what a client is told of an error."""
    body = msgspec.json.encode({**error_fields(error), "request_id": request_id})
    return Reply(status_of(error), body, headers=headers_of(error))


def _methods(contract: Contract, method: str) -> tuple[str, ...]:
    if method in contract.methods:
        return (method,)
    if method == "all":
        return contract.methods
    meant = nearest(method, [*contract.methods])
    raise UnknownModelError(
        f"{contract.title} has no method {method[:40]!r}.",
        why=f"It has {', '.join(contract.methods)}; all of them at once are 'all'.",
        hint=f"Did you mean {meant!r}?" if meant else "",
    )


def _timeout(query: bytes) -> float | None:
    if not query:
        return None
    given = parse_qs(query.decode("latin-1"), keep_blank_values=True)
    unknown = sorted(set(given) - {"timeout"})
    if unknown:
        raise MessageError(f"The query has an unknown key {unknown[0][:40]!r}.", hint="Understood is timeout=SECONDS.")
    try:
        seconds = float(given["timeout"][0])
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < 86_400:
        raise MessageError("timeout is a number of seconds above 0.", hint="?timeout=2.5")
    return seconds


def describe(plane: DataPlane, name: str) -> dict[str, Any]:
    """Return what is known of a model: version, digest, methods, readiness, variants.

    Raises:
        UnknownModelError: There is no such model.
        NotReadyError: It is not loaded yet.
    """
    endpoint: Endpoint = plane.endpoint(name)
    contract = endpoint.contract
    return {
        "name": name,
        "version": contract.version,
        "digest": contract.digest,
        "methods": contract.methods,
        "ready": endpoint.ready,
        "versions": plane.versions(name),
        "summary": contract.manifest.summary,
        "task": contract.manifest.task,
    }


def described(plane: DataPlane, name: str) -> dict[str, Any]:
    """Return the same with signature and an example that surely fits."""
    contract = plane.endpoint(name).contract
    return {**describe(plane, name), "signature": contract.signature, "example": contract.example[:3]}
