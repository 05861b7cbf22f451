"""Render projects of the full layout, and run commands in them as their owners would."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.etree import ElementTree

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


def run_tests(projects: Iterable[Path], into: Path, *, options: Sequence[str] = ()) -> dict[str, dict[str, str]]:
    """Run the tests of several projects in one process, so that libraries are imported once.

    Args:
        projects: Folders of projects whose modules have different names.
        into: Folder that the outcome is written to.
        options: More arguments of pytest.

    Returns:
        For each project what went wrong, by test; what passed has an empty text.
    """
    projects, report = list(projects), into / "outcome.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib"]
    settings = ["-c", os.devnull, f"--rootdir={into}", f"--junit-xml={report}"]
    subprocess.run(
        [*command, *settings, *options, *(str(project / "tests") for project in projects)],
        cwd=into,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(str(project / "src") for project in projects)},
        capture_output=True,
        timeout=600,
        check=False,
    )
    outcome: dict[str, dict[str, str]] = {project.name: {} for project in projects}
    for case in ElementTree.parse(report).iter("testcase"):
        (name,) = (name for name in outcome if f"{name}.tests." in f"{case.get('classname')}.")
        failed = case.find("failure") if case.find("failure") is not None else case.find("error")
        outcome[name][f"{case.get('classname')}.{case.get('name')}"] = "" if failed is None else failed.text or "?"
    return outcome
