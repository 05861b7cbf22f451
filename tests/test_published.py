"""What is published is generated from the code, and current."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from modelwright.spec.schema import schemas

ROOT = Path(__file__).parent.parent


def test_schemas_and_generated_pages_are_current():
    # In a process of its own: the terminal's width is remembered by whoever printed help first.
    command = [sys.executable, str(ROOT / "tools" / "reference.py"), "--check"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (checked.stderr.split(), checked.returncode) == ([], 0), "run: make schema"


@pytest.mark.parametrize("name", sorted(schemas()))
def test_schema_is_a_valid_schema(name):
    Draft202012Validator.check_schema(schemas()[name])


def test_no_other_schema_is_published():
    assert sorted(path.name for path in (ROOT / "docs" / "schema").iterdir()) == sorted(
        [*schemas(), "deployment.schema.json"]
    )
