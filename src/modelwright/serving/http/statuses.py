"""What HTTP says with an error: its status, which :mod:`modelwright.serving.statuses` knows, and the headers beside it.

Source: RFC 9110, section 10.2.3 "Retry-After", 11.6.1 "WWW-Authenticate".
"""

from __future__ import annotations

import math

from modelwright.errors import CredentialError, NotReadyError, OverloadedError
from modelwright.serving.statuses import STATUSES, status_of

__all__ = ["STATUSES", "headers_of", "status_of"]


def headers_of(error: BaseException) -> tuple[tuple[bytes, bytes], ...]:
    """Return the headers that an error's answer must carry: when to try again, how to authenticate.

    Example:
        >>> headers_of(OverloadedError("Too much is waiting."))
        ((b'retry-after', b'1'),)
    """
    if isinstance(error, OverloadedError):
        return ((b"retry-after", b"%d" % max(1, math.ceil(error.retry_after_s))),)
    if isinstance(error, NotReadyError):
        return ((b"retry-after", b"1"),)
    if isinstance(error, CredentialError):
        return ((b"www-authenticate", b"Bearer"),)
    return ()
