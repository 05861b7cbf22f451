"""How far two answers to one row are apart: as numbers, as labels, or only whether they are the same. Pure.

Called by :mod:`.shadow`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from modelwright.runtime.scenarios import is_close
from modelwright.serving.rollout.sketches import LARGEST

_ROW, _NUMBER = (list, tuple), (int, float)


class Difference(NamedTuple):
    """How two answers to one row differ.

    Attributes:
        differs: Whether they do, beyond the tolerance.
        size: How far numbers are apart, the largest of a row of them; ``None`` for anything else, or if one is missing.
        labels: Both labels, if they are labels (or the likeliest classes) and not the same.
    """

    differs: bool
    size: float | None = None
    labels: tuple[str, str] | None = None


def comparison_of(output: Mapping[str, Any]) -> Callable[[Any, Any], Difference]:
    """Return how two answers of one output are compared.

    Args:
        output: The output as plain data, with its datatype, shape, categories, labels and tolerances.

    Example:
        >>> compare = comparison_of({"name": "p", "datatype": "float64", "shape": [2], "labels": ["no", "yes"]})
        >>> compare([0.75, 0.25], [0.25, 0.75])
        Difference(differs=True, size=0.5, labels=('no', 'yes'))
    """
    tolerance = (output.get("rtol", 0.0), output.get("atol", 0.0))
    datatype = output["datatype"]
    if output.get("labels"):
        return partial(_classes, labels=tuple(map(str, output["labels"])), tolerance=tolerance)
    if datatype in ("string", "bool") or output.get("categories") is not None:
        return _labels
    if datatype.startswith(("int", "uint", "float")):
        return partial(_numbers, tolerance=tolerance)
    return partial(_anything, tolerance=tolerance)


def _labels(answered: Any, shadow: Any) -> Difference:
    same = answered == shadow
    return Difference(not same, labels=None if same else (str(answered), str(shadow)))


def _numbers(answered: Any, shadow: Any, *, tolerance: tuple[float, float]) -> Difference:
    if isinstance(answered, _ROW) or isinstance(shadow, _ROW):
        return _rows(answered, shadow, tolerance=tolerance)
    lacks = [value is None or value != value for value in (answered, shadow)]
    if any(lacks):
        return Difference(not all(lacks))
    if answered == shadow:
        return Difference(False, 0.0)
    if not (isinstance(answered, _NUMBER) and isinstance(shadow, _NUMBER)):
        return Difference(True)
    size = math.fabs(shadow - answered)
    if math.isinf(size):
        return Difference(True, LARGEST)
    return Difference(size > tolerance[1] + tolerance[0] * math.fabs(answered), min(size, LARGEST))


def _rows(answered: Any, shadow: Any, *, tolerance: tuple[float, float]) -> Difference:
    if not (isinstance(answered, _ROW) and isinstance(shadow, _ROW) and len(answered) == len(shadow)):
        return Difference(True)
    found = [_numbers(mine, other, tolerance=tolerance) for mine, other in zip(answered, shadow, strict=True)]
    sizes = [one.size for one in found if one.size is not None]
    return Difference(any(one.differs for one in found), max(sizes, default=None))


def _classes(answered: Any, shadow: Any, *, labels: tuple[str, ...], tolerance: tuple[float, float]) -> Difference:
    found = _numbers(answered, shadow, tolerance=tolerance)
    likeliest = _likeliest(answered, labels), _likeliest(shadow, labels)
    return found if likeliest[0] == likeliest[1] else found._replace(labels=likeliest)


def _likeliest(row: Any, labels: Sequence[str]) -> str:
    if not isinstance(row, _ROW) or len(row) != len(labels) or any(one is None or isinstance(one, _ROW) for one in row):
        return "(none)"
    return labels[max(range(len(row)), key=row.__getitem__)]


def _anything(answered: Any, shadow: Any, *, tolerance: tuple[float, float]) -> Difference:
    return Difference(not is_close(shadow, answered, tolerance))
