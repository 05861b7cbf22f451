"""The published JSON Schemas, generated from the structs so that they cannot differ.

Called by ``make schema`` and by the test that keeps ``docs/schema/`` up to date.
"""

from __future__ import annotations

from typing import Any

import msgspec

from modelwright.spec.manifest import FORMAT_VERSION, Manifest
from modelwright.spec.profile import Profile
from modelwright.spec.scenario import Scenario


def schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema (2020-12) of each document in a model folder, by file name.

    Example:
        >>> sorted(schemas())
        ['manifest.schema.json', 'profile.schema.json', 'scenario.schema.json']
    """
    documents = {"manifest": Manifest, "scenario": Scenario, "profile": Profile}
    return {f"{name}.schema.json": _schema(name, kind) for name, kind in documents.items()}


def _schema(name: str, kind: Any) -> dict[str, Any]:
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"modelwright {name}, format version {FORMAT_VERSION}",
    }
    return head | msgspec.json.schema(kind)
