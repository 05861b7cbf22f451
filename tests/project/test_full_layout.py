"""The full layout: rendered for every task, with each part left out, held to its own rules and its own tests."""

from __future__ import annotations

import ast
import json
import re
import shutil
import tomllib
from pathlib import Path

import nbformat
import pytest
from full_projects import LEARNED, MODULE, NAME, TASKS, compile_all, lint, render_full, run_in

from modelwright.project.scaffold.answers import PARTS, Task

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


@pytest.mark.parametrize("task", ["regression", "function"])
def test_the_notebook_runs_from_top_to_bottom(full: dict[Task, Path], task: Task) -> None:
    notebook = json.loads((full[task] / "notebooks" / "explore.ipynb").read_text("utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert run_in(full[task], "-c", "\n".join([*cells, "print(len(table))"]), cwd="notebooks").stdout.strip().isdigit()


def test_the_tests_of_a_project_pass(full: dict[Task, Path], tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(full["classification"], project)
    done = run_in(project, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--doctest-modules", "src", "tests")
    assert "passed" in done.stdout
    assert "warning" not in done.stdout
    assert not (project / "src" / MODULE / "model").exists()


@pytest.mark.parametrize("task", ["regression", "ranking", "function"])
def test_the_tests_of_the_other_tasks_are_found_and_the_quick_ones_pass(full: dict[Task, Path], task: Task) -> None:
    quick = "not test_pipeline and not test_load and not test_importance"
    done = run_in(full[task], "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", quick, "tests")
    assert "passed" in done.stdout


@pytest.mark.parametrize(
    ("task", "part"),
    [*(("classification", part) for part in PARTS), ("function", "scripts"), ("function", "visualization")],
)
def test_each_part_can_be_left_out(full: dict[Task, Path], tmp_path: Path, task: Task, part: str) -> None:
    project = render_full(tmp_path, task, without=(part,))
    compile_all(project)
    lint(project)
    there = {path.relative_to(project) for path in project.rglob("*")}
    assert there < {path.relative_to(full[task]) for path in full[task].rglob("*")}


def test_what_is_left_compiles_and_keeps_the_rules_when_every_part_is_left_out(tmp_path: Path) -> None:
    project = render_full(tmp_path, "regression", without=PARTS)
    compile_all(project)
    lint(project)


def test_tests_are_found_without_the_parts_of_the_code(tmp_path: Path) -> None:
    project = render_full(tmp_path, "classification", without=("scripts", "visualization"))
    found = run_in(project, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--collect-only", "tests").stdout
    assert "test_scripts.py" not in found
    assert "test_visualization.py" not in found
    assert "test_pipeline.py" in found


@pytest.mark.parametrize("task", LEARNED)
def test_the_readme_names_only_commands_and_folders_that_exist(full: dict[Task, Path], task: Task) -> None:
    text = (full[task] / "README.md").read_text("utf-8")
    folders = set(re.findall("^[|] `([a-z]+/)`", text, flags=re.MULTILINE))
    assert "modeling/" in folders
    for folder in folders - {"model/"}:
        assert (full[task] / "src" / MODULE / folder).is_dir()
