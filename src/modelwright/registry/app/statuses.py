"""Which error gives which HTTP status: the only place where that is decided.

For: every part of the application that answers with a refusal. Exit codes have their own table in
:mod:`modelwright.cli.exits`.

Source: RFC 9110 section 15; 507 is RFC 4918 section 11.5. ``twine --skip-existing`` takes 409 at the upload for "is
there already", so nothing else that an upload can end with may be 409.
"""

from __future__ import annotations

import errno

from modelwright.errors import (
    BundleError,
    EvidenceError,
    GateError,
    LoginError,
    ModelwrightError,
    NotAllowedError,
    PackageError,
    RequestError,
    SettingsError,
    StaleError,
    TakenError,
    UnavailableError,
    UnknownReleaseError,
    UploadError,
    UpstreamError,
    VersionStepError,
)

TABLE: dict[type[ModelwrightError], int] = {
    ModelwrightError: 500,
    PackageError: 400,
    RequestError: 400,
    UploadError: 400,
    VersionStepError: 400,
    EvidenceError: 400,
    BundleError: 400,
    LoginError: 401,
    NotAllowedError: 403,
    UnknownReleaseError: 404,
    TakenError: 409,
    GateError: 409,
    StaleError: 412,
    SettingsError: 500,
    UpstreamError: 502,
    UnavailableError: 503,
}
"""The nearest class in an error's line of ancestors decides."""

FULL = frozenset((errno.ENOSPC, errno.EDQUOT))


class Refusal(Exception):
    """A refusal whose status says more than its error's class does: 413, 421, 429.

    Args:
        status: HTTP status.
        error: What is told.
        headers: Further headers of the answer.
    """

    def __init__(self, status: int, error: ModelwrightError, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, error)
        self.status = status
        self.error = error
        self.headers = headers or {}


def status_of(error: ModelwrightError) -> int:
    """Return the HTTP status of an error.

    Example:
        >>> status_of(TakenError("churn-1.3.0-py3-none-any.whl is taken."))
        409
        >>> status_of(LoginError("There is no token."))
        401
    """
    status = next(TABLE[kind] for kind in type(error).__mro__ if kind in TABLE)
    return 507 if status == 503 and _disk_is_full(error) else status


def _disk_is_full(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in FULL:
            return True
        cause = cause.__cause__
    # SQLite says it in words only: SQLITE_FULL, "database or disk is full".
    return "disk is full" in getattr(error, "why", "")
