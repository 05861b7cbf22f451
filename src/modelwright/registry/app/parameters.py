"""The one validator: whatever a client names is matched against an allow-list here, or refused.

For: the application, for every part of a path, every query and every form field that names something. A path is
decoded exactly once, before anything looks at it; what is still escaped afterwards matches no pattern.

It does not: know what exists. No pattern can backtrack: each is one character class, bounded in length.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote_to_bytes

from modelwright.errors import RequestError

MAX_PATH = 2048
"""Longest path, bytes."""
MAX_QUERY = 4096
"""Longest query, bytes."""
MAX_QUERY_FIELDS = 32
MAX_TEXT = 4000
"""Longest text that a person gives (a reason, a note, something to search for), characters."""

_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+!~-]{0,254}")
PATTERNS: dict[str, re.Pattern[str]] = {
    # PEP 508 names, at most as long as a file name may be.
    "name": re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}"),
    # PEP 440, loosely; whoever needs more parses it.
    "version": re.compile(r"[A-Za-z0-9][A-Za-z0-9.!+_-]{0,63}"),
    "stage": re.compile(r"[a-z][a-z0-9-]{0,30}"),
    "sha256": re.compile(r"[0-9a-f]{64}"),
    "filename": re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]{0,250}"),
    "token": re.compile(r"[A-Za-z0-9]{1,64}"),
    "digits": re.compile(r"[0-9]{1,18}"),
    "word": re.compile(r"[a-z_]{0,32}"),
}
"""By what it is; a value matches from end to end."""


def checked(what: str, value: str) -> str:
    """Return a value that a client gave, if it matches the pattern of what it is to be.

    Args:
        what: Key of :data:`PATTERNS`.
        value: What was given.

    Raises:
        RequestError: It does not.

    Example:
        >>> checked("stage", "production")
        'production'
    """
    if not PATTERNS[what].fullmatch(value):
        raise RequestError(
            f"This is no {what}: {value[:80]!r}.", why=f"It has to match {PATTERNS[what].pattern} from end to end."
        )
    return value


def text(what: str, value: str) -> str:
    """Return a text that a person gave: anything printable, of bounded length, line breaks allowed.

    Raises:
        RequestError: It is too long, or has control characters in it.
    """
    if len(value) > MAX_TEXT:
        raise RequestError(f"The {what} is longer than {MAX_TEXT} characters.")
    if any(not (char.isprintable() or char in "\n\r\t") for char in value):
        raise RequestError(f"The {what} contains control characters.")
    return value


def decoded_path(raw: bytes) -> str:
    r"""Decode the path of a request once, and match every part of it.

    Args:
        raw: The path as it was sent, without the query.

    Raises:
        RequestError: A part is no name that any path of a registry has: empty, beginning with a dot, still escaped,
            with a slash, backslash or NUL in it.

    Example:
        >>> decoded_path(b"/simple/churn%5fmodel/")
        '/simple/churn_model/'
    """
    if len(raw) > MAX_PATH:
        raise RequestError(f"The path is longer than {MAX_PATH} bytes.")
    if not raw.startswith(b"/"):
        raise RequestError("The path does not begin with a slash.")
    parts = raw[1:].split(b"/")
    decoded = [_segment(part) for part in parts[:-1]]
    if parts[-1]:
        decoded.append(_segment(parts[-1]))
        return "/" + "/".join(decoded)
    return "/" + "".join(f"{part}/" for part in decoded)


def _segment(raw: bytes) -> str:
    try:
        part = unquote_to_bytes(raw).decode("ascii")
    except UnicodeDecodeError:
        part = ""
    if not _SEGMENT.fullmatch(part):
        raise RequestError(
            "The path has a part that no path of a registry has.",
            why="Letters, digits and . _ + ! ~ - only, and none at the beginning except _; it is decoded once.",
        )
    return part


def query_of(raw: bytes) -> dict[str, str]:
    """Parse a query; of a field that comes twice the last one counts.

    Raises:
        RequestError: It is too long, has too many fields, or is no UTF-8.

    Example:
        >>> query_of(b"search=churn&limit=5")
        {'search': 'churn', 'limit': '5'}
    """
    if len(raw) > MAX_QUERY:
        raise RequestError(f"The query is longer than {MAX_QUERY} bytes.")
    try:
        fields = parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_QUERY_FIELDS, errors="strict"
        )
    except ValueError as error:
        raise RequestError("The query cannot be understood.", why=str(error)) from error
    return {key: text(key[:32] if key.isidentifier() else "query", value) for key, value in fields}


def number(what: str, value: str, *, most: int) -> int:
    """Return a number ≥ 0 that a client gave.

    Raises:
        RequestError: It is none, or too large.
    """
    found = int(checked("digits", value))
    if found > most:
        raise RequestError(f"{what} is at most {most}.")
    return found
