"""Infer the typed inputs of a model from its whole training sample, and hold the sample to them.

For: capture. What was inferred can be overridden per field; a sample that contradicts an override, or that has other
columns than the model was trained with, is refused here, before anything is written.

It does not call the model: what that answers is the matter of :mod:`modelwright.capturing.outputs`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import numpy as np

from modelwright.capturing.column import Column
from modelwright.capturing.encoding import encode
from modelwright.capturing.levels import Levels, levels_of
from modelwright.capturing.table import Table
from modelwright.errors import ModelMismatchError, Problem, SampleError
from modelwright.spec.signature import Field

Overrides = Mapping[str, Mapping[str, Any] | Field]
_LISTED = 20
"""So many rows or names are listed in one problem; the rest is counted."""


def infer_inputs(
    table: Table, *, overrides: Overrides | None = None, known: Mapping[str, Levels] | None = None
) -> tuple[Field, ...]:
    """Infer one field per column.

    Datatype, shape, native dtype, time zone and categories come from the column; nullable, infinite and the training
    range from all of its values. A column without a single value is nullable.

    Args:
        table: The whole training sample.
        overrides: Per column, attributes of :class:`~modelwright.spec.signature.Field` that the user knows better
            (``{"age": {"unit": "years", "on_out_of_range": "error"}}``).
        known: Levels that the model knows, by column, see :func:`~modelwright.capturing.levels.known_levels`.

    Raises:
        SampleError: Nothing but nulls in the whole sample, an override for a column or attribute that does not
            exist, or one that the sample contradicts.

    Example:
        >>> fields = infer_inputs(Table.of({"age": [20, 41], "income": [1.5, None]}))
        >>> fields[0].training_range, fields[1].nullable
        ((20, 41), True)
    """
    if all(column.missing.all() for column in table.columns):
        raise SampleError(
            "Every value of the sample is missing.",
            why="Types and ranges are learned from values.",
            hint="Give rows with values, best the training data.",
        )
    overrides = overrides or {}
    _check_keys(overrides, table.names)
    inferred = (_field(column, levels_of(column, known or {})) for column in table.columns)
    fields = tuple(_override(field, overrides[field.name]) if field.name in overrides else field for field in inferred)
    check_sample(table, [field for field in fields if field.name in overrides])
    return fields


def _field(column: Column, levels: Levels | None) -> Field:
    return Field(
        name=column.name,
        datatype=column.datatype,
        shape=column.shape,
        nullable=bool(column.missing.any()),
        infinite=column.datatype.startswith("float") and bool(np.isinf(column.values).any()),
        categories=levels,
        ordered=column.ordered,
        training_range=_training_range(column) if levels is None else None,
        native=column.native,
        timezone=column.timezone,
    )


def _training_range(column: Column) -> tuple[Any, Any] | None:
    if column.datatype in ("bool", "string", "bytes", "json"):
        return None
    values = column.values if column.shape else column.present()
    if values.dtype.kind == "f":
        values = values[np.isfinite(values)]
    if values.size == 0:
        return None
    ends = (values.min(), values.max())
    low, high = (encode(end, column.datatype, timezone=column.timezone) for end in ends)
    return low, high


def _check_keys(overrides: Overrides, names: tuple[str, ...]) -> None:
    for name, override in overrides.items():
        if name not in names:
            raise SampleError(
                f"The override is for a field {name!r} that the sample does not have.", hint=did_you_mean(name, names)
            )
        for key in override if isinstance(override, Mapping) else ():
            if key not in Field.__struct_fields__ or key == "name":
                allowed = [known for known in Field.__struct_fields__ if known != "name"]
                raise SampleError(
                    f"{key!r} is no attribute of a field that can be overridden.",
                    where=f"field {name!r}",
                    hint=did_you_mean(key, allowed),
                )


def _override(field: Field, override: Mapping[str, Any] | Field) -> Field:
    said = dict(override) if isinstance(override, Mapping) else msgspec.to_builtins(override)
    said.pop("name", None)
    for key in ("categories", "training_range", "shape"):
        if said.get(key) is not None:
            said[key] = list(said[key])
    try:
        changed = msgspec.convert(msgspec.to_builtins(field) | said, Field)
    except msgspec.ValidationError as error:
        raise SampleError(
            "The override is not valid.",
            where=f"field {field.name!r}",
            why=str(error),
            hint="See spec.signature.Field.",
        ) from error
    if changed.datatype != field.datatype and not _widens(field.datatype, changed.datatype):
        raise SampleError(
            f"The field is declared {changed.datatype}, and the sample holds {field.datatype}.",
            where=f"field {field.name!r}",
            hint="Convert the column, and fit the model on that.",
        )
    return changed


def _widens(old: str, new: str) -> bool:
    """Whether a field can be declared wider than the sample shows: more bits, integers as floats, anything as json."""
    numbers = [name for name in (old, new) if name.startswith(("int", "uint", "float"))]
    return new == "json" or (len(numbers) == 2 and bool(np.can_cast(old, new)))


def check_sample(table: Table, fields: list[Field]) -> None:
    """Refuse a sample that its own signature would refuse.

    Raises:
        SampleError: With one problem per field and kind, naming the first rows.
    """
    problems = [problem for field in fields for problem in _contradictions(table.column(field.name), field)]
    if problems:
        raise SampleError(
            "The sample contradicts what was declared for its fields.",
            problems=problems,
            hint="Correct the declaration, or drop these rows and fit the model again.",
        )


def _contradictions(column: Column, field: Field) -> Iterator[Problem]:
    if not field.nullable and column.missing.any():
        yield _problem(column, column.missing, "is missing, and the field is declared not nullable")
    if not field.infinite and column.values.dtype.kind == "f" and not column.shape:
        yield from _some(column, np.isinf(column.values), "is infinite, and the field is declared finite")
    if field.categories is not None and (column.datatype in ("string", "bool") or column.numeric):
        levels = set(field.categories)
        outside = np.array([value not in levels for value in column.values.tolist()]) & ~column.missing
        yield from _some(column, outside, "is none of the declared categories")
    if field.training_range is not None and not column.shape:
        low, high = (_bound(end, column) for end in field.training_range)
        finite = ~column.missing & ~(np.isinf(column.values) if column.values.dtype.kind == "f" else column.missing)
        outside = finite & ((column.values < low) | (column.values > high))
        yield from _some(column, outside, f"is outside the declared range {list(field.training_range)}")


def _bound(end: float | int | str, column: Column) -> Any:
    if column.values.dtype.kind == "m":
        return np.timedelta64(round(float(end) * 1e9), "ns")
    return np.datetime64(str(end).removesuffix("+00:00")) if column.values.dtype.kind == "M" else end


def _some(column: Column, rows: Any, text: str) -> Iterator[Problem]:
    if rows.any():
        yield _problem(column, rows, text)


def _problem(column: Column, rows: Any, text: str) -> Problem:
    positions = np.flatnonzero(rows)
    more = f" (and {len(positions) - 1} more rows)" if len(positions) > 1 else ""
    return Problem(int(positions[0]), column.name, f"{column.cell(int(positions[0]))!r} {text}{more}")


def check_columns(table: Table, model: object) -> None:
    """Refuse a sample whose columns are not those that the model says it was trained with.

    Raises:
        ModelMismatchError: Missing, unexpected, renamed or reordered columns, or another number of them.
    """
    trained = getattr(model, "feature_names_in_", None)
    width = getattr(model, "n_features_in_", None)
    if trained is not None and table.container != "numpy":
        _compare_names(table.names, tuple(map(str, trained)))
    elif isinstance(width, int | np.integer) and width != len(table.names) and not table.columns[0].shape:
        raise ModelMismatchError(
            f"The sample has {len(table.names)} columns, and the model was trained with {width}.",
            hint="Give the inputs only, without the target, in the order of training.",
        )


def _compare_names(given: tuple[str, ...], trained: tuple[str, ...]) -> None:
    if given == trained:
        return
    known, present = set(trained), set(given)
    missing = [name for name in trained if name not in present]
    extra = [name for name in given if name not in known]
    problems = [Problem(None, name, "the model was trained with it, and the sample lacks it") for name in missing]
    for name in extra:
        close = difflib.get_close_matches(name, missing[:1000], n=1)
        hint = f"did you mean {close[0]!r}?" if close else "is it the target?"
        problems.append(Problem(None, name, "the model has never seen this column", hint))
    raise ModelMismatchError(
        "The sample has other columns than the model was trained with."
        if problems
        else "The columns of the sample are in another order than the model was trained with.",
        problems=problems,
        hint="Give the columns the model was trained with, in that order.",
    )


def sample_notes(table: Table, fields: tuple[Field, ...]) -> tuple[str, ...]:
    """Say what a person should know about how far the sample carries; empty if there is nothing.

    Example:
        >>> table = Table.of([{"age": 41}])
        >>> sample_notes(table, infer_inputs(table))[0]
        'The sample has one row: ranges, categories and missing values cannot be learned from it.'
    """
    notes = []
    if table.n_rows == 1:
        notes.append("The sample has one row: ranges, categories and missing values cannot be learned from it.")
    empty = [column.name for column in table.columns if column.missing.all()]
    if empty:
        notes.append(f"No value at all in {_list(empty)}: the datatype is what the column was declared as.")
    constant = [field.name for field in fields if _constant(field)]
    if constant and table.n_rows > 1:
        notes.append(f"One and the same value in every row of {_list(constant)}.")
    return tuple(notes)


def _constant(field: Field) -> bool:
    spread = field.training_range
    return (spread is not None and spread[0] == spread[1]) or (
        field.categories is not None and len(field.categories) == 1
    )


def _list(names: list[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(map(repr, names[:_LISTED])) + more


def did_you_mean(word: str, known: Any) -> str:
    """Suggest the nearest known word, or list the known ones.

    Example:
        >>> did_you_mean("contrct", ["contract", "age"])
        "Did you mean 'contract'?"
    """
    close = difflib.get_close_matches(word, list(known)[:10_000], n=1)
    return f"Did you mean {close[0]!r}?" if close else f"Known: {_list(list(known))}."
