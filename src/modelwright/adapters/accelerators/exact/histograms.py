"""Plans of boosting with histograms: trees of their own kind, whose comparisons are of ``float64``.

The library calls its kernel once per tree, each time with all threads. A handful of rows goes through all trees at once
(:mod:`.groves`), more as ranks through a kernel that takes less time (:mod:`.ranks`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .arrays import shaped
from .categories import column_taker, translators
from .groves import MOST_CELLS, MOST_NODES, added, joined, repeated, routes
from .kernels import over_arrays
from .links import classifying
from .ordering import Ordering
from .planning import Function, Given, Plan, Planner
from .ranks import ranked
from .tables import array_maker, has_names, is_nan


def hist_classifier(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan a classifier."""
    methods = classifying(_raw(step), step._loss, step.classes_, positive=lambda scores: scores > 0)
    return _planned(step, given, methods)


def hist_regressor(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan a regressor."""
    raw, inverse = _raw(step), step._loss.link.inverse
    return _planned(step, given, {"predict": lambda rows: inverse(raw(rows).ravel())})


def _planned(step: Any, given: Given, methods: dict[str, Function]) -> Plan | None:
    """Return the plan of methods that take ``float64`` rows, categories first if there are some."""
    width = step.n_features_in_
    encoder = getattr(step, "_preprocessor", None)
    if encoder is None:

        def numbers(rows: Any) -> Any:
            return shaped(rows, width).astype(np.float64, copy=False)

        return over_arrays(step, given, {name: _after(numbers, method) for name, method in methods.items()})
    encoded = _encoded(step, given)
    if encoded is None or not has_names(step, given):
        return None
    return Plan({name: _after(encoded, method) for name, method in methods.items()})


def _after(first: Function, second: Function) -> Function:
    return lambda rows: second(first(rows))


def _encoded(step: Any, given: Given) -> Function | None:
    """Return a function that puts the codes of categories before the numbers, as the library's preprocessor does."""
    if given.form not in ("frame", "array"):
        return None
    codes = np.flatnonzero(step.is_categorical_).tolist()
    numbers = np.flatnonzero(~step.is_categorical_).tolist()
    categories = step._preprocessor.named_transformers_["encoder"].categories_
    lookups = [[*_codes(known), np.nan] for known in categories]
    columns = translators(categories, lookups, _some(given, codes))
    array = array_maker(_some(given, numbers)) if given.form == "frame" and numbers else None
    if columns is None or (given.form == "frame" and numbers and array is None):
        return None
    width = len(codes) + len(numbers)
    take = column_taker(given, width)

    def encoded(rows: Any) -> Any:
        values = take(rows)
        answer = np.empty((len(values[0]), width))
        for place, (column, source) in enumerate(zip(columns, codes, strict=True)):
            answer[:, place] = column(values[source])
        if array is not None:
            answer[:, len(codes) :] = array([values[place] for place in numbers])
        elif numbers:
            answer[:, len(codes) :] = values[numbers].T
        return answer

    return encoded


def _some(given: Given, places: list[int]) -> Given:
    """Return what is given in some of the columns."""
    return Given(given.form, tuple(given.fields[place] for place in places) if given.fields else ())


def _codes(categories: Any) -> list[float]:
    """Return the codes of categories; NaN among them stays NaN."""
    return [np.nan if is_nan(one) else float(code) for code, one in enumerate(categories)]


def _raw(step: Any) -> Function:
    """Return the raw scores of ``float64`` rows ``[n_rows, n_trees_per_iteration]``."""
    bitsets, places = step._bin_mapper.make_known_categories_bitsets()
    trees = [tree for iteration in step._predictors for tree in iteration]
    small = bool(trees) and sum(len(tree.nodes) for tree in trees) <= MOST_NODES
    grove = _grove(step, trees, bitsets, places) if small else None
    many = (_by_ranks(step, bitsets, places) if small else None) or _tree_by_tree(step, bitsets, places)
    baseline, outputs = step._baseline_prediction, step.n_trees_per_iteration_

    def raw(rows: Any) -> Any:
        size = rows.shape[0]
        scores = np.zeros((size, outputs), dtype=baseline.dtype, order="F")
        scores += baseline
        if grove is not None and size <= 64 and size * len(trees) * (rows.shape[1] + 1) <= MOST_CELLS:
            return np.asfortranarray(added(grove(rows), scores))
        return many(rows, scores)

    return raw


def _tree_by_tree(step: Any, bitsets: Any, places: Any) -> Callable[[Any, Any], Any]:
    """Return a function that adds all trees to scores by the library's own kernel, in one thread."""
    from sklearn.ensemble._hist_gradient_boosting._predictor import _predict_from_raw_data as kernel

    def add(rows: Any, scores: Any) -> Any:
        one = np.empty(rows.shape[0])
        for iteration in step._predictors:
            for place, tree in enumerate(iteration):
                kernel(tree.nodes, rows, tree.raw_left_cat_bitsets, bitsets, places, 1, one)
                scores[:, place] += one
        return scores

    return add


def _by_ranks(step: Any, bitsets: Any, places: Any) -> Callable[[Any, Any], Any] | None:
    """Return a function that does the same by ranks, in an order in which neighbours take the same way."""
    found = ranked(step._predictors, bitsets, places)
    if found is None:
        return None
    ranks, add, trees = found
    ordering, baseline = Ordering(trees), step._baseline_prediction

    def one_by_one(rows: Any) -> Any:
        scores = np.zeros((rows.shape[0], len(step._predictors[0])), dtype=baseline.dtype, order="F")
        scores += baseline
        add((rows, scores))
        return scores

    return lambda rows, _scores: ordering.answer(ranks.of(rows), one_by_one)


def _grove(step: Any, trees: list[Any], bitsets: Any, places: Any) -> Function:
    """Return a function to the values of all trees ``[n_iterations, n_rows, n_trees_per_iteration]`` in one call."""
    from sklearn.ensemble._hist_gradient_boosting._predictor import _predict_from_raw_data as kernel

    route = routes(len(trees))
    nodes, starts = joined([tree.nodes for tree in trees], route, ("left", "right"), lambda part: part["is_leaf"] == 1)
    width, offset = len(places), 0
    for place, (_, _, threshold) in enumerate(route):
        nodes["feature_idx"][place], nodes["num_threshold"][place] = width, threshold
    for start, tree in zip(starts, trees, strict=True):
        nodes["bitset_idx"][start : start + len(tree.nodes)] += offset
        offset += len(tree.raw_left_cat_bitsets)
    left = np.ascontiguousarray(np.concatenate([tree.raw_left_cat_bitsets for tree in trees]))
    every = np.append(places, np.uint32(0)).astype(np.uint32)
    count, outputs = len(trees), step.n_trees_per_iteration_
    numbers = np.arange(count, dtype=np.float64)[:, np.newaxis]

    def answer(rows: Any) -> Any:
        size = rows.shape[0]
        values = np.empty(count * size)
        kernel(nodes, repeated(rows, numbers), left, bitsets, every, 1, values)
        return values.reshape(count // outputs, outputs, size).transpose(0, 2, 1).copy()

    return answer
