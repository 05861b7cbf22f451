"""The gRPC status of every error, and what a client is told with it.

An error that is not listed has the status of the nearest class above it; what nobody designed is ``INTERNAL``.

Source: gRPC, "Status codes and their use in gRPC".
"""

from __future__ import annotations

import msgspec
from grpc import StatusCode

from modelwright.errors import (
    AddressTakenError,
    ContainerError,
    CredentialError,
    DataError,
    DataFileError,
    DeadlineError,
    DeploymentError,
    MediaTypeError,
    MessageError,
    NotReadyError,
    OutcomeError,
    OutputError,
    OverloadedError,
    RecordLogError,
    RolloutError,
    ServingError,
    SignatureError,
    SlowRequestError,
    TooLargeError,
    UnknownModelError,
    UnreachableError,
    WorkerError,
)
from modelwright.serving.telling import told_of

STATUSES: dict[type[BaseException], StatusCode] = {
    DataError: StatusCode.INVALID_ARGUMENT,
    ContainerError: StatusCode.INVALID_ARGUMENT,
    DataFileError: StatusCode.INVALID_ARGUMENT,
    DeploymentError: StatusCode.INVALID_ARGUMENT,
    MediaTypeError: StatusCode.INVALID_ARGUMENT,
    MessageError: StatusCode.INVALID_ARGUMENT,
    OutcomeError: StatusCode.INVALID_ARGUMENT,
    SignatureError: StatusCode.INVALID_ARGUMENT,
    CredentialError: StatusCode.UNAUTHENTICATED,
    UnknownModelError: StatusCode.NOT_FOUND,
    RolloutError: StatusCode.FAILED_PRECONDITION,
    # gRPC itself answers so where a message is larger than the server takes.
    TooLargeError: StatusCode.RESOURCE_EXHAUSTED,
    ServingError: StatusCode.INTERNAL,
    AddressTakenError: StatusCode.INTERNAL,
    OutputError: StatusCode.INTERNAL,
    RecordLogError: StatusCode.INTERNAL,
    # UNAVAILABLE says: nothing was computed, or it may be asked again; clients retry it.
    NotReadyError: StatusCode.UNAVAILABLE,
    OverloadedError: StatusCode.UNAVAILABLE,
    UnreachableError: StatusCode.UNAVAILABLE,
    WorkerError: StatusCode.UNAVAILABLE,
    DeadlineError: StatusCode.DEADLINE_EXCEEDED,
    SlowRequestError: StatusCode.DEADLINE_EXCEEDED,
}
HTTP_STATUSES = {
    StatusCode.INVALID_ARGUMENT: 400,
    StatusCode.UNAUTHENTICATED: 401,
    StatusCode.NOT_FOUND: 404,
    StatusCode.FAILED_PRECONDITION: 409,
    StatusCode.RESOURCE_EXHAUSTED: 413,
    StatusCode.CANCELLED: 499,
    StatusCode.UNAVAILABLE: 503,
    StatusCode.DEADLINE_EXCEEDED: 504,
}
"""What a status means in HTTP, for events; others are 500."""
MAX_PROBLEMS = 5
"""So many problems are told: they travel in a header, which may not grow beyond 8 KiB."""
MAX_TEXT = 2000
"""Most characters of a sentence that is told."""


def status_of(error: BaseException) -> StatusCode:
    """Return the gRPC status of an error.

    Example:
        >>> status_of(UnknownModelError("There is no model 'chrn'.")).name
        'NOT_FOUND'
    """
    return next((STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), StatusCode.INTERNAL)


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
