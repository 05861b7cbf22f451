"""Imports go one way only; a broken layer is caught with file and line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(root / "src"), "COLUMNS": "200"}
    linter = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [linter, "--no-cache", "--no-logo"], cwd=root, env=environment, capture_output=True, text=True
    )


@pytest.fixture
def copy(tmp_path) -> Path:
    """A copy of the sources and the contracts, to break."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", tmp_path)
    return tmp_path


def test_the_layers_hold():
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "line", "culprit"),
    [
        ("spec/naming.py", "import modelwright.building", "modelwright.spec.naming -> modelwright.building"),
        (
            "capturing/formats.py",
            "import modelwright.building",
            "modelwright.capturing.formats -> modelwright.building",
        ),
        ("runtime/errors.py", "import msgspec", "modelwright.runtime.errors -> msgspec"),
        ("plugins.py", "import modelwright.adapters", "modelwright.plugins -> modelwright.adapters"),
        ("package.py", "def late():\n    import pandas", "modelwright.package -> pandas"),
    ],
)
def test_a_broken_layer_is_caught_and_named(copy, module, line, culprit):
    path = copy / "src" / "modelwright" / module
    path.write_text(f"{path.read_text(encoding='utf-8')}\n\n{line}\n", encoding="utf-8")
    done = lint(copy)
    assert done.returncode == 1
    assert culprit in done.stdout
