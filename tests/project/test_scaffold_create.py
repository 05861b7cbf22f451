"""Creating a project: all of it or nothing, never over something else, and what is said about it."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelwright.errors import ScaffoldError
from modelwright.project.scaffold.answers import Answers
from modelwright.project.scaffold.create import create, preview
from modelwright.project.scaffold.machine import install_origin
from modelwright.project.scaffold.render import TEMPLATES
from modelwright.project.scaffold.taken import ask

SMALL = Answers(name="loans", size="minimal", task="function", date="2026-11-21")


def files_of(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_what_is_reported_is_what_is_there(tmp_path: Path) -> None:
    created = create(SMALL, tmp_path)
    assert created.path == str(tmp_path / "loans")
    assert files_of(tmp_path / "loans") == {*created.files, ".modelwright/.gitignore", ".modelwright/local.mk"}
    assert [path.name for path in tmp_path.iterdir()] == ["loans"]


def test_a_preview_says_the_same_and_leaves_nothing(tmp_path: Path) -> None:
    told = preview(SMALL, tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert told == create(SMALL, tmp_path)


def test_more_files_are_written_and_override_those_of_the_template(tmp_path: Path) -> None:
    created = create(SMALL, tmp_path, extra={"README.md": "mine\n", "data/rows.csv": "a\n1\n"})
    assert (tmp_path / "loans" / "README.md").read_text() == "mine\n"
    assert "data/rows.csv" in created.files


@pytest.mark.parametrize("name", ["../outside.py", "/tmp/outside.py"])
def test_a_file_outside_of_the_project_is_refused_and_nothing_is_left(tmp_path: Path, name: str) -> None:
    with pytest.raises(ScaffoldError, match="outside"):
        create(SMALL, tmp_path, extra={name: ""})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_what_exists_is_never_overwritten(tmp_path: Path, kind: str) -> None:
    target = tmp_path / "loans"
    if kind == "folder":
        target.mkdir()
        (target / "thesis.tex").write_text("years of work")
    elif kind == "file":
        target.write_text("years of work")
    else:
        target.symlink_to(tmp_path / "nowhere")
    before = sorted(tmp_path.rglob("*"))
    for make in (create, preview):
        with pytest.raises(ScaffoldError, match="exists already"):
            make(SMALL, tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


def test_an_empty_folder_is_free(tmp_path: Path) -> None:
    (tmp_path / "loans").mkdir()
    assert "pyproject.toml" in files_of(Path(create(SMALL, tmp_path).path))


def test_a_broken_template_leaves_nothing(tmp_path: Path) -> None:
    shutil.copytree(TEMPLATES / "1", tmp_path / "templates" / "1")
    (tmp_path / "templates" / "1" / "common" / "Makefile").write_text("{{ nothing.of.that.name }}")
    with pytest.raises(ScaffoldError, match="cannot be rendered"):
        create(SMALL, tmp_path / "into", templates=tmp_path / "templates")
    assert list((tmp_path / "into").iterdir()) == []


def test_facts_about_this_machine_are_hidden_from_git_and_understood_by_make(tmp_path: Path) -> None:
    project = Path(create(SMALL, tmp_path).path)
    show = "show:\n\t@echo '$(PYTHON)'\n\t@test -x '$(UV)'\n"
    (project / "show.mk").write_text("-include .modelwright/local.mk\n" + show)
    told = subprocess.run(
        ["make", "--no-print-directory", "-f", "show.mk"], cwd=project, capture_output=True, text=True, check=True
    ).stdout
    assert told.strip() == sys.executable
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    status = subprocess.run(
        ["git", "status", "--short", "-uall"], cwd=project, capture_output=True, text=True, check=True
    )
    assert ".modelwright" not in status.stdout
    assert "pyproject.toml" in status.stdout


def test_the_origin_of_modelwright_is_what_pip_needs_to_find_it_again() -> None:
    vcs = {"url": "https://git.example/mw", "vcs_info": {"vcs": "git", "commit_id": "abc"}, "subdirectory": "tool"}
    assert install_origin(json.dumps(vcs)) == '"modelwright @ git+https://git.example/mw@abc#subdirectory=tool"'
    assert install_origin("") == ""


class Index(http.server.BaseHTTPRequestHandler):
    """A simple index that has one package, and one project page that fails."""

    def do_GET(self) -> None:
        codes = {"/simple/churn/": 200, "/simple/broken/": 500}
        self.send_response(codes.get(self.path, 404))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def index() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Index) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/simple"
        server.shutdown()


def test_an_index_says_which_names_are_taken(index: str, tmp_path: Path) -> None:
    assert [ask(index, name) for name in ("churn", "loans", "broken")] == ["taken", "free", "unknown"]
    assert ask("http://127.0.0.1:9/simple", "churn") == "unknown"
    (tmp_path / "churn").mkdir()
    assert [ask(tmp_path.as_uri(), name) for name in ("churn", "loans")] == ["taken", "free"]


def new(*arguments: str, cwd: Path, index: str, code: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``modelwright new`` with one package index."""
    variables = {**os.environ, "UV_DEFAULT_INDEX": index, **environment}
    command = [sys.executable, "-m", "modelwright", "new", *arguments]
    done = subprocess.run(command, cwd=cwd, env=variables, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    return done


def test_the_command_shows_files_and_next_steps(tmp_path: Path, index: str) -> None:
    done = new("Loans", "--minimal", "--task", "function", cwd=tmp_path, index=index)
    assert done.stdout.splitlines()[:2] == ["loans", "  Makefile"]
    assert "Next:\n  cd loans\n  make test\n  make train\n  make verify\n" in done.stderr


def test_a_taken_name_is_refused_unless_one_insists(tmp_path: Path, index: str) -> None:
    refused = new("churn", "--minimal", cwd=tmp_path, index=index, code=4)
    assert "'churn' is taken" in refused.stderr
    assert "--name-taken-ok" in refused.stderr
    assert list(tmp_path.iterdir()) == []
    new("churn", "--minimal", "--name-taken-ok", cwd=tmp_path, index=index)


def test_an_index_that_does_not_answer_is_no_obstacle(tmp_path: Path) -> None:
    done = new("churn", "--minimal", "--json", cwd=tmp_path, index="http://127.0.0.1:9/simple")
    assert "did not say whether" in json.loads(done.stdout)["notes"][0]


def test_a_dry_run_writes_nothing(tmp_path: Path, index: str) -> None:
    done = new("loans", "--dry-run", "--setuptools", cwd=tmp_path, index=index)
    assert "  setup.py" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_git_is_not_needed_and_asked_for_only_on_request(tmp_path: Path, index: str) -> None:
    (tmp_path / "bin").mkdir()
    new("loans", "--minimal", cwd=tmp_path, index=index, PATH=str(tmp_path / "bin"))
    assert not (tmp_path / "loans" / ".git").exists()
    refused = new("others", "--git", cwd=tmp_path, index=index, PATH=str(tmp_path / "bin"), code=5)
    assert "git is not installed" in refused.stderr
    assert not (tmp_path / "others").exists()


def test_git_gets_one_commit_with_everything(tmp_path: Path, index: str) -> None:
    who = {f"GIT_{role}_{part}": "a@b" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    new("loans", "--minimal", "--git", cwd=tmp_path, index=index, **who)
    log = ["git", "log", "--format=%s", "--name-only"]
    shown = subprocess.run(log, cwd=tmp_path / "loans", capture_output=True, text=True, check=True).stdout
    assert shown.splitlines()[0] == "Start the model project"
    assert len(shown.split("\n\n")[1].split()) == 6


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["class"], 2, "'class-model'"),
        (["loans", "--minimal", "--full"], 2, "--minimal"),
        (["loans", "--without", "cii"], 2, "cii"),
        (["--minimal"], 2, "no name"),
        (["--update"], 4, "not made by modelwright new"),
        (["loans", "--task", "poetry"], 2, "poetry"),
    ],
)
def test_wrong_calls_are_refused_with_their_exit_code(
    tmp_path: Path, index: str, arguments: list[str], code: int, said: str
) -> None:
    assert said in new(*arguments, cwd=tmp_path, index=index, code=code).stderr
    assert list(tmp_path.iterdir()) == []
