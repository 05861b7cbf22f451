"""The library's kernel that adds up trees, for trees that are not stages of boosting.

It adds the value of a leaf of every tree to the scores of every row, tree by tree, all in one call, which is what a
forest does by a call per tree. It takes one number per leaf, so that trees of several classes are copied, one for each;
and it knows no missing values.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from .groves import MOST_NODES
from .planning import Function

MOST_OUTPUTS = 4
"""With more numbers per leaf, going through a tree for each costs more than it saves."""


def stage(nodes: Any, values: Any, width: int) -> SimpleNamespace:
    """Return a tree of one number per leaf, in what the kernel takes for an estimator.

    Args:
        nodes: Its nodes, as ``sklearn.tree`` has them.
        values: Their numbers ``[n_nodes]``.
        width: Number of features.
    """
    from sklearn.tree._tree import Tree

    tree = Tree(width, np.array([1], dtype=np.intp), 1)
    state = {"max_depth": 0, "node_count": len(nodes), "nodes": nodes}
    tree.__setstate__({**state, "values": np.ascontiguousarray(values).reshape(-1, 1, 1)})
    return SimpleNamespace(tree_=tree)


def adder(stages: list[list[Any]]) -> Function:
    """Return a function that adds stages ``[n_trees][n_outputs]`` to scores, given ``(rows, scores)``."""
    from sklearn.ensemble._gradient_boosting import predict_stages

    array = np.empty((len(stages), len(stages[0])), dtype=object)
    for place, outputs in enumerate(stages):
        array[place, :] = outputs
    return lambda both: predict_stages(array, both[0], 1.0, both[1])


def totals(estimators: list[Any], outputs: int) -> Function | None:
    """Return a function from ``float32`` rows without NaN to the sum of trees ``[n_rows, outputs]``.

    Args:
        estimators: Trees of ``sklearn.tree``.
        outputs: Numbers per leaf.

    Returns:
        ``None`` if copies of the trees would be too many or too large.
    """
    trees = [one.tree_ for one in estimators]
    if outputs == 1:
        add = adder([[one] for one in estimators])
    elif outputs > MOST_OUTPUTS or outputs * sum(tree.node_count for tree in trees) > MOST_NODES:
        return None
    else:
        add = adder([_copies(tree, outputs) for tree in trees])

    def summed(rows: Any) -> Any:
        total = np.zeros((rows.shape[0], outputs))
        add((np.ascontiguousarray(rows), total))
        return total

    return summed


def _copies(tree: Any, outputs: int) -> list[SimpleNamespace]:
    """Return a tree once per number in its leaves."""
    nodes, values = tree.__getstate__()["nodes"], tree.value.reshape(tree.node_count, -1)
    return [stage(nodes, values[:, place], tree.n_features) for place in range(outputs)]
