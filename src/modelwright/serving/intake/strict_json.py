"""Decode JSON strictly: what has two readings is refused, not guessed.

For: every transport that takes JSON. Refused are the tokens NaN and Infinity, a key that appears twice in an object,
deep nesting, bytes that are no UTF-8, a byte order mark, anything after the value, numbers that no reader would take.

The decoder in C says nothing of keys that appear twice: the last one wins. They are noticed by counting: outside of
text a colon follows a key and nothing else, so a body holds as many colons as the value has keys and its text has
colons, or a key was dropped. Whatever does not add up is read again by :func:`_exactly`, which finds the place.

It does not know what the value means.
Source: RFC 8259; RFC 7493 (I-JSON), section 2.
"""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from modelwright.errors import MessageError, TooLargeError
from modelwright.serving.intake import json_places

MAX_DEPTH = 32
"""Objects and lists within one another; no table of rows needs more than four."""
MAX_CONTAINERS = 1_000_000
"""Objects and lists in one body: several for each of the most rows that a request has."""
MAX_DIGITS = 4300
"""Digits of a whole number: where Python itself ends, because to read more takes quadratic time (CVE-2020-10735)."""
_SURROGATES = re.compile("[\ud800-\udfff]")
_TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_fast = msgspec.json.Decoder()


class Tally(NamedTuple):
    """What a decoded value is made of.

    Attributes:
        keys: Number of keys in all its objects.
        colons: Number of colons in its text, keys included.
        depth: Number of objects and lists that lie within one another; 0 for a scalar.
    """

    keys: int
    colons: int
    depth: int


def decode(body: bytes, *, max_depth: int = MAX_DEPTH) -> Any:
    """Return the value that a JSON text stands for.

    Args:
        body: The text, UTF-8.
        max_depth: Most objects and lists within one another.

    Raises:
        MessageError: It is not JSON, or not one that every reader reads alike; the place is named.
        TooLargeError: It is nested deeper.

    Example:
        >>> decode(b'{"rows": [{"age": 42}]}')
        {'rows': [{'age': 42}]}
    """
    check_containers(body)
    try:
        value = _fast.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _exactly(body, max_depth)
    counted = tally(value)
    if hides_colons(body) or body.count(b":") != counted.keys + counted.colons or counted.depth > max_depth:
        return _exactly(body, max_depth)
    return value


def check_containers(body: bytes) -> None:
    """Check how many objects and lists a body has; each takes 100 bytes of memory and time, however empty it is.

    Raises:
        TooLargeError: There are more than :data:`MAX_CONTAINERS`.
    """
    if len(body) > MAX_CONTAINERS and _containers(body) > MAX_CONTAINERS:
        bare = _TEXT.sub(b"", body)  # brackets in text are none
        if _containers(bare) > MAX_CONTAINERS:
            raise TooLargeError(
                f"The JSON holds more than {MAX_CONTAINERS:,} objects and lists.",
                hint="Send fewer rows at once, or columns, or Arrow instead of JSON.",
            )


def _containers(body: bytes) -> int:
    return body.count(b"{") + body.count(b"[")


def hides_colons(body: bytes) -> bool:
    """Say whether a body may hold a colon that is written otherwise, so that counting tells nothing."""
    return b"\\" in body and (b"\\u003a" in body or b"\\u003A" in body)


def tally(value: Any) -> Tally:
    """Count what a decoded value is made of, level by level.

    Example:
        >>> tally({"at": "12:30", "tags": ["x"]})
        Tally(keys=2, colons=1, depth=2)
    """
    keys = colons = depth = 0
    level = [value] if isinstance(value, dict | list) else []
    if isinstance(value, str):
        colons = value.count(":")
    while level:
        depth += 1
        deeper: list[Any] = []
        for container in level:
            members: Iterable[Any] = container
            if type(container) is dict:
                keys += len(container)
                colons += "".join(container).count(":")
                members = container.values()
            kinds = set(map(type, members))
            if str in kinds:
                colons += sum(member.count(":") for member in members if type(member) is str)
            if dict in kinds or list in kinds:
                deeper += [member for member in members if type(member) is dict or type(member) is list]
        level = deeper
    return Tally(keys, colons, depth)


def text_of(body: bytes) -> str:
    """Return the text of a body.

    Raises:
        MessageError: It is empty, or no UTF-8 without a byte order mark.
    """
    if not body.strip():
        raise MessageError("The body is empty.", hint="Send the rows in it.")
    if body.startswith((BOM_UTF8, BOM_UTF16_LE, BOM_UTF16_BE)):
        raise MessageError("The body begins with a byte order mark.", where="byte 0", hint="Send UTF-8 without one.")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise MessageError(
            f"The body is no UTF-8: byte 0x{body[error.start]:02x} at {error.start} begins no character.",
            where=f"byte {error.start}",
            hint="Encode the text as UTF-8.",
        ) from None


def _exactly(body: bytes, max_depth: int) -> Any:
    """Decode slowly, and say of the first thing that is wrong what and where it is."""
    text = text_of(body)
    if "\0" in text:
        where = json_places.place(text, text.index("\0"))
        raise MessageError("The body holds a null byte.", where=where, hint="Encode the text as UTF-8, not UTF-16.")
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_whole)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise MessageError("The body is not JSON.", where=where, why=f"{error.msg}.", hint=_HINT) from None
    except _Flaw as flaw:
        where = json_places.place_of_key(text, flaw.token) if flaw.key else json_places.place_of(text, flaw.token)
        raise MessageError(flaw.what, where=where, why=flaw.why, hint=flaw.hint) from None
    except RecursionError:
        raise _too_deep(text, max_depth) from None
    if tally(value).depth > max_depth:
        raise _too_deep(text, max_depth)
    lone = _SURROGATES.search(json.dumps(value, ensure_ascii=False)) if "\\u" in text else None
    if lone:
        why = f"\\u{ord(lone[0]):04x} is half of a pair of surrogates, and no character."
        where = json_places.place_of_escape(text, lone[0])
        raise MessageError("The body holds text that is no Unicode.", where=where, why=why)
    return value


_HINT = 'Send JSON such as {"rows": [{"column": 1.5}]}; keys and text stand in double quotes.'


def _too_deep(text: str, max_depth: int) -> TooLargeError:
    return TooLargeError(
        f"The JSON is nested deeper than {max_depth} levels.",
        where=json_places.place_of_depth(text, max_depth),
        hint="Send rows as flat objects.",
    )


class _Flaw(Exception):
    """What a hook of the decoder found; it never leaves this module."""

    def __init__(self, token: str, what: str, *, why: str = "", hint: str = "", key: bool = False) -> None:
        super().__init__(what)
        self.token, self.what, self.why, self.hint, self.key = token, what, why, hint, key


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        twice, times = Counter(name for name, _ in pairs).most_common(1)[0]
        raise _Flaw(
            twice,
            f"The key {json_places.shown(twice)} appears {times} times in one object.",
            why="Readers of JSON disagree on which of them counts.",
            hint="Send each key once.",
            key=True,
        )
    return made


def _constant(token: str) -> Any:
    hint = f'In a field of floats that allows it, write "{token}" in double quotes; a missing value is null.'
    raise _Flaw(token, f"The body holds {token}, which is not JSON.", hint=hint)


def _whole(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        what = f"The body holds a whole number of {len(digits.lstrip('-'))} digits."
        raise _Flaw(digits, what, why=f"At most {MAX_DIGITS} digits are read.", hint="Send it as text, or as a float.")
    return int(digits)
