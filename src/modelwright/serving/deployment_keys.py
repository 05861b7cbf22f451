"""Which keys a ``deployment.toml`` has, table by table: taken from the nouns, so that file and nouns cannot differ.

For: :mod:`.deployment_file`, which judges by them, and the published JSON Schema, by which editors complete the file.
A field added to a noun is a key of the file at once; only its range, if it has one, is said here.
"""

from __future__ import annotations

import inspect
import re
from typing import Annotated, Any, NamedTuple, get_type_hints

import msgspec

from modelwright.serving.deployment import (
    Deployment,
    Limits,
    ModelDeployment,
    RecordSettings,
    ServerSettings,
    Variant,
)

LONGEST_S = 7 * 86400.0
"""Longest time that any setting may ask for, seconds: a week; what is longer is a mistake in the unit."""
CONTROL = "control"
"""Name of the only variant of a model that has just a reference."""
VARIANT = r"[a-z0-9](?:-?[a-z0-9]){0,62}"
"""Names of variants: they stand in headers, labels of metrics and columns of records."""
MODEL = r"[a-z0-9](?:-?[a-z0-9])*"
"""Names of models, in their normal form. Source: PEP 503, "Normalized Names"."""

_PORT = msgspec.Meta(ge=0, le=65535)
"""Source: RFC 9293 section 3.1, 16 bits."""
_DOOR = msgspec.Meta(ge=-1, le=65535)
_SOME = msgspec.Meta(ge=1)
_SECONDS = msgspec.Meta(gt=0, le=LONGEST_S)
RANGES = {
    "port": _PORT,
    "grpc_port": _DOOR,
    "admin_port": _DOOR,
    "max_body_bytes": _SOME,
    "max_connections": _SOME,
    "head_s": _SECONDS,
    "body_s": _SECONDS,
    "drain_s": msgspec.Meta(ge=0, le=LONGEST_S),
    "workers": msgspec.Meta(ge=1, le=1024),
    "batch_rows": _SOME,
    "queue_rows": _SOME,
    "max_rows": _SOME,
    "deadline_s": _SECONDS,
    "load_s": _SECONDS,
    "threads": msgspec.Meta(ge=0, le=1024),
    "weight": msgspec.Meta(gt=0),
    "sample": msgspec.Meta(ge=0, le=1),
    "file_rows": _SOME,
    "file_s": _SECONDS,
    "queue_records": _SOME,
}
"""Ranges of numbers, by key; a key means the same in every table."""


class Key(NamedTuple):
    """One key of a table.

    Attributes:
        kind: Type of its value, with the range.
        range: The range, if there is one.
        default: Its value where it is left out; ``msgspec.NODEFAULT``: it may not be, or that is said elsewhere.
        meaning: What it is, a sentence.
    """

    kind: Any
    range: msgspec.Meta | None = None
    default: Any = msgspec.NODEFAULT
    meaning: str = ""


def keys_of(struct: type[msgspec.Struct]) -> dict[str, Key]:
    """Return the keys that the fields of a noun are.

    Example:
        >>> keys_of(Limits)["workers"].meaning
        'Processes per version.'
    """
    kinds, meanings = get_type_hints(struct), _meanings(struct)
    return {
        field.name: Key(
            _ranged(kinds[field.name], RANGES.get(field.name)),
            RANGES.get(field.name),
            field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory(),
            meanings.get(field.name, ""),
        )
        for field in msgspec.structs.fields(struct)
    }


def _ranged(kind: Any, limits: msgspec.Meta | None) -> Any:
    return kind if limits is None else Annotated[kind, limits]


def _meanings(struct: type) -> dict[str, str]:
    """Return what a noun's docstring says of each attribute."""
    _, _, said = (inspect.getdoc(struct) or "").partition("Attributes:\n")
    found = re.findall(r"^    (\w+): (.+(?:\n {8}.+)*)", said, flags=re.MULTILINE)
    return {name: " ".join(text.split()).replace("``", "`") for name, text in found}


def _without(keys: dict[str, Key], *names: str) -> dict[str, Key]:
    return {name: key for name, key in keys.items() if name not in names}


SERVER = keys_of(ServerSettings)
RECORDS = keys_of(RecordSettings)
VARIANT_KEYS = keys_of(Variant)
LIMITS = keys_of(Limits)
MODEL_KEYS = {
    "reference": Key(str, meaning="The package, where only one version is served: the same as one variant `control`.")
} | _without(keys_of(ModelDeployment) | LIMITS, "name", "limits")
TOP = keys_of(Deployment)


def deployment_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a ``deployment.toml``.

    Example:
        >>> deployment_schema()["properties"]["server"]["properties"]["port"]["maximum"]
        65535
    """
    variants = _object(VARIANT_KEYS, required=["reference"])
    model = _object(MODEL_KEYS, variants=_named(VARIANT, variants, MODEL_KEYS["variants"].meaning))
    model["oneOf"] = [{"required": ["reference"]}, {"required": ["variants"]}]
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "modelwright deployment.toml",
        "description": "What one server serves.",
    }
    parts = {
        "models": _named(MODEL, model, TOP["models"].meaning),
        "server": _object(SERVER) | {"description": TOP["server"].meaning},
        "records": _object(RECORDS) | {"description": TOP["records"].meaning},
    }
    return head | _object(TOP, required=["models"], **parts)


def _object(keys: dict[str, Key], required: list[str] | None = None, **parts: dict[str, Any]) -> dict[str, Any]:
    properties = {name: parts.get(name) or _value(key) for name, key in keys.items()}
    wanted = {"required": required} if required else {}
    return {"type": "object", "properties": properties, "additionalProperties": False} | wanted


def _named(pattern: str, values: dict[str, Any], meaning: str) -> dict[str, Any]:
    return {
        "type": "object",
        "description": meaning,
        "propertyNames": {"pattern": f"^{pattern}$"},
        "additionalProperties": values,
        "minProperties": 1,
    }


def _value(key: Key) -> dict[str, Any]:
    default = {} if key.default is msgspec.NODEFAULT else {"default": msgspec.to_builtins(key.default)}
    return msgspec.json.schema(key.kind) | {"description": key.meaning} | default
