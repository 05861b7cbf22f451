"""uv, pip and build make wheels, sdists and editable installations of a model project through the backend."""

from __future__ import annotations

import hashlib
import os
import sys
import zipfile
from pathlib import Path

import pytest
from building_models import HERE, write_project

from modelwright import backend
from modelwright.building.build import build
from modelwright.building.sdist import build_sdist

PROJECT = 'dynamic = ["version"]\ndescription = "Churn"'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path / "project", PROJECT, environment=HERE)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def frontends(uv: str, into: Path) -> dict[str, list[object]]:
    return {
        "uv build": [uv, "build", "--no-build-isolation", "--python", sys.executable, "-o", into, "."],
        "python -m build": [sys.executable, "-m", "build", "--no-isolation", "-o", into, "."],
        "pip wheel": [
            *(sys.executable, "-m", "pip", "--isolated", "wheel", "--no-build-isolation", "--no-deps"),
            *("--no-cache-dir", "-w", into, "."),
        ],
    }


@pytest.mark.parametrize("frontend", ["uv build", "python -m build", "pip wheel"])
def test_every_frontend_builds_what_build_builds(tmp_path: Path, project: Path, run, uv: str, frontend: str) -> None:
    into = tmp_path / "dist"
    run(*frontends(uv, into)[frontend], cwd=project)
    wheel = build(project, tmp_path / "direct")
    assert sha256(into / wheel.name) == sha256(wheel)
    if frontend != "pip wheel":
        sdist = build_sdist(project, tmp_path / "direct")
        assert sha256(into / sdist.name) == sha256(sdist)


def test_an_isolated_build_needs_only_modelwright(
    tmp_path: Path, project: Path, run_online, uv: str, modelwright_wheels: Path
) -> None:
    run_online(
        *(uv, "build", "--wheel", "--python", sys.executable, "--find-links", modelwright_wheels),
        *("--no-sources", "-o", tmp_path / "dist", project),
    )
    assert [path.suffix for path in (tmp_path / "dist").glob("churn*")] == [".whl"]


def test_source_date_epoch_is_obeyed_and_checked(
    tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1800000000")
    wheel = build(project, tmp_path / "direct", epoch=1_800_000_000)
    assert sha256(tmp_path / backend.build_wheel(str(tmp_path))) == sha256(wheel)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "tomorrow")
    with pytest.raises(SystemExit, match="SOURCE_DATE_EPOCH is 'tomorrow'"):
        backend.build_sdist(str(tmp_path))


def test_uv_sees_the_pins_of_a_project_that_it_resolves_from_source(tmp_path: Path, run_online, uv: str) -> None:
    table = 'version = "1.3.0"\ndependencies = ["packaging>=20"]\ndynamic = ["dependencies"]'
    project = write_project(tmp_path / "p", table, environment=HERE | {"dependencies": ["iniconfig==2.3.0"]})
    (tmp_path / "wanted.in").write_text(f"churn @ {project.as_uri()}\n")
    resolve = ["pip", "compile", "-q", "--no-header", "--no-annotate", "--no-build-isolation", "-p", sys.executable]
    resolved = run_online(uv, *resolve, tmp_path / "wanted.in").stdout
    assert "iniconfig==2.3.0" in resolved
    assert "packaging==" in resolved


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_an_editable_installation_follows_the_source(
    tmp_path: Path, project: Path, run, run_online, uv: str, installer: str, modelwright_wheels: Path
) -> None:
    run(uv, "venv", "-q", "-p", sys.executable, tmp_path / "venv")
    programs = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    python = programs / "python"
    run_online(uv, "pip", "install", "-q", "-p", python, "-f", modelwright_wheels, "modelwright")
    commands = {
        "pip": [sys.executable, "-m", "pip", "--python", python, "--isolated", "install", "--no-index"],
        "uv": [uv, "pip", "install", "-p", python, "--no-index"],
    }
    run(*commands[installer], "--no-build-isolation", "-e", project)
    assert run(programs / "churn", "2").stdout == '[{"y": 6.0}]\n'
    (project / "src" / "churn" / "model" / "artifacts" / "weights.json").write_text('{"factor": 5.0}')
    assert run(programs / "churn", "2").stdout == '[{"y": 10.0}]\n'
    where = "import churn, importlib.metadata as m; print(churn.__file__, m.version('churn'))"
    assert run(python, "-c", where).stdout.split() == [str(project / "src" / "churn" / "__init__.py"), "1.3.0"]


@pytest.mark.parametrize("frontend", ["uv build", "python -m build", "pip wheel"])
def test_a_refusal_reaches_the_user_of_a_frontend_without_a_traceback(
    tmp_path: Path, project: Path, run, uv: str, frontend: str
) -> None:
    (project / "src" / "churn" / "model" / "artifacts" / "weights.json").write_text("{}")
    done = run(*frontends(uv, tmp_path / "dist")[frontend], cwd=project, code=None)
    assert done.returncode != 0
    shown = done.stdout + done.stderr
    assert "MW401" in shown
    assert "Capture the model again" in shown
    assert "Traceback" not in shown


def test_a_build_setting_that_does_not_exist_is_refused(
    tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    for hook in (backend.build_wheel, backend.build_sdist, backend.build_editable):
        with pytest.raises(SystemExit, match="There is no build setting 'strip'"):
            hook(str(tmp_path), {"strip": "yes"})
    assert list(tmp_path.glob("churn*")) == []


def test_metadata_alone_are_those_of_the_wheel(tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    folder = backend.prepare_metadata_for_build_wheel(str(tmp_path))
    files = {
        path.relative_to(tmp_path).as_posix(): path.read_bytes()
        for path in (tmp_path / folder).rglob("*")
        if path.is_file()
    }
    with zipfile.ZipFile(tmp_path / backend.build_wheel(str(tmp_path))) as wheel:
        described = {name for name in wheel.namelist() if name.startswith(f"{folder}/")}
        assert files == {name: wheel.read(name) for name in described - {f"{folder}/RECORD"}}


def test_nothing_has_to_be_installed_for_a_build_beside_modelwright() -> None:
    assert backend.get_requires_for_build_wheel() == []
    assert backend.get_requires_for_build_sdist() == []
    assert backend.get_requires_for_build_editable() == []


def test_a_project_path_with_a_line_break_cannot_be_editable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write_project(tmp_path / "new\nline", PROJECT, environment=HERE))
    with pytest.raises(SystemExit, match="line break"):
        backend.build_editable(str(tmp_path))
