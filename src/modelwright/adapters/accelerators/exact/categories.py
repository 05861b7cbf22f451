"""Look values up among the categories that an encoder was fitted with.

A lookup holds one entry per category and one more, the last, for what is unknown. Entries are whatever the encoder
makes of a category, so that a value is looked up once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .arrays import Odd, shaped, without_infinity
from .planning import Function, Given
from .tables import array_of_list, is_nan, is_number, is_text, listed

REFUSED = object()
"""The entry of what the library would refuse, or warn about."""


def translators(categories: Sequence[Any], lookups: Sequence[list[Any]], given: Given) -> list[Function] | None:
    """Return a function per column, from its values to their entries; ``None`` if a column is not of a known kind.

    Args:
        categories: The categories of every column ``[n_categories]``, NaN last.
        lookups: The entries of every column, in the order of its categories, and that of what is unknown.
        given: What the columns come from.
    """
    fields: Sequence[Any] = given.fields or [None] * len(categories)
    if given.form == "sparse" or len(fields) != len(categories):
        return None
    found = [_translator(*one) for one in zip(categories, lookups, fields, strict=True)]
    return None if any(one is None for one in found) else [one for one in found if one is not None]


def column_taker(given: Given, width: int) -> Function:
    """Return a function from what is given to its columns."""
    if given.form in ("frame", "objects"):
        return lambda columns: columns

    def take(rows: Any) -> Any:
        if rows.dtype.kind in "fiu":
            return without_infinity(shaped(rows, width)).T
        if rows.ndim != 2 or rows.shape[1] != width or not rows.shape[0] or rows.dtype.kind not in "OU":
            raise Odd
        return rows.T

    return take


def _translator(categories: Any, lookup: list[Any], field: dict[str, Any] | None) -> Function | None:
    if categories.dtype.kind in "iuf" and (field is None or is_number(field)):
        return _of_numbers(categories, lookup, field)
    if categories.dtype.kind in "OU" and (field is None or is_text(field)):
        return _of_text(categories, lookup, field or {})
    return None


def _of_text(categories: Any, lookup: list[Any], field: dict[str, Any]) -> Function | None:
    """Return a function from a list of text to a list of entries; what is missing is ``None`` there."""
    known = categories.tolist()
    missing = next((place for place, one in enumerate(known) if is_nan(one)), len(known))
    table = dict(zip(known, lookup, strict=False)) | {None: lookup[missing]}
    if not all(isinstance(one, str) for place, one in enumerate(known) if place != missing):
        return None
    default = lookup[-1]
    if field.get("native") == "category":  # a level that the frame's dtype lacks becomes missing
        table = {level: table.get(level, default) for level in [*field.get("categories", ()), None]}
        default = lookup[missing]
    table = {value: entry for value, entry in table.items() if entry is not REFUSED}
    if default is REFUSED:
        return lambda values: [table[value] for value in _texts(values)]  # whatever is not there is odd
    get = table.get
    return lambda values: [get(value, default) for value in _texts(values)]


def _texts(values: Any) -> Any:
    """Return text as a list in which what is missing is ``None``."""
    if isinstance(values, list):
        return values
    found = listed(values)
    if None in found:
        raise Odd  # in an array it is no NaN, which is what a missing value is elsewhere
    return [None if is_nan(value) else value for value in found]


def _of_numbers(categories: Any, lookup: list[Any], field: dict[str, Any] | None) -> Function:
    """Return a function from numbers to an array of entries."""
    missing = len(categories) - 1 if categories.dtype.kind == "f" and np.isnan(categories[-1:]).any() else None
    known = categories if missing is None else categories[:missing]
    refused = lookup[-1] is REFUSED
    entries = np.array([*lookup[:-1], lookup[0] if refused else lookup[-1]])
    native = np.dtype(field["native"]) if field else None
    last = len(known) - 1

    def translate(values: Any) -> Any:
        values = np.asarray(values) if native is None else without_infinity(array_of_list(values, native))
        places = known.searchsorted(values)
        np.minimum(places, last, out=places)
        unknown = known.take(places) != values
        if unknown.any():
            places[unknown] = -1
            if missing is not None:
                places[np.isnan(values)] = missing
            if refused and (places == -1).any():
                raise Odd
        return entries[places]

    return translate if len(known) else lambda values: _none_known(values)


def _none_known(values: Any) -> Any:
    raise Odd
