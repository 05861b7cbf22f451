"""Run installers as their users do, and ask what was installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from uv import find_uv_bin

UV = find_uv_bin()
PIP = [sys.executable, "-m", "pip"]
ROWS = "release\n1.9\n2.10\n"
ANSWERS = "prediction\nfalse\ntrue\n"
PYPROJECT = """\
[build-system]
requires = ["modelwright"]
build-backend = "modelwright.backend"

[project]
name = "tinyjudge"
version = "1.0.0"
description = "Is a release new?"
dependencies = ["iniconfig>=2"]
dynamic = ["dependencies"]

[project.scripts]
tinyjudge-limit = "tinyjudge.rules:main"

[dependency-groups]
dev = ["pluggy>=1"]
"""
RULES = '''"""Compare releases."""

from packaging.version import Version

LIMIT = "2.0"


def is_new(rows):
    """Say for each row whether its release is new."""
    return [Version(row["release"]) >= Version(LIMIT) for row in rows]


def main():
    """Print the limit."""
    print(LIMIT)
'''
CAPTURE = """
import modelwright as mw
from tinyjudge.rules import is_new

mw.capture(is_new, [{"release": "1.9"}, {"release": "2.10"}], name="tinyjudge", version="1.0.0", to=".")
"""


def run(*command: str | Path, cwd: Path, code: int = 0, **variables: str) -> str:
    """Run a command with the index this machine is set up for; return what it prints on stdout."""
    environment = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
    environment |= {"UV_PYTHON_DOWNLOADS": "never", "NO_COLOR": "1", **variables}
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == code, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def write_project(root: Path) -> Path:
    """Write a project with code and without a model."""
    package = root / "src" / "tinyjudge"
    package.mkdir(parents=True)
    (root / "pyproject.toml").write_text(PYPROJECT)
    (package / "__init__.py").write_text('"""Releases."""\n')
    (package / "rules.py").write_text(RULES)
    return root


def capture(root: Path) -> Path:
    """Capture the model of the project into it, as its training script would."""
    run(sys.executable, "-c", CAPTURE, cwd=root, PYTHONPATH="src")
    return root


def venv(folder: Path) -> Path:
    """Make an empty environment; return its folder."""
    run(UV, "venv", "--quiet", "--no-project", "--python", sys.executable, folder, cwd=folder.parent)
    return folder


def python_of(environment: Path) -> Path:
    """The Python of an environment."""
    return environment / ("Scripts" if os.name == "nt" else "bin") / "python"


def assert_predicts(environment: Path, elsewhere: Path) -> None:
    """The installed model answers as when it was captured, away from its project and without modelwright."""
    (elsewhere / "rows.csv").write_text(ROWS)
    programs = python_of(environment).parent
    assert run(programs / "tinyjudge", "predict", "rows.csv", cwd=elsewhere) == ANSWERS
    assert run(programs / "tinyjudge-limit", cwd=elsewhere) == "2.0\n"
    code = "from tinyjudge.model import predict; print(predict([{'release': '2.10'}]))"
    assert run(programs / "python", "-c", code, cwd=elsewhere) == "[{'prediction': True}]\n"
    find = "from importlib.util import find_spec; print(find_spec('modelwright'))"
    assert run(programs / "python", "-c", find, cwd=elsewhere) == "None\n"
