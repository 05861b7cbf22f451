"""Capture into a project that a person owns: only its model folder is replaced."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import modelwright as mw

PYPROJECT = """
[build-system]
requires = ["modelwright"]
build-backend = "modelwright.backend"

[project]
name = "prices"
version = "1.0.0"
description = "Prices with tax"
"""

FEATURES = """
from prices.rates import RATE


def with_tax(rows):
    return [row["net"] * RATE for row in rows]
"""

TRAIN = """
import sys
import modelwright as mw
from prices.features import with_tax

EXTRA = 1.0

def elsewhere(rows):
    return [row["net"] + EXTRA for row in rows]

model = with_tax if sys.argv[1] == "own" else elsewhere
package = mw.capture(model, [{"net": 1.0}, {"net": 2.0}], name="prices", version="1.0.0", to=sys.argv[2])
print(package.path)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    package = tmp_path / "src" / "prices"
    package.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (package / "__init__.py").write_text('"""Prices."""\n')
    (package / "rates.py").write_text("RATE = 1.25\n")
    (package / "features.py").write_text(textwrap.dedent(FEATURES))
    (tmp_path / "train.py").write_text(TRAIN)
    return tmp_path


def train(project: Path, which: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "train.py", which, str(project)]
    environment = {**os.environ, "PYTHONPATH": str(project / "src")}
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)


def test_only_the_model_folder_of_a_project_is_written(project: Path) -> None:
    own = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    for _ in range(2):
        done = train(project, "own")
        assert done.returncode == 0, done.stderr
    assert all(path.read_bytes() == content for path, content in own.items())
    home = project / "src" / "prices"
    assert {path.name for path in home.iterdir()} - {"__pycache__"} == {
        "__init__.py",
        "features.py",
        "model",
        "rates.py",
    }
    manifest = mw.read(project).manifest
    assert manifest.storage.options == {"module": "prices.features", "attribute": "with_tax"}
    assert [file.path for file in manifest.code] == ["__init__.py", "features.py", "rates.py"]


def test_the_wheel_of_the_project_predicts(project: Path) -> None:
    assert train(project, "own").returncode == 0
    wheel = mw.build(project, project / "dist")
    use = "import prices.features; print(prices.features.with_tax([{'net': 4}]))"
    code = f"import sys; sys.path.insert(0, {str(wheel)!r}); {use}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[5.0]\n"


def test_code_outside_the_project_is_refused_with_the_way_in(project: Path) -> None:
    done = train(project, "elsewhere")
    assert done.returncode == 1
    assert "MW605" in done.stderr
    assert "Move that code into prices/" in done.stderr
    assert not (project / "src" / "prices" / "model").exists()


def test_what_the_project_itself_requires_is_pinned_and_locked_too(project: Path) -> None:
    pyproject = project / "pyproject.toml"
    pyproject.write_text(PYPROJECT + 'dependencies = ["iniconfig>=1", "colorama; sys_platform == \'win32\'"]\n')
    done = train(project, "own")
    assert done.returncode == 0, done.stderr
    package = mw.read(project)
    assert [line.partition("==")[0] for line in package.manifest.environment.dependencies] == ["iniconfig"]
    assert "iniconfig" in package.lock
