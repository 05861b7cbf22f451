"""The wheel as others see it: validators, installers, interpreters; and the same bytes whatever the surroundings."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from building_models import write_model, write_project
from building_tools import clean_environment, installed_interpreters
from installer.sources import WheelFile
from packaging.utils import parse_wheel_filename

from modelwright.building.build import build
from modelwright.building.sdist import build_sdist
from modelwright.package import open_folder, open_wheel

TWO = {"python": "3.11.7", "interpreters": ["cp311", "cp312"], "dependencies": []}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel verified on CPython 3.11 and 3.12."""
    root = tmp_path_factory.mktemp("wheel")
    package = write_model(root / "m", name="credit-risk", import_name="credit_risk", environment=TWO)
    (root / "m" / "LICENSE").write_text("free\n")
    return build(package, root / "dist")


def test_steps_are_told_and_the_path_is_returned(tmp_path: Path) -> None:
    steps = []
    found = build(open_folder(write_model(tmp_path)), tmp_path / "dist", listener=steps.append)
    assert found == tmp_path / "dist" / "churn-1.3.0-cp311-none-any.whl"
    assert [step.name for step in steps] == ["check", "metadata", "write"]
    assert f"{found.stat().st_size:,} bytes" in steps[-1].detail


def test_the_wheel_can_be_read_as_a_package(wheel: Path) -> None:
    assert open_wheel(wheel).manifest.name == "credit-risk"


def test_record_satisfies_installer(wheel: Path) -> None:
    with WheelFile.open(wheel) as opened:
        opened.validate_record()


@pytest.mark.parametrize(
    "command",
    [["twine", "check", "--strict"], ["check-wheel-contents"], ["unzip", "-tqq"]],
    ids=lambda command: command[0],
)
def test_other_validators_have_nothing_to_say(wheel: Path, run, command: list[str]) -> None:
    own = Path(sys.executable).parent / command[0]
    run(own if own.exists() else command[0], *command[1:], wheel)


BUILD = """
import sys
from modelwright.building.build import build
from modelwright.building.sdist import build_sdist
build(sys.argv[1], sys.argv[2])
build_sdist(sys.argv[1], sys.argv[2])
print(sorted(name for name in sys.modules if name.partition(".")[0] in ("churn", "numpy", "sklearn", "pandas")))
"""


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_the_surroundings_do_not_change_a_byte(tmp_path: Path, run) -> None:
    root = write_project(tmp_path / "here", 'dynamic = ["version"]')
    (root / "LICENSE").write_text("free\n")
    build(root, tmp_path / "first")
    build_sdist(root, tmp_path / "first")
    elsewhere = tmp_path / "Else where ζ" / "project"
    elsewhere.mkdir(parents=True)
    for path in sorted(root.rglob("*"), reverse=True):  # files in another order, with other dates and modes
        if path.is_file() and "__pycache__" not in path.parts:
            copied = elsewhere / path.relative_to(root)
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copied)
            copied.chmod(0o600)
            os.utime(copied, (1, 1))
    environment = {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONHASHSEED": "7", "COLUMNS": "20"}
    shell = ["sh", "-c", 'umask 077 && exec "$@"', "sh"]
    run(*shell, sys.executable, "-c", BUILD, ".", tmp_path / "second", cwd=elsewhere, **environment)
    assert digests(tmp_path / "first") == digests(tmp_path / "second")
    assert len(digests(tmp_path / "first")) == 2


def test_the_epoch_is_the_only_thing_that_changes_the_bytes(tmp_path: Path) -> None:
    package = write_model(tmp_path)
    default, same, other = (
        build(package, tmp_path / str(number), epoch=epoch).read_bytes()
        for number, epoch in enumerate((None, 1_790_856_000, 1_790_856_002))  # 2026-10-01T12:00:00Z, as in manifest
    )
    assert default == same != other


def test_building_imports_neither_the_model_nor_its_libraries(tmp_path: Path, run) -> None:
    package = write_model(tmp_path / "m")
    canary = tmp_path / "canary"
    for module in package.rglob("*.py"):
        module.write_text(f"open({str(canary)!r}, 'w')\nraise SystemExit('imported')\n")
    manifest = package / "model" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"code": [', '"code_before": ['))
    done = run(sys.executable, "-c", BUILD, package, tmp_path / "dist", cwd=tmp_path / "m")
    assert done.stdout.strip() == "[]"
    assert not canary.exists()
    assert len(list((tmp_path / "dist").iterdir())) == 2


def install(installer: str, python: Path, wheels: Path, run, uv: str) -> subprocess.CompletedProcess[str]:
    if installer == "uv":
        return run(uv, "pip", "install", "--no-index", "-f", wheels, "-p", python, "credit-risk==1.3.0", code=None)
    own = [sys.executable, "-m", "pip", "--python", python, "--isolated"]
    return run(*own, "install", "--no-index", "-f", wheels, "credit-risk==1.3.0", code=None)


@pytest.mark.parametrize("minor", list(installed_interpreters()))
@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_installers_take_the_wheel_on_verified_interpreters_only(
    tmp_path: Path, wheel: Path, run, uv: str, interpreters: dict[str, str], minor: str, installer: str
) -> None:
    run(uv, "venv", "-q", "-p", interpreters[minor], tmp_path / "venv")
    programs = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    done = install(installer, programs / "python", wheel.parent, run, uv)
    if minor in ("3.11", "3.12"):
        assert done.returncode == 0, done.stderr
        assert run(programs / "credit-risk", "2", "0.5").stdout == '[{"y": 6.0}, {"y": 1.5}]\n'
        found = (
            "from importlib.metadata import *; p, = entry_points(group='modelwright.models'); print(p.load().load())"
        )
        assert run(programs / "python", "-c", found).stdout == "{'factor': 3.0}\n"
    else:
        assert done.returncode != 0
        assert not (programs / "credit-risk").exists()
        assert "credit-risk" in done.stderr + done.stdout


def test_the_file_name_is_one_that_installers_parse(wheel: Path) -> None:
    name, version, _, tags = parse_wheel_filename(wheel.name)
    assert (name, str(version)) == ("credit-risk", "1.3.0")
    assert {tag.interpreter for tag in tags} == {"cp311", "cp312"}


def test_a_clean_environment_has_no_index_of_its_own() -> None:
    assert not [name for name in clean_environment() if name.startswith(("PIP_FIND", "PIP_EXTRA", "UV_INDEX"))]
