"""Commit and tag a release with a real git: what is in the commit, and what is refused with nothing changed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from releasing_projects import add_field, contents, edit_code, git, raised, write_project

from modelwright.errors import GitError


@pytest.fixture(autouse=True)
def _own_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep git from reading the configuration of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith(("GIT_", "EMAIL"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A committed project whose model breaks its users since the last release."""
    root = write_project(tmp_path / "project")
    (root / ".gitignore").write_text("dist/\n__pycache__/\n")
    git(root, "init", "--quiet", "--initial-branch", "main")
    git(root, "config", "user.name", "Ada")
    git(root, "config", "user.email", "ada@example.org")
    git(root, "config", "commit.gpgsign", "false")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", "begin")
    add_field(root)
    return root


def state(root: Path) -> tuple[object, ...]:
    """Everything that a refused bump must not change."""
    return (
        contents(root),
        git(root, "rev-parse", "HEAD"),
        git(root, "status", "--porcelain"),
        git(root, "tag", "--list"),
    )


def test_a_commit_contains_what_was_edited_and_the_model_and_nothing_else(project: Path) -> None:
    (project / "notes.txt").write_text("mine")
    (project / "src" / "twice" / "model" / "artifacts").mkdir(exist_ok=True)
    (project / "src" / "twice" / "model" / "requirements.txt").unlink(missing_ok=True)
    bumped = raised(project, recording="commit")
    assert git(project, "log", "-1", "--format=%H %s") == f"{bumped.commit} twice 2.0.0"
    committed = set(git(project, "show", "--name-only", "--format=").splitlines())
    assert committed == {*bumped.files, "src/twice/model/requirements.txt"}
    assert git(project, "status", "--porcelain") == "?? notes.txt"
    assert (bumped.tag, git(project, "tag", "--list")) == ("", "")


def test_a_tag_is_annotated_and_of_the_commit(project: Path) -> None:
    bumped = raised(project, recording="tag")
    assert bumped.tag == "v2.0.0"
    assert git(project, "cat-file", "-t", "v2.0.0") == "tag"
    assert git(project, "rev-parse", "v2.0.0^{commit}") == bumped.commit == git(project, "rev-parse", "HEAD")


def test_a_model_that_git_ignores_stays_out_of_the_commit(project: Path) -> None:
    (project / ".gitignore").write_text("dist/\nsrc/twice/model/\n")
    git(project, "rm", "-r", "--quiet", "--cached", "src/twice/model")
    git(project, "add", ".gitignore")
    git(project, "commit", "--quiet", "--message", "keep the model elsewhere")
    raised(project, recording="tag")
    committed = git(project, "show", "--name-only", "--format=", "HEAD").splitlines()
    assert committed == ["CHANGELOG.md", "pyproject.toml"]


def test_a_tag_may_follow_when_everything_is_committed_already(project: Path) -> None:
    commit = raised(project, recording="commit").commit
    bumped = raised(project, recording="tag")
    assert (bumped.files, bumped.commit) == ((), commit)
    assert git(project, "rev-parse", "v2.0.0^{commit}") == commit


def _stage(root: Path) -> None:
    (root / "notes.txt").write_text("mine")
    git(root, "add", "notes.txt")


def _refuse_commits(root: Path) -> None:
    hook = root / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho not on Fridays >&2\nexit 1\n")
    hook.chmod(0o755)


def _sign_with_nothing(root: Path) -> None:
    git(root, "config", "tag.gpgSign", "true")
    git(root, "config", "gpg.program", "/bin/false")


def _forget_who(root: Path) -> None:
    git(root, "config", "--unset", "user.name")
    git(root, "config", "--unset", "user.email")
    git(root, "config", "user.useConfigOnly", "true")


@pytest.mark.parametrize(
    ("spoil", "message", "told"),
    [
        (lambda root: shutil.rmtree(root / ".git"), "in no git repository", "git init"),
        (_forget_who, "does not know who commits", "git config user.name"),
        (_stage, "Other changes are staged", "notes.txt"),
        (lambda root: git(root, "tag", "v2.0.0"), r"The tag v2\.0\.0 exists already", "git show v2.0.0"),
        (lambda root: edit_code(root, "2.0 * ", "3.0 * "), "Code of the model is not committed", "twice_model.py"),
        (lambda root: (root / ".git" / "MERGE_HEAD").write_text("x"), "A merge is not finished", "git status"),
        (_refuse_commits, "git commit failed", "not on Fridays"),
        (_sign_with_nothing, "git tag failed", "gpg"),
    ],
)
def test_what_git_cannot_do_is_refused_and_nothing_is_changed(
    project: Path, spoil: Callable[[Path], object], message: str, told: str
) -> None:
    spoil(project)
    before = state(project) if (project / ".git").is_dir() else contents(project)
    with pytest.raises(GitError, match=message) as caught:
        raised(project, recording="tag")
    assert told in str(caught.value)
    assert (state(project) if (project / ".git").is_dir() else contents(project)) == before


def test_a_repository_without_a_commit_is_asked_for_its_code_first(project: Path) -> None:
    shutil.rmtree(project / ".git")
    git(project, "init", "--quiet")
    git(project, "config", "user.name", "Ada")
    git(project, "config", "user.email", "ada@example.org")
    before = contents(project)
    with pytest.raises(GitError, match="Code of the model is not committed"):
        raised(project, recording="commit")
    assert contents(project) == before


def test_without_git_on_the_path_it_says_so(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = state(project)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", "/nonexistent")
        with pytest.raises(GitError, match="not installed"):
            raised(project, recording="commit")
    assert state(project) == before


def test_a_dry_run_refuses_what_the_run_would_and_commits_nothing(project: Path) -> None:
    before = state(project)
    assert raised(project, recording="tag", dry_run=True).tag == "v2.0.0"
    assert state(project) == before
    git(project, "tag", "v2.0.0")
    with pytest.raises(GitError, match="exists already"):
        raised(project, recording="tag", dry_run=True)
