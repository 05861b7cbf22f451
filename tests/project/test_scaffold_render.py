"""What the template gives: projects that compile, pass their own linter, and say what they were made from."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
import tomllib
import warnings
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.errors import NameVersionError, ScaffoldError
from modelwright.project.scaffold.answers import OF_FULL, PARTS, Answers, check_answers, read_answers
from modelwright.project.scaffold.render import TEMPLATES, render

TASKS = ("classification", "regression", "ranking", "function")
DATE = "2026-11-21"
WITHOUT_LEARNING = {"src/credit_risk/features.py", "tests/test_features.py"}
SETUPTOOLS = {"setup.py", "MANIFEST.in", "requirements.txt"}
LINTER = [sys.executable, "-m", "ruff"]


def answers(**changes) -> Answers:
    return check_answers(Answers(**({"name": "credit-risk", "date": DATE} | changes)))


def compile_all(project: Path) -> None:
    for path in project.rglob("*.py"):
        compile(path.read_text("utf-8"), str(path), "exec", dont_inherit=True)


@pytest.mark.parametrize(("size", "task"), list(itertools.product(("minimal", "default"), TASKS)))
def test_every_project_compiles_and_passes_its_own_linter(tmp_path: Path, size: str, task: str) -> None:
    name = "customer-churn-in-northern-europe" if task == "regression" else "a"
    files = render(answers(name=name, size=size, task=task, setuptools=task == "regression"), tmp_path)
    compile_all(tmp_path)
    for command in (["check", "--no-cache", "."], ["format", "--no-cache", "--check", "."]):
        done = subprocess.run([*LINTER, *command], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    leftovers = [name for name in files if re.search(r"\{%|\{#|\{\{ ", (tmp_path / name).read_text("utf-8"))]
    assert leftovers == []


def test_a_minimal_project_has_six_files(tmp_path: Path) -> None:
    assert set(render(answers(size="minimal"), tmp_path)) == {
        *("pyproject.toml", "Makefile", "README.md", "tests/test_pipeline.py"),
        *("src/credit_risk/__init__.py", "src/credit_risk/pipeline.py"),
    }


@pytest.mark.parametrize("size", ["minimal", "default"])
def test_setuptools_adds_three_files_and_no_other(tmp_path: Path, size: str) -> None:
    plain = set(render(answers(size=size), tmp_path / "plain"))
    assert set(render(answers(size=size, setuptools=True), tmp_path / "setuptools")) == plain | SETUPTOOLS


@pytest.mark.parametrize("task", TASKS)
def test_the_readme_counts_the_files_a_newcomer_reads_and_they_are_there(tmp_path: Path, task: str) -> None:
    files = render(answers(task=task), tmp_path)
    text = (tmp_path / "README.md").read_text("utf-8")
    count, listed = re.search(r"reads (\d+) files, in this order: ([^.]*\.md[^\n]*\.py`)\.", text).groups()
    names = re.findall(r"`([^`]+)`", listed)
    assert len(names) == int(count) <= 10
    assert all(any(file == name or file == f"src/credit_risk/{name}" for file in files) for name in names)
    for heading in ("Installation", "Configuration", "Usage", "Features", "Contributing"):
        assert f"\n## {heading}\n" in text


@pytest.mark.parametrize("part", [part for part in PARTS if part not in OF_FULL])
def test_what_is_left_out_is_not_there_and_nothing_mentions_it(tmp_path: Path, part: str) -> None:
    mentions = {
        "changelog": "CHANGELOG",
        "ci": ".github",
        "gitignore": ".gitignore",
        "pre-commit": "pre-commit",
        "readme": "README",
        "tests": "pytest",
    }
    whole, files = set(render(answers(), tmp_path / "whole")), set(render(answers(without=(part,)), tmp_path / "part"))
    assert files < whole
    compile_all(tmp_path / "part")
    texts = {name: (tmp_path / "part" / name).read_text("utf-8") for name in files - {".gitignore", "pyproject.toml"}}
    assert [name for name, text in texts.items() if mentions[part] in text] == []


def test_requirements_txt_says_what_pyproject_says(tmp_path: Path) -> None:
    render(answers(setuptools=True), tmp_path)
    said = tomllib.loads((tmp_path / "pyproject.toml").read_text("utf-8"))
    wanted = [*said["project"]["optional-dependencies"]["train"], *said["dependency-groups"]["dev"]]
    lines = (tmp_path / "requirements.txt").read_text("utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#")] == wanted


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"size": "minimal", "task": "function"},
        {"setuptools": True, "without": ("ci", "tests")},
        {"size": "full", "without": PARTS},
    ],
    ids=["default", "minimal", "setuptools", "bare"],
)
def test_copier_renders_the_same(tmp_path: Path, changes: dict) -> None:
    from copier import run_copy

    given = answers(description='Say "hi"', **changes)
    files = render(given, tmp_path / "ours")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run_copy(str(TEMPLATES / "1"), tmp_path / "theirs", data=given.data(), defaults=True, quiet=True)
    theirs = {path.relative_to(tmp_path / "theirs") for path in (tmp_path / "theirs").rglob("*") if path.is_file()}
    assert theirs == set(map(Path, files))
    for name in files:
        assert (tmp_path / "ours" / name).read_bytes() == (tmp_path / "theirs" / name).read_bytes(), name


@given(description=st.text(max_size=60), author=st.text(max_size=30))
@settings(max_examples=20, deadline=None)
def test_whatever_is_answered_is_kept_and_makes_a_valid_project(
    tmp_path_factory, description: str, author: str
) -> None:
    folder = tmp_path_factory.mktemp("answered")
    given = answers(size="minimal", task="function", description=description, author=author, without=("ci", "tests"))
    render(given, folder)
    assert read_answers(folder) == (1, given)
    assert tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]["description"] == given.description
    compile_all(folder)


@pytest.mark.parametrize("name", ["class", "json", "a b", "-x", "1st", "modelwright", "x" * 101])
def test_names_that_cannot_be_installed_or_imported_are_refused(name: str) -> None:
    with pytest.raises(NameVersionError):
        answers(name=name)


@pytest.mark.parametrize(
    ("name", "hint"), [("class", "'class-model'"), ("1st", "'model-1st'"), ("json", "'json-model'")]
)
def test_a_name_that_is_refused_comes_with_one_that_is_not(name: str, hint: str) -> None:
    with pytest.raises(NameVersionError) as caught:
        answers(name=name)
    assert hint in caught.value.hint
    assert answers(name=hint.strip("'")).name == hint.strip("'")


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"task": "clasification"}, "'classification'"),
        ({"size": "maximal"}, "'minimal'"),
        ({"without": ("cli",)}, "'ci'"),
        ({"without": ("split",)}, "--full --without split"),
    ],
)
def test_an_answer_that_does_not_exist_is_refused_with_the_nearest(changes: dict, hint: str) -> None:
    with pytest.raises(ScaffoldError) as caught:
        answers(**changes)
    assert hint in caught.value.hint


def test_a_version_of_the_template_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScaffoldError, match="no version 99"):
        render(answers(), tmp_path, version=99)
