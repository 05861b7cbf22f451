"""Which bytes of a file are asked for: one range, from the front or from the end. Pure.

Source: RFC 9110 sections 13.1.5 (If-Range) and 14 (Range requests). Several ranges at once are answered with the whole
file, which section 14.2 allows: a server "MAY ignore the Range header field".
"""

from __future__ import annotations

import re
from typing import NamedTuple

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.IGNORECASE)
"""RFC 9110 section 14.1: "range-unit names are case-insensitive"."""


class Span(NamedTuple):
    """Some consecutive bytes of a file.

    Attributes:
        start: First byte.
        stop: Byte after the last one.
    """

    start: int
    stop: int


class OutOfRange(Exception):
    """Nothing of the range that is asked for is in the file (416)."""


def span_of(header: str, size: int, *, if_range: str = "", etag: str = "") -> Span | None:
    """Return the span that a request asks for, ``None`` for the whole file.

    Args:
        header: The ``Range`` header; empty: there was none.
        size: Size of the file, bytes.
        if_range: The ``If-Range`` header; a range is honoured only if it is the file's entity tag.
        etag: The file's entity tag, strong.

    Raises:
        OutOfRange: There is no such byte in the file.

    Example:
        >>> span_of("bytes=0-9", 100), span_of("bytes=-10", 100), span_of("bytes=90-", 100)
        (Span(start=0, stop=10), Span(start=90, stop=100), Span(start=90, stop=100))
        >>> span_of("bytes=0-1,5-6", 100), span_of("lines=1-2", 100), span_of("bytes=9-0", 100)
        (None, None, None)
    """
    matched = _RANGE.fullmatch(header.replace(" ", "")) if len(header) <= 64 else None
    if matched is None or (if_range and if_range != etag):
        return None
    first, last = matched.groups()
    if not first and not last:
        return None
    if not first:
        start, stop = max(0, size - int(last)), size
    else:
        start, stop = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < start:
            return None
    if start >= size or start >= stop:
        raise OutOfRange
    return Span(start, stop)


def matches(header: str, etag: str) -> bool:
    """Say whether ``If-None-Match`` names an entity tag. Source: RFC 9110 section 13.1.2 (weak comparison).

    Example:
        >>> matches('W/"a", "b"', '"a"'), matches("*", '"a"'), matches('"c"', '"a"')
        (True, True, False)
    """
    named = [one.strip().removeprefix("W/") for one in header[:4096].split(",")]
    return "*" in named or etag.removeprefix("W/") in named
