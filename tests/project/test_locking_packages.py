"""The lock of a package is handed out as it is; differences are those of distributions, not of bytes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from installing_tools import capture, write_project
from locking_index import PYLOCK, REQUIREMENTS, write_model

from modelwright.building.build import build
from modelwright.errors import LockError, PackageError
from modelwright.project.locking.asking import Wanted
from modelwright.project.locking.comparing import differences
from modelwright.project.locking.lock import Locked, lock
from modelwright.project.locking.making import Content
from modelwright.project.locking.writing import texts

NAMES = ("pylock.toml", "requirements.txt")


def command(*arguments: str, cwd: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "modelwright", "lock", *arguments], cwd=cwd, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a model whose library is on the index; do not change it."""
    return capture(write_project(tmp_path_factory.mktemp("judge") / "project"))


def test_a_wheel_and_a_folder_give_the_lock_that_they_carry(judge: Path, tmp_path: Path) -> None:
    model = judge / "src" / "tinyjudge" / "model"
    wheel = build(judge, tmp_path / "dist")
    for number, target in enumerate((wheel, model, judge / "src" / "tinyjudge")):
        into = tmp_path / str(number)
        made = lock(target, into=into, wanted=Wanted(formats=("all",)))
        assert made.packages.keys() == {"iniconfig", "packaging"}  # what the project requires, and its model
        assert (into / "pylock.toml").read_bytes() == (model / "pylock.toml").read_bytes()
        text = (into / "requirements.txt").read_text()
        assert text.endswith((model / "requirements.txt").read_text())
        assert f"  - python={made.python}.*\n" in (into / "environment.yml").read_text()


def test_the_lock_of_a_package_cannot_be_chosen(tmp_path: Path) -> None:
    folder = write_model(tmp_path)
    for asked in (Wanted(extras=("train",)), Wanted(groups=("dev",)), Wanted(python="3.12"), Wanted(index_url="x")):
        with pytest.raises(LockError, match="taken as it is"):
            lock(folder, into=tmp_path, wanted=asked)
    (folder / "requirements.txt").unlink()
    with pytest.raises(PackageError, match=r"no requirements\.txt"):
        lock(folder, into=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["toy_project"]


@pytest.mark.parametrize(("name", "text"), [("pylock.toml", PYLOCK), ("requirements.txt", REQUIREMENTS)])
def test_differences_name_the_distribution(name: str, text: str) -> None:
    assert differences(name, None, text) == [f"{name} is missing"]
    assert differences(name, text, text) == []
    assert differences(name, text, text.replace("1.0", "1.1", 1 if name == "requirements.txt" else 99)) != []
    other = text.replace("a" * 64, "b" * 64)
    gone = ["toybase 1.0 has other files on the index", "toymodel 1.0 has other files on the index"]
    assert differences(name, text, other) == gone


def test_a_file_that_the_index_got_since_is_no_difference_and_one_that_it_lost_is() -> None:
    more = REQUIREMENTS.replace("toymodel", f"    --hash=sha256:{'b' * 64}\ntoymodel", 1).replace(
        f"{'a' * 64}\n    --hash", f"{'a' * 64} \\\n    --hash", 1
    )
    assert differences("requirements.txt", REQUIREMENTS, more) == []
    assert differences("requirements.txt", more, REQUIREMENTS) == ["toybase 1.0 has other files on the index"]


def test_versions_that_differ_between_platforms_are_one_difference() -> None:
    windows, both = "toy==1.0 ; sys_platform == 'win32'\n", "toy==1.0 ; sys_platform == 'win32'\ntoy==2.0\n"
    assert differences("requirements.txt", windows, both) == ["toy 1.0 → 1.0, 2.0"]
    moved = ["toy 1.0 is for other platforms: sys_platform == 'win32' → all"]
    assert differences("requirements.txt", windows, "toy==1.0\n") == moved


def test_another_oldest_python_is_a_difference() -> None:
    assert differences("pylock.toml", PYLOCK, PYLOCK.replace("3.11", "3.12")) == [
        'requires-python = ">=3.11" → requires-python = ">=3.12"'
    ]


VERSIONS = st.dictionaries(st.sampled_from(["ada", "bob", "cy-d"]), st.sampled_from(["1.0", "1.1", "2"]))


def pylock(versions: dict[str, str]) -> str:
    return "packages = [" + ", ".join(f'{{name = "{name}", version = "{it}"}}' for name, it in versions.items()) + "]"


@given(VERSIONS, VERSIONS)
def test_there_is_a_difference_for_each_distribution_that_differs_and_none_else(
    old: dict[str, str], new: dict[str, str]
) -> None:
    as_lines = ["".join(f"{name}=={version}\n" for name, version in each.items()) for each in (old, new)]
    found = differences("pylock.toml", pylock(old), pylock(new))
    assert differences("requirements.txt", *as_lines) == found
    assert len(found) == sum(old.get(name) != new.get(name) for name in old | new)


def test_what_comes_from_git_has_no_hash_and_goes_into_a_pylock_only() -> None:
    vcs = '{ type = "git", url = "ssh://git@code.example/toy", commit-id = "0123abc" }'
    content = Content(f'[[packages]]\nname = "toy"\nvcs = {vcs}\n', "toy @ x\n", "3.11")
    assert "ssh://git@code.example/toy" in texts(content, ("pylock.toml",), name="x")["pylock.toml"]
    with pytest.raises(LockError, match="toy comes from git, which has no hash"):
        texts(content, ("requirements.txt",), name="x")


def test_the_command_prints_the_object_of_the_api_and_writes_the_files(judge: Path, tmp_path: Path) -> None:
    project = shutil.copytree(judge, tmp_path / "project")
    dry = json.loads(command("--dry-run", "--json", "--format", "all", "--group", "dev", cwd=project).stdout)
    assert dry["differences"] == ["pylock.toml is missing", "requirements.txt is missing", "environment.yml is missing"]
    assert dry["packages"].keys() == {"iniconfig", "packaging", "pluggy"}
    assert not (project / "pylock.toml").exists()
    done = command("--format", "all", "--group", "dev", cwd=project)
    assert "pip install --require-hashes -r requirements.txt" in done.stderr
    assert done.stdout.splitlines()[:3] == ["pylock.toml", "requirements.txt", "environment.yml"]
    again = lock(project, wanted=Wanted(formats=("all",), groups=("dev",)))
    assert (again.differences, again.packages) == ((), dry["packages"])
    assert isinstance(again, Locked)


def test_check_fails_with_the_differences_and_passes_when_there_are_none(judge: Path, tmp_path: Path) -> None:
    project = shutil.copytree(judge, tmp_path / "project")
    command("--check", cwd=project, code=1)
    command(cwd=project)
    before = (project / "pylock.toml").read_bytes()
    assert "no change" in command("--check", cwd=project).stdout
    done = command("--check", "--group", "dev", cwd=project, code=1)
    assert "pluggy" in done.stdout
    assert "is new" in done.stdout
    assert (project / "pylock.toml").read_bytes() == before


def test_a_refusal_of_the_command_is_a_message(judge: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    assert "Did you mean 'dev'?" in command("--group", "deb", cwd=judge, code=1).stderr
    assert "neither a project" in command(cwd=tmp_path, code=3).stderr
    assert "MW607" in command("--index-url", "http://127.0.0.1:9/simple", cwd=judge, code=5).stderr
    assert not (judge / "pylock.toml").exists()
