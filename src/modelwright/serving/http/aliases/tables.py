"""Read rows as other servers' clients lay them out: lists of lists, lists of objects, columns of values.

What a value may be is judged as everywhere; only the layout is another.

Called by :mod:`.mlflow` and :mod:`.tfserving`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from modelwright.errors import MessageError
from modelwright.runtime.containers import take_apart
from modelwright.runtime.errors import Problem
from modelwright.runtime.validation import LIMIT
from modelwright.runtime.values import family_of
from modelwright.serving.contract import Contract
from modelwright.serving.inference import Table
from modelwright.serving.intake.judging import check_size, table_of, table_of_rows, unfitting

Columns = dict[str, list[Any]]


def table_of_list(contract: Contract, values: Any, *, key: str, max_rows: int) -> Table:
    """Return the rows of a list: objects, lists of as many values as the model has inputs, or values of the only one.

    Args:
        contract: What they are judged by.
        values: The list.
        key: Where it stands in the message.
        max_rows: Most rows.

    Raises:
        MessageError: It is no list, or an empty one.
        TooLargeError: It has too many rows.
        SignatureError: The rows do not fit; every problem is listed.
    """
    if not isinstance(values, list):
        raise MessageError(f"{key!r} is no list of rows.", hint="Send one object or list per row.")
    check_size(len(values), max_rows)
    kinds = set(map(type, values))
    if kinds == {dict} and family_of(contract.inputs[0]["datatype"]) != "json":
        return table_of_objects(contract, values, max_rows=max_rows)
    if len(contract.fields) == 1:
        return table_of_columns(contract, {contract.fields[0]: values}, key=key, max_rows=max_rows)
    if kinds != {list}:
        found = next(place for place, value in enumerate(values) if not isinstance(value, list))
        problem = Problem(found, None, "is neither an object nor a list", _layout(contract))
        raise unfitting(contract, [problem])
    return table_of_lists(contract, values, names=contract.fields, max_rows=max_rows)


def table_of_lists(contract: Contract, rows: list[Any], *, names: tuple[str, ...], max_rows: int) -> Table:
    """Return rows of plain lists, whose columns have these names.

    Raises:
        SignatureError: They do not fit, or differ in length.
    """
    check_size(len(rows), max_rows)
    width = len(names)
    problems = [
        Problem(place, None, f"has {len(row)} values where there are {width} columns", _layout(contract))
        if isinstance(row, list)
        else Problem(place, None, "is no list of values", _layout(contract))
        for place, row in enumerate(rows)
        if not isinstance(row, list) or len(row) != width
    ]
    if problems:
        raise unfitting(contract, problems[:LIMIT])
    if len(set(names)) != width:
        twice, _ = Counter(names).most_common(1)[0]
        raise unfitting(contract, [Problem(None, twice, "appears more than once")])
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    return table_of(contract, columns, len(rows), max_rows=max_rows)


def table_of_objects(contract: Contract, rows: list[Any], *, max_rows: int) -> Table:
    """Return rows of objects; a value of a scalar input may stand in a list of its own, as tensors of shape [1] do.

    Raises:
        SignatureError: They do not fit.
    """
    check_size(len(rows), max_rows)
    odd = [Problem(place, None, "is no object") for place, row in enumerate(rows) if not isinstance(row, dict)]
    if odd:
        raise unfitting(contract, odd[:LIMIT])
    if not any(list in set(map(type, row.values())) for row in rows):
        return table_of_rows(contract, rows, max_rows=max_rows)
    apart = take_apart(rows, "records", contract.fields)
    if apart.problems:
        raise unfitting(contract, apart.problems)
    return table_of(contract, unwrapped(contract, apart.columns), len(rows), max_rows=max_rows)


def table_of_columns(contract: Contract, columns: Mapping[str, Any], *, key: str, max_rows: int) -> Table:
    """Return rows that came as one list per column; values without a list around them are a single row.

    Raises:
        MessageError: There are no columns.
        SignatureError: They do not fit.
    """
    if not columns:
        raise MessageError(f"{key!r} holds no columns.", hint=_layout(contract))
    if not any(isinstance(values, list) for values in columns.values()):
        columns = {name: [value] for name, value in columns.items()}
    odd = [
        Problem(None, name, "is no list of values") for name, value in columns.items() if not isinstance(value, list)
    ]
    if odd:
        raise unfitting(contract, odd)
    size = max(map(len, columns.values()))
    return table_of(contract, unwrapped(contract, columns), size, max_rows=max_rows)


def unwrapped(contract: Contract, columns: Mapping[str, list[Any]]) -> Columns:
    """Return columns with the values of scalar inputs out of the lists of one that they stand in."""
    scalar = {
        field["name"] for field in contract.inputs if not field.get("shape") and family_of(field["datatype"]) != "json"
    }
    return {
        name: [value[0] for value in values]
        if name in scalar and all(isinstance(value, list) and len(value) == 1 for value in values)
        else values
        for name, values in columns.items()
    }


def _layout(contract: Contract) -> str:
    names = ", ".join(contract.fields[:10]) + ", …" * (len(contract.fields) > 10)
    return f"the columns are, in this order: {names}"
