"""Many trees as one: a kernel call for a handful of rows instead of one per tree.

A call of a kernel costs about a microsecond, whatever the number of rows; a forest of a hundred trees costs a hundred.
So the nodes of all trees are put behind one another, below a few nodes that send a row to its tree by one more feature,
the number of the tree; every row is written once per tree. The comparisons a row meets in its tree are the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np

MOST_NODES = 250_000
"""Larger forests are not put together, because of the memory that it takes: 64 bytes a node, twice."""

MOST_CELLS = 30_000
"""Numbers written per call at most; above it, a call per tree is cheaper."""


def routes(count: int) -> list[tuple[int, int, float]]:
    """Return the nodes that send a row to one of several trees by its number: left, right, threshold.

    A child below zero is the tree ``-child - 1``; the first node is the root.

    Example:
        >>> routes(3)
        [(1, -3, 1.5), (-1, -2, 0.5)]
    """
    nodes: list[tuple[int, int, float]] = []

    def grow(low: int, high: int) -> int:
        if high - low == 1:
            return -low - 1
        place, middle = len(nodes), (low + high + 1) // 2
        nodes.append((0, 0, 0.0))
        nodes[place] = (grow(low, middle), grow(middle, high), middle - 0.5)
        return place

    grow(0, count)
    return nodes


def joined(parts: list[Any], route: list[tuple[int, int, float]], names: tuple[str, str], is_leaf: Any) -> Any:
    """Return the nodes of all trees behind the routes, with the places of children moved accordingly.

    Args:
        parts: Nodes of every tree, structured arrays.
        route: The routes.
        names: Names of the fields of the left and of the right child.
        is_leaf: Says which nodes of an array are leaves.
    """
    starts = np.cumsum([len(route), *(len(part) for part in parts)])
    whole = np.zeros(starts[-1], dtype=parts[0].dtype)
    for start, part in zip(starts, parts, strict=False):
        moved = part.copy()
        inner = ~is_leaf(part)
        for name in names:
            moved[name][inner] += part.dtype[name].type(start)
        whole[start : start + len(part)] = moved
    for place, (left, right, _) in enumerate(route):
        for name, child in zip(names, (left, right), strict=True):
            whole[name][place] = child if child >= 0 else starts[-child - 1]
    return whole, starts[:-1]


def repeated(rows: Any, numbers: Any) -> Any:
    """Return rows ``[n_trees * n_rows, n_features + 1]``: all rows for the first tree, for the second, and so on.

    Args:
        rows: The rows.
        numbers: The numbers of the trees ``[n_trees, 1]``.
    """
    size, width = rows.shape
    count = len(numbers)
    many = np.empty((count, size, width + 1), dtype=rows.dtype)
    many[:, :, :width] = rows
    many[:, :, width] = numbers
    return many.reshape(count * size, width + 1)


def added(parts: Any, start: Any) -> Any:
    """Return ``start`` plus all parts ``[n_parts, n_rows, n_outputs]``, one after the other.

    NumPy adds pairwise what is contiguous, so that the last bits would differ; accumulating is never pairwise.

    Args:
        parts: What to add.
        start: What to begin with ``[n_rows, n_outputs]``, or a number.
    """
    first = parts[0]
    np.add(start, first, out=first)
    if first.size > 1:
        return np.add.reduce(parts, axis=0)
    return np.add.accumulate(parts.ravel())[-1:].reshape(1, 1)


class Grove:
    """Trees of ``sklearn.tree`` as one.

    Args:
        trees: Their ``Tree`` objects, all of the same features.

    Attributes:
        starts: Where in the grove the nodes of every tree start.
    """

    def __init__(self, trees: list[Any]) -> None:
        from sklearn.tree._tree import Tree

        states = [tree.__getstate__() for tree in trees]
        route = routes(len(trees))
        nodes, self.starts = joined(
            [state["nodes"] for state in states],
            route,
            ("left_child", "right_child"),
            lambda part: part["left_child"] == -1,
        )
        width = trees[0].n_features
        for place, (_, _, threshold) in enumerate(route):
            nodes["feature"][place], nodes["threshold"][place] = width, threshold
        self._numbers = np.arange(len(trees), dtype=np.float32)[:, np.newaxis]
        self._tree = Tree(width + 1, np.array([1], dtype=np.intp), 1)
        deepest = max(state["max_depth"] for state in states) + len(trees).bit_length()
        values = np.zeros((len(nodes), 1, 1))
        self._tree.__setstate__({"max_depth": deepest, "node_count": len(nodes), "nodes": nodes, "values": values})

    def leaves(self, rows: Any) -> Any:
        """Return the leaf of every row in every tree, as a place in the grove ``[n_trees * n_rows]``, tree by tree."""
        return self._tree.apply(repeated(rows, self._numbers))

    def fits(self, rows: Any) -> bool:
        """Say whether so many rows are sooner answered by the grove than tree by tree."""
        return bool((rows.shape[1] + 1) * rows.shape[0] * len(self._numbers) <= MOST_CELLS and rows.shape[0] <= 64)


def grove_of(trees: list[Any]) -> Grove | None:
    """Return trees as one; ``None`` if they are too large, or differ in their features."""
    if sum(tree.node_count for tree in trees) > MOST_NODES or len({tree.n_features for tree in trees}) != 1:
        return None
    return Grove(trees)


def grove_values(grove: Grove, values: list[Any]) -> Any:
    """Return the values of a grove's nodes ``[n_nodes, n_outputs]``; those of its routes are never asked for.

    Args:
        grove: The grove.
        values: Values of the nodes of every tree.
    """
    whole = np.zeros((grove.starts[-1] + len(values[-1]), values[0].shape[1]))
    for start, part in zip(grove.starts, values, strict=True):
        whole[start : start + len(part)] = part
    return whole
