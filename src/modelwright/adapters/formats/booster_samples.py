"""Hold a sample to the columns and categories that a boosted model was trained with, and its answers to the model's.

Called by the formats of boosted trees. Their libraries take columns by position and categories by code; here both are
compared by name and by value, so that nothing is ever answered from the wrong column.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from modelwright.capturing.column import Column
from modelwright.capturing.signature import check_columns
from modelwright.capturing.table import Table
from modelwright.errors import ModelMismatchError, Problem, SerialisationError

ROWS = 1000
"""So many rows of the sample are answered by the library itself as well."""
TOLERANCE = 1e-5
"""Relative difference that is none: boosters on a graphics card add up in another order."""

Levels = Mapping[str, Sequence[Any]]


def check_named(table: Table, *, names: Sequence[str], width: int) -> None:
    """Refuse a sample whose columns are not those of the model.

    Args:
        table: The rows that the user gave.
        names: What the model calls its features; empty if it does not.
        width: Number of its features.

    Raises:
        ModelMismatchError: Columns are missing, unexpected or in another order; or rows have names and the model none.
    """
    if not names and table.container != "numpy":
        raise ModelMismatchError(
            "The model has no names for its features, and the sample names its columns.",
            problems=[Problem(None, name, "the model cannot tell which feature it is") for name in table.names],
            why="Columns would be taken by their position, and another order would give other answers without a word.",
            hint="Give a NumPy array in the order of training, or train the model on a frame.",
        )
    check_columns(table, _Features(names, width))


class _Features:
    """What a model says of its features, as scikit-learn's estimators do."""

    def __init__(self, names: Sequence[str], width: int) -> None:
        self.feature_names_in_ = tuple(names) or None
        self.n_features_in_ = width


def categorical_columns(table: Table) -> list[str]:
    """Return the names of the columns that hold categories by their type: categories, or text."""
    return [column.name for column in table.columns if column.levels is not None or column.datatype == "string"]


def check_levels(table: Table, levels: Levels, *, free: Sequence[str] = ()) -> None:
    """Refuse columns whose categories are not those that the model was trained with.

    Args:
        table: The sample.
        levels: Categories of the model, by column.
        free: Columns that are categorical to the model by their codes, whose categories it does not know.

    Raises:
        ModelMismatchError: With one problem per column.
    """
    problems = []
    for name in categorical_columns(table):
        if name not in levels:
            problems.append(Problem(None, name, _UNMAPPED if name in free else _NUMERIC))
    for name, known in levels.items():
        if strange := _strangers(table.column(name), known):
            problems.append(Problem(None, name, f"the model has never seen {', '.join(map(repr, strange[:5]))}"))
    if problems:
        raise ModelMismatchError(
            "The sample has other categories than the model was trained with.",
            problems=problems,
            why="Categories are numbered inside the model; with other numbers it gives other answers without a word.",
            hint="Give the columns as the model was trained with them, of the same types and categories.",
        )


_NUMERIC = "it holds categories, and the model was trained with numbers"
_UNMAPPED = "the model was stored without the categories of this feature, so they cannot be told from their codes"


def _strangers(column: Column, known: Sequence[Any]) -> list[Any]:
    values = column.levels if column.levels is not None else dict.fromkeys(column.present().tolist())
    levels = set(known)
    return [value for value in values if value not in levels]


def with_levels(sample: Any, table: Table, levels: Levels) -> Any:
    """Return a sample whose categorical columns know every category of the model, where its library has such a type.

    Args:
        sample: A table that :func:`check_levels` found good.
        table: The same, read.
        levels: Categories of the model, by column.
    """
    if table.container == "pandas" and levels:
        import pandas

        return sample.astype(
            {
                name: pandas.CategoricalDtype(list(known), ordered=getattr(sample[name].dtype, "ordered", False))
                for name, known in levels.items()
            }
        )
    return sample


def check_same(table: Table, *, ours: Any, theirs: Any) -> None:
    """Ask the wrapper and the library about the same rows, and refuse a model that the wrapper cannot stand in for.

    Containers that the library does not take are not compared.

    Args:
        table: The sample.
        ours: The wrapper.
        theirs: The model, or a function of rows that answers what it predicts.

    Raises:
        SerialisationError: They answer differently.
    """
    if table.container in ("records", "columns"):
        return
    rows = table.take(range(min(table.n_rows, ROWS)))
    for method in [name for name in ("predict", "predict_proba") if hasattr(ours, name)]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                expected = np.asarray(getattr(theirs, method, theirs)(rows))
        except Exception:  # a container or dtype that this version of the library does not take, and the wrapper does
            return
        if not _is_same(np.asarray(getattr(ours, method)(rows)), expected):
            raise SerialisationError(
                "The native format would not answer as this model does.",
                where=method,
                why="Something outside the stored trees changes its answers: an objective of yours, or a setting.",
                hint="Capture a function that calls it, or choose format='skops' or format='joblib'.",
            )


def _is_same(found: Any, expected: Any) -> bool:
    if expected.shape == (*found.shape, 1):  # one column of labels is a list of labels
        expected = expected.reshape(-1)
    if found.shape != expected.shape:
        return False
    if found.dtype.kind in "fiub" and expected.dtype.kind in "fiub":
        return bool(np.allclose(found, expected, rtol=TOLERANCE, atol=1e-7, equal_nan=True))
    return bool(np.all(found == expected))
