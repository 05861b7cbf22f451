"""What is published is generated from the code, and current."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from modelwright.spec.schema import schemas

ROOT = Path(__file__).parent.parent


def generator():
    spec = importlib.util.spec_from_file_location("reference", ROOT / "tools" / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_schemas_and_generated_pages_are_current(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")  # the generator sets both for itself; this puts them back
    monkeypatch.setenv("NO_COLOR", "1")
    stale = [
        path.relative_to(ROOT).as_posix()
        for path, content in generator().pages().items()
        if not path.is_file() or path.read_text(encoding="utf-8") != content
    ]
    assert stale == [], "run: make schema"


@pytest.mark.parametrize("name", sorted(schemas()))
def test_schema_is_a_valid_schema(name):
    Draft202012Validator.check_schema(schemas()[name])


def test_no_other_schema_is_published():
    assert sorted(path.name for path in (ROOT / "docs" / "schema").iterdir()) == sorted(schemas())
