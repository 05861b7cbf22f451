"""Every usual way to build and install a model project ends with the same wheel and the same answers elsewhere."""

from __future__ import annotations

import hashlib
import shutil
import sys
from pathlib import Path

import pytest
from installing_tools import ANSWERS, PIP, ROWS, UV, assert_predicts, capture, python_of, run, venv, write_project

from modelwright.building.build import build
from modelwright.building.sdist import build_sdist
from modelwright.project.locking.asking import Wanted
from modelwright.project.locking.lock import lock

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a wheel of modelwright itself, for isolated builds."""
    folder = tmp_path_factory.mktemp("modelwright")
    run(UV, "build", "--quiet", "--wheel", "--python", sys.executable, "--out-dir", folder, ROOT, cwd=folder)
    return folder


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a captured model in it; do not change it."""
    return capture(write_project(tmp_path_factory.mktemp("project") / "tinyjudge"))


@pytest.fixture(scope="module")
def monorepo(project: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a git repository that has the project in a folder of its own."""
    root = tmp_path_factory.mktemp("monorepo")
    shutil.copytree(project, root / "models" / "tinyjudge", ignore=shutil.ignore_patterns("__pycache__"))
    author = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    for command in (("init", "--quiet"), ("add", "."), (*author, "commit", "--quiet", "--message", "Train")):
        run("git", *command, cwd=root)
    return f"git+{root.as_uri()}#subdirectory=models/tinyjudge"


@pytest.fixture(scope="module")
def wheel(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(project, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def locks(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lock of the project, for every installer."""
    folder = tmp_path_factory.mktemp("locks")
    lock(project, into=folder, wanted=Wanted(formats=("all",)))
    return folder


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    return venv(tmp_path / "venv")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("options", [(), ("--editable",)], ids=["copied", "editable"])
def test_pip_installs_the_project_folder(
    project: Path, wheels: Path, environment: Path, elsewhere: Path, options: tuple[str, ...]
) -> None:
    install = ("--python", python_of(environment), "install", "--quiet", "--find-links", wheels)
    run(*PIP, *install, *options, ".", cwd=project)
    assert_predicts(environment, elsewhere)


def test_pip_installs_a_folder_of_a_git_repository(
    monorepo: str, wheels: Path, environment: Path, elsewhere: Path
) -> None:
    install = ("--python", python_of(environment), "install", "--quiet", "--find-links", wheels)
    run(*PIP, *install, monorepo, cwd=elsewhere)
    assert_predicts(environment, elsewhere)


@pytest.mark.parametrize("source", ["folder", "git"])
def test_uv_adds_the_project_to_another(
    project: Path, monorepo: str, wheels: Path, tmp_path: Path, elsewhere: Path, source: str
) -> None:
    app = tmp_path / "app"
    run(UV, "init", "--quiet", "--bare", "--python", sys.executable, app, cwd=tmp_path)
    wanted = str(project) if source == "folder" else f"tinyjudge @ {monorepo}"
    run(UV, "add", "--quiet", "--python", sys.executable, "--find-links", wheels, wanted, cwd=app)
    assert "tinyjudge" in (app / "uv.lock").read_text()
    assert_predicts(app / ".venv", elsewhere)


@pytest.mark.parametrize("frontend", ["uv build", "python -m build"])
def test_every_build_frontend_makes_the_same_wheel_and_sdist(
    project: Path, wheels: Path, wheel: Path, tmp_path: Path, frontend: str
) -> None:
    commands = {
        "uv build": (UV, "build", "--quiet", "--python", sys.executable, "--out-dir"),
        "python -m build": (sys.executable, "-m", "build", "--installer", "uv", "--outdir"),
    }
    run(*commands[frontend], tmp_path / "dist", ".", cwd=project, UV_FIND_LINKS=str(wheels))
    sdist = build_sdist(project, tmp_path)
    assert sha256(tmp_path / "dist" / wheel.name) == sha256(wheel)
    assert sha256(tmp_path / "dist" / sdist.name) == sha256(sdist)


def test_the_sdist_becomes_the_same_wheel_without_modelwright(project: Path, wheel: Path, tmp_path: Path) -> None:
    sdist = build_sdist(project, tmp_path)
    run(UV, "build", "--quiet", "--offline", "--wheel", "--python", sys.executable, sdist, cwd=tmp_path)
    assert sha256(tmp_path / wheel.name) == sha256(wheel)


def test_uv_installs_the_wheel(wheel: Path, environment: Path, elsewhere: Path) -> None:
    run(UV, "pip", "install", "--quiet", "--python", python_of(environment), wheel, cwd=elsewhere)
    assert_predicts(environment, elsewhere)


def test_someone_who_has_nothing_installed_predicts_with_uvx_and_pipx(wheel: Path, elsewhere: Path) -> None:
    (elsewhere / "rows.csv").write_text(ROWS)
    uvx = (UV, "tool", "run", "--python", sys.executable, "--quiet")
    predict = ("predict", "rows.csv")
    assert run(*uvx, "--find-links", wheel.parent, "tinyjudge", *predict, cwd=elsewhere) == ANSWERS
    pipx = (*uvx, "--with", "uv", "pipx", "run", "--backend", "uv", "--python", sys.executable, "--spec", wheel)
    assert run(*pipx, "tinyjudge", *predict, cwd=elsewhere, PIPX_HOME=str(elsewhere / "pipx")) == ANSWERS


def locked_install(installer: str, environment: Path) -> list[str | Path]:
    pip, uv = [*PIP, "--python", python_of(environment)], [UV, "pip"]
    into = ["--quiet", "--python", python_of(environment)]
    return {
        "pip requirements.txt": [*pip, "install", "--quiet", "--require-hashes", "-r", "requirements.txt"],
        "pip pylock.toml": [*pip, "install", "--quiet", "-r", "pylock.toml"],
        "uv requirements.txt": [*uv, "install", *into, "--require-hashes", "-r", "requirements.txt"],
        "uv pylock.toml": [*uv, "install", *into, "-r", "pylock.toml"],
        "uv sync": [*uv, "sync", *into, "pylock.toml"],
    }[installer]


@pytest.mark.parametrize(
    "installer", ["pip requirements.txt", "pip pylock.toml", "uv requirements.txt", "uv pylock.toml", "uv sync"]
)
def test_the_lock_and_the_wheel_are_all_that_an_empty_environment_needs(
    locks: Path, wheel: Path, environment: Path, elsewhere: Path, installer: str
) -> None:
    run(*locked_install(installer, environment), cwd=locks)
    run(UV, "pip", "install", "--quiet", "--python", python_of(environment), "--no-index", wheel, cwd=elsewhere)
    assert_predicts(environment, elsewhere)
