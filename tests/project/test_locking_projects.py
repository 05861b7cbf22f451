"""A project is locked with what its model was proved with, for a Python that both support."""

from __future__ import annotations

import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from locking_index import PYLOCK, publish, served, write_model, write_project
from packaging.pylock import Pylock
from packaging.requirements import Requirement

from modelwright.errors import LockError, ProjectError, StorageError, UnknownPackageError
from modelwright.project.locking.asking import Wanted
from modelwright.project.locking.lock import Locked, lock, prepare

GROUPS = """
[project.optional-dependencies]
Train = ["toyextra"]

[dependency-groups]
dev = ["toydev", { include-group = "Lint_it" }]
Lint_it = ["toylint<2"]
broken = [{ include-group = "nowhere" }]
"""


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root = tmp_path_factory.mktemp("index")
    for name, version in (("toybase", "1.0"), ("toybase", "2.0"), ("toyextra", "1.0"), ("toydev", "1.0")):
        publish(root, name, version)
    publish(root, "toylint", "1.0", requires='toybase; sys_platform == "win32"')
    publish(root, "toynew", "1.0", python=">=3.13")
    publish(root, "toymodel", "1.0", requires="toybase")
    publish(root, "toymodel", "2.0", requires="toybase")
    with served(root) as address:
        yield address


