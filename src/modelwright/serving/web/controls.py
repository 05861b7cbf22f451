"""Choose the control that each field is filled in with.

For: :mod:`.pages`. A control helps where it surely can (a range, a choice, a calendar) and never refuses what the
signature allows: what a browser's own control cannot hold is written as text.

Source: WHATWG HTML, "The input element", "Valid normalised local date and time string".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Literal

from modelwright.errors import Problem
from modelwright.registry.web.formatting import value as short_value
from modelwright.runtime.values import family_of
from modelwright.serving.contract import Contract
from modelwright.serving.web.forms import PREFIX, FieldData, text_of
from modelwright.serving.web.schemas import Schema, input_schema
from modelwright.spec.struct import Frozen

Kind = Literal["number", "text", "checkbox", "select", "date", "datetime-local", "textarea"]
SUGGESTED = 200
"""Most levels that a text control suggests."""
EXACT_IN_A_BROWSER = 2**53
"""Above this, browsers round whole numbers. Source: ECMAScript, ``Number.MAX_SAFE_INTEGER``."""
_NUMBER = re.compile(r"-?[\d.]+(?:[eE][+-]?\d+)?", re.ASCII)
_LOCAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class Control(Frozen, frozen=True, kw_only=True):
    """One field of a form.

    Attributes:
        id: Unique on the page.
        name: What it is sent as.
        label: Name of the field.
        kind: Element, or type of the input.
        value: What stands in it.
        options: Value and text of each choice of a select; levels that a text suggests.
        attributes: Further attributes of the element.
        note: What it takes, for people.
        problems: What is wrong with what was sent.
    """

    id: str
    name: str
    label: str
    kind: Kind
    value: str
    options: tuple[tuple[str, str], ...] = ()
    attributes: dict[str, str] = {}
    note: str = ""
    problems: tuple[Problem, ...] = ()


def controls_of(contract: Contract, filled: Mapping[str, str], problems: Iterable[Problem] = ()) -> tuple[Control, ...]:
    """Return the controls of a form, in the order of the signature.

    Args:
        contract: What is to be filled in.
        filled: What stands in each field.
        problems: What is wrong; those of a field stand beside it.
    """
    by_column: dict[str | None, list[Problem]] = {}
    for problem in problems:
        by_column.setdefault(problem.column, []).append(problem)
    return tuple(
        _control(place, field, filled.get(field["name"], ""), tuple(by_column.get(field["name"], ())))
        for place, field in enumerate(contract.inputs)
    )


def _control(place: int, field: FieldData, text: str, problems: tuple[Problem, ...]) -> Control:
    schema = input_schema(field)
    kind = _kind(field, text)
    needed = {"required": "required"} if _needed(field, kind) else {}
    return Control(
        id=f"field-{place}",
        name=PREFIX + field["name"],
        label=field["name"],
        kind=kind,
        value=text,
        options=_options(field, kind, text),
        attributes=_ATTRIBUTES.get(kind, _nothing)(field, schema) | needed,
        note=_note(field, kind),
        problems=problems,
    )


def _kind(field: FieldData, text: str) -> Kind:
    family = family_of(field["datatype"])
    if field.get("shape") or family == "json":
        return "textarea"
    if family == "bool":
        return "select" if field.get("nullable") else "checkbox"
    if field.get("categories") is not None and field.get("on_unknown") == "error":
        return "select"
    if family == "string":
        return "textarea" if "\n" in text else "text"
    return _plain_kind(field, family, text)


def _plain_kind(field: FieldData, family: str, text: str) -> Kind:
    if family in ("int", "float", "duration"):
        return "text" if _unbounded(field) or (text and not _NUMBER.fullmatch(text)) else "number"
    if family == "date":
        return "text" if text and not _DAY.fullmatch(text) else "date"
    if family == "datetime" and field.get("timezone") is None:
        return "text" if text and not _LOCAL.fullmatch(text) else "datetime-local"
    return "text"


def _unbounded(field: FieldData) -> bool:
    """Say whether infinity may be sent, which no strict range contains."""
    return bool(field.get("infinite")) and not (field.get("training_range") and _refuses(field))


def _refuses(field: FieldData) -> bool:
    return field.get("on_out_of_range") == "error"


def _needed(field: FieldData, kind: Kind) -> bool:
    """Say whether an empty control is surely wrong; empty text is text."""
    return not field.get("nullable") and kind != "checkbox" and family_of(field["datatype"]) not in ("string", "bytes")


def _options(field: FieldData, kind: Kind, text: str) -> tuple[tuple[str, str], ...]:
    if kind == "select":
        levels = field.get("categories") or (True, False)
        listed = [(text_of(field, level), text_of(field, level)) for level in levels]
        if text and text not in dict(listed):
            listed.append((text, text))  # what was sent is shown beside what is wrong with it
        return (("", "no value"), *listed) if field.get("nullable") or not text else tuple(listed)
    if kind in ("text", "number"):
        levels = (field.get("categories") or ())[:SUGGESTED]
        return tuple((text_of(field, level), text_of(field, level)) for level in levels)
    return ()


def _number(field: FieldData, schema: Schema) -> dict[str, str]:
    typed = schema["anyOf"][0] if "anyOf" in schema else schema
    bounds = {"min": typed.get("minimum"), "max": typed.get("maximum")}
    if family_of(field["datatype"]) == "duration" and "training_range" not in field:
        bounds = {}
    step = "1" if family_of(field["datatype"]) == "int" else "any"
    known = {name: value for name, value in bounds.items() if value is not None and abs(value) <= EXACT_IN_A_BROWSER}
    return {name: text_of(field, value) for name, value in known.items()} | {"step": step}


def _calendar(_field: FieldData, schema: Schema) -> dict[str, str]:
    bounds = {"min": schema.get("x-minimum"), "max": schema.get("x-maximum")}
    return {name: str(value) for name, value in bounds.items() if value is not None}


def _nothing(_field: FieldData, _schema: Schema) -> dict[str, str]:
    return {}


def _step(field: FieldData, schema: Schema) -> dict[str, str]:
    return {"step": "any"} | _calendar(field, schema)


def _decimal(field: FieldData, _schema: Schema) -> dict[str, str]:
    return {"inputmode": "decimal"} if family_of(field["datatype"]) == "float" else {}


def _area(_field: FieldData, _schema: Schema) -> dict[str, str]:
    return {"rows": "3", "spellcheck": "false"}


_ATTRIBUTES: dict[str, Callable[[FieldData, Schema], dict[str, str]]] = {
    "number": _number,
    "date": _calendar,
    "datetime-local": _step,
    "text": _decimal,
    "textarea": _area,
}


def _note(field: FieldData, kind: Kind) -> str:
    """Say what a control takes that it does not show by itself."""
    family, told = family_of(field["datatype"]), [field.get("description", ""), field.get("unit", "")]
    shape = ", ".join("any" if size < 0 else str(size) for size in field.get("shape", ()))
    if shape:
        told.append(f"JSON: a tensor of {field['datatype']}, shape [{shape}]")
    elif family == "datetime" and kind == "text":
        told.append("such as 2026-11-20T13:45:00" + ("" if field.get("timezone") is None else "+01:00"))
    elif family in _WORDS:
        told.append(_WORDS[family])
    if _unbounded(field):
        told.append("Infinity and -Infinity are allowed")
    bounds = field.get("training_range")
    if bounds and _refuses(field):
        told.append(f"{short_value(bounds[0])} to {short_value(bounds[1])}")
    elif bounds:
        told.append(f"seen in training: {short_value(bounds[0])} to {short_value(bounds[1])}")
    if field.get("nullable") and kind != "select":
        told.append("null: no value" if kind == "textarea" else "leave empty for no value")
    return " · ".join(filter(None, told))


_WORDS = {"bytes": "base64", "duration": "seconds", "json": "any JSON"}
