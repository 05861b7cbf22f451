"""Put rows in an order in which neighbours take the same way through most trees.

Which branch a row takes is what a processor cannot guess, and a wrong guess costs more than the comparison. Rows are
sorted by which side of the most visited splits they are on; every row is answered by itself, so that the answers are
the same, and are put back in place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

FEWEST = 200
"""Fewer rows are not sorted."""

BITS = 16
"""So many splits, because sixteen bits are what NumPy sorts in one pass."""


RAREST = 32
"""Splits that fewer than one of so many training rows met are not looked at."""


class Ordering:
    """The splits by which rows are sorted, taken from trees.

    Args:
        trees: ``Tree`` objects of ``sklearn.tree``.
    """

    def __init__(self, trees: list[Any]) -> None:
        self._features, self._thresholds = _splits(trees)

    def answer(self, rows: Any, function: Callable[[Any], Any]) -> Any:
        """Return what a function answers for rows ``[n_rows, n_features]``, row by row."""
        if rows.shape[0] < FEWEST or not len(self._features):
            return function(rows)
        sides = rows.take(self._features, axis=1) > self._thresholds
        keys = np.packbits(sides, axis=1).view(">u2").ravel().astype(np.uint16)
        order = keys.argsort(kind="stable")
        found = function(rows.take(order, axis=0))
        answer = np.empty_like(found)
        answer[order] = found
        return answer


def _splits(trees: list[Any]) -> tuple[Any, Any]:
    """Return features and thresholds of the splits that most training rows met, one per feature and region."""
    weights: dict[tuple[int, float], float] = {}
    for tree in trees[:100]:
        met = tree.weighted_n_node_samples
        inner = (tree.children_left != -1) & (met * RAREST >= met[0])
        found = zip(tree.feature[inner].tolist(), tree.threshold[inner].tolist(), met[inner].tolist(), strict=True)
        for feature, threshold, weight in found:
            key = (feature, float(f"{threshold:.2g}"))
            weights[key] = weights.get(key, 0.0) + weight
    best = sorted(weights, key=lambda key: (-weights[key], key))[:BITS]
    if len(best) < BITS:
        best = best + best[:1] * (BITS - len(best)) if best else []
    features = np.array([feature for feature, _ in best], dtype=np.intp)
    return features, np.array([threshold for _, threshold in best], dtype=np.float32)
