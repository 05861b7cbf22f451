"""Read the body of a request that is kept in memory, so that it is bounded in size and time.

Called by the JSON API, the pages' forms and trusted publishing. Uploads have a way of their own (:mod:`.uploads`).
"""

from __future__ import annotations

from urllib.parse import parse_qsl

import anyio
from starlette.requests import ClientDisconnect, Request

from modelwright.errors import RequestError
from modelwright.registry.app.answers import header
from modelwright.registry.app.statuses import Refusal

PATIENCE_S = 30.0
"""How long a small body may take, seconds."""
MAX_FORM = 64 * 2**10
MAX_FORM_FIELDS = 64


async def read_body(request: Request, *, most: int) -> bytes:
    """Return the body of a request.

    Args:
        request: The request.
        most: Largest body, bytes.

    Raises:
        Refusal: It is too large (413) or too slow (408).
        RequestError: It was cut off.
    """
    body = bytearray()
    try:
        with anyio.fail_after(PATIENCE_S):
            async for piece in request.stream():
                body += piece
                if len(body) > most:
                    raise Refusal(413, RequestError(f"The body of this request is at most {most} bytes."))
    except TimeoutError:
        raise Refusal(408, RequestError("The request is too slow, or stopped.")) from None
    except ClientDisconnect:
        raise RequestError("The request was cut off.") from None
    return bytes(body)


async def read_form(request: Request) -> dict[str, str]:
    """Return a form; of a field that comes twice the last one counts.

    Raises:
        RequestError: Not ``application/x-www-form-urlencoded``, too many fields, no UTF-8.
        Refusal: It is too large or too slow.
    """
    kind = header(request.scope, b"content-type").partition(";")[0].strip().lower()
    body = await read_body(request, most=MAX_FORM)
    if body and kind != "application/x-www-form-urlencoded":
        raise RequestError("A form is sent as application/x-www-form-urlencoded.")
    try:
        fields = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FORM_FIELDS, errors="strict"
        )
    except ValueError as error:
        raise RequestError("The form cannot be understood.", why=str(error)) from error
    return dict(fields)
