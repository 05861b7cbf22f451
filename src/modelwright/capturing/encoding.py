"""How one value is written in a scenario, so that JSON holds it exactly.

NaN and ±infinity in float fields are the strings of protocol buffers' JSON mapping, missing is null, dates and times
are ISO 8601 text, durations are seconds, bytes are base64, tensors are nested lists.

For: :mod:`modelwright.capturing.table`, which writes sample rows. The runtime reads these values (and writes the
model's answers the same way); it does not import this module.

Source: protobuf, "ProtoJSON format" (``NaN``, ``Infinity``, ``-Infinity``, base64); ISO 8601 through ``isoformat``.
"""

from __future__ import annotations

import base64
import math
from typing import Any

import numpy as np

from modelwright.errors import SampleError
from modelwright.spec.signature import Datatype

MAX_DEPTH = 64
"""Deepest nesting of a ``json`` value; deeper ones (or cyclic ones) are refused."""


def encode(value: Any, datatype: Datatype, *, timezone: str | None = None) -> Any:
    """Return one value, not null, as JSON data.

    Args:
        value: A NumPy or Python scalar of the datatype, or an array of them.
        datatype: How the value is typed.
        timezone: Zone of a ``datetime``; its value is UTC and the text says so.

    Raises:
        SampleError: A ``json`` value that is no JSON.

    Example:
        >>> encode(float("-inf"), "float64"), encode(b"ab", "bytes"), encode(np.datetime64("2026-01-31"), "date")
        ('-Infinity', 'YWI=', '2026-01-31')
    """
    if isinstance(value, np.ndarray) and datatype != "json":
        return [encode(item, datatype, timezone=timezone) for item in value]
    if datatype.startswith("float"):
        return encode_float(float(value))
    if datatype == "datetime":
        return _datetime_text(np.datetime64(value)) + ("+00:00" if timezone else "")
    if datatype == "date":
        return str(np.datetime64(value, "D"))
    if datatype == "duration":
        return float(np.timedelta64(value) / np.timedelta64(1, "ns")) / 1e9
    if datatype == "bytes":
        return base64.b64encode(bytes(value)).decode("ascii")
    if datatype == "json":
        return plain(value)
    if datatype == "string":
        return str(value)
    return bool(value) if datatype == "bool" else int(value)


def encode_float(number: float) -> float | str:
    """Return a float, or the string that stands for it where JSON has no number.

    Example:
        >>> encode_float(0.5), encode_float(float("nan"))
        (0.5, 'NaN')
    """
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _datetime_text(moment: np.datetime64) -> str:
    micro = moment.astype("datetime64[us]")
    exact = moment if micro != moment else micro
    text = str(exact)
    return text.rstrip("0").rstrip(".") if "." in text else text


def plain(value: Any, *, depth: int = 0) -> Any:
    """Return any JSON-like value as plain Python data (NumPy scalars and arrays, tuples become lists).

    Raises:
        SampleError: Something JSON cannot hold; its type is named.

    Example:
        >>> plain({"a": (1, np.float32(0.5))})
        {'a': [1, 0.5]}
    """
    if depth > MAX_DEPTH:
        raise SampleError(f"A value is nested deeper than {MAX_DEPTH} levels.", hint="Give flat columns.")
    if isinstance(value, np.generic | np.ndarray):
        return plain(value.tolist(), depth=depth + 1)
    if isinstance(value, dict):
        if bad := next((key for key in value if not isinstance(key, str)), None):
            raise SampleError(f"A nested value has the key {bad!r}, and JSON keys are text.", hint="Convert the keys.")
        return {key: plain(item, depth=depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, depth=depth + 1) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise SampleError(
            "A nested value is NaN or infinite, and JSON holds neither.",
            hint="Give it a column of its own, or use None.",
        )
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise SampleError(
        f"A value of type {type(value).__qualname__} cannot be written as JSON.",
        hint="Use numbers, text, lists and dicts.",
    )
