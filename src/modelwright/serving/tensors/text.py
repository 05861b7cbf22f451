"""What the elements of ``BYTES`` tensors stand for: text, bytes, dates, times, JSON.

Called by :mod:`.reading` and :mod:`.writing`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from modelwright.runtime.errors import Problem
from modelwright.runtime.validation import LIMIT
from modelwright.runtime.values import family_of
from modelwright.serving.tensors.elements import FlawedTensor
from modelwright.serving.tensors.tensor import Tensor


def decode_text(field: dict[str, Any], tensor: Tensor) -> list[Any]:
    """Return the values that the elements of a tensor stand for; what dates and times mean is judged later.

    Raises:
        FlawedTensor: Some elements are no UTF-8, no base64 or no JSON.
    """
    decode: Callable[[Any], Any] = _DECODERS.get(family_of(field["datatype"]), _text)
    try:
        return [None if element is None else decode(element) for element in tensor.elements]
    except ValueError:
        raise FlawedTensor(_problems(tensor, decode)) from None


def _problems(tensor: Tensor, decode: Callable[[Any], Any]) -> list[Problem]:
    found = []
    for place, element in enumerate(tensor.elements):
        try:
            if element is not None:
                decode(element)
        except UnicodeDecodeError:
            found.append(Problem(place // tensor.row_size, tensor.name, "is no UTF-8", "encode text as UTF-8"))
        except ValueError as error:
            found.append(Problem(place // tensor.row_size, tensor.name, str(error)))
        if len(found) == LIMIT:
            break
    return found


def _text(element: Any) -> str:
    return element.decode() if isinstance(element, bytes) else str(element)


def _bytes(element: Any) -> bytes:
    if isinstance(element, bytes):
        return element
    try:
        return base64.b64decode(element, validate=True)
    except ValueError:
        raise ValueError(
            f"{element!r:.60} is no base64; bytes are base64 in JSON, and as they are in binary data"
        ) from None


def _json(element: Any) -> Any:
    try:
        return msgspec.json.decode(_text(element))
    except (msgspec.DecodeError, RecursionError):
        raise ValueError(f"{element!r:.60} is no JSON") from None


_DECODERS: dict[str, Callable[[Any], Any]] = {"bytes": _bytes, "json": _json}


def encode_text(field: Mapping[str, Any], value: Any) -> str | None:
    """Return a JSON-able value of a field as text; a missing one stays missing, but in JSON it is a value.

    Example:
        >>> encode_text({"datatype": "string"}, "yes"), encode_text({"datatype": "json"}, {"a": 1})
        ('yes', '{"a":1}')
    """
    if family_of(field["datatype"]) == "json":
        return msgspec.json.encode(value).decode()
    return value if isinstance(value, str | None) else str(value)


def encode_bytes(field: Mapping[str, Any], text: str) -> bytes:
    """Return the text of an element as bytes; what JSON holds as base64 are the bytes themselves.

    Example:
        >>> encode_bytes({"datatype": "bytes"}, "aGk="), encode_bytes({"datatype": "string"}, "hi")
        (b'hi', b'hi')
    """
    return base64.b64decode(text) if family_of(field["datatype"]) == "bytes" else text.encode()
