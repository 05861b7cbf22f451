"""Golden model folders of every format version are read, built and loaded, today and by their own runtime."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import uv

import modelwright as mw
from modelwright.runtime import load
from modelwright.runtime.documents import read_scenarios
from modelwright.runtime.scenarios import run_scenario
from modelwright.spec.manifest import FORMAT_VERSION
from modelwright.spec.schema import schemas

GOLDEN = Path(__file__).parent / "data" / "golden"
FOLDERS = sorted(path for path in GOLDEN.glob("format-*/*") if path.is_dir())
NAMES = [f"{path.parent.name}/{path.name}" for path in FOLDERS]


@pytest.fixture(params=FOLDERS, ids=NAMES)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy, because nothing may be written beside the golden files."""
    return Path(shutil.copytree(request.param, tmp_path / request.param.name))


def test_there_is_a_golden_folder_of_every_format_version() -> None:
    assert {path.parent.name for path in FOLDERS} == {f"format-{version}" for version in range(1, FORMAT_VERSION + 1)}


def test_it_is_read_and_follows_todays_schema(folder: Path) -> None:
    package = mw.read(folder)
    assert package.manifest.name == folder.name.partition("-")[0]
    assert package.scenarios
    assert package.profile.rows > 0
    jsonschema.validate(json.loads(package.read("manifest.json")), schemas()["manifest.schema.json"])


def test_its_wheel_has_the_same_bytes_every_time_and_checks(folder: Path, tmp_path: Path) -> None:
    one, two = mw.build(folder, tmp_path / "one"), mw.build(folder, tmp_path / "two")
    assert one.read_bytes() == two.read_bytes()
    assert mw.read(one).manifest == mw.read(folder).manifest


def test_a_pure_python_package_runs_under_its_own_runtime_and_todays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(GOLDEN / "format-1" / "twice-1.0.0", tmp_path / "twice"))
    own = subprocess.run(
        [sys.executable, "-m", "twice.model", "selftest"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert "0 failed" in own.stdout, own.stdout + own.stderr
    monkeypatch.syspath_prepend(str(folder))
    model = load(folder / "twice" / "model", package="twice")
    assert all(
        run_scenario(model, item).passed for item in read_scenarios(folder / "twice" / "model" / "scenarios.jsonl")
    )


def test_a_scikit_learn_package_runs_in_the_environment_of_its_own_lock(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(GOLDEN / "format-1" / "mixed-1.0.0", tmp_path / "mixed"))
    environment, lock = tmp_path / "environment", folder / "mixed" / "model" / "requirements.txt"
    program = uv.find_uv_bin()
    python = environment / "bin" / "python"
    subprocess.run([program, "venv", "-q", "-p", "3.11", str(environment)], check=True)
    install = [program, "pip", "install", "-q", "-p", str(python), "--require-hashes", "-r", str(lock)]
    subprocess.run(install, check=True)
    own = subprocess.run(
        [python, "-m", "mixed.model", "selftest", "--json"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert own.returncode == 0, own.stdout + own.stderr
    assert json.loads(own.stdout)["failed"] == 0
