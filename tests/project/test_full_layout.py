"""The full layout: rendered for every task, with each part left out, held to its own rules and its own tests."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import nbformat
import pytest
from full_projects import LEARNED, MODULE, NAME, TASKS, compile_all, lint, render_full, run_in, run_tests

from modelwright.project.scaffold.answers import PARTS, Part, Task

CODE = ("config", "features", "importance", "logs", "preprocess", "scripts", "split", "visualization")
"""Parts without which the code that is left is another."""
BARE: tuple[Part, ...] = tuple(part for part in PARTS if part != "tests")
WITH_PIPELINE = ("whole-function", "bare-function")
"""Projects whose integration test runs here; classification goes all the way in test_full_release.py."""
NOTEBOOK = """
import json


def test_the_notebook_runs_from_top_to_bottom(project, monkeypatch):
    monkeypatch.chdir(project / "notebooks")
    cells = json.loads((project / "notebooks" / "explore.ipynb").read_text("utf-8"))["cells"]
    names = {}
    exec("\\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"), names)
    assert len(names["table"]) > 100
"""
HEAVY = {"matplotlib", "modelwright", "numpy", "pandas", "pyarrow", "sklearn", "sqlalchemy", "yaml"}


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory) -> dict[Task, Path]:
    """A full project for each task; tests only read them."""
    folder = tmp_path_factory.mktemp("full")
    return {task: render_full(folder, task) for task in TASKS}


def imported(project: Path, module: str) -> set[str]:
    """Return the top-level names that importing a module of the project brings along."""
    code = f"import sys, {module}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    return set(run_in(project, "-c", code).stdout.split())


@pytest.mark.parametrize("task", TASKS)
def test_every_module_compiles(full: dict[Task, Path], task: Task) -> None:
    assert compile_all(full[task]) > 30


@pytest.mark.parametrize("task", TASKS)
def test_a_project_keeps_its_own_rules_of_style(full: dict[Task, Path], task: Task) -> None:
    lint(full[task])


def test_style_is_kept_when_the_name_is_long(tmp_path: Path) -> None:
    lint(render_full(tmp_path, "ranking", name="who-should-be-seen-first"))


@pytest.mark.parametrize("task", TASKS)
def test_no_trace_of_the_template_is_left(full: dict[Task, Path], task: Task) -> None:
    for path in full[task].rglob("*"):
        assert "{" not in path.name
        assert not path.is_file() or "{%" not in path.read_text("utf-8")


@pytest.mark.parametrize("task", TASKS)
def test_settings_of_the_file_are_the_defaults_of_the_code_or_say_more(full: dict[Task, Path], task: Task) -> None:
    code = (
        f"from pathlib import Path; from {MODULE}.config.reading import read_settings\n"
        f"from {MODULE}.config.settings import Settings\n"
        "given, default = read_settings(Path('config.toml')), Settings()\n"
        "assert (given.data, given.quality) == (default.data, default.quality), (given, default)\n"
        "assert getattr(given, 'split', None) == getattr(default, 'split', None)"
    )
    run_in(full[task], "-c", code)


@pytest.mark.parametrize("task", TASKS)
def test_console_commands_lead_to_functions(full: dict[Task, Path], task: Task) -> None:
    scripts = tomllib.loads((full[task] / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    assert set(scripts) == {f"{NAME}-run-train", f"{NAME}-run-pipeline"}
    for target in scripts.values():
        module, _, function = target.partition(":")
        source = (full[task] / "src" / f"{module.replace('.', '/')}.py").read_text("utf-8")
        assert function in {node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("task", TASKS)
def test_importing_the_package_brings_no_library_along(full: dict[Task, Path], task: Task) -> None:
    assert not imported(full[task], MODULE) & HEAVY


def test_a_function_brings_no_library_along(full: dict[Task, Path]) -> None:
    assert not imported(full["function"], f"{MODULE}.modeling.define") & HEAVY


@pytest.mark.parametrize("task", TASKS)
def test_the_notebook_is_valid_and_has_no_outputs(full: dict[Task, Path], task: Task) -> None:
    text = (full[task] / "notebooks" / "explore.ipynb").read_text("utf-8")
    notebook = nbformat.reads(text, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells)


@pytest.fixture(scope="session")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """What the tests of many projects said: whole ones, ones without one part, ones without any part."""
    folder = tmp_path_factory.mktemp("outcome")
    projects = []
    for task in TASKS:
        whole = render_full(folder, task, name=f"whole-{task}")
        (whole / "tests" / "test_notebook.py").write_text(NOTEBOOK, "utf-8")
        projects += [whole, render_full(folder, task, name=f"bare-{task}", without=BARE)]
    for index, part in enumerate(CODE):
        projects.append(render_full(folder, TASKS[index % len(TASKS)], name=f"no-{part}", without=(part,)))
    slow = [project / "tests/test_pipeline.py" for project in projects if not project.name.startswith(WITH_PIPELINE)]
    slow += [project / "tests/test_load.py" for project in projects[1:]]  # the same file in all of them
    return run_tests(projects, folder, options=[f"--ignore={path}" for path in slow])


@pytest.mark.parametrize("kind", ["whole", "bare"])
@pytest.mark.parametrize("task", TASKS)
def test_the_tests_of_a_project_pass(outcome: dict[str, dict[str, str]], task: Task, kind: str) -> None:
    (said,) = (said for name, said in outcome.items() if name.startswith(f"{kind}-{task}"))
    assert [text for text in said.values() if text] == []
    assert len(said) > (55 if kind == "whole" else 15)


@pytest.mark.parametrize("part", CODE)
def test_the_tests_of_what_is_left_pass_without_a_part(outcome: dict[str, dict[str, str]], part: str) -> None:
    (said,) = (said for name, said in outcome.items() if name.startswith(f"no-{part}"))
    assert [text for text in said.values() if text] == []
    assert len(said) > 30


@pytest.mark.parametrize("part", PARTS)
def test_each_part_can_be_left_out(full: dict[Task, Path], tmp_path: Path, part: Part) -> None:
    for task in (LEARNED[PARTS.index(part) % len(LEARNED)], "function"):
        project = render_full(tmp_path, task, without=(part,))
        compile_all(project)
        left, whole = ({path.relative_to(folder) for path in folder.rglob("*")} for folder in (project, full[task]))
        assert left - whole == ({Path("src", MODULE, "config.py")} if part == "config" else set())
        assert whole - left or part == "split"
    lint(tmp_path)


def test_all_parts_can_be_left_out_together(tmp_path: Path) -> None:
    for task in TASKS:
        compile_all(render_full(tmp_path, task, without=PARTS))
    lint(tmp_path)


@pytest.mark.parametrize("task", LEARNED)
def test_the_readme_names_only_commands_and_folders_that_exist(full: dict[Task, Path], task: Task) -> None:
    text = (full[task] / "README.md").read_text("utf-8")
    folders = set(re.findall("^[|] `([a-z]+/)`", text, flags=re.MULTILINE))
    assert "modeling/" in folders
    for folder in folders - {"model/"}:
        assert (full[task] / "src" / MODULE / folder).is_dir()
