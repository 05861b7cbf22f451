"""Kept environments: made once, whole or not at all, pruned but never while they are used."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from pathlib import Path

import pytest
from toy_packages import LOADER, write_toy

from modelwright.building.build import build
from modelwright.errors import DataFileError, EnvironmentBuildError, SignatureError, VerificationFailed
from modelwright.inspecting import bytecode
from modelwright.inspecting.environments import kept, prune
from modelwright.inspecting.installers import choose
from modelwright.inspecting.predicting import predict_file
from modelwright.inspecting.processes import model_variables, run
from modelwright.inspecting.selftest import run_selftest

UV = choose("uv", offline=True)


def test_an_environment_is_made_once_and_found_again(toy_wheel: Path, tmp_path: Path) -> None:
    with kept(toy_wheel, installer=UV, cache=tmp_path) as (first, package):
        assert first.python.is_file()
        assert first.installed() == {"toy-line": "1.0.0"}
        made = first.python.lstat().st_ctime_ns
        assert run_selftest(first, package).failed == 0
    with kept(toy_wheel, installer=UV, cache=tmp_path) as (second, _):
        assert second.folder == first.folder
        assert second.python.lstat().st_ctime_ns == made


def test_another_wheel_gets_an_environment_of_its_own(toy_wheel: Path, tmp_path: Path) -> None:
    other = build(write_toy(tmp_path / "toy", slope=5.0), tmp_path)
    with (
        kept(toy_wheel, installer=UV, cache=tmp_path / "cache") as (one, _),
        kept(other, installer=UV, cache=tmp_path / "cache") as (two, _),
    ):
        assert one.folder != two.folder


def _use(wheel: Path, cache: Path) -> int:
    with kept(wheel, installer=choose("uv", offline=True), cache=cache) as (environment, package):
        return run_selftest(environment, package).passed


def test_processes_that_need_the_same_environment_at_once_all_get_a_whole_one(toy_wheel: Path, tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        assert pool.starmap(_use, [(toy_wheel, tmp_path)] * 3) == [2, 2, 2]
    assert len([entry for entry in tmp_path.iterdir() if not entry.name.startswith(".")]) == 1
    assert not list(tmp_path.glob(".*"))


def test_a_python_that_the_package_was_not_verified_on_is_refused_before_an_installer_is_asked(tmp_path: Path) -> None:
    environment = {"python": "3.10.4", "interpreters": ["cp310"], "dependencies": []}
    wheel = build(write_toy(tmp_path / "toy", environment=environment), tmp_path)
    with (
        pytest.raises(EnvironmentBuildError, match="was not verified on Python") as refused,
        kept(wheel, python=sys.executable, installer=UV, cache=tmp_path / "cache"),
    ):
        pass
    assert "Its wheel is for cp310" in refused.value.why
    assert "modelwright verify FOLDER --python" in refused.value.hint
    assert not (tmp_path / "cache").exists()


def test_an_environment_that_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    locked = 'lock-version = "1.0"\ncreated-by = "test"\n[[packages]]\nname = "not-on-any-index"\nversion = "1.0"\n'
    locked += 'sdist = { url = "https://files.example/not_on_any_index-1.0.tar.gz", hashes = { sha256 = "00" } }\n'
    requirements = f"not-on-any-index==1.0 --hash=sha256:{'0' * 64}\n"
    wheel = build(write_toy(tmp_path / "toy", lock=(locked, requirements)), tmp_path)
    with (
        pytest.raises(EnvironmentBuildError, match="not-on-any-index"),
        kept(wheel, installer=UV, cache=tmp_path / "cache"),
    ):
        pytest.fail("there is no such environment")
    assert list((tmp_path / "cache").iterdir()) == []


def test_what_is_old_goes_and_what_is_used_stays(toy_wheel: Path, tmp_path: Path) -> None:
    with kept(toy_wheel, installer=UV, cache=tmp_path) as (environment, _):
        old = time.time() - 90 * 86_400
        os.utime(environment.folder / "last-used", (old, old))
        half = tmp_path / ".half.1-abcd"
        half.mkdir()
        os.utime(half, (old, old))
        assert prune(tmp_path) == [half.name]
        assert environment.python.is_file()
    os.utime(environment.folder / "last-used", (old, old))
    assert prune(tmp_path) == [environment.folder.name]
    assert list(tmp_path.iterdir()) == []


def test_more_than_are_kept_go_the_oldest_first(tmp_path: Path) -> None:
    for age, name in enumerate(["new", "older", "oldest"]):
        (tmp_path / name).mkdir()
        (tmp_path / name / "last-used").touch()
        os.utime(tmp_path / name / "last-used", (time.time() - age * 60,) * 2)
    assert prune(tmp_path, keep=1) == ["older", "oldest"]


def test_byte_code_is_remembered_for_libraries_and_never_for_models(tmp_path: Path) -> None:
    libraries, store = tmp_path / "one", tmp_path / "store"
    for name, points in (("lib", ""), ("model", "[modelwright.models]\nmodel = model.model\n")):
        info = libraries / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "RECORD").write_text(f"{name}/__init__.py,sha256=x,1\n{name}-1.0.dist-info/RECORD,,\n")
        (info / "entry_points.txt").write_text(points)
        cached = libraries / name / "__pycache__"
        cached.mkdir(parents=True)
        (libraries / name / "__init__.py").write_text("")
        (cached / "__init__.cpython-311.pyc").write_bytes(b"compiled")
    assert bytecode.keep(libraries, "cp311", store=store) == 1
    for compiled in libraries.rglob("*.pyc"):
        compiled.unlink()
    assert bytecode.restore(libraries, "cp312", store=store) == 0
    assert bytecode.restore(libraries, "cp311", store=store) == 1
    assert (libraries / "lib" / "__pycache__" / "__init__.cpython-311.pyc").read_bytes() == b"compiled"


def test_a_process_that_does_not_end_is_stopped_with_its_children(tmp_path: Path) -> None:
    script = "import subprocess, sys, time\nsubprocess.Popen([sys.executable, '-c', {!r}])\ntime.sleep(60)"
    child = f"import time, pathlib\ntime.sleep(2)\npathlib.Path({str(tmp_path / 'alive')!r}).touch()"
    start = time.monotonic()
    finished = run([sys.executable, "-c", script.format(child)], variables=model_variables(), timeout_s=0.5)
    assert finished.timed_out
    assert time.monotonic() - start < 10
    time.sleep(2.2)
    assert not (tmp_path / "alive").exists()


def test_a_selftest_that_hangs_is_stopped(tmp_path: Path) -> None:
    wheel = build(write_toy(tmp_path / "toy", loader=LOADER + "\nimport time\ntime.sleep(60)\n"), tmp_path)
    with (
        kept(wheel, installer=UV, cache=tmp_path / "cache") as (environment, package),
        pytest.raises(VerificationFailed, match="did not end within 1 s"),
    ):
        run_selftest(environment, package, timeout_s=1.0)


@pytest.fixture(scope="module")
def predictions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("predictions")


def test_a_file_is_predicted_from_file_to_file_and_through_streams(toy_wheel: Path, predictions: Path) -> None:
    rows, cache = predictions / "rows.csv", predictions / "cache"
    rows.write_text("x\n1\n2.5\n")
    predict_file(toy_wheel, rows, predictions / "out.jsonl", cache=cache)
    assert (predictions / "out.jsonl").read_text().splitlines() == ['{"y": 3.0}', '{"y": 6.0}']
    with rows.open("rb") as source, (predictions / "out.csv").open("wb") as sink:
        predict_file(toy_wheel, source, sink, format="csv", cache=cache)
    assert (predictions / "out.csv").read_text().split() == ["y", "3.0", "6.0"]


def test_rows_that_do_not_fit_are_refused_with_the_error_of_the_package(toy_wheel: Path, predictions: Path) -> None:
    rows, cache = predictions / "wrong.csv", predictions / "cache"
    rows.write_text("x\n1\ntwo\n")
    with pytest.raises(SignatureError, match="'two' is text"):
        predict_file(toy_wheel, rows, predictions / "never.csv", cache=cache)
    assert not (predictions / "never.csv").exists()
    with pytest.raises(DataFileError):
        predict_file(toy_wheel, predictions / "gone.csv", predictions / "never.csv", cache=cache)
