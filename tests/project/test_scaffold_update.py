"""Updating a project: what a person changed survives, what the template changed arrives, or both are shown."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from modelwright.errors import ScaffoldError, StorageError
from modelwright.project.scaffold.answers import Answers, read_answers
from modelwright.project.scaffold.create import create
from modelwright.project.scaffold.render import TEMPLATES
from modelwright.project.scaffold.update import apply, plan_update

GIT = shutil.which("git")
MAKEFILE, README, INIT = "Makefile", "README.md", "src/loans/__init__.py"


@pytest.fixture(scope="module")
def templates(tmp_path_factory) -> Path:
    """The template, and a second version of it that adds, changes and removes."""
    folder = tmp_path_factory.mktemp("templates")
    for version in ("1", "2"):
        shutil.copytree(TEMPLATES / "1", folder / version)
    second = folder / "2"
    edit(second / "common" / "pyproject.toml", "version = 1\nname", "version = 2\nname")
    edit(second / "common" / "Makefile", "PYTHON ?= python3", "PYTHON ?= python")
    edit(second / "common" / "README.md", "## Installation", "## How to install")
    (second / "minimal" / "NOTICE.jinja").write_text("{{ name }}\n")
    (second / "minimal" / "tests" / "test_pipeline.py.jinja").unlink()
    return folder


@pytest.fixture
def project(tmp_path: Path, templates: Path) -> Path:
    only_first = tmp_path / "templates"
    shutil.copytree(templates / "1", only_first / "1")
    answers = Answers(name="loans", size="minimal", task="function", date="2026-11-21")
    return Path(create(answers, tmp_path / "work", templates=only_first).path)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def state(project: Path) -> dict[str, bytes]:
    return {path.relative_to(project).as_posix(): path.read_bytes() for path in project.rglob("*") if path.is_file()}


def update(project: Path, templates: Path, git: str | None = GIT) -> dict[str, str]:
    plan = plan_update(project, templates=templates, git=git)
    apply(project, plan)
    return {change.path: change.happened for change in plan.updated.changes}


def test_what_nobody_changed_follows_the_template(project: Path, templates: Path) -> None:
    happened = update(project, templates)
    assert happened == {
        MAKEFILE: "replaced",
        README: "replaced",
        "pyproject.toml": "replaced",
        "NOTICE": "added",
        "tests/test_pipeline.py": "removed",
    }
    assert read_answers(project)[0] == 2
    assert (project / "NOTICE").read_text() == "loans\n"
    assert not (project / "tests" / "test_pipeline.py").exists()


def test_a_second_update_has_nothing_to_do(project: Path, templates: Path) -> None:
    update(project, templates)
    before = state(project)
    assert update(project, templates) == {}
    assert state(project) == before


def test_changes_in_different_places_are_merged(project: Path, templates: Path) -> None:
    edit(project / MAKEFILE, "clean:  ## Remove", "clean:  ## Throw away")
    edit(project / "pyproject.toml", 'version = "0.1.0"', 'version = "3.0.0"')
    happened = update(project, templates)
    assert happened[MAKEFILE] == happened["pyproject.toml"] == "merged"
    text = (project / MAKEFILE).read_text()
    assert "## Throw away" in text
    assert "PYTHON ?= python\n" in text
    assert 'version = "3.0.0"' in (project / "pyproject.toml").read_text()
    assert read_answers(project)[0] == 2


def test_changes_in_the_same_place_are_shown_with_all_three_versions(project: Path, templates: Path) -> None:
    edit(project / README, "## Installation", "## Getting it")
    plan = plan_update(project, templates=templates, git=GIT)
    assert plan.updated.conflicts == (README,)
    apply(project, plan)
    text = (project / README).read_text()
    assert text.index("<<<<<<< yours\n## Getting it") < text.index("||||||| old template\n## Installation")
    assert text.index("=======\n## How to install") < text.index(">>>>>>> new template")


def test_without_git_the_new_file_is_put_beside_the_changed_one(project: Path, templates: Path) -> None:
    edit(project / README, "## Installation", "## Getting it")
    ours = (project / README).read_bytes()
    assert update(project, templates, git=None)[README] == "conflict"
    assert (project / README).read_bytes() == ours
    assert "## How to install" in (project / "README.md.new").read_text()


def test_what_a_person_deleted_stays_deleted(project: Path, templates: Path) -> None:
    (project / README).unlink()
    assert update(project, templates)[README] == "kept"
    assert not (project / README).exists()


def test_what_a_person_changed_stays_although_the_template_drops_it(project: Path, templates: Path) -> None:
    edit(project / "tests" / "test_pipeline.py", "def test_it_agrees", "def test_that_it_agrees")
    assert update(project, templates)["tests/test_pipeline.py"] == "kept"
    assert (project / "tests" / "test_pipeline.py").exists()


def test_what_both_added_the_same_way_is_left_alone(project: Path, templates: Path) -> None:
    (project / "NOTICE").write_text("loans\n")
    assert "NOTICE" not in update(project, templates)


def test_deciding_writes_nothing(project: Path, templates: Path) -> None:
    before = state(project)
    assert plan_update(project, templates=templates, git=GIT).updated.changes
    assert state(project) == before


def test_a_file_that_cannot_be_written_leaves_everything_as_it_was(project: Path, templates: Path) -> None:
    (project / "NOTICE").mkdir()  # a folder where the new template has a file
    before = state(project)
    plan = plan_update(project, templates=templates, git=GIT)
    with pytest.raises(StorageError, match="cannot be updated"):
        apply(project, plan)
    assert state(project) == before


def test_a_project_of_a_newer_modelwright_is_refused(project: Path, templates: Path, tmp_path: Path) -> None:
    update(project, templates)
    with pytest.raises(ScaffoldError, match=r"version 2 of the template; this modelwright has 1"):
        plan_update(project, templates=tmp_path / "templates", git=GIT)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[tool.modelwright.template]", "[tool.other]", "not made by modelwright new"),
        ('task = "function"', "task = 3", "cannot be read"),
        ('task = "function"', 'task = "poetry"', "cannot be read"),
        ("version = 1\n", 'version = "one"\n', "cannot be read"),
    ],
)
def test_a_table_that_is_missing_or_broken_is_refused(
    project: Path, templates: Path, old: str, new: str, said: str
) -> None:
    edit(project / "pyproject.toml", old, new)
    with pytest.raises(ScaffoldError, match=said):
        plan_update(project, templates=templates, git=GIT)
