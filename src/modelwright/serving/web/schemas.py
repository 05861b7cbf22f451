"""Say in JSON Schema what a value, a row and an answer are: exactly what the server accepts and gives.

For: OpenAPI. What a schema of an input allows is what :mod:`modelwright.runtime.values` accepts of a value that
:mod:`modelwright.runtime.encoding` carries through JSON, with two differences. Dates and times have other spellings in
ISO 8601, which are understood too. The range of a strict date or time stands in ``x-minimum`` and ``x-maximum``,
because JSON Schema compares numbers only.

Source: JSON Schema 2020-12; OpenAPI 3.1.1, 4.4 "Data Types", and its format registry.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from modelwright.runtime.returning import flat_names
from modelwright.runtime.values import family_of

Schema = dict[str, Any]
FieldData = dict[str, Any]
"""One field of a signature as plain data."""

SECONDS = (-86_399_999_913_600, 86_399_999_999_999)
"""Shortest and longest duration, seconds. Source: Python's ``timedelta.min`` and ``timedelta.max``."""
_YEAR = r"(?:[1-9]\d{3}|0[1-9]\d{2}|00[1-9]\d|000[1-9])"
_LEAP = r"(?:\d{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
_DAY = (
    rf"(?:{_YEAR}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|"
    rf"02-(?:0[1-9]|1\d|2[0-8]))|{_LEAP}-02-29)"
)
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?"
_OFFSET = r"(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)"
_BASE64 = r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
"""Source: RFC 4648, section 4, with padding."""


def input_schema(field: FieldData) -> Schema:
    """Return what may be sent for a field.

    Args:
        field: The field of the signature.

    Example:
        >>> input_schema({"name": "age", "datatype": "uint8", "nullable": True, "unit": "years"})
        {'type': ['integer', 'null'], 'format': 'uint8', 'minimum': 0, 'maximum': 255, 'x-unit': 'years'}
    """
    return _tensor(field, _element(field)) | _described(field)


def output_schema(output: FieldData) -> Schema:
    """Return what is answered for an output: a value, nested lists, or an object from class label to value.

    Example:
        >>> score = {"name": "score", "datatype": "float64", "shape": [2], "labels": ["no", "yes"]}
        >>> output_schema(score)["properties"]["yes"]
        {'type': 'number', 'format': 'double'}
    """
    output = _unbound(output)
    labels, shape = output.get("labels"), output.get("shape", ())
    if labels and len(shape) == 1:
        names = [str(label) for label in labels]
        return record({name: _nullable(output, _element(output)) for name in names}) | _described(output)
    return _tensor(output, _element(output)) | _described(output)


def flat_output_schemas(output: FieldData) -> dict[str, Schema]:
    """Return what is answered for an output in columns: one per class, or per element of a short vector.

    Example:
        >>> list(flat_output_schemas({"name": "score", "datatype": "float64", "shape": [2], "labels": ["no", "yes"]}))
        ['score_no', 'score_yes']
    """
    output, names = _unbound(output), flat_names(output)
    if names == [output["name"]]:
        return {output["name"]: output_schema(output | {"labels": None})}
    return {name: _nullable(output, _element(output)) | _described(output) for name in names}


def _unbound(output: FieldData) -> FieldData:
    """Return an output without the policies of inputs: what a model answers is not refused for being new."""
    return {key: value for key, value in output.items() if key not in ("on_unknown", "on_out_of_range")}


def record(properties: dict[str, Schema]) -> Schema:
    """Return an object that has all these properties and no other.

    Example:
        >>> record({"age": {"type": "integer"}})["required"]
        ['age']
    """
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def listed(items: Schema, *, least: int = 0, most: int | None = None) -> Schema:
    """Return a list of at least and at most so many.

    Example:
        >>> listed({"type": "integer"}, least=1)
        {'type': 'array', 'items': {'type': 'integer'}, 'minItems': 1}
    """
    bounds = {"minItems": least} if least else {}
    return {"type": "array", "items": items} | bounds | ({} if most is None else {"maxItems": most})


def _tensor(field: FieldData, element: Schema) -> Schema:
    """Wrap an element into a list per axis; where a value may be missing, a part of a tensor may be, too."""
    schema = _nullable(field, element)
    for size in reversed(field.get("shape", ())):
        most = None if size < 0 else size
        schema = _nullable(field, listed(schema, least=max(size, 0), most=most))
    return schema


