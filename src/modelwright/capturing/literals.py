"""Write a value as a Python expression, so that a constant of a notebook can stand in a module.

Called by lifting. It writes only what can be written exactly; everything else is ``None``, and the caller refuses.
"""

from __future__ import annotations

import datetime
import decimal
import fractions
import logging
import math
import re
from collections.abc import Callable, Iterable
from enum import Enum
from pathlib import PurePath
from typing import Any, NamedTuple

import numpy as np

MAX_ARRAY = 10_000
"""Largest NumPy array that is written out, elements; larger ones are data, not constants."""


class Literal(NamedTuple):
    """An expression and the import statements it needs."""

    expression: str
    imports: frozenset[str] = frozenset()


def literal(value: Any) -> Literal | None:
    """Write a value as an expression that gives an equal value; ``None`` if there is no such expression.

    Example:
        >>> literal({"a": frozenset({1}), "b": float("inf")}).expression
        "{'a': frozenset({1}), 'b': float('inf')}"
        >>> literal(re.compile("a+")) == Literal("re.compile('a+')", frozenset({"import re"}))
        True
        >>> literal(object()) is None
        True
    """
    if value is None or value is ... or type(value) in (bool, int, str, bytes, complex, range):
        return Literal(repr(value))
    if type(value) is float:
        return Literal(repr(value) if math.isfinite(value) else f"float({str(value)!r})")
    write = None if isinstance(value, Enum) else next((w for kinds, w in _WRITERS if isinstance(value, kinds)), None)
    return write(value) if write else None


def _joined(parts: Iterable[Any], template: str) -> Literal | None:
    written = [literal(part) for part in parts]
    if any(part is None for part in written):
        return None
    done = [part for part in written if part is not None]
    text = ", ".join(part.expression for part in done)
    return Literal(template.replace("…", text), frozenset().union(*(part.imports for part in done)))


def _sequence(value: Any) -> Literal | None:
    if type(value) is tuple:
        return _joined(value, "(…,)" if len(value) == 1 else "(…)")
    return _joined(value, "[…]") if type(value) is list else None


def _set(value: Any) -> Literal | None:
    # The order of a set changes from process to process; the order of its texts does not.
    items = sorted(value, key=lambda item: (type(item).__name__, repr(item)))
    if type(value) is set:
        return _joined(items, "{…}" if items else "set()")
    return _joined(items, "frozenset({…})" if items else "frozenset()") if type(value) is frozenset else None


def _mapping(value: Any) -> Literal | None:
    if type(value) is not dict:
        return None
    pairs = [(literal(key), literal(item)) for key, item in value.items()]
    if any(key is None or item is None for key, item in pairs):
        return None
    done = [(key, item) for key, item in pairs if key is not None and item is not None]
    imports = frozenset().union(*(key.imports | item.imports for key, item in done))
    return Literal("{" + ", ".join(f"{key.expression}: {item.expression}" for key, item in done) + "}", imports)


def _pattern(value: re.Pattern[Any]) -> Literal:
    flags = value.flags & ~(re.UNICODE if isinstance(value.pattern, str) else 0)
    names = [f"re.{flag.name}" for flag in re.RegexFlag if flags & flag and flag.name and flag.name != "DEBUG"]
    flagged = f", {' | '.join(names)}" if names else ""
    return Literal(f"re.compile({value.pattern!r}{flagged})", frozenset({"import re"}))


def _path(value: PurePath) -> Literal | None:
    if value.is_absolute():  # it exists on this machine only
        return None
    return Literal(f"Path({value.as_posix()!r})", frozenset({"from pathlib import Path"}))


def _array(value: Any) -> Literal | None:
    if type(value) is not np.ndarray or value.size > MAX_ARRAY or value.dtype.names or value.dtype.hasobject:
        return None
    items = literal(value.tolist())
    if items is None or value.dtype.kind in "mM" or 0 in value.shape:
        return None
    return Literal(f"np.array({items.expression}, dtype={value.dtype.str!r})", frozenset({"import numpy as np"}))


def _scalar(value: np.generic) -> Literal | None:
    item = literal(value.item())
    if item is None or value.dtype.kind not in "biufcSU":
        return None
    return Literal(f"np.{value.dtype.name}({item.expression})", frozenset({"import numpy as np"}))


def _module_repr(value: Any) -> Literal | None:
    if getattr(value, "tzinfo", None) not in (None, datetime.UTC):
        return None
    return Literal(repr(value), frozenset({"import datetime"}))


def _named_repr(value: Any) -> Literal:
    kind = type(value)
    return Literal(repr(value), frozenset({f"from {kind.__module__} import {kind.__qualname__}"}))


def _logger(value: logging.Logger) -> Literal:
    name = "__name__" if value.name == "__main__" else repr(value.name)
    return Literal(f"logging.getLogger({name})", frozenset({"import logging"}))


_WRITERS: tuple[tuple[Any, Callable[[Any], Literal | None]], ...] = (
    ((list, tuple), _sequence),
    ((set, frozenset), _set),
    (dict, _mapping),
    (re.Pattern, _pattern),
    (PurePath, _path),
    (np.ndarray, _array),
    (np.generic, _scalar),
    ((datetime.date, datetime.time, datetime.timedelta, datetime.timezone), _module_repr),
    ((decimal.Decimal, fractions.Fraction), _named_repr),
    (logging.Logger, _logger),
)
