"""Find where in a JSON text something stands, for messages.

Called by :mod:`.strict_json` for a text that is about to be refused. It looks at tokens only, and at no more than the
first million characters: a message is not worth more.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{},:]|-?[A-Za-z0-9.+][A-Za-z0-9.+-]*+', re.DOTALL)
"""Text (which may lack its end, so that no text is looked at twice), punctuation, and everything else."""
_LOOKED_AT = 1_000_000
_SHOWN = 60


def place(text: str, offset: int) -> str:
    r"""Say in words where an offset lies; both numbers begin at 1, columns count characters.

    Example:
        >>> place("[1,\n NaN]", 5)
        'line 2, column 2'
    """
    return f"line {text.count(chr(10), 0, offset) + 1}, column {offset - text.rfind(chr(10), 0, offset)}"


def shown(name: str) -> str:
    """Return a key as a message shows it."""
    return repr(name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…")


def place_of(text: str, token: str) -> str:
    """Say where a token stands first, text in quotes left aside; empty if it is not found."""
    return next((place(text, offset) for offset, found in _tokens(text) if found == token), "")


def place_of_depth(text: str, depth: int) -> str:
    """Say where more than so many objects and lists are open; empty if it is not found."""
    opened = 0
    for offset, token in _tokens(text):
        opened += (token in ("[", "{")) - (token in ("]", "}"))
        if opened > depth:
            return place(text, offset)
    return ""


def place_of_key(text: str, name: str) -> str:
    """Say where a key appears for the second time in one object; empty if it is not found."""
    seen: list[bool] = []
    last, last_offset = "", 0
    for offset, sign in _tokens(text):
        if sign in ("[", "{"):
            seen.append(False)
        elif sign in ("]", "}") and seen:
            seen.pop()
        elif sign == ":" and seen and json.loads(last) == name:
            if seen[-1]:
                return place(text, last_offset)
            seen[-1] = True
        last, last_offset = sign, offset
    return ""


def place_of_escape(text: str, character: str) -> str:
    """Say where a character is written as an escape; empty if it is not found."""
    found = re.search(rf"\\u{ord(character):04x}", text[:_LOOKED_AT], re.IGNORECASE)
    return place(text, found.start()) if found else ""


def _tokens(text: str) -> Iterator[tuple[int, str]]:
    return ((found.start(), found[0]) for found in _TOKEN.finditer(text, 0, _LOOKED_AT))
