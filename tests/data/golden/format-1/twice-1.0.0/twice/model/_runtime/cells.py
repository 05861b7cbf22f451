"""Parse the text of one cell by the datatype of its field.

A cell that does not parse stays text, so that validation names it ("'abc' is text; a number is needed"); an empty
cell is a missing value.

Called by files.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any

from .values import family_of

_INT = re.compile(r"\s*[+-]?\d+\s*")
_FLOAT = re.compile(r"\s*[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?|nan)\s*", re.IGNORECASE)
_BOOLS = {"true": True, "false": False, "1": True, "0": False}


def parser_of(field: dict[str, Any]) -> Callable[[str], Any]:
    """Return what parses the cells of a field.

    Example:
        >>> parse = parser_of({"name": "age", "datatype": "int64"})
        >>> parse("42"), parse(""), parse("4x")
        (42, None, '4x')
    """
    if field.get("shape"):
        return _json
    return _PARSERS.get(family_of(field["datatype"]), _text)


def _text(cell: str) -> Any:
    return cell or None


def _bool(cell: str) -> Any:
    return _BOOLS.get(cell.strip().lower(), cell) if cell else None


def _int(cell: str) -> Any:
    return int(cell) if _INT.fullmatch(cell) else _float(cell)


def _float(cell: str) -> Any:
    if not cell:
        return None
    return float(cell) if _FLOAT.fullmatch(cell) else cell


def _bytes(cell: str) -> Any:
    try:
        return base64.b64decode(cell, validate=True) if cell else None
    except ValueError:
        return cell


def _json(cell: str) -> Any:
    try:
        return json.loads(cell) if cell else None
    except ValueError:
        return cell


_PARSERS: dict[str, Callable[[str], Any]] = {
    "bool": _bool,
    "bytes": _bytes,
    "duration": _float,
    "float": _float,
    "int": _int,
    "json": _json,
}
