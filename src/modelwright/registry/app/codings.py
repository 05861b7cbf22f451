"""Whether a client reads gzip, and what the entity tag of a compressed answer is. Pure.

For: whatever sends text: pages of the index and of people, metadata files, assets.

Source: RFC 9110 sections 12.5.3 (Accept-Encoding, ``q=0`` means "not acceptable") and 8.8.3.3 (the compressed form has
a strong entity tag of its own).
"""

from __future__ import annotations

import re

LONGEST = 1000
"""Longest Accept-Encoding that is read, characters; clients send less than 100."""
_NEVER = re.compile(r"q=0(\.0{0,3})?")


def reads_gzip(accepted: str) -> bool:
    """Say whether a client reads gzip.

    Args:
        accepted: The ``Accept-Encoding`` header; empty: it was not sent, and nothing is compressed.

    Example:
        >>> reads_gzip("gzip, deflate"), reads_gzip("identity"), reads_gzip("gzip;q=0, *"), reads_gzip("*;q=0.5")
        (True, False, False, True)
    """
    wanted: dict[str, bool] = {}
    for entry in accepted.lower()[:LONGEST].split(","):
        name, *parameters = (part.strip() for part in entry.split(";"))
        wanted[name] = not any(_NEVER.fullmatch(parameter) for parameter in parameters)
    return wanted.get("gzip", wanted.get("x-gzip", wanted.get("*", False)))


def zipped_tag(etag: str) -> str:
    """Return the entity tag of the compressed form.

    Args:
        etag: That of the form as it is, strong, with its quotes.

    Example:
        >>> zipped_tag('"ab"')
        '"ab-gzip"'
    """
    return f'{etag[:-1]}-gzip"'
