"""Fresh projects, used as a newcomer would: test, train, build, verify, install."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet
from uv import find_uv_bin

from modelwright.building.build import build
from modelwright.inspecting.verify import verify
from modelwright.project.scaffold.answers import Answers
from modelwright.project.scaffold.create import create

DATE = "2026-11-21"
ONLINE = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}


def run(*command: object, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder; it must succeed."""
    environment = {name: value for name, value in ONLINE.items() if name != "VIRTUAL_ENV"} | variables
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def train(project: Path, call: str) -> None:
    """Call a command of a project with the interpreter and the libraries of this test."""
    run(sys.executable, "-c", f"import sys; {call}", cwd=project, PYTHONPATH=str(project / "src"))


def new(into: Path, **answers) -> Path:
    return Path(create(Answers(**{"date": DATE} | answers), into).path)


@pytest.fixture(scope="session")
def default_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A default project, trained."""
    project = new(tmp_path_factory.mktemp("default"), name="tumours", description="Benign or malignant")
    train(project, "from tumours.cli import train; sys.exit(train(['--config', 'config.toml']))")
    return project


@pytest.fixture(scope="session")
def made_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minimal project of a function, tested, trained and verified by its own Makefile in its own environment."""
    project = new(tmp_path_factory.mktemp("made"), name="loan-payment", size="minimal", task="function")
    for target in ("test", "train", "verify", "lint"):
        run("make", target, cwd=project)
    return project


@pytest.fixture(scope="session")
def setuptools_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A default project of a function that setuptools builds, trained."""
    into = tmp_path_factory.mktemp("setuptools")
    project = new(
        into, name="loan-rates", task="function", setuptools=True, author="Ada", description="What loans cost"
    )
    train(project, "from loan_rates.cli import train; sys.exit(train([]))")
    return project


def test_the_tests_of_a_fresh_default_project_pass(tmp_path: Path) -> None:
    project = new(tmp_path, name="tumours")
    done = run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=project)
    assert "35 passed" in done.stdout


def test_a_default_project_gives_a_wheel_that_is_proved(default_project: Path, tmp_path: Path) -> None:
    wheel = build(default_project, tmp_path)
    assert verify(wheel).passed
    with zipfile.ZipFile(wheel) as archive:
        points = archive.read("tumours-0.1.0.dist-info/entry_points.txt").decode()
        manifest = json.loads(archive.read("tumours/model/manifest.json"))
    assert "tumours-run-train = tumours.cli:train" in points
    assert "tumours-run-pipeline = tumours.cli:pipeline" in points
    assert "tumours = tumours.model.__main__:main" in points
    assert not [pin for pin in manifest["environment"]["dependencies"] if pin.startswith(("modelwright", "pytest"))]
    assert any(each["metric"] == "roc_auc" and each["value"] > 0.97 for each in manifest["evaluations"])


def test_the_package_predicts_once_there_is_a_model_and_can_be_imported_before(default_project: Path) -> None:
    rows = "list(json.loads(line)['inputs'][0] for line in open('src/tumours/model/scenarios.jsonl'))"
    code = f"import json, tumours; print(len(tumours.predict({rows})) > 0)"
    assert run(sys.executable, "-c", code, cwd=default_project, PYTHONPATH="src").stdout == "True\n"
    code = "import sys, tumours; print(sorted({'sklearn', 'pandas', 'modelwright'} & set(sys.modules)))"
    assert run(sys.executable, "-c", code, cwd=default_project, PYTHONPATH="src").stdout == "[]\n"


def test_make_tests_trains_and_verifies_straight_after_new(made_project: Path) -> None:
    wheels = list((made_project / "dist").glob("*.whl"))
    assert [wheel.name for wheel in wheels] == ["loan_payment-0.1.0-py3-none-any.whl"]


def test_the_wheel_works_where_modelwright_is_not(made_project: Path, tmp_path: Path) -> None:
    uv, python = find_uv_bin(), tmp_path / "venv" / "bin" / "python"
    run(uv, "venv", "-q", "-p", sys.executable, tmp_path / "venv", cwd=tmp_path)
    run(uv, "pip", "install", "-q", "--no-index", "-p", python, *(made_project / "dist").glob("*.whl"), cwd=tmp_path)
    code = "import loan_payment as m; print(m.predict([{'principal': 1200.0, 'annual_rate': 0.0, 'months': 12.0}]))"
    assert run(python, "-c", code, cwd=tmp_path).stdout == "[{'payment': 100.0}]\n"
    missing = "import importlib.util as u; print(u.find_spec('modelwright'))"
    assert run(python, "-c", missing, cwd=tmp_path).stdout == "None\n"


def test_a_wheel_by_setuptools_is_that_of_modelwright(setuptools_project: Path, tmp_path: Path) -> None:
    project = Path(shutil.copytree(setuptools_project, tmp_path / "project"))
    ours = contents(build(project, tmp_path / "ours"))
    run(find_uv_bin(), "build", "-q", "-p", sys.executable, "-o", tmp_path / "theirs", cwd=project)
    theirs = contents(next((tmp_path / "theirs").glob("*.whl")))
    assert next((tmp_path / "theirs").glob("*.tar.gz")).name == "loan_rates-0.1.0.tar.gz"
    info = "loan_rates-0.1.0.dist-info"
    assert set(ours) - set(theirs) == {f"{info}/sboms/loan-rates.cdx.json"}
    assert set(theirs) - set(ours) == {f"{info}/top_level.txt"}
    different = [name for name in set(ours) & set(theirs) if ours[name] != theirs[name]]
    assert set(different) <= {f"{info}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt")}
    assert ours[f"{info}/entry_points.txt"].split() == theirs[f"{info}/entry_points.txt"].split()
    assert fields(ours[f"{info}/METADATA"]) == fields(theirs[f"{info}/METADATA"])


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def fields(metadata: bytes) -> dict[str, object]:
    """Return the fields of METADATA; how they came about (``Dynamic``) is no property of the result."""
    message = Parser().parsestr(metadata.decode())
    found: dict[str, object] = {name: sorted(message.get_all(name, [])) for name in set(message) - {"Dynamic"}}
    specifiers = SpecifierSet(message["Requires-Python"])
    return found | {"Requires-Python": specifiers, "body": message.get_payload()}
