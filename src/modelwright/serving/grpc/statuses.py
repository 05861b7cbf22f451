"""The gRPC status of every error, from its HTTP status, and what a client is told with it.

Source: gRPC, "Status codes and their use in gRPC".
"""

from __future__ import annotations

import msgspec
from grpc import StatusCode

from modelwright.errors import OverloadedError
from modelwright.serving import statuses
from modelwright.serving.telling import told_of

CODES = {
    400: StatusCode.INVALID_ARGUMENT,
    401: StatusCode.UNAUTHENTICATED,
    404: StatusCode.NOT_FOUND,
    408: StatusCode.DEADLINE_EXCEEDED,
    409: StatusCode.FAILED_PRECONDITION,
    413: StatusCode.RESOURCE_EXHAUSTED,  # gRPC itself answers so where a message is larger than the server takes
    415: StatusCode.INVALID_ARGUMENT,
    500: StatusCode.INTERNAL,
    # UNAVAILABLE says: nothing was computed, or it may be asked again; clients retry it.
    502: StatusCode.UNAVAILABLE,
    503: StatusCode.UNAVAILABLE,
    504: StatusCode.DEADLINE_EXCEEDED,
}
"""What an HTTP status is in gRPC."""
CANCELLED = 499
"""What a call is counted as whose caller went away; HTTP has no number for it, nginx uses this one."""
MAX_PROBLEMS = 5
"""So many problems are told: they travel in a header, which may not grow beyond 8 KiB."""
MAX_TEXT = 2000
"""Most characters of a sentence that is told."""


def code_of(error: BaseException) -> StatusCode:
    """Return the gRPC status of an error.

    Example:
        >>> from modelwright.errors import UnknownModelError
        >>> code_of(UnknownModelError("There is no model 'chrn'.")).name
        'NOT_FOUND'
    """
    return CODES.get(statuses.status_of(error), StatusCode.INTERNAL)


def text_of(error: BaseException) -> str:
    """Return the sentence that a client is told, with the first problems; never a traceback or a path."""
    told = told_of(error)
    text = " ".join([told.error, *(f"{problem}." for problem in told.problems[:MAX_PROBLEMS])])
    left = len(told.problems) - MAX_PROBLEMS
    if left > 0:
        text += f" And {left} more."
    return (text if told.problems else f"{text} {told.hint}".rstrip())[:MAX_TEXT]


def metadata_of(error: BaseException) -> tuple[tuple[str, str | bytes], ...]:
    """Return the trailing metadata of an error: its code, when to try again, and its first problems as JSON."""
    told = told_of(error)
    metadata: list[tuple[str, str | bytes]] = [("x-error-code", told.code)]
    if isinstance(error, OverloadedError):
        metadata.append(("grpc-retry-pushback-ms", str(int(1000 * error.retry_after_s))))
    if told.problems:
        encoded = msgspec.json.encode([problem._asdict() for problem in told.problems[:MAX_PROBLEMS]])
        if len(encoded) <= MAX_TEXT:
            metadata.append(("error-details-bin", encoded))
    return tuple(metadata)
