"""The friendly REST API: ``POST /models/{name}/{method}`` with rows, columns, CSV, Arrow or Parquet.

Translates only: intake reads, the plane infers, answering writes. Called by the gateway.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any
from urllib.parse import parse_qs
from weakref import WeakKeyDictionary

import msgspec

from modelwright.errors import MessageError, UnknownModelError
from modelwright.runtime.suggestions import nearest
from modelwright.serving.answering.writer import Writer
from modelwright.serving.asking import ask
from modelwright.serving.contract import Contract
from modelwright.serving.dataplane import DataPlane, Endpoint
from modelwright.serving.http.errors import error_fields
from modelwright.serving.http.messages import Reply, Request
from modelwright.serving.http.statuses import headers_of, status_of
from modelwright.serving.intake.aside import LARGE, read_aside
from modelwright.serving.intake.reader import MAX_UNPACKED, Reader

TRANSPORT = "rest"


class Rest:
    """The friendly REST API of one server.

    Args:
        max_bytes: Most bytes that what is packed inside a body may unpack to.
    """

    def __init__(self, *, max_bytes: int = MAX_UNPACKED) -> None:
        self._max_bytes = max_bytes
        self._kits: WeakKeyDictionary[Contract, tuple[Reader, Writer]] = WeakKeyDictionary()

    def _kit(self, endpoint: Endpoint) -> tuple[Reader, Writer]:
        contract = endpoint.contract
        kit = self._kits.get(contract)
        if kit is None:
            reader = Reader(contract, max_rows=endpoint.max_rows, max_bytes=self._max_bytes)
            kit = self._kits[contract] = (reader, Writer(contract))
        return kit

    async def infer(self, plane: DataPlane, request: Request, name: str, method: str, version: str = "") -> Reply:
        """Answer rows.

        Raises:
            ModelwrightError: Whatever stands in the way.
        """
        note = request.note
        note.transport, note.model, note.request_id, note.unit = TRANSPORT, name, request.request_id, request.unit
        content_type = request.headers.get(b"content-type", b"").decode("latin-1")
        while True:
            endpoint = plane.endpoint(name, version)
            contract = endpoint.contract
            methods = _methods(contract, method)
            reader, writer = self._kit(endpoint)
            if len(request.body) <= LARGE:
                question = reader.read(request.body, content_type)
                break
            question = await read_aside(len(request.body), partial(reader.read, request.body, content_type))
            if plane.endpoint(name, version).contract is contract:
                break  # else another version was put in its place meanwhile, and judges by itself
        if question.unit and not note.unit:
            note.unit = question.unit
        timeout_s = _timeout(request.query) if request.query else None
        answer = await ask(plane, endpoint, question.table, methods=methods, note=note, timeout_s=timeout_s)
        body, content_type = writer.write(answer, methods, question.form)
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
