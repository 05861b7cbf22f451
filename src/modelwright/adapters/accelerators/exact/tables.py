"""Columns of a data frame, one array or list per field, and what the library would make of them.

A frame's numbers become an array ``[n_rows, n_features]`` in column order, as pandas gives it; its text becomes
objects.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from .arrays import Odd
from .planning import Given

_NUMBERS = re.compile(r"(u?int(8|16|32|64)|float(32|64))$")


def is_number(field: dict[str, Any]) -> bool:
    """Say whether a field is a column of NumPy's own numbers."""
    return bool(_NUMBERS.match(field.get("native", "")))


def is_nan(value: Any) -> bool:
    """Say whether a value is a float that is no number."""
    return isinstance(value, float) and math.isnan(value)


def is_text(field: dict[str, Any]) -> bool:
    """Say whether a field is a column of text, or of categories that are text."""
    return bool(field["datatype"] == "string")


def has_names(step: Any, given: Given) -> bool:
    """Say whether a step was fitted with the names of the columns that it is given, so that it has nothing to say."""
    if given.form != "frame":
        return not hasattr(step, "feature_names_in_")
    names = getattr(step, "feature_names_in_", None)
    return names is not None and list(names) == [field["name"] for field in given.fields]


def array_maker(given: Given) -> Callable[[Any], Any] | None:
    """Return a function from columns to the array that a frame of them becomes; ``None`` if not all are numbers."""
    if not given.fields or not all(is_number(field) for field in given.fields):
        return None
    natives = [np.dtype(field["native"]) for field in given.fields]
    common = np.result_type(*natives)
    if all(native == common for native in natives):
        return lambda columns: np.array(columns, dtype=common).T
    return lambda columns: (
        np.array(
            [np.array(values, dtype=native) for values, native in zip(columns, natives, strict=True)], dtype=common
        ).T
    )


def array_of_list(values: list[Any], dtype: Any) -> Any:
    """Return one column of numbers; what is missing becomes NaN.

    Raises:
        Odd: It cannot: a number is missing among integers.
    """
    try:
        return np.array(values, dtype=dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise Odd from error


def object_array(columns: list[Any]) -> Any:
    """Return columns as an array of objects ``[n_rows, n_columns]`` in which what is missing is NaN."""
    array = np.empty((len(columns[0]), len(columns)), dtype=object)
    for place, values in enumerate(columns):
        array[:, place] = [np.nan if value is None else value for value in listed(values)]
    return array


def listed(values: Any) -> list[Any]:
    """Return a column as a list."""
    return list(values.tolist()) if hasattr(values, "tolist") else list(values)
