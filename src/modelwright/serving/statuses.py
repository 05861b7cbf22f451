"""The status of every error, in the numbers of HTTP: one table, whatever transport a request came through.

For: the doors, and the events that observers are told. Other transports translate the number
(:mod:`modelwright.serving.grpc.statuses`). An error that is not listed has the status of the nearest class above it;
what nobody designed is 500.

Source: RFC 9110, section 15 "Status Codes".
"""

from __future__ import annotations

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
    UnknownPackageError,
    UnknownReleaseError,
    UnreachableError,
    WorkerError,
)

STATUSES: dict[type[BaseException], int] = {
    # The request is wrong. Rows that do not fit are 400, not 422: so the Open Inference Protocol has it.
    DataError: 400,
    ContainerError: 400,
    DataFileError: 400,
    DeploymentError: 400,
    MessageError: 400,
    OutcomeError: 400,
    SignatureError: 400,
    CredentialError: 401,
    UnknownModelError: 404,
    UnknownPackageError: 404,
    UnknownReleaseError: 404,
    SlowRequestError: 408,
    RolloutError: 409,
    TooLargeError: 413,
    MediaTypeError: 415,
    # The server or the model is.
    ServingError: 500,
    AddressTakenError: 500,
    OutputError: 500,
    RecordLogError: 500,
    # The worker stands behind this server as an origin behind a gateway.
    UnreachableError: 502,
    WorkerError: 502,
    NotReadyError: 503,
    OverloadedError: 503,
    DeadlineError: 504,
}


def status_of(error: BaseException) -> int:
    """Return the HTTP status of an error.

    Example:
        >>> status_of(UnknownModelError("There is no model 'chrn'.")), status_of(KeyError("x"))
        (404, 500)
    """
    return next((STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), 500)
