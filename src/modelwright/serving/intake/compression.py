"""Decompress a body within a bound, so that a small request cannot become a large one.

Called by the HTTP doors before a body is read. It does not know what the body holds.
Source: RFC 9110, section 8.4 (content codings); RFC 1950 to 1952.
"""

from __future__ import annotations

import io
import zlib

from modelwright.errors import MediaTypeError, MessageError, TooLargeError

UNDERSTOOD = ("gzip", "deflate", "identity")
_GZIP, _ZLIB, _RAW = zlib.MAX_WBITS | 16, zlib.MAX_WBITS, -zlib.MAX_WBITS
_STEP = 65_536
_MAX_MEMBERS = 10_000
"""Members of one gzip body: tools that compress in parallel write one per 64 KB or more."""


def decompress(body: bytes, encoding: str, *, limit: int) -> bytes:
    """Return a body as it was before it was compressed.

    Args:
        body: The bytes that came.
        encoding: The header Content-Encoding; empty: none.
        limit: Most bytes to return; little more is ever held in memory.

    Raises:
        MediaTypeError: The encoding is none that is understood.
        MessageError: The body is not compressed this way, or cut off.
        TooLargeError: It would be larger than the limit.

    Example:
        >>> decompress(zlib.compress(b"[]"), "deflate", limit=100)
        b'[]'
    """
    coding = encoding.strip().lower().removeprefix("x-")
    if coding in ("", "identity"):
        if len(body) > limit:
            raise _too_large(limit, "The body")
        return body
    if coding not in UNDERSTOOD:
        raise MediaTypeError(
            f"The content encoding {encoding[:60]!r} is not understood.",
            why=f"Understood are {', '.join(UNDERSTOOD)}; one at a time.",
            hint="Send Content-Encoding: gzip, or the body as it is.",
        )
    try:
        return _inflated(body, _window(body, coding), limit)
    except zlib.error as error:
        raise MessageError(
            f"The body is not {coding}, which its Content-Encoding says it is.",
            why=str(error),
            hint="Compress the body, or leave the header Content-Encoding out.",
        ) from None


def _window(body: bytes, coding: str) -> int:
    """Return what zlib must know; "deflate" is zlib's format by the RFC, and bare for some clients."""
    if coding == "gzip":
        return _GZIP
    zlib_header = len(body) >= 2 and body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0
    return _ZLIB if zlib_header else _RAW


def _inflated(body: bytes, window: int, limit: int) -> bytes:
    """Decompress member by member; the input goes in by steps, so that what follows a member is not copied whole."""
    out, position, view = io.BytesIO(), 0, memoryview(body)
    for _ in range(_MAX_MEMBERS):
        member = zlib.decompressobj(window)
        while not member.eof:
            step = member.unconsumed_tail or view[position : position + _STEP]
            if not member.unconsumed_tail:
                position += len(step)
            if not out.write(member.decompress(step, _STEP)) and not step and not member.eof:
                raise MessageError("The compressed body ends before it is complete.", where=f"byte {len(body)}")
            if out.tell() > limit:
                raise _too_large(limit, "The decompressed body")
        position -= len(member.unused_data)
        if position == len(body):
            return out.getvalue()
        if window != _GZIP:
            raise MessageError("Something follows the compressed body.", where=f"byte {position}")
    raise MessageError(f"The gzip body has more than {_MAX_MEMBERS} members.", hint="Compress it as a whole.")


def _too_large(limit: int, what: str) -> TooLargeError:
    return TooLargeError(f"{what} is larger than {limit} bytes.", hint="Send fewer rows at a time.")
