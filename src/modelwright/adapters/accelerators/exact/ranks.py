"""Trees of boosting with histograms as trees of ``sklearn.tree``, whose kernel takes half the time.

That kernel compares ``float32`` and knows nothing of categories, so it gets ranks instead of values: of every feature,
how many of the thresholds of all its splits lie below the value. A value is at most a threshold exactly if its rank is
at most that of the threshold, and small whole numbers are the same in ``float32``. Where a missing value goes depends
on the split, so a feature whose splits disagree has two columns of ranks, in which what is missing comes first or last.
A split of categories has a column of its own: 0 goes left, 1 goes right.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .planning import Function
from .stages import adder, stage

MOST_COLUMNS = 400
"""With more different splits of categories, their columns cost more than is gained."""

MISSING = 256
"""The place of what is missing in a table of categories, which have at most 256 codes."""


class Ranks:
    """The columns of ranks, and where the splits of all trees look.

    Args:
        trees: The predictors of the library.
        known: Bits of the known categories ``[n_categorical, 8]``.
        places: The row in ``known`` of every feature.

    Attributes:
        width: Number of columns.
    """

    def __init__(self, trees: list[Any], known: Any, places: Any) -> None:
        self._thresholds = _thresholds(trees, len(places))
        self._columns: dict[tuple[Any, ...], int] = {}
        self._ranked: dict[int, dict[bool, int]] = {}
        self._tables: dict[int, list[tuple[int, Any]]] = {}
        self._known, self._places = known, places
        self.trees = [self._tree_of(tree) for tree in trees]
        self.width = len(self._columns)
        self._split = [
            (feature, np.array([column for column, _ in found]), np.array([table for _, table in found]))
            for feature, found in self._tables.items()
        ]
        self.feasible = sum(map(len, self._tables.values())) <= MOST_COLUMNS and self.width > 0

    def _tree_of(self, tree: Any) -> Any:
        """Return the nodes of a tree whose splits are of ranks, and its values."""
        from sklearn.tree._tree import NODE_DTYPE

        nodes = tree.nodes
        made = np.zeros(len(nodes), dtype=NODE_DTYPE)
        leaf = nodes["is_leaf"] == 1
        made["left_child"] = np.where(leaf, -1, nodes["left"].astype(np.int64))
        made["right_child"] = np.where(leaf, -1, nodes["right"].astype(np.int64))
        made["feature"], made["weighted_n_node_samples"] = -2, nodes["count"]
        for place in np.flatnonzero(~leaf).tolist():
            made["feature"][place], made["threshold"][place] = self._split_of(nodes[place], tree)
        return made, nodes["value"]

    def _split_of(self, node: Any, tree: Any) -> tuple[int, float]:
        """Return the column that a split looks at, and its threshold there."""
        feature, first = int(node["feature_idx"]), bool(node["missing_go_to_left"])
        if node["is_categorical"]:
            left = tree.raw_left_cat_bitsets[node["bitset_idx"]]
            key: tuple[Any, ...] = (feature, first, left.tobytes())
            if key not in self._columns:
                self._columns[key] = len(self._columns)
                table = _table(left, self._known[self._places[feature]], first=first)
                self._tables.setdefault(feature, []).append((self._columns[key], table))
            return self._columns[key], 0.5
        key = (feature, first)
        if key not in self._columns:
            self._columns[key] = len(self._columns)
            self._ranked.setdefault(feature, {})[first] = self._columns[key]
        return self._columns[key], float(self._thresholds[feature].searchsorted(node["num_threshold"]))

    def of(self, rows: Any) -> Any:
        """Return the ranks ``[n_rows, width]`` of ``float64`` rows, as ``float32``, row by row in memory."""
        ranks = np.empty((rows.shape[0], self.width), dtype=np.float32)
        for feature, columns in self._ranked.items():
            values = rows[:, feature]
            places = self._thresholds[feature].searchsorted(values)  # NaN comes last
            if False in columns:
                ranks[:, columns[False]] = places
            if True in columns:
                places[np.isnan(values)] = -1
                ranks[:, columns[True]] = places
        for feature, split, tables in self._split:
            values = rows[:, feature]
            missing = ~(values >= 0)
            codes = np.where(missing, MISSING, values).astype(np.intp)
            ranks[:, split] = tables.take(codes, axis=1, mode="clip").T
        return ranks


def _thresholds(trees: list[Any], features: int) -> list[Any]:
    """Return the different thresholds of every feature, sorted."""
    nodes = np.concatenate([tree.nodes for tree in trees])
    nodes = nodes[(nodes["is_leaf"] == 0) & (nodes["is_categorical"] == 0)]
    return [np.unique(nodes["num_threshold"][nodes["feature_idx"] == feature]) for feature in range(features)]


def _table(left: Any, known: Any, *, first: bool) -> Any:
    """Return the side of every code of a category, and of what is missing: 0 is left, 1 is right."""
    codes = np.arange(256)
    in_left = (left[codes // 32] >> (codes % 32).astype(np.uint32)) & 1
    in_known = (known[codes // 32] >> (codes % 32).astype(np.uint32)) & 1
    side = np.where(in_left == 1, 0.0, np.where(in_known == 1, 1.0, 0.0 if first else 1.0))
    return np.append(side, 0.0 if first else 1.0).astype(np.float32)


def ranked(predictors: list[list[Any]], known: Any, places: Any) -> tuple[Ranks, Function, list[Any]] | None:
    """Return ranks, a function that adds all trees to scores, and the trees; ``None`` if it would not be sooner.

    Args:
        predictors: The predictors of every iteration.
        known: Bits of the known categories.
        places: The row in ``known`` of every feature.
    """
    ranks = Ranks([tree for iteration in predictors for tree in iteration], known, places)
    if not ranks.feasible:
        return None
    made = [stage(nodes, values, ranks.width) for nodes, values in ranks.trees]
    outputs = len(predictors[0])
    add = adder([made[first : first + outputs] for first in range(0, len(made), outputs)])
    return ranks, add, [one.tree_ for one in made]
