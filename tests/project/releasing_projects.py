"""Model projects to release: the golden model that needs no library, in a project that a person would own."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import modelwright as mw
from modelwright.project.releasing.bump import Bumped, bump

GOLDEN = Path(__file__).parents[1] / "data" / "golden" / "format-1" / "twice-1.0.0" / "twice"
TODAY = date(2026, 11, 21)
PYPROJECT = """[build-system]
requires = ["modelwright"]
build-backend = "modelwright.backend"

[project]
name = "twice"
version = "1.0.0"  # said here
description = "Doubles a number"
dynamic = ["dependencies"]
"""


def write_project(root: Path, *, release: bool = True) -> Path:
    """Write a project at 1.0.0 with a captured model; return its root.

    Args:
        root: Where.
        release: Whether 1.0.0 is built into ``dist`` already.
    """
    shutil.copytree(GOLDEN, root / "src" / "twice", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    if release:
        mw.build(root, root / "dist")
    return root


def edit_manifest(root: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    """Change what was captured, as another capture would."""
    path = root / "src" / "twice" / "model" / "manifest.json"
    document = json.loads(path.read_text("utf-8"))
    edit(document)
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def edit_code(root: Path, old: str, new: str, *, name: str = "twice_model.py") -> None:
    """Change a module of the package and capture it, as far as the manifest says."""
    path = root / "src" / "twice" / name
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    content = path.read_bytes()

    def edit(document: dict[str, Any]) -> None:
        file = next(file for file in document["code"] if file["path"] == name)
        file |= {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}

    edit_manifest(root, edit)


def add_field(root: Path) -> None:
    """Require another field: a breaking change."""
    field = {"name": "tenure", "datatype": "int64"}
    edit_manifest(root, lambda document: document["signature"]["inputs"].append(field))


def raised(root: Path, part: str = "auto", **options: Any) -> Bumped:
    """Bump without running the models, on the day of the tests."""
    return bump(root, part, **{"behaviour": "skip", "today": TODAY, **options})


def contents(root: Path) -> dict[str, bytes]:
    """Every file of the project outside ``.git``, to see what changed."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and ".git" not in path.parts and "__pycache__" not in path.parts
    }


def git(root: Path, *arguments: str) -> str:
    """Run git in a project as somebody whose own configuration does not count."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(root), "GIT_CONFIG_NOSYSTEM": "1"}
    command = ["git", "-C", str(root), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
