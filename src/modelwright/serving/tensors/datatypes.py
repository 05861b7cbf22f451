"""The datatypes of tensors, and which of them a field of a signature has.

Numbers keep their width. Text, bytes, dates, times and ``json`` are ``BYTES``: text in the form of
:mod:`modelwright.runtime.encoding`; bytes as they are in binary data, and base64 in JSON. A duration is a number of
seconds, ``FP64``.

Source: Open Inference Protocol v2, "Tensor Data Types"; ``BF16`` as Triton has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from modelwright.runtime.values import family_of


class Datatype(NamedTuple):
    """One datatype of tensors.

    Attributes:
        name: Its name in the protocol.
        family: ``bool``, ``int``, ``float`` or ``bytes``.
        size: Size of one element, bytes; 0: elements differ.
        code: Its letter in :mod:`struct`; empty if it has none.
    """

    name: str
    family: str
    size: int
    code: str


DATATYPES: Mapping[str, Datatype] = {
    name: Datatype(name, family, size, code)
    for name, family, size, code in (
        ("BOOL", "bool", 1, "?"),
        ("INT8", "int", 1, "b"),
        ("INT16", "int", 2, "h"),
        ("INT32", "int", 4, "i"),
        ("INT64", "int", 8, "q"),
        ("UINT8", "int", 1, "B"),
        ("UINT16", "int", 2, "H"),
        ("UINT32", "int", 4, "I"),
        ("UINT64", "int", 8, "Q"),
        ("FP16", "float", 2, "e"),
        ("BF16", "float", 2, ""),
        ("FP32", "float", 4, "f"),
        ("FP64", "float", 8, "d"),
        ("BYTES", "bytes", 0, ""),
    )
}
"""The datatypes by name."""

_NAMES = {"bool": "BOOL", "float16": "FP16", "float32": "FP32", "float64": "FP64", "duration": "FP64"}
_TAKEN = {"bool": ("bool",), "int": ("int", "float"), "float": ("int", "float"), "duration": ("int", "float")}


def datatype_of(field: Mapping[str, Any]) -> Datatype:
    """Return the datatype of a field's tensor.

    Example:
        >>> datatype_of({"datatype": "uint8"}).name, datatype_of({"datatype": "date"}).name
        ('UINT8', 'BYTES')
    """
    kind = field["datatype"]
    if family_of(kind) == "int":
        return DATATYPES[kind.upper()]
    return DATATYPES[_NAMES.get(kind, "BYTES")]


def takes(field: Mapping[str, Any], datatype: Datatype) -> bool:
    """Say whether values of a field may come in tensors of a datatype.

    A number may come in any datatype of numbers; whether a value fits is judged as everywhere: 3.0 is a whole number,
    and a whole number is fine where a float is declared.

    Example:
        >>> takes({"datatype": "float64"}, DATATYPES["INT32"]), takes({"datatype": "string"}, DATATYPES["INT32"])
        (True, False)
    """
    return datatype.family in _TAKEN.get(family_of(field["datatype"]), ("bytes",))


def is_number(field: Mapping[str, Any]) -> bool:
    """Say whether a field holds one number, or a tensor of numbers."""
    return family_of(field["datatype"]) in ("int", "float")
