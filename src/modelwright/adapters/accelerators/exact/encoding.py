"""Plans of encoders: every value is looked up once, and its entry written where it belongs."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from .categories import REFUSED, column_taker, translators
from .planning import ARRAY, SPARSE, Function, Given, Plan, Planner
from .tables import has_names


def _table(columns: list[Function], take: Function, dtype: Any) -> Function:
    """Return a function that writes the entries of every column into an array of so many columns."""

    def transform(given: Any) -> Any:
        values = take(given)
        answer = np.empty((len(values[0]), len(columns)), dtype=dtype)
        for place, (column, one) in enumerate(zip(columns, values, strict=True)):
            answer[:, place] = column(one)
        return answer

    return transform


def ordinal_encoder(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan an encoder that answers a number per category."""
    if not has_names(step, given):
        return None
    refuses = step.handle_unknown == "error"
    mappings = getattr(step, "_default_to_infrequent_mappings", None) if step._infrequent_enabled else None
    lookups = []
    for place, categories in enumerate(step.categories_):
        codes = list(range(len(categories)))
        missing = step._missing_indices.get(place)
        if mappings is not None and mappings[place] is not None:
            codes = [code if code == missing else int(mappings[place][code]) for code in codes]
        entries: list[Any] = [step.encoded_missing_value if code == missing else code for code in codes]
        lookups.append([*entries, REFUSED if refuses else step.unknown_value])
    columns = translators(step.categories_, lookups, given)
    if columns is None:
        return None
    take = column_taker(given, len(columns))
    return Plan({"transform": _table(columns, take, step.dtype)}, ARRAY)


def target_encoder(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan an encoder that answers the mean of the target per category, for each class if there are several."""
    if not has_names(step, given):
        return None
    classes = len(step.classes_) if step.target_type_ == "multiclass" else 1
    means = step.target_mean_ if classes > 1 else [step.target_mean_]
    lookups = [[*encoding.tolist(), float(means[place % classes])] for place, encoding in enumerate(step.encodings_)]
    repeated = [categories for categories in step.categories_ for _ in range(classes)]
    fields = tuple(field for field in given.fields for _ in range(classes))
    columns = translators(repeated, lookups, Given(given.form, fields))
    if columns is None:
        return None
    take = column_taker(given, len(step.categories_))
    spread = take if classes == 1 else lambda rows: [one for one in take(rows) for _ in range(classes)]
    return Plan({"transform": _table(columns, spread, np.float64)}, ARRAY)


def one_hot_encoder(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan an encoder that answers a column per category."""
    if not has_names(step, given):
        return None
    columns = translators(step.categories_, _places(step), given)
    if columns is None:
        return None
    take = column_taker(given, len(columns))
    width = int(sum(step._n_features_outs))
    dense = _ones(columns, take, width, step.dtype)
    if not step.sparse_output:
        return Plan({"transform": dense}, ARRAY)
    return Plan({"transform": _sparse_ones(columns, take, width, step.dtype)}, SPARSE, dense)


def _places(step: Any) -> list[list[Any]]:
    """Return the column of the answer that is 1, for every category of every column; -1 where none is."""
    starts = np.cumsum([0, *step._n_features_outs]).tolist()
    drops = step._drop_idx_after_grouping
    mappings = step._default_to_infrequent_mappings if step._infrequent_enabled else None
    found = []
    for place, categories in enumerate(step.categories_):
        mapping = None if mappings is None else mappings[place]
        drop = None if drops is None else drops[place]
        codes = [code if mapping is None else int(mapping[code]) for code in range(len(categories))]
        entries: list[Any] = [_column(code, drop, starts[place]) for code in codes]
        found.append([*entries, _unknown(step, place, entries)])
    return found


def _column(code: int, drop: Any, start: int) -> int:
    if drop is not None and code == drop:
        return -1
    return start + code - (1 if drop is not None and code > drop else 0)


def _unknown(step: Any, place: int, entries: list[Any]) -> Any:
    """Return the entry of an unknown value."""
    if step.handle_unknown in ("error", "warn") or step.drop is not None:
        return REFUSED
    rare = step._infrequent_indices[place] if step._infrequent_enabled else None
    if step.handle_unknown == "infrequent_if_exist" and rare is not None:
        return entries[rare[0]]
    return -1


def _ones(columns: list[Function], take: Function, width: int, dtype: Any) -> Function:
    def transform(given: Any) -> Any:
        values = take(given)
        size = len(values[0])
        answer = np.zeros((size, width), dtype=dtype)
        if size == 1:
            row = answer[0]
            for column, one in zip(columns, values, strict=True):
                place = column(one)[0]
                if place >= 0:
                    row[place] = 1
            return answer
        rows = np.arange(size)
        for column, one in zip(columns, values, strict=True):
            places = np.asarray(column(one))
            if places.min() < 0:
                known = places >= 0
                answer[rows[known], places[known]] = 1
            else:
                answer[rows, places] = 1
        return answer

    return transform


def _sparse_ones(columns: list[Function], take: Function, width: int, dtype: Any) -> Function:
    kind = _sparse_kind()

    def transform(given: Any) -> Any:
        values = take(given)
        places = np.empty((len(values[0]), len(columns)), dtype=np.int32)
        for place, (column, one) in enumerate(zip(columns, values, strict=True)):
            places[:, place] = column(one)
        known = places >= 0
        ends = np.zeros(len(places) + 1, dtype=np.int32)
        np.cumsum(known.sum(axis=1), out=ends[1:])
        ones = np.ones(ends[-1], dtype=dtype)
        return kind((ones, places[known], ends), shape=(len(places), width))

    return transform


def _sparse_kind() -> Any:
    """Return the class of the sparse matrices that the library answers, as it is set."""
    try:
        from sklearn.utils._sparse import _align_api_if_sparse
    except ImportError:
        return sparse.csr_matrix
    return type(_align_api_if_sparse(sparse.csr_array((1, 1))))
