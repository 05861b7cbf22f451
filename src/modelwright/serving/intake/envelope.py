"""Take the decoded JSON body of a friendly request apart: rows or columns, and what the request is about.

Called by :mod:`.reader` when the body is looked at exactly. It does not judge values.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from modelwright.errors import MessageError
from modelwright.runtime.suggestions import nearest

_KEYS = ("rows", "columns", "unit")
UNDERSTOOD = (
    'Send {"rows": [{"column": value, …}, …]}, {"columns": {"column": [value, …], …}}, or a list of objects; '
    '"unit" may stand beside rows or columns.'
)


class Envelope(NamedTuple):
    """What a body holds.

    Attributes:
        form: How its values are laid out.
        values: A list of dicts, or a dict of lists.
        unit: What the request is about; empty if it does not say.
    """

    form: Literal["rows", "columns"]
    values: Any
    unit: str = ""


def opened(document: Any, fields: tuple[str, ...]) -> Envelope:
    """Return what a decoded body holds.

    Args:
        document: The decoded body.
        fields: Names of the model's inputs, to tell what was probably meant.

    Raises:
        MessageError: It holds neither rows nor columns.

    Example:
        >>> opened({"rows": [{"age": 42}], "unit": "customer-17"}, ("age",))
        Envelope(form='rows', values=[{'age': 42}], unit='customer-17')
    """
    if isinstance(document, list):
        return Envelope("rows", _rows(document))
    if not isinstance(document, dict):
        raise MessageError(f"The body is {named(document)}, which holds no rows.", hint=UNDERSTOOD)
    held = [key for key in ("rows", "columns") if key in document]
    if len(held) != 1 or not document.keys() <= {*_KEYS}:
        raise _misshapen(document, held, fields)
    unit = document.get("unit", "")
    if not isinstance(unit, str):
        raise MessageError(f"The unit is {named(unit)}; text is needed.", where="unit", hint="Write it in quotes.")
    if held == ["rows"]:
        return Envelope("rows", _rows(document["rows"]), unit)
    return Envelope("columns", _columns(document["columns"]), unit)


def _misshapen(document: dict[str, Any], held: list[str], fields: tuple[str, ...]) -> MessageError:
    if len(held) == 2:
        return MessageError("The body holds rows and columns; one of them is needed.", hint=UNDERSTOOD)
    unknown = [key for key in document if key not in _KEYS]
    if held:
        meant = nearest(unknown[0], _KEYS)
        hint = f"Did you mean {meant!r}?" if meant and meant not in document else UNDERSTOOD
        return MessageError(f"The body holds {unknown[0][:60]!r} beside {held[0]}, which is not known.", hint=hint)
    if set(unknown) & set(fields):
        if all(isinstance(value, list) for value in document.values()):
            return MessageError("The body is bare columns.", hint='Wrap them: {"columns": {…}}.')
        return MessageError("The body is a single bare row.", hint='Wrap it: {"rows": [{…}]}.')
    said = f"; it holds {', '.join(repr(key[:60]) for key in unknown[:5])}" if unknown else ""
    return MessageError(f"The body holds neither rows nor columns{said}.", hint=UNDERSTOOD)


def _rows(rows: Any) -> list[dict[str, Any]]:
    if not isinstance(rows, list):
        hint = 'Wrap a single row: {"rows": [{…}]}.' if isinstance(rows, dict) else UNDERSTOOD
        raise MessageError(f"The rows are {named(rows)}; a list of objects is needed.", where="rows", hint=hint)
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            raise MessageError(
                f"Row {number} is {named(row)}; an object from column to value is needed.",
                where=f"row {number}",
                hint=UNDERSTOOD,
            )
    return rows


def _columns(columns: Any) -> dict[str, list[Any]]:
    if not isinstance(columns, dict):
        what = f"The columns are {named(columns)}; an object from column to list is needed."
        raise MessageError(what, where="columns", hint=UNDERSTOOD)
    for name, values in columns.items():
        if not isinstance(values, list):
            raise MessageError(
                f"The column {name[:60]!r} is {named(values)}; a list with a value per row is needed.",
                where=f"column {name[:60]!r}",
                hint='A single row is sent as {"rows": [{…}]}.',
            )
    return columns


def named(value: Any) -> str:
    """Return what JSON calls a value.

    Example:
        >>> named([1]), named(None)
        ('a list', 'null')
    """
    return _NAMES[type(value)]


_NAMES: dict[type, str] = {
    dict: "an object",
    list: "a list",
    str: "text",
    bool: "a truth value",
    int: "a number",
    float: "a number",
    type(None): "null",
}
