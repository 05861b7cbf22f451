"""Which values of an answer are watched for drift, and how one of them is read from it.

:mod:`.windows` reads one value per output and request: that of the first row. Rows of one request are often about one
thing, so that counting them all would take a request of 1,000 rows for a change of the model.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from modelwright.serving.inference import Values

Kind = Literal["number", "label", "largest"]
"""A number; a label; or the position of the largest number, in a row of numbers per class."""

_CODES = {
    "float64": "d",
    "float32": "f",
    "float16": "e",
    "int64": "q",
    "int32": "i",
    "int16": "h",
    "int8": "b",
    "uint64": "Q",
    "uint32": "I",
    "uint16": "H",
    "uint8": "B",
    "bool": "?",
}

_ROW, _NUMBER = (list, tuple), (int, float)


class Watched(NamedTuple):
    """One value of an answer that is watched.

    Attributes:
        output: Name of the output.
        kind: What it is taken for.
    """

    output: str
    kind: Kind


def watched_of(outputs: Iterable[Mapping[str, Any]]) -> tuple[Watched, ...]:
    """Return what is watched of the outputs of a signature.

    A number is watched as a number; text, a truth value or a declared category as a label; of one number per class the
    last one if there are two classes (the probability of the second), else which is the largest. Other outputs
    (``json``, bytes, times, arrays of more than one axis) are not watched.

    Args:
        outputs: Outputs as plain data, as :attr:`Contract.signature <..contract.Contract.signature>` has them.

    Example:
        >>> watched_of([{"name": "churns", "datatype": "bool"}, {"name": "p", "datatype": "float64", "shape": [2]}])
        (Watched(output='churns', kind='label'), Watched(output='p', kind='number'))
    """
    return tuple(Watched(output["name"], kind) for output in outputs if (kind := _kind(output)) is not None)


def _kind(output: Mapping[str, Any]) -> Kind | None:
    datatype, shape = output["datatype"], tuple(output.get("shape") or ())
    if len(shape) > 1 or datatype in ("json", "bytes", "date", "datetime", "duration"):
        return None
    if shape:
        return "largest" if len(output.get("labels") or ()) > 2 else "number" if datatype != "string" else None
    labelled = output.get("categories") is not None or datatype in ("string", "bool")
    return "label" if labelled else "number"


def first_value(values: Values, kind: Kind) -> Any:
    """Return the watched value of the first row: a number, or a label; ``None`` if there is none.

    Example:
        >>> first_value(Values([[0.2, 0.8], [0.6, 0.4]]), "number"), first_value(Values(["yes"]), "label")
        (0.8, 'yes')
    """
    data = values.data
    if not data:
        return None
    value = data[0] if isinstance(data, list) else _unpacked(data, values.dtype, values.shape)
    if isinstance(value, _ROW):
        if not value or (kind == "largest" and not all(isinstance(one, _NUMBER) for one in value)):
            return None  # missing, or no number, of which lists hold the name: "NaN"
        value = max(range(len(value)), key=value.__getitem__) if kind == "largest" else value[-1]
    return value if kind != "number" or isinstance(value, _NUMBER) else None


def _unpacked(data: memoryview, dtype: str, shape: tuple[int, ...]) -> Any:
    layout = _layout(dtype, shape)
    if layout is None or data.nbytes < layout.size:
        return None
    row = layout.unpack_from(data)
    return row if shape else row[0]


@lru_cache(maxsize=256)
def _layout(dtype: str, shape: tuple[int, ...]) -> struct.Struct | None:
    if dtype not in _CODES or len(shape) > 1:
        return None
    return struct.Struct(f"={shape[0] if shape else 1}{_CODES[dtype]}")


def first_rows(values: Values | list[Any], limit: int) -> list[Any]:
    """Return the first rows as Python values; a row of several numbers is a sequence. Empty if it cannot be read.

    Args:
        values: The values of an output.
        limit: At most so many rows.
    """
    data = values if isinstance(values, list) else values.data
    if isinstance(data, list) or not isinstance(values, Values):
        return list(data[:limit])
    width, code = math.prod(values.shape), _CODES.get(values.dtype)
    if code is None or not width:
        return []
    rows = min(limit, data.nbytes // (width * struct.calcsize(f"={code}")))
    flat = struct.unpack_from(f"={rows * width}{code}", data)
    return [flat[start : start + width] for start in range(0, len(flat), width)] if values.shape else list(flat)
