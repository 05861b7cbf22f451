"""Before there is a model: an editable installation works, a wheel is refused; other backends may build."""

from __future__ import annotations

import os
import sys
import zipfile
from pathlib import Path

import pytest
from building_models import HERE, write_project

from modelwright import backend
from modelwright.building.build import build
from modelwright.building.project import open_project
from modelwright.capturing.places import choose_place
from modelwright.errors import ProjectError, UnknownPackageError

PYPROJECT = """\
[build-system]
requires = ["modelwright"]
build-backend = "modelwright.backend"

[project]
name = "credit-risk"
version = "0.1.0"
description = "Who pays back"
requires-python = ">=3.11"
dynamic = ["dependencies"]

[project.optional-dependencies]
train = ["iniconfig>=2"]

[project.scripts]
credit-risk-run-train = "credit_risk.train:main"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    package = tmp_path / "project" / "src" / "credit_risk"
    package.mkdir(parents=True)
    (tmp_path / "project" / "pyproject.toml").write_text(PYPROJECT)
    (package / "__init__.py").write_text('"""Credit risk."""\n')
    (package / "train.py").write_text("def main():\n    print('trained')\n")
    return tmp_path / "project"


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_a_project_is_installed_in_order_to_train_it(
    tmp_path: Path, project: Path, run, run_online, uv: str, installer: str, modelwright_wheels: Path
) -> None:
    run(uv, "venv", "-q", "-p", sys.executable, tmp_path / "venv")
    programs = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    run_online(uv, "pip", "install", "-q", "-p", programs / "python", "-f", modelwright_wheels, "modelwright")
    commands = {
        "pip": [sys.executable, "-m", "pip", "--python", programs / "python", "--isolated", "install", "--no-index"],
        "uv": [uv, "pip", "install", "-p", programs / "python", "--no-index"],
    }
    run(*commands[installer], "--no-build-isolation", "-e", project)
    assert run(programs / "credit-risk-run-train").stdout == "trained\n"
    assert not (programs / "credit-risk").exists()


def test_its_editable_wheel_says_what_the_project_says(
    tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    name = backend.build_editable(str(tmp_path))
    assert name == "credit_risk-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(tmp_path / name) as wheel:
        metadata = wheel.read("credit_risk-0.1.0.dist-info/METADATA").decode()
        assert wheel.read("__editable__.credit_risk.pth").decode().strip() == str(project / "src")
    assert "Summary: Who pays back" in metadata
    assert 'Requires-Dist: iniconfig>=2; extra == "train"' in metadata
    folder = backend.prepare_metadata_for_build_editable(str(tmp_path))
    assert (tmp_path / folder / "METADATA").read_text() == metadata


def test_a_wheel_for_others_is_refused_with_the_command_that_trains(tmp_path: Path, project: Path) -> None:
    with pytest.raises(UnknownPackageError, match="no model folder") as caught:
        build(project, tmp_path / "dist")
    assert "make train" in caught.value.hint
    assert not (tmp_path / "dist").exists()


def test_without_a_version_there_is_nothing_to_install(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pyproject = project / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace('version = "0.1.0"\n', "").replace('"dep', '"version", "dep'))
    monkeypatch.chdir(project)
    with pytest.raises(SystemExit, match="neither a captured model nor a static version"):
        backend.build_editable(str(project))


def of_setuptools(root: Path) -> Path:
    pyproject = root / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace('"modelwright.backend"', '"setuptools.build_meta"'))
    return root


def test_a_project_of_another_backend_that_names_its_package_is_a_model_project(tmp_path: Path) -> None:
    root = write_project(tmp_path, 'dynamic = ["version"]', tool='package = "src/churn"', environment=HERE)
    ours = build(root, tmp_path / "ours").read_bytes()
    assert build(of_setuptools(root), tmp_path / "theirs").read_bytes() == ours
    assert open_project(root / "src" / "churn").table["name"] == "churn"
    assert choose_place(root, name="churn", version="2.0.0").home == root / "src" / "churn"
    assert choose_place(root, name="other", version="2.0.0").home is None


def test_what_only_setup_py_says_comes_from_the_manifest(tmp_path: Path) -> None:
    root = of_setuptools(write_project(tmp_path, tool='package = "src/churn"', environment=HERE))
    (root / "setup.py").write_text("raise SystemExit('never executed')\n")
    assert build(root, tmp_path / "dist").name.startswith("churn-1.3.0-")
    assert choose_place(root, name="churn", version="2.0.0").home == root / "src" / "churn"


def test_another_backend_alone_is_refused_with_both_ways_in(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="built by 'setuptools") as caught:
        open_project(of_setuptools(write_project(tmp_path, 'dynamic = ["version"]')))
    assert '[tool.modelwright] package = "src/NAME"' in caught.value.hint
