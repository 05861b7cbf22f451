"""Errors that came over HTTP from a server, or because none came: raised here as they were raised there.

For: plans and connections beside this module.
"""

from __future__ import annotations

from collections.abc import Mapping

from modelwright.errors import (
    CredentialError,
    ModelwrightError,
    OverloadedError,
    ServingError,
    TooLargeError,
    UnreachableError,
)
from modelwright.registry.client.refusals import rebuilt

BY_STATUS: dict[int, type[ServingError]] = {401: CredentialError, 403: CredentialError, 413: TooLargeError}
"""What a status means where a proxy answers, and not as our servers do. Source: RFC 9110 section 15.5."""
LONGEST_ID = 200


def refusal(content: bytes, headers: Mapping[str, str], *, status: int, where: str) -> ModelwrightError:
    r"""Return the error that an answer stands for: the same class, with the same words and problems.

    Args:
        content: Body of the answer.
        headers: Its headers, by name in lower case.
        status: Its status, 300 or more.
        where: The server's address.

    Example:
        >>> content = b'{"error": "There is no model.", "code": "MW1202", "hint": "Did you mean \'churn\'?"}'
        >>> error = refusal(content, {}, status=404, where="http://127.0.0.1:8080")
        >>> type(error).__name__, error.hint
        ('UnknownModelError', "Did you mean 'churn'?")
    """
    error = rebuilt(content, status=status, where=where, otherwise=_by_status, unknown=ServingError)
    asked = headers.get("retry-after", "")
    if isinstance(error, OverloadedError) and asked.isdecimal():
        error.retry_after_s = float(asked)
    request_id = headers.get("x-request-id", "")[:LONGEST_ID]
    if request_id and request_id.isprintable():
        error.add_note(f"request {request_id} at {where}")
    return error


def _by_status(status: int, where: str) -> ModelwrightError:
    if status in (502, 503, 504):
        return UnreachableError(
            f"A proxy answers for the server: {status}.", where=where, hint="Is the server behind it running?"
        )
    kind = BY_STATUS.get(status, UnreachableError)
    return kind(
        f"The answer is {status}, and not as a modelwright server says it.",
        where=where,
        hint="Is this the address that modelwright serve printed?",
    )
