"""Give an answer's values as plain lists, records or columns, as the runtime gives them to who uses the package.

For: :mod:`.writer` and the doors of other protocols. A record holds a dict from label to value where an output has
class labels; columns are flat, named like a frame's (``probability_yes``). It writes no bytes.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from modelwright.runtime.encoding import encode
from modelwright.runtime.returning import flat_names
from modelwright.runtime.values import family_of
from modelwright.serving.contract import Contract
from modelwright.serving.inference import Answer, Values

Output = dict[str, Any]

_CODES = {
    "bool": "?",
    "int8": "b",
    "int16": "h",
    "int32": "i",
    "int64": "q",
    "uint8": "B",
    "uint16": "H",
    "uint32": "I",
    "uint64": "Q",
    "float16": "e",
    "float32": "f",
    "float64": "d",
}
"""Format of the ``struct`` module per datatype of an array."""


def lists(values: Values) -> list[Any]:
    """Return one Python value per row; a row of several numbers is a list, or lists within one another.

    Example:
        >>> from array import array
        >>> lists(Values(memoryview(array("d", [0.25, 0.75, 0.5, 0.5])), "float64", (2,)))
        [[0.25, 0.75], [0.5, 0.5]]
    """
    if isinstance(values.data, list):
        return values.data
    code: Any = _CODES[values.dtype]
    flat: Any = values.data.cast("B")
    if not flat.nbytes:
        return []
    if code == "e":  # a memory view knows no halves
        return _folded([number for (number,) in struct.iter_unpack("=e", flat)], values.shape)
    if not values.shape:
        numbers: list[Any] = flat.cast(code).tolist()
        return numbers
    size = flat.nbytes // (math.prod(values.shape) * struct.calcsize(code))
    rows: list[Any] = flat.cast(code, (size, *values.shape)).tolist()
    return rows


def _folded(numbers: list[Any], shape: tuple[int, ...]) -> list[Any]:
    for length in reversed(shape):
        numbers = [numbers[start : start + length] for start in range(0, len(numbers), length)]
    return numbers


def records(contract: Contract, answer: Answer, methods: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return one dict of JSON values per row, from output to value.

    Args:
        contract: Of the package that answered.
        answer: What it answered.
        methods: Whose outputs are wanted.
    """
    plan = _plan(contract, methods)
    if len(plan) == 1 and not plan[0].loose and not plan[0].labels:  # as nearly every answer
        name = plan[0].name
        return [{name: value} for value in lists(answer.outputs[name])]
    columns = [one.labelled(one.jsonable(answer.outputs[one.name])) for one in plan]
    names = [one.name for one in plan]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def columns(contract: Contract, answer: Answer, methods: tuple[str, ...]) -> dict[str, list[Any]]:
    """Return a list of JSON values per flat column.

    Args:
        contract: Of the package that answered.
        answer: What it answered.
        methods: Whose outputs are wanted.
    """
    flat: dict[str, list[Any]] = {}
    for one in _plan(contract, methods):
        flat |= _flat(one.output, one.jsonable(answer.outputs[one.name]))
    return flat


def python_columns(contract: Contract, answer: Answer, methods: tuple[str, ...]) -> dict[str, list[Any]]:
    """Return the same as :func:`columns`, numbers as they are: NaN stays NaN."""
    flat: dict[str, list[Any]] = {}
    for output in _chosen(contract, methods):
        flat |= _flat(output, lists(answer.outputs[output["name"]]))
    return flat


def flat_fields(contract: Contract, methods: tuple[str, ...]) -> list[Output]:
    """Return, per flat column, what its values are: name, datatype, and shape if they are tensors."""
    fields: list[Output] = []
    for output in _chosen(contract, methods):
        names = flat_names(output)
        shape = output.get("shape", ()) if names == [output["name"]] else ()
        fields += [{**output, "name": name, "shape": shape} for name in names]
    return fields


def _chosen(contract: Contract, methods: tuple[str, ...]) -> Iterator[Output]:
    for method in methods:
        yield from contract.outputs[method]


class _Written(NamedTuple):
    """How one output is written, worked out once.

    Attributes:
        output: The output, as plain data.
        name: Its name.
        loose: Whether its values must be looked at: they may not be finite, or may be anything.
        labels: Class labels along its one axis; empty: it has none.
    """

    output: Output
    name: str
    loose: bool
    labels: tuple[str, ...]

    def jsonable(self, values: Values) -> list[Any]:
        """Return values as JSON can hold them."""
        listed = lists(values)
        return [encode(value) for value in listed] if self.loose else listed

    def labelled(self, values: list[Any]) -> list[Any]:
        """Return a dict from label to value per row, where there are labels."""
        if not self.labels:
            return values
        return [None if row is None else dict(zip(self.labels, row, strict=True)) for row in values]


@lru_cache(maxsize=256)
def _plan(contract: Contract, methods: tuple[str, ...]) -> tuple[_Written, ...]:
    return tuple(map(_written, _chosen(contract, methods)))


def _written(output: Output) -> _Written:
    family = family_of(output["datatype"])
    loose = family == "json" or (family == "float" and bool(output.get("nullable") or output.get("infinite")))
    labels = tuple(map(str, output.get("labels") or ())) if len(output.get("shape", ())) == 1 else ()
    return _Written(output, output["name"], loose, labels)


def _flat(output: Output, values: list[Any]) -> dict[str, list[Any]]:
    names = flat_names(output)
    if names == [output["name"]]:
        return {names[0]: values}
    return {name: [row[place] for row in values] for place, name in enumerate(names)}
