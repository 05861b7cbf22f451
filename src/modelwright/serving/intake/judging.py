"""Judge plain values by the contract, all problems at once, and bring them to the form its workers take.

For: every transport: whatever a request was written in, it becomes columns or rows of plain values, and these a
:class:`~modelwright.serving.inference.Table` here. What a value may be is decided by the runtime, exactly as when the
package is used as a library.

It does not read bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from modelwright.errors import MessageError, Problem, SignatureError, TooLargeError
from modelwright.runtime.containers import Apart, take_apart
from modelwright.runtime.encoding import decoder
from modelwright.runtime.validation import judge_table, refusal
from modelwright.runtime.values import family_of
from modelwright.serving.contract import Contract
from modelwright.serving.inference import Column, Table
from modelwright.serving.intake import packing
from modelwright.serving.telling import WHICH_COLUMNS

MAX_ROWS = 100_000
"""Most rows of one request, unless the deployment says otherwise."""
NONE: Mapping[str, Column] = MappingProxyType({})
MAX_UNKNOWN = 1000
"""Most columns that a model does not know; each of fewer is named, with what was probably meant."""
_ENCODED = frozenset({"float", "bytes"})
"""Families whose values JSON may hold as text."""


def table_of(
    contract: Contract,
    columns: Mapping[str, Any],
    size: int,
    *,
    max_rows: int = MAX_ROWS,
    sure: Mapping[str, Column] = NONE,
) -> Table:
    """Return columns of values as a table that fits the signature.

    Args:
        contract: What they are judged by.
        columns: Values per column as sent: in normal form, or as :mod:`modelwright.runtime.encoding` writes them.
        size: Number of rows.
        max_rows: Most rows.
        sure: Further columns, with a value per row, each of which surely fits its field.

    Raises:
        MessageError: There are no rows.
        TooLargeError: There are more rows than ``max_rows``, or far more columns than the model has.
        SignatureError: They do not fit; every problem is listed.
    """
    check_size(size, max_rows)
    check_width(len(columns) + len(sure), len(contract.fields))
    names = tuple(name for name in contract.fields if name not in sure) if sure else contract.fields
    return _judged(contract, take_apart(columns, "columns", names), size, sure)


def table_of_rows(contract: Contract, rows: list[dict[str, Any]], *, max_rows: int = MAX_ROWS) -> Table:
    """Return rows of values as a table that fits the signature.

    Args:
        contract: What they are judged by.
        rows: One dict per row, from column to value.
        max_rows: Most rows.

    Raises:
        MessageError: There are no rows.
        TooLargeError: There are more rows than ``max_rows``, or far more columns than the model has.
        SignatureError: They do not fit; every problem is listed.
    """
    check_size(len(rows), max_rows)
    check_width(max(map(len, rows)), len(contract.fields))
    return _judged(contract, take_apart(rows, "records", contract.fields), len(rows))


def check_size(size: int, max_rows: int) -> None:
    """Check the number of rows.

    Raises:
        MessageError: There are none.
        TooLargeError: There are more than ``max_rows``.
    """
    if size < 1:
        raise MessageError("The request holds no rows.", hint="Send at least one row.")
    if size > max_rows:
        raise TooLargeError(
            f"The request holds {size} rows; at most {max_rows} are taken at once.",
            hint="Send them in several requests, or let the server take more at once: max_rows = … in deployment.toml.",
        )


def check_width(sent: int, needed: int) -> None:
    """Check the number of columns.

    Raises:
        TooLargeError: So many more than the model has that naming them is of no use.
    """
    if sent > needed + MAX_UNKNOWN:
        raise TooLargeError(
            f"The request holds {sent} columns; the model has {needed}.",
            hint="Send the columns of the model only; its metadata lists them.",
        )


def unfitting(contract: Contract, problems: list[Problem]) -> SignatureError:
    """Return the error that lists what is wrong with rows, in any form that they came in."""
    return refusal(problems, model=contract.title, hint=WHICH_COLUMNS)


def _judged(contract: Contract, apart: Apart, size: int, sure: Mapping[str, Column] = NONE) -> Table:
    for field in contract.inputs:
        values = apart.columns.get(field["name"])
        if values and family_of(field["datatype"]) in _ENCODED and not {str, list}.isdisjoint(map(type, values)):
            apart.columns[field["name"]] = list(map(decoder(field), values))
    judges = tuple(judge for judge in contract.judges if judge.name not in sure) if sure else contract.judges
    columns = {**judge_table(judges, apart, model=contract.title, hint=WHICH_COLUMNS), **sure}
    return packing.table(contract, [columns[name] for name in contract.fields], size)
