"""Carry values through JSON: what JSON has no word for becomes text, and back.

Floats that are not finite are ``"NaN"``, ``"Infinity"``, ``"-Infinity"``; missing is null; dates and times are ISO
8601 text; durations are seconds; bytes are base64; tensors are nested lists.

Called by scenarios, files and the command line.
Source: Protocol Buffers, "ProtoJSON format".
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from .values import family_of, is_missing

_NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def encode(value: Any) -> Any:
    """Return a value as JSON can hold it.

    Example:
        >>> encode([1.5, float("nan"), None]), encode(b"hi"), encode(date(2026, 11, 20))
        ([1.5, 'NaN', None], 'aGk=', '2026-11-20')
    """
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else _unnumbered(value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, dict):
        return {str(key): encode(element) for key, element in value.items()}
    if isinstance(value, list | tuple):
        return [encode(element) for element in value]
    if hasattr(value, "tolist"):  # numpy arrays and scalars
        return encode(value.tolist())
    if is_missing(value):
        return None
    return _encode_rare(value)


def _unnumbered(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _encode_rare(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode("ascii")
    return str(value)


def decoder(field: dict[str, Any]) -> Callable[[Any], Any]:
    """Return what brings a JSON value of a field back; a value that it does not understand passes unchanged.

    Example:
        >>> decoder({"name": "x", "datatype": "float64"})("-Infinity")
        -inf
    """
    return _DECODERS.get(family_of(field["datatype"]), _same)


def _same(value: Any) -> Any:
    return value


def _decode_float(value: Any) -> Any:
    if isinstance(value, list):
        return [_decode_float(element) for element in value]
    return _NUMBERS.get(value, value) if isinstance(value, str) else value


def _decode_bytes(value: Any) -> Any:
    if isinstance(value, list):
        return [_decode_bytes(element) for element in value]
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else value
    except ValueError:
        return value


_DECODERS: dict[str, Callable[[Any], Any]] = {"float": _decode_float, "bytes": _decode_bytes}


def decode_rows(rows: list[dict[str, Any]], fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows of JSON values with the values of the fields brought back; unknown columns pass unchanged."""
    needed = {field["name"]: decoder(field) for field in fields if decoder(field) is not _same}
    if not needed:
        return rows
    return [{name: needed[name](value) if name in needed else value for name, value in row.items()} for row in rows]