@pytest.fixture(autouse=True)
def own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name in ("UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_INDEX", "UV_FIND_LINKS", "UV_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))


def locked(root: Path, index: str, **asked: Any) -> Locked:
    return lock(root, wanted=Wanted(index_url=index, **asked))


def content(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in root.iterdir() if path.is_file()}


def test_extras_and_groups_are_locked_only_when_they_are_asked_for(index: str, tmp_path: Path) -> None:
    root = write_project(tmp_path, GROUPS)
    assert locked(root, index).packages == {"toybase": "2.0"}
    assert set(locked(root, index, extras=("train",)).packages) == {"toybase", "toyextra"}
    assert set(locked(root, index, groups=("dev",)).packages) == {"toybase", "toydev", "toylint"}


def test_extras_of_the_project_itself_are_not_looked_for_on_the_index(tmp_path: Path) -> None:
    publish(tmp_path / "index", "toy-project", "9.0")
    publish(tmp_path / "index", "toyextra", "1.0")
    extras = 'all = ["toy_project[train]", "toy-project[all]"]\ntrain = ["toyextra"]\n'
    groups = '[dependency-groups]\ndev = ["Toy.Project[all]"]\n'
    root = write_project(tmp_path, f"[project.optional-dependencies]\n{extras}{groups}", dependencies="[]")
    with served(tmp_path / "index") as index:
        assert locked(root, index, extras=("all",)).packages == {"toyextra": "1.0"}
        assert locked(root, index, groups=("dev",)).packages == {"toyextra": "1.0"}


def test_the_files_are_what_their_readers_understand(index: str, tmp_path: Path) -> None:
    root = write_project(tmp_path, GROUPS)
    made = locked(root, index, formats=("all",), groups=("lint-it",), python="3.12")
    assert [Path(path).name for path in made.files] == ["pylock.toml", "requirements.txt", "environment.yml"]
    document = Pylock.from_dict(tomllib.loads((root / "pylock.toml").read_text()))
    assert str(document.requires_python) == ">=3.12"
    text = (root / "requirements.txt").read_text()
    for package in document.packages:
        digest = (package.wheels or [])[0].hashes["sha256"]
        assert f"{package.name}=={package.version} \\\n    --hash=sha256:{digest}\n" in text
    lines = [line for line in text.replace("\\\n", "").splitlines() if not line.startswith("#")]
    assert [Requirement(line.split("--hash")[0]).name for line in lines] == ["toybase", "toylint"]
    conda = yaml.safe_load((root / "environment.yml").read_text())
    assert conda == {
        "name": "toy-project",
        "channels": ["conda-forge", "nodefaults"],
        "dependencies": ["python=3.12.*", "pip", {"pip": ["-r requirements.txt"]}],
    }


def test_the_same_project_gives_the_same_bytes_wherever_it_is(index: str, tmp_path: Path) -> None:
    texts = []
    for name in ("one", "other"):
        root = write_project(tmp_path / name, GROUPS)
        locked(root, index, formats=("all",), groups=("dev",))
        texts.append({name: text for name, text in content(root).items() if name != "pyproject.toml"})
        assert not any(str(tmp_path).encode() in text for text in texts[-1].values())
    assert texts[0] == texts[1]
    assert len(texts[0]) == 3


def test_versions_of_the_lock_that_is_there_are_kept_until_an_upgrade(tmp_path: Path) -> None:
    publish(tmp_path / "index", "toybase", "1.0")
    root = write_project(tmp_path / "project")
    with served(tmp_path / "index") as index:
        assert locked(root, index).packages == {"toybase": "1.0"}
        publish(tmp_path / "index", "toybase", "2.0")
        made = locked(root, index, versions="upgrade")
        assert (made.packages, made.differences) == ({"toybase": "2.0"}, ("toybase 1.0 → 2.0",))
        write_project(root, dependencies='["toybase<2"]')
        assert locked(root, index).packages == {"toybase": "1.0"}
        write_project(root)
        assert locked(root, index).packages == {"toybase": "1.0"}
        assert prepare(root, wanted=Wanted(index_url=index)).locked.differences == ()
        assert locked(root, index, versions="upgrade").packages == {"toybase": "2.0"}
        write_project(root, dependencies="[]")
        assert locked(root, index).differences == ("toybase 2.0 is no longer needed",)


def test_versions_are_kept_from_a_requirements_file_where_it_is_the_only_lock(index: str, tmp_path: Path) -> None:
    root = write_project(tmp_path, dependencies='["toybase<2"]')
    locked(root, index, formats=("requirements",))
    write_project(root)
    assert locked(root, index, formats=("requirements",)).packages == {"toybase": "1.0"}
    assert locked(root, index, formats=("requirements",), versions="upgrade").packages == {"toybase": "2.0"}
    assert not (root / "pylock.toml").exists()


def test_what_a_model_was_proved_with_is_held_to_the_last_version(index: str, tmp_path: Path) -> None:
    root = write_project(tmp_path, dependencies='["toyextra", "toybase"]')
    write_model(tmp_path / "src")
    for versions in ("keep", "upgrade"):
        found = locked(root, index, versions=versions).packages
        assert found == {"toybase": "1.0", "toymodel": "1.0", "toyextra": "1.0"}


def test_a_project_that_adds_nothing_to_its_model_has_the_models_own_lock(tmp_path: Path) -> None:
    root = write_project(tmp_path, dependencies='["toymodel>=1"]')
    write_model(tmp_path / "src")
    made = lock(root)  # no index is asked: the default one knows no toys
    assert made.packages == {"toybase": "1.0", "toymodel": "1.0"}
    assert (root / "pylock.toml").read_text() == PYLOCK


def test_a_requirement_that_contradicts_the_model_is_named(index: str, tmp_path: Path) -> None:
    write_model(tmp_path / "src")
    root = write_project(tmp_path, dependencies='["toymodel>=2"]')
    with pytest.raises(ProjectError, match=r"requires 'toymodel>=2', the model was proved with 'toymodel==1\.0'"):
        locked(root, index)
    write_project(tmp_path, dependencies='["toybase>=2"]')
    with pytest.raises(LockError, match="cannot be locked: toybase>=2") as caught:
        locked(root, index)
    assert "toybase==1.0" in caught.value.why
    assert "Relax one" in caught.value.hint


@pytest.mark.parametrize(
    ("asked", "message", "hint"),
    [
        ({"extras": ("tran",)}, "no extra 'tran'", "Did you mean 'Train'?"),
        ({"groups": ("deb",)}, "no group 'deb'", "Did you mean 'dev'?"),
        ({"groups": ("broken",)}, "break PEP 735", ""),
    ],
)
def test_an_extra_or_group_that_is_not_there_says_which_are(
    tmp_path: Path, asked: dict[str, Any], message: str, hint: str
) -> None:
    with pytest.raises(ProjectError, match=message) as caught:
        lock(write_project(tmp_path, GROUPS), wanted=Wanted(**asked))
    assert caught.value.hint == hint
    assert caught.value.why
    assert set(content(tmp_path)) == {"pyproject.toml"}


def test_the_python_is_the_oldest_that_the_project_supports(index: str, tmp_path: Path) -> None:
    root = write_project(tmp_path)
    (root / "pyproject.toml").write_text(
        (root / "pyproject.toml").read_text() + 'requires-python = ">=3.10,!=3.11.*,<3.14"\n'
    )
    assert locked(root, index).python == "3.10"
    assert locked(root, index, python="3.12").python == "3.12"
    for python, message in (("3.11", "does not support"), ("3.14", "does not support"), ("three", "no version")):
        with pytest.raises(LockError, match=message):
            locked(root, index, python=python)


def test_a_python_that_a_requirement_excludes_is_said(index: str, tmp_path: Path) -> None:
    root = write_project(tmp_path, dependencies='["toybase", "toynew"]')
    with pytest.raises(LockError, match="cannot be locked: toynew") as caught:
        locked(root, index, python="3.12")
    assert "requires Python >=3.13" in caught.value.why
    assert "Lock for a Python" in caught.value.hint
    assert locked(root, index, python="3.13").packages == {"toybase": "2.0", "toynew": "1.0"}


def test_a_model_is_locked_for_the_pythons_it_was_verified_on(index: str, tmp_path: Path) -> None:
    root = write_project(tmp_path / "bound")
    write_model(root, interpreters=["cp311", "cp312"])
    assert locked(root, index).python == "3.11"
    assert locked(root, index, python="3.12").python == "3.12"
    with pytest.raises(LockError, match=r"verified on Python 3\.11, 3\.12, not on 3\.13") as caught:
        locked(root, index, python="3.13")
    assert "modelwright verify" in caught.value.hint
    portable = write_project(tmp_path / "portable")
    write_model(portable, portable=True)
    assert locked(portable, index, python="3.13").python == "3.13"


def test_an_older_project_is_asked_through_its_backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UV_CACHE_DIR")  # setuptools comes from the index this machine is set up for
    (tmp_path / "needs.txt").write_text("iniconfig==2.3.0\n")
    setup = "install_requires=open('needs.txt').read().split(), extras_require={'test': ['pluggy==1.6.0']}"
    (tmp_path / "setup.py").write_text(f"from setuptools import setup\nsetup(name='old', version='1', {setup})\n")
    assert lock(tmp_path).packages == {"iniconfig": "2.3.0"}
    made = lock(tmp_path / "setup.py", wanted=Wanted(extras=("test",), versions="upgrade"))
    assert made.packages == {"iniconfig": "2.3.0", "pluggy": "1.6.0"}
    with pytest.raises(LockError) as caught:
        lock(tmp_path, wanted=Wanted(extras=("tset",)))
    assert "tset" in caught.value.why


def test_where_uv_finds_a_distribution_is_respected(index: str, tmp_path: Path) -> None:
    tool = f"""
[tool.uv.sources]
toybase = {{ index = "own" }}

[[tool.uv.index]]
name = "own"
url = "{index}"
explicit = true
"""
    publish(tmp_path / "strange", "toybase", "99.0")
    root = write_project(tmp_path / "project", tool)
    with served(tmp_path / "strange") as strange:
        assert locked(root, strange).packages == {"toybase": "2.0"}


def test_an_index_that_does_not_answer_is_a_typed_error_without_its_password(index: str, tmp_path: Path) -> None:
    root = write_project(tmp_path)
    with pytest.raises(LockError, match="toybase") as caught:
        locked(root, "http://anna:s3cret@127.0.0.1:9/simple")
    assert "s3cret" not in str(caught.value)
    locked(root, index.replace("://", "://anna:s3cret@"), formats=("all",))
    assert not any(b"s3cret" in text or b"anna" in text for text in content(root).values())


def test_files_of_this_machine_go_into_no_pylock_but_their_hashes_may_be_required(tmp_path: Path) -> None:
    publish(tmp_path, "toybase", "1.0")
    links = f'\n[tool.uv]\nno-index = true\nfind-links = ["{tmp_path / "simple" / "toybase"}"]\n'
    root = write_project(tmp_path / "project", links)
    with pytest.raises(LockError, match="toybase comes from a folder of this machine") as caught:
        lock(root)
    assert caught.value.where == "toybase-1.0-py3-none-any.whl"
    assert "--format requirements" in caught.value.hint
    lock(root, wanted=Wanted(formats=("requirements",)))
    assert "--hash=sha256:" in (root / "requirements.txt").read_text()
    assert str(tmp_path) not in (root / "requirements.txt").read_text()


def test_a_folder_or_a_local_repository_cannot_be_locked(tmp_path: Path) -> None:
    library = write_project(tmp_path / "library", dependencies="[]")
    (library / "toy_project.py").touch()
    for command in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", *command], cwd=library, check=True)
    for number, address in enumerate((library.as_uri(), f"git+{library.as_uri()}")):
        root = write_project(tmp_path / str(number), dependencies=f'["toy-project @ {address}"]')
        (root / "pyproject.toml").write_text((root / "pyproject.toml").read_text().replace("Toy.Project", "other"))
        for kind in ("pylock", "requirements"):
            with pytest.raises(LockError, match="toy-project comes from a folder of this machine"):
                lock(root, wanted=Wanted(formats=(kind,)))


def test_a_pyproject_that_cannot_be_read_is_refused_with_the_place(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project\n")
    with pytest.raises(ProjectError, match="cannot be read") as caught:
        lock(tmp_path)
    assert "line 1" in caught.value.why
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\nline-length = 120\n")
    with pytest.raises(ProjectError, match=r"no \[project\]"):
        lock(tmp_path)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "1"\ndependencies = "toybase"\n')
    with pytest.raises(ProjectError, match="list of texts"):
        lock(tmp_path)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "1"\ndependencies = ["toybase > > 1"]\n')
    with pytest.raises(ProjectError, match="is no requirement"):
        lock(tmp_path)


def test_nothing_to_lock_says_what_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "setup.cfg").write_text("[metadata]\nname = x\n")  # nobody installs a folder for that
    with pytest.raises(UnknownPackageError, match="neither a project nor a model") as caught:
        lock(tmp_path)
    assert "pyproject.toml" in caught.value.why


def test_a_project_is_locked_before_its_model_is_captured(index: str, tmp_path: Path) -> None:
    root = write_project(tmp_path, '[tool.modelwright]\npackage = "src/toy_project"\n')
    with pytest.raises(ProjectError, match="no model in 'src/toy_project'"):  # a slip of the pen, not a beginning
        locked(root, index)
    (root / "src" / "toy_project").mkdir(parents=True)
    assert locked(root, index).packages == {"toybase": "2.0"}
    write_model(root / "src")
    assert locked(root, index).packages == {"toybase": "1.0", "toymodel": "1.0"}


def test_of_several_models_the_project_has_to_say_which(tmp_path: Path) -> None:
    root = write_project(tmp_path)
    for name in ("a", "b"):
        write_model(root / name).parent.rename(root / f"toy_{name}")
    with pytest.raises(UnknownPackageError, match="2 model folders"):
        lock(root)


def test_what_somebody_else_wrote_is_left_alone_and_nothing_is_half_written(index: str, tmp_path: Path) -> None:
    root = write_project(tmp_path)
    locked(root, index)
    (root / "requirements.txt").write_text("toybase\n")
    before = content(root)
    write_project(root, dependencies='["toybase<2"]')
    before["pyproject.toml"] = (root / "pyproject.toml").read_bytes()
    with pytest.raises(StorageError, match=r"requirements\.txt was not written by modelwright"):
        locked(root, index, formats=("all",), versions="upgrade")
    assert content(root) == before


def test_a_place_that_cannot_be_written_is_named(index: str, tmp_path: Path) -> None:
    root = write_project(tmp_path / "project")
    (tmp_path / "file").touch()
    with pytest.raises(StorageError) as caught:
        lock(root, into=tmp_path / "file", wanted=Wanted(index_url=index))
    assert str(tmp_path / "file") in caught.value.where
    (tmp_path / "folder" / "environment.yml").mkdir(parents=True)
    with pytest.raises(StorageError):
        lock(root, into=tmp_path / "folder", wanted=Wanted(index_url=index, formats=("all",)))
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["environment.yml"]


def test_a_lock_that_is_none_is_refused_unless_it_is_to_be_replaced(index: str, tmp_path: Path) -> None:
    root = write_project(tmp_path)
    (root / "pylock.toml").write_text("broken = [")
    with pytest.raises(LockError, match="is no lock") as caught:
        locked(root, index)
    assert "--upgrade" in caught.value.hint
    assert locked(root, index, versions="upgrade").differences == ("pylock.toml is no lock",)