def _nullable(field: FieldData, schema: Schema) -> Schema:
    """Allow a missing value, if the field does; JSON of any kind allows it by itself, but not inside a tensor."""
    if "type" not in schema and "anyOf" not in schema:
        return {"not": {"type": "null"}} if field.get("shape") and not field.get("nullable") else schema
    if not field.get("nullable"):
        return schema
    if "anyOf" in schema:
        return {"anyOf": [*schema["anyOf"], {"type": "null"}]}
    kept = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return schema | {"type": [schema["type"], "null"]} | kept


def _element(field: FieldData) -> Schema:
    return _ELEMENTS[family_of(field["datatype"])](field)


def _bool(field: FieldData) -> Schema:
    return {"type": "boolean"} | _levels(field)


def _int(field: FieldData) -> Schema:
    datatype: str = field["datatype"]
    bits = int(datatype.lstrip("uint"))
    low, high = (0, 2**bits - 1) if datatype.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    if (bounds := _bounds(field)) is not None:
        low, high = max(low, bounds[0]), min(high, bounds[1])
    return {"type": "integer", "format": datatype, "minimum": low, "maximum": high} | _levels(field)


def _float(field: FieldData) -> Schema:
    bounds, levels = _bounds(field), _levels(field)
    number: Schema = {"type": "number", "format": "double" if field["datatype"] == "float64" else "float"} | levels
    if bounds is not None:
        number |= {"minimum": bounds[0], "maximum": bounds[1]}
    infinite = field.get("infinite") and bounds is None and not levels
    words = ["NaN"] * bool(field.get("nullable")) + ["Infinity", "-Infinity"] * bool(infinite)
    return {"anyOf": [number, {"type": "string", "enum": words}]} if words else number


def _string(field: FieldData) -> Schema:
    return {"type": "string"} | _levels(field)


def _date(field: FieldData) -> Schema:
    return {"type": "string", "format": "date", "pattern": f"^{_DAY}$"} | _limits(field)


def _datetime(field: FieldData) -> Schema:
    local = field.get("timezone") is None
    kind, end = ("date-time-local", "") if local else ("date-time", _OFFSET)
    return {"type": "string", "format": kind, "pattern": f"^{_DAY}T{_CLOCK}{end}$"} | _limits(field)


def _duration(field: FieldData) -> Schema:
    low, high = _bounds(field) or SECONDS
    return {"type": "number", "minimum": low, "maximum": high}


_ELEMENTS: dict[str, Callable[[FieldData], Schema]] = {
    "bool": _bool,
    "int": _int,
    "float": _float,
    "string": _string,
    "bytes": lambda _: {"type": "string", "contentEncoding": "base64", "pattern": _BASE64},
    "date": _date,
    "datetime": _datetime,
    "duration": _duration,
    "json": lambda _: {},
}


def _bounds(field: FieldData) -> tuple[Any, Any] | None:
    """Return the range that a strict field was trained on, and refuses to leave."""
    found = field.get("training_range")
    return (found[0], found[1]) if found and field.get("on_out_of_range") == "error" else None


def _levels(field: FieldData) -> Schema:
    """Return the only levels that a strict field takes."""
    levels = field.get("categories")
    return {"enum": list(levels)} if levels is not None and field.get("on_unknown") == "error" else {}


def _limits(field: FieldData) -> Schema:
    bounds = _bounds(field)
    return {} if bounds is None else {"x-minimum": bounds[0], "x-maximum": bounds[1]}


def _described(field: FieldData) -> Schema:
    """Return what a schema tells people: the unit, and what the model was trained on where more is taken."""
    unit = field.get("unit") or ("s" if family_of(field["datatype"]) == "duration" else "")
    told = {
        "description": field.get("description"),
        "x-unit": unit,
        "x-levels": None if _levels(field) else field.get("categories"),
        "x-training-range": None if _bounds(field) else field.get("training_range"),
    }
    return {key: list(value) if isinstance(value, tuple) else value for key, value in told.items() if value}


def properties_of(fields: Sequence[FieldData], schema_of: Callable[[FieldData], Schema]) -> dict[str, Schema]:
    """Return the schema of every field, by its name."""
    return {field["name"]: schema_of(field) for field in fields}
