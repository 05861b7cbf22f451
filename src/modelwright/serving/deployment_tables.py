"""One table of a ``deployment.toml``, judged key by key: every value that is wrong, with its place and what is right.

For: :mod:`.deployment_file`, which knows what the tables mean together. It knows only which keys there are.
"""

from __future__ import annotations

import math
from typing import Any, Literal, get_args, get_origin

import msgspec

from modelwright.errors import Problem
from modelwright.runtime.suggestions import nearest
from modelwright.serving.deployment_keys import MODEL_KEYS, RECORDS, SERVER, VARIANT_KEYS, Key

SHOWN = 40
"""Characters of a wrong value that a message shows."""
_SECRET = ("salt",)
"""Keys whose values no message shows."""
_HOMES = {"server": SERVER, "records": RECORDS, "models.NAME": MODEL_KEYS, "models.NAME.variants.NAME": VARIANT_KEYS}


class Tables:
    """Reads tables, and takes note of what is wrong in them.

    Attributes:
        problems: Everything that cannot be honoured, each with its table and key.
    """

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def table(self, place: str, said: Any) -> dict[str, Any]:
        """Return a table; anything else is a problem."""
        if isinstance(said, dict):
            return said
        self.found(f"[{place}]", f"must be a table, and is {_described(said)}")
        return {}

    def values(
        self, place: str, table: dict[str, Any], keys: dict[str, Key], skip: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """Return the values of a table that are right; everything else is a problem.

        Args:
            place: The table.
            table: Its content.
            keys: The keys that it may have.
            skip: Keys that are tables of their own, read elsewhere.
        """
        values = {}
        for name, said in table.items():
            item = f"[{place}] {name}" if place else name
            if name not in keys:
                self.found(item, "is no key of this table", _advice(name, keys))
            elif name not in skip and self._fits(item, name, said, keys[name]):
                values[name] = msgspec.convert(said, keys[name].kind)
        return values

    def _fits(self, item: str, name: str, said: Any, key: Key) -> bool:
        if get_origin(key.kind) is dict and isinstance(said, dict):
            inner = Key(get_args(key.kind)[1])
            found = [self._fits(f"{item}.{entry}", entry, value, inner) for entry, value in said.items()]
            return all(found)
        if _converts(said, key):
            return True
        self.found(item, f"must be {_wanted(key)}, and is {_shown(name, said)}", _meant(said, key))
        return False

    def found(self, item: str, problem: str, hint: str = "") -> None:
        """Take note of a problem."""
        self.problems.append(Problem(None, None, problem, hint, item))


def _converts(said: Any, key: Key) -> bool:
    try:
        value = msgspec.convert(said, key.kind)
    except msgspec.ValidationError:
        return False
    return not isinstance(value, float) or math.isfinite(value)


_WORDS: dict[Any, str] = {
    bool: "true or false",
    dict: "a table of keep, hash or drop",
    float: "a number",
    int: "a whole number",
    list: "a list of texts",
    str: "a text",
    tuple: "a list of texts",
}


def _wanted(key: Key) -> str:
    kind = _bare(key.kind)
    if get_origin(kind) is Literal:
        return " or ".join(map(repr, get_args(kind)))
    words, limits = _WORDS.get(get_origin(kind) or kind, "something else"), key.range
    if limits is None:
        return words
    if limits.ge is not None and limits.le is not None:
        return f"{words} between {limits.ge:g} and {limits.le:g}"
    above = f" above {limits.gt:g}" if limits.gt is not None else f" of {limits.ge:g} or more"
    return words + above + (f" and at most {limits.le:g}" if limits.le is not None else "")


def _bare(kind: Any) -> Any:
    return get_args(kind)[0] if hasattr(kind, "__metadata__") else kind


def _described(said: Any) -> str:
    if isinstance(said, bool):
        return str(said).lower()
    return {dict: "a table", list: "a list", str: "a text", int: "a number", float: "a number"}.get(
        type(said), "a time"
    )


def _shown(name: str, said: Any) -> str:
    simple = isinstance(said, str | int | float) and not isinstance(said, bool)
    return repr(said)[:SHOWN] if simple and name not in _SECRET else _described(said)


def _meant(said: Any, key: Key) -> str:
    choices = get_args(_bare(key.kind)) if get_origin(_bare(key.kind)) is Literal else ()
    meant = nearest(said, choices) if isinstance(said, str) and choices else ""
    return f"did you mean {meant!r}?" if meant else ""


def _advice(name: str, keys: dict[str, Key]) -> str:
    meant = nearest(name, keys)
    if meant:
        return f"did you mean {meant!r}?"
    home = next((table for table, known in _HOMES.items() if name in known), "")
    return f"it belongs to [{home}]" if home else f"its keys are {', '.join(keys)}"
