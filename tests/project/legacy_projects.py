"""Copies of the legacy projects in ``tests/data/legacy``, and small projects written on the spot."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import subprocess
import textwrap
from pathlib import Path

from modelwright.project.adopting.declared import Declared
from modelwright.project.adopting.reading import read_declared, read_document
from modelwright.project.adopting.report import Adoption, Finding
from modelwright.project.adopting.tree import open_tree

LEGACY = Path(__file__).parents[1] / "data" / "legacy"
PROJECTS = ("broken", "declarative", "flat", "hatch", "idioms", "poetry")


def copy_of(name: str, folder: Path) -> Path:
    """Copy a legacy project; one with a ``gitignore`` becomes a git repository that obeys it."""
    project = folder / name
    shutil.copytree(LEGACY / name, project)
    if (project / "gitignore").exists():
        (project / "gitignore").rename(project / ".gitignore")
        for command in (["git", "init", "-q", "."], ["git", "add", "."]):
            subprocess.run(command, cwd=project, check=True, capture_output=True)
    return project


def with_pins_of_this_environment(project: Path) -> None:
    """Let requirements.txt pin what is installed here, so that a model can be captured with it."""
    file = project / "requirements.txt"
    for name in ("joblib", "numpy", "pandas", "scikit-learn"):
        line = f"{name}=={importlib.metadata.version(name)}"
        file.write_text(re.sub(rf"(?m)^{name}==.*$", line, file.read_text()))


def written(folder: Path, files: dict[str, str]) -> Path:
    """Write a project of a few files."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(textwrap.dedent(text).lstrip("\n"))
    return folder


def declared_in(folder: Path) -> Declared:
    """Read what the project at a folder declares."""
    tree = open_tree(folder)
    return read_declared(tree, read_document(tree))


def finding(report: Adoption, file: str, severity: str = "") -> Finding:
    """Return the one finding about a file."""
    found = [each for each in report.findings if each.file == file and severity in ("", each.severity)]
    assert len(found) == 1, report.findings
    return found[0]
