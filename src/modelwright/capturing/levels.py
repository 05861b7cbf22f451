"""Find out which columns are categorical, and with which levels.

Three sources, the first that answers wins: the column's own dtype (``category``, ``Enum``, dictionary), the model (an
encoder that remembers ``categories_``), and the rule of few levels for text.

Called by :mod:`modelwright.capturing.signature`. Models are looked at by their attributes only; no library is imported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from modelwright.capturing.column import Column
from modelwright.spec.signature import Scalar

MAX_FEW_LEVELS = 50
"""Text with more different values than this is free text, not a category."""
MAX_FEW_SHARE = 0.2
"""Text is a category only if it has at most this many different values per row: names and identifiers have more."""

Levels = tuple[Scalar, ...]


def levels_of(column: Column, known: Mapping[str, Levels]) -> Levels | None:
    """Return the levels of a column, or ``None`` if it is not categorical.

    Args:
        column: The column, of the whole training sample.
        known: Levels that the model knows, see :func:`known_levels`; used if they cover the sample.
    """
    if column.levels is not None:
        return column.levels
    if column.datatype not in ("string", "bool") and not column.numeric:
        return None
    if column.name in known and set(column.present().tolist()) <= set(known[column.name]):
        return known[column.name]
    return few_levels(column) if column.datatype == "string" else None


def few_levels(column: Column) -> Levels | None:
    """Return the sorted values of a text column that has few of them: at most 50, and at most one per five rows.

    Example:
        >>> from modelwright.capturing.column import column_of_objects
        >>> few_levels(column_of_objects("plan", ["basic", "pro"] * 10, mixed="json"))
        ('basic', 'pro')
        >>> few_levels(column_of_objects("name", ["Ada", "Grace"], mixed="json")) is None
        True
    """
    distinct = set(column.present().tolist())
    if not 0 < len(distinct) <= min(MAX_FEW_LEVELS, MAX_FEW_SHARE * len(column.values)):
        return None
    return tuple(sorted(distinct))


def known_levels(model: object, names: Sequence[str]) -> dict[str, Levels]:
    """Return the levels that encoders inside a fitted model remember, by input column.

    Looks through pipelines and column transformers; a column counts only if nothing before the encoder can have
    changed which column is which.

    Args:
        model: The live model; anything without these attributes gives nothing.
        names: Input columns in the model's order.
    """
    return {name: levels for name, levels in _walk(model, tuple(names)) if levels}


def _walk(part: Any, names: tuple[str, ...]) -> Iterator[tuple[str, Levels]]:
    if isinstance(getattr(part, "transformers_", None), list):
        for _, transformer, columns in part.transformers_:
            yield from _walk(transformer, _selected(columns, names))
        return
    if isinstance(getattr(part, "steps", None), list):
        for _, step in part.steps:
            yield from _walk(step, names)
            if getattr(step, "n_features_in_", len(names)) != len(names) or hasattr(step, "transformers_"):
                return
            if hasattr(step, "categories_"):
                return
        return
    categories = getattr(part, "categories_", None)
    if isinstance(categories, list) and len(categories) == len(names):
        for name, levels in zip(names, categories, strict=True):
            yield name, tuple(level for level in np.asarray(levels).tolist() if level is not None and level == level)


def _selected(columns: Any, names: tuple[str, ...]) -> tuple[str, ...]:
    if isinstance(columns, str | int | np.integer):
        columns = [columns]
    if isinstance(columns, slice):
        whole = isinstance(columns.start, int | None) and isinstance(columns.stop, int | None)
        return names[columns] if whole else ()
    chosen = np.asarray(columns).tolist()
    if chosen and all(isinstance(item, bool) for item in chosen):
        return tuple(name for name, keep in zip(names, chosen, strict=False) if keep)
    known = [names[item] if isinstance(item, int) and item < len(names) else item for item in chosen]
    return tuple(item for item in known if isinstance(item, str))
