"""Render projects of the full layout, and run commands in them as their owners would."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from modelwright.project.scaffold.answers import Answers, Task
from modelwright.project.scaffold.render import render

NAME, MODULE = "tumour-check", "tumour_check"
LEARNED: tuple[Task, ...] = ("classification", "regression", "ranking")
TASKS: tuple[Task, ...] = (*LEARNED, "function")


def render_full(
    into: Path, task: Task, *, name: str = NAME, without: tuple[str, ...] = (), setuptools: bool = False
) -> Path:
    """Render a full project into a folder of its own; return the project's folder."""
    project = into / "-".join([name, task, *without])[:60]
    answers = Answers(
        name=name,
        size="full",
        task=task,
        description='Tumours, "checked" \\ twice',
        setuptools=setuptools,
        without=without,
        date="2026-11-21",
    )
    render(answers, project)
    return project


def run_in(project: Path, *command: str | Path, cwd: str = ".", code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run this interpreter in a project whose code can be imported; fail with the output unless it ends so."""
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=project / cwd,
        env=os.environ | {"PYTHONPATH": str(project / "src")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == code, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


def lint(project: Path) -> None:
    """Hold a project to its own rules of style and format."""
    run_in(project, "-m", "ruff", "check", "--no-cache", "--quiet", ".")
    run_in(project, "-m", "ruff", "format", "--no-cache", "--check", "--quiet", ".")


def compile_all(project: Path) -> int:
    """Compile every module of a project, warnings being errors; return how many there are."""
    modules = sorted(project.rglob("*.py"))
    for module in modules:
        compile(module.read_text("utf-8"), str(module), "exec")
    return len(modules)
