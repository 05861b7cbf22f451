"""The plan of a ColumnTransformer: which columns go where, and how the answers are put together."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from .arrays import Odd
from .composing import numbers, stacked, weighted
from .planning import ARRAY, SPARSE, Function, Given, Plan, Planner
from .tables import array_maker, has_names


class _Part(NamedTuple):
    """One transformer: what it makes of all rows, dense if asked so, and whether that is sparse otherwise."""

    answer: Function
    dense: Function
    is_sparse: bool


def column_transformer(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan a ColumnTransformer for a frame by the names of its columns, or for an array by their places."""
    if given.form not in ("frame", "array") or not has_names(step, given):
        return None
    parts: list[_Part] = []
    iterated = step._iter(fitted=True, column_as_labels=False, skip_drop=True, skip_empty_columns=True)
    for name, one, columns, weight in iterated:
        where = f"{path}/{name}" if path else name
        part = _part(step, one, (name, columns), given, planner, where)
        if part is None:
            return None
        answer, dense, is_sparse = part
        parts.append(_Part(weighted(answer, weight), weighted(dense, weight), is_sparse))
    if not parts:
        return None
    width = step.n_features_in_ if given.form == "array" else None
    if step.sparse_output_:
        return Plan({"transform": _guarded(_beside_sparse([part.answer for part in parts]), width)}, SPARSE)
    return Plan({"transform": _guarded(stacked([part.dense for part in parts]), width)}, ARRAY)


def _guarded(function: Function, width: int | None) -> Function:
    """Return a function that takes arrays of one width only; lists of columns are as wide as their fields."""
    if width is None:
        return function

    def guarded(rows: Any) -> Any:
        if rows.ndim != 2 or rows.shape[1] != width or not rows.shape[0]:
            raise Odd
        return function(rows)

    return guarded


def _beside_sparse(functions: list[Function]) -> Function:
    return lambda rows: sparse.hstack([one(rows) for one in functions]).tocsr()


def _part(
    transformer: Any, one: Any, named: tuple[str, Any], given: Given, planner: Planner, path: str
) -> _Part | None:
    """Return the part of one transformer; ``None`` if what it gives cannot be put beside others as is done here."""
    name, columns = named
    if np.isscalar(columns) or callable(columns):
        return None
    places = [int(place) for place in transformer._transformer_to_input_indices[name]]
    select, inner = _selection(columns, places, given)
    if one == "passthrough" or _passes(one):
        made = array_maker(inner) if inner.form == "frame" else lambda rows: rows
        return None if made is None else _Part(_then(select, made), _then(select, made), is_sparse=False)
    plan = planner.plan(one, inner, path)
    transform = plan.methods.get("transform")
    if transform is None:
        return None
    answer = _then(select, transform)
    if plan.gives.form == "array":
        return _Part(answer, answer, is_sparse=False)
    if plan.gives.form == "sparse":
        dense = _then(select, plan.dense) if plan.dense else _then(answer, _dense)
        return _Part(answer, dense, is_sparse=True)
    if plan.gives.form == "anything":
        return _Part(_then(answer, numbers), _then(answer, _dense_numbers), is_sparse=False)
    return None


def _passes(one: Any) -> bool:
    """Say whether a transformer is the identity that stands for ``passthrough``."""
    from sklearn.preprocessing import FunctionTransformer

    return type(one) is FunctionTransformer and one.func is None and not one.validate


def _selection(columns: Any, places: list[int], given: Given) -> tuple[Function, Given]:
    """Return what takes the columns of one transformer from all, and what that is."""
    if given.form == "frame":
        fields = tuple(given.fields[place] for place in places)
        return (lambda values: [values[place] for place in places]), Given("frame", fields)
    if isinstance(columns, slice):
        return (lambda rows: rows[:, columns]), ARRAY
    key = np.asarray(columns)
    return (lambda rows: rows[:, key]), ARRAY


def _then(first: Function, second: Function) -> Function:
    return lambda rows: second(first(rows))


def _dense(rows: Any) -> Any:
    return rows.toarray()


def _dense_numbers(rows: Any) -> Any:
    rows = numbers(rows)
    return rows.toarray() if sparse.issparse(rows) else rows
