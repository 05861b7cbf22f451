"""Plain data as YAML that people read: blocks, keys in the order given, every text quoted as JSON does.

Called by exporters, whose files end in front of YAML 1.1 and 1.2 parsers alike; a quoted text means the same in both
(an unquoted ``no``, ``1.10`` or ``0o17`` does not). It reads nothing.

Source: YAML 1.2.2, chapter 7.3.1 (double-quoted style), chapter 8 (block styles).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_PLAIN_KEY = re.compile(r"(?!(?i:y|n|yes|no|on|off|true|false|null)$)[A-Za-z_][A-Za-z0-9_./-]*")


def yaml_text(*documents: Mapping[str, Any]) -> str:
    """Return documents as one YAML text, ``---`` between them.

    Args:
        *documents: Dicts, lists, texts, numbers, truth values and ``None``, nested.

    Example:
        >>> print(yaml_text({"name": "churn", "ports": [{"containerPort": 8080}], "labels": {}}), end="")
        name: "churn"
        ports:
          - containerPort: 8080
        labels: {}
    """
    return "---\n".join("".join(f"{line}\n" for line in _mapping(document)) for document in documents)


def _mapping(mapping: Mapping[str, Any]) -> Iterator[str]:
    for key, value in mapping.items():
        name = key if _PLAIN_KEY.fullmatch(key) else _scalar(key)
        if isinstance(value, Mapping | list | tuple) and value:
            yield f"{name}:"
            yield from (f"  {line}" for line in _block(value))
        else:
            yield f"{name}: {_scalar(value)}"


def _block(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from _mapping(value)
        return
    for item in value:
        if isinstance(item, Mapping | list | tuple) and item:
            first, *others = _block(item)
            yield f"- {first}"
            yield from (f"  {line}" for line in others)
        else:
            yield f"- {_scalar(item)}"


def _scalar(value: Any) -> str:
    """Return a scalar or an empty collection; JSON is YAML, but for some characters and for ``1e-05``."""
    if isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False)
        return "".join(one if one.isprintable() else _escaped(one) for one in text)
    text = json.dumps(value, allow_nan=False)
    return text.replace("e", ".0e", 1) if isinstance(value, float) and "e" in text and "." not in text else text


def _escaped(character: str) -> str:
    """Return a character by its number. Source: YAML 1.2.2, chapter 5.7."""
    code = ord(character)
    return f"\\U{code:08x}" if code > 0xFFFF else f"\\u{code:04x}"
