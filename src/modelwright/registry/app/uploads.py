"""Take uploads in: the legacy upload API, as twine, uv, hatch, flit, poetry and pdm speak it.

The file goes to disk once, below ``.registry/incoming``, hashed while it arrives; the service looks at it there and
moves it. What is cut off, too slow or refused leaves nothing behind. Called by :mod:`.application`.

Source: Python Packaging User Guide, "Upload API" (legacy); PEP 740 section "Upload endpoint changes".
"""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from modelwright.errors import RequestError, UnavailableError
from modelwright.registry.admitting.admit import Announced
from modelwright.registry.app.access import Access
from modelwright.registry.app.answers import as_json, as_text, header, wants_json
from modelwright.registry.app.multipart import MAX_FIELDS, UploadForm
from modelwright.registry.app.statuses import Refusal
from modelwright.registry.operating.local import LocalService
from modelwright.registry.service import Publication

GATHERED = 2**20
"""How much is gathered before it is written, bytes: a thread is not woken for every packet."""
PATIENCE_S = 60.0
"""How long nothing may arrive, and how long an upload may take in any case, seconds."""
SLOWEST = 16 * 2**10
"""How fast a body has to arrive in the long run, bytes per second."""
MAX_ATTESTATIONS = 16
ACTION, PROTOCOL = "file_upload", "1"


async def upload(request: Request, access: Access) -> Response:
    """Take one file in: 200 when it is published, also when it was there already with the same bytes."""
    service = await anyio.to_thread.run_sync(access.enter, request)
    _check_length(request, service)
    await anyio.to_thread.run_sync(_check_may_publish, service)
    target = service.desk.incoming / f"{secrets.token_hex(16)}.part"
    try:
        form = await anyio.to_thread.run_sync(_begin, request, service, target)
        try:
            await _receive(request, form)
        finally:
            form.close()
        published = await anyio.to_thread.run_sync(_publish, service, form, target)
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(lambda: target.unlink(missing_ok=True))
    if wants_json(request.scope):
        return as_json(published)
    return as_text(f"{published.file.filename}: {'published' if published.new else 'already there'}\n")


def _check_length(request: Request, service: LocalService) -> None:
    announced = header(request.scope, b"content-length")
    limit = service.settings.max_upload + MAX_FIELDS
    if announced.isdigit() and int(announced) > limit:
        raise Refusal(413, RequestError(f"A file is at most {service.settings.max_upload} bytes here."))


def _check_may_publish(service: LocalService) -> None:
    """Refuse who may publish nothing at all before gigabytes are sent; the service decides about the project."""
    bound = service.principal.projects
    with service.desk.judged(service.desk.entry("publish")):
        service.desk.allow("publish", bound[0] if bound else "")


def _begin(request: Request, service: LocalService, target: Path) -> UploadForm:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        return UploadForm(header(request.scope, b"content-type"), target, limit=service.settings.max_upload)
    except OSError as error:
        raise _no_room(error) from error


async def _receive(request: Request, form: UploadForm) -> None:
    """Feed a form with the body of a request, in large pieces.

    Raises:
        Refusal: The body arrives too slowly (408).
        RequestError: It was cut off.
    """
    begun, arrived = time.monotonic(), 0
    gathered = bytearray()
    stream = request.stream()
    try:
        while True:
            with anyio.fail_after(PATIENCE_S):
                piece = await anext(stream, None)
            if piece is None:
                break
            gathered += piece
            arrived += len(piece)
            if time.monotonic() - begun > PATIENCE_S + arrived / SLOWEST:
                raise TimeoutError
            if len(gathered) >= GATHERED:
                await _feed(form, gathered)
                gathered = bytearray()
        await _feed(form, gathered)
    except TimeoutError:
        raise Refusal(408, RequestError("The upload is too slow, or stopped.", hint="Upload it again.")) from None
    except ClientDisconnect:
        raise RequestError("The upload was cut off.") from None


async def _feed(form: UploadForm, data: bytearray) -> None:
    try:
        await anyio.to_thread.run_sync(form.feed, bytes(data))
    except OSError as error:
        raise _no_room(error) from error


def _publish(service: LocalService, form: UploadForm, target: Path) -> Publication:
    try:
        sha256 = form.finish()
    except OSError as error:
        raise _no_room(error) from error
    fields = form.fields
    if fields.get(":action", ACTION) != ACTION or fields.get("protocol_version", PROTOCOL) != PROTOCOL:
        raise RequestError(
            "The form is not one that uploads a file.", why=f":action is {ACTION}, protocol_version {PROTOCOL}."
        )
    announced = Announced(name=fields.get("name", ""), version=fields.get("version", ""), sha256=sha256)
    return service.take(
        target, filename=form.filename, announced=announced, attestations=_attestations(fields.get("attestations", ""))
    )


def _attestations(text: str) -> tuple[Any, ...]:
    if not text:
        return ()
    try:
        return tuple(msgspec.json.decode(text, type=list[dict[str, Any]])[:MAX_ATTESTATIONS])
    except (msgspec.DecodeError, RecursionError) as error:
        raise RequestError("The attestations are no JSON list of objects.", why=str(error)) from error


def _no_room(error: OSError) -> UnavailableError:
    return UnavailableError(
        "The upload cannot be written; nothing was changed.",
        why=error.strerror or str(error),
        hint="Make room on the disk of the registry.",
    )
