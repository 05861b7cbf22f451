"""Bodies to rows: JSON read strictly, or one sentence that says what is wrong with it.

Called by the replica. It does not judge values; the package's own runtime does.
"""

# mypy: ignore-errors

from __future__ import annotations

import json
from typing import Any

from model_app.answers import Refusal

MAX_DEPTH = 32
Rows = list[dict[str, Any]]


KEYS = ("rows", "columns", "unit")
UNDERSTOOD = 'Send {"rows": [{"column": value}]}, {"columns": {"column": [value]}}, or a list of objects.'


def read_rows(body: bytes, *, max_rows: int) -> tuple[Rows, str]:
    """Return the rows of a body, and the form they came in: ``rows`` or ``columns``.

    Args:
        body: A list of objects, or an object with ``rows`` or ``columns``, and maybe ``unit``.
        max_rows: Most rows of one request.
    """
    document = read_json(body)
    if isinstance(document, list):
        document = {"rows": document}
    held = [key for key in ("rows", "columns") if isinstance(document, dict) and key in document]
    if len(held) != 1 or not document.keys() <= {*KEYS}:
        raise malformed("The body holds neither rows nor columns, or more than these.", UNDERSTOOD)
    rows = document["rows"] if held == ["rows"] else _of_columns(document["columns"])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise malformed("The rows are no list of objects.", UNDERSTOOD)
    return within(rows, max_rows), held[0]


def read_unit(body: bytes) -> str:
    """Return what a body says that the request is about; empty if it does not say."""
    document = read_json(body) if b'"unit"' in body else None
    unit = document.get("unit", "") if isinstance(document, dict) else ""
    if isinstance(document, dict) and not unit and isinstance(document.get("parameters"), dict):
        unit = document["parameters"].get("unit", "")
    if not isinstance(unit, str):
        raise malformed("The unit is no text.", "Write it in quotes.")
    return unit


def within(rows: Rows, max_rows: int) -> Rows:
    """Return the rows if there are some, and not too many."""
    if not rows:
        raise malformed("There are no rows.", "Send at least one.")
    if len(rows) > max_rows:
        what = f"There are {len(rows)} rows; at most {max_rows} are taken at once."
        raise Refusal("MW1205", what, hint="Send them in several requests.", status=413)
    return rows


def _of_columns(columns: Any) -> Rows:
    if not isinstance(columns, dict) or not all(isinstance(values, list) for values in columns.values()):
        raise malformed("The columns are no object of lists.", UNDERSTOOD)
    if len({len(values) for values in columns.values()}) > 1:
        raise malformed("The columns have different lengths.", "Send one value per row in each.")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def read_json(body: bytes) -> Any:
    """Return what a JSON body says; a key twice, NaN, Infinity and deep nesting are refused.

    Source: RFC 8259, sections 4 (names are unique) and 6 (no NaN, no Infinity).
    """
    try:
        document = json.loads(body, object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError:
        raise malformed(f"The body is nested deeper than {MAX_DEPTH} levels.") from None
    except ValueError as error:  # malformed, no UTF-8, or a number with thousands of digits
        raise malformed("The body is not JSON.", str(error).partition(":")[0][:200]) from None
    if _depth(document) > MAX_DEPTH:
        raise malformed(f"The body is nested deeper than {MAX_DEPTH} levels.")
    return document


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise malformed(f"The key {twice[:100]!r} stands twice in one object.")
    return found


def _no_constant(token: str) -> Any:
    raise malformed(f"{token} is no JSON.", "Send null where a value is missing.")


def _depth(document: Any) -> int:
    depth, level = 0, [document]
    while level and depth <= MAX_DEPTH:
        level = [
            child
            for one in level
            if isinstance(one, dict | list)
            for child in (one.values() if isinstance(one, dict) else one)
            if isinstance(child, dict | list)
        ]
        depth += 1
    return depth


def malformed(what: str, hint: str = "") -> Refusal:
    """Return the error for a body that is not what it says it is."""
    return Refusal("MW1203", what, hint=hint)
