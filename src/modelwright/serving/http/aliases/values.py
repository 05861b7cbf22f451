"""Write the values of outputs as other servers do: plain lists, without the labels of classes.

Called by :mod:`.mlflow` and :mod:`.tfserving`.
"""

from __future__ import annotations

from typing import Any

from modelwright.runtime.encoding import encode
from modelwright.runtime.values import family_of
from modelwright.serving.answering.outputs import lists
from modelwright.serving.inference import Answer


def plain(output: dict[str, Any], answer: Answer) -> list[Any]:
    """Return one JSON value per row of an output; floats that are not finite are text, missing is null."""
    values = lists(answer.outputs[output["name"]])
    return encode(values) if family_of(output["datatype"]) in ("float", "json") else values


def row_objects(columns: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """Return one object per row.

    Example:
        >>> row_objects({"a": [1, 2], "b": [3, 4]})
        [{'a': 1, 'b': 3}, {'a': 2, 'b': 4}]
    """
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
