"""The plan of polynomial features: products of columns, each from one that is there already."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .arrays import finite, floats, shaped
from .kernels import over_arrays
from .planning import Given, Plan, Planner


class _Product(NamedTuple):
    """Columns ``[start, end)`` times a feature, written from ``place`` on."""

    start: int
    end: int
    feature: int
    place: int


def polynomial(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan polynomial features.

    Source: ``sklearn.preprocessing.PolynomialFeatures.transform``, whose order of products this is.
    """
    if step._max_degree == 0 or step._min_degree > 1:
        return None
    width, total, order = step.n_features_in_, step._n_out_full, step.order
    first = 1 if step.include_bias else 0
    products = _products(width, step._max_degree, first, distinct=step.interaction_only)

    def transform(rows: Any) -> Any:
        rows = np.asfortranarray(finite(floats(shaped(rows, width))))
        answer = np.empty((rows.shape[0], total), dtype=rows.dtype, order=order)
        if first:
            answer[:, 0] = 1
        answer[:, first : first + width] = rows
        for start, end, feature, place in products:
            np.multiply(
                answer[:, start:end],
                rows[:, feature : feature + 1],
                out=answer[:, place : place + end - start],
                casting="no",
            )
        return answer

    return over_arrays(step, given, {"transform": transform})


def _products(width: int, degree: int, first: int, *, distinct: bool) -> list[_Product]:
    """Return the products in their order, degree by degree.

    Example:
        >>> _products(2, 2, 1, distinct=False)
        [_Product(start=1, end=3, feature=0, place=3), _Product(start=2, end=3, feature=1, place=5)]
    """
    found: list[_Product] = []
    index, place = [*range(first, first + width), first + width], first + width
    for _ in range(2, degree + 1):
        following: list[int] = []
        end = index[-1]
        for feature in range(width):
            start = index[feature]
            following.append(place)
            if distinct:
                start += index[feature + 1] - index[feature]
            if end <= start:
                break
            found.append(_Product(start, end, feature, place))
            place += end - start
        following.append(place)
        index = following
    return found
