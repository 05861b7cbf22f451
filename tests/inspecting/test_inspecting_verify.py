"""Prove packages in clean environments, for real: uv, pip, other interpreters, and what must not pass."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import uv
from sklearn_packages import lock
from toy_packages import EMPTY_LOCK, HERE, LOADER, scenario, write_toy

from modelwright.building.build import build
from modelwright.errors import (
    EnvironmentBuildError,
    IntegrityError,
    ManifestError,
    PackageError,
    StorageError,
    UnknownPackageError,
    VerifyError,
)
from modelwright.inspecting.interpreters import find_interpreter
from modelwright.inspecting.read import read
from modelwright.inspecting.verify import VerifyReport, verify
from modelwright.spec.environment import Environment
from modelwright.steps import Step


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Path of a Python of another minor version; uv brings one where there is none."""
    anywhere = Environment(python="3.11.7", interpreters=(), dependencies=())
    for minor in {"3.12", "3.13"} - {f"{sys.version_info[0]}.{sys.version_info[1]}"}:
        with suppress(EnvironmentBuildError):
            return find_interpreter(minor, anywhere).path
    folder = tmp_path_factory.mktemp("python")
    command = [uv.find_uv_bin(), "python", "install", "--no-bin", "--install-dir", str(folder), "3.12"]
    subprocess.run(command, check=True)
    return str(next(folder.glob("*/bin/python3.12")))


def test_a_scikit_learn_wheel_is_proved_in_exactly_its_lock(iris_wheel: Path, tmp_path: Path) -> None:
    steps: list[Step] = []
    report = verify(iris_wheel, listener=steps.append)
    assert report.passed, report
    assert report.sha256 == hashlib.sha256(iris_wheel.read_bytes()).hexdigest()
    assert {"scikit-learn", "numpy", "scipy", "joblib"} <= set(report.distributions)
    assert not {"modelwright", "pytest", "pip", "setuptools"} & set(report.distributions)
    assert report.licences["scikit-learn"] == "BSD-3-Clause"
    assert set(report.licences) <= set(report.distributions)
    assert [one.name for one in report.scenarios] == ["typical"]
    assert report.load_seconds is not None
    assert report.load_seconds > 0
    assert set(report.predict_seconds) == {"1", "1000"}
    assert report.peak_rss_bytes is not None
    assert report.peak_rss_bytes > 50_000_000
    assert [step.name for step in steps] == ["check", "environment", "scenarios"]
    saved = json.loads(report.save(tmp_path / "reports" / "iris.json").read_text())
    assert saved["sha256"] == report.sha256
    assert saved["passed"] is True


def test_uv_and_pip_prove_the_same_in_the_same_environment(tmp_path: Path) -> None:
    root = write_toy(tmp_path / "toy", lock=lock("threadpoolctl==3.6.0", folder=tmp_path))
    by_uv, by_pip = verify(root, installer="uv"), verify(root, installer="pip")
    assert (by_uv.installer, by_pip.installer) == ("uv", "pip")
    assert by_uv.passed
    assert by_pip.passed
    assert by_uv.distributions == by_pip.distributions == {"threadpoolctl": "3.6.0"}
    assert by_uv.sha256 == by_pip.sha256


def test_an_answer_that_differs_fails_and_is_told(tmp_path: Path) -> None:
    root = write_toy(tmp_path, scenarios=[scenario("good", 1.0, 3.0), scenario("bad", 1.0, 4.0)])
    report = verify(root)
    assert not report.passed
    assert {one.name: one.passed for one in report.scenarios} == {"good": True, "bad": False}


def test_a_model_that_does_not_load_fails_with_its_own_error(tmp_path: Path) -> None:
    root = write_toy(tmp_path, loader=LOADER.replace("return Line", "import not_there\n    return Line"))
    report = verify(root)
    assert not report.passed
    assert "MW303" in report.problems[0]
    assert "not_there" in report.problems[0]


def test_a_model_that_ends_its_process_fails(tmp_path: Path) -> None:
    root = write_toy(tmp_path, loader=LOADER + "\n\nimport os\nos._exit(7)\n")
    report = verify(root)
    assert not report.passed
    assert "exit code 7" in report.problems[0]


def test_types_that_nobody_vouched_for_fail_until_somebody_does(tmp_path: Path) -> None:
    root = write_toy(tmp_path, loader=LOADER.replace("return []", "return ['strange.Type']"))
    assert "MW402" in verify(root).problems[0]
    assert verify(root, trust=["strange.Type"]).passed


def test_a_lock_that_is_not_complete_fails_and_names_what_is_missing(tmp_path: Path) -> None:
    pylock, requirements = lock("joblib==1.5.3", "pandas==3.1.1", folder=tmp_path)
    keep = requirements.index("pandas==")
    only = requirements[keep : requirements.index("\npython-dateutil")]
    block = pylock[pylock.index('[[packages]]\nname = "pandas"') :]
    block = block[: block.index("\n\n[[packages]]")]
    root = write_toy(tmp_path / "toy", lock=(f'lock-version = "1.0"\ncreated-by = "test"\n\n{block}\n', only))
    report = verify(root)
    assert not report.passed
    assert any("pandas requires numpy" in problem for problem in report.problems)


def test_what_is_installed_must_be_what_the_lock_says(tmp_path: Path) -> None:
    _, requirements = lock("threadpoolctl==3.6.0", folder=tmp_path)
    package = '[[packages]]\nname = "threadpoolctl"\nversion = "3.5.0"\n'
    package += 'sdist = { url = "https://files.example/threadpoolctl-3.5.0.tar.gz", hashes = { sha256 = "00" } }\n'
    root = write_toy(tmp_path / "toy", lock=(EMPTY_LOCK.replace("packages = []\n", package), requirements))
    report = verify(root)
    assert report.problems == ("threadpoolctl 3.6.0 is installed, 3.5.0 is in the lock",)
    assert not report.passed


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_a_tampered_lock_cannot_be_installed(tmp_path: Path, installer: str) -> None:
    pylock, requirements = lock("threadpoolctl==3.6.0", folder=tmp_path)
    at = requirements.index("sha256:") + 7
    wrong = requirements[:at] + "0" * 64 + requirements[at + 64 :]
    wrong = wrong[: wrong.index("0" * 64) + 64] + "\n"
    root = write_toy(tmp_path / "toy", lock=(pylock, wrong))
    with pytest.raises(EnvironmentBuildError, match=r"(?i)hash"):
        verify(root, installer=installer)  # type: ignore[arg-type]


def test_offline_says_that_it_was_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "empty"))
    locked = lock("threadpoolctl==3.6.0", folder=tmp_path)
    root = write_toy(tmp_path / "toy", lock=locked)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "empty-as-well"))
    with pytest.raises(EnvironmentBuildError, match="without --offline") as caught:
        verify(root, offline=True)
    assert "threadpoolctl" in str(caught.value)


def test_a_malformed_lock_is_a_typed_error(tmp_path: Path) -> None:
    root = write_toy(tmp_path / "toy", lock=("not toml [", ""))
    with pytest.raises(PackageError, match=r"pylock\.toml"):
        verify(root)
    root = write_toy(tmp_path / "other", lock=('lock-version = "1.0"\ncreated-by = 7\npackages = []\n', ""))
    with pytest.raises(ManifestError, match=r"pylock\.toml is malformed"):
        verify(root)


def test_an_altered_wheel_is_refused_before_an_environment_is_made(toy_wheel: Path, tmp_path: Path) -> None:
    damaged = tmp_path / toy_wheel.name
    damaged.write_bytes(toy_wheel.read_bytes().replace(b'"slope": 2.0', b'"slope": 3.0'))
    steps: list[Step] = []
    with pytest.raises(IntegrityError):
        verify(damaged, listener=steps.append)
    assert steps == []


def test_an_installed_name_has_no_digest_to_bind_a_report_to(
    toy_wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.unpack_archive(toy_wheel, tmp_path / "site", "zip")
    monkeypatch.syspath_prepend(tmp_path / "site")
    with pytest.raises(VerifyError, match="is installed, and what is proved is a wheel"):
        verify("toy-line")


def test_what_is_not_there_is_unknown(tmp_path: Path) -> None:
    with pytest.raises(UnknownPackageError):
        verify(tmp_path / "gone")
    with pytest.raises(EnvironmentBuildError, match=r"no Python 3\.99"):
        verify(write_toy(tmp_path / "toy"), python="3.99")
    with pytest.raises(EnvironmentBuildError, match="no Python that can be run"):
        verify(tmp_path / "toy", python=str(tmp_path / "python"))


def test_the_variables_of_this_process_do_not_reach_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("TOY_SECRET", "told")
    monkeypatch.setenv("TOY_OFFSET", "5")
    (tmp_path / "json.py").write_text("raise RuntimeError('a stranger on the path')")
    loader = LOADER.replace(
        "return Line(**",
        "import os\n    assert 'TOY_SECRET' not in os.environ\n    assert os.environ['TOY_OFFSET'] == '5'\n"
        "    assert 'PYTHONPATH' not in os.environ\n    return Line(**",
    )
    environment = {"python": "3.11.7", "interpreters": [HERE], "dependencies": [], "variables": ["TOY_OFFSET"]}
    report = verify(write_toy(tmp_path / "toy", loader=loader, environment=environment))
    assert report.passed, report.problems


def test_a_report_that_cannot_be_written_is_a_storage_error(toy_wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    report = VerifyReport(
        name="toy-line", version="1", wheel="", sha256="", size=0, passed=True, created="", python="", interpreter="",
        platform="", installer="", distributions={},
    )  # fmt: skip
    with pytest.raises(StorageError):
        report.save(tmp_path / "file" / "report.json")


def test_a_folder_that_passes_on_another_python_names_it_from_then_on(tmp_path: Path, other: str) -> None:
    root = write_toy(tmp_path / "toy")
    report = verify(root, python=other)
    assert report.passed
    assert report.interpreter != HERE
    assert report.extended is not None
    assert read(root).manifest.environment.interpreters == (HERE, report.interpreter)
    wheel = build(root, tmp_path)
    assert hashlib.sha256(wheel.read_bytes()).hexdigest() == report.sha256 == report.extended.sha256
    assert verify(root, python=other).extended is None


def test_a_wheel_that_passes_on_another_python_gets_a_sister(toy_wheel: Path, tmp_path: Path, other: str) -> None:
    wheel = shutil.copy(toy_wheel, tmp_path)
    report = verify(wheel, python=other)
    assert report.extended is not None
    sister = Path(report.extended.path)
    assert sister.parent == tmp_path
    assert sister.name == f"toy_line-1.0.0-{HERE}.{report.interpreter}-none-any.whl"
    assert hashlib.sha256(sister.read_bytes()).hexdigest() == report.sha256
    assert Path(wheel).read_bytes() == toy_wheel.read_bytes()
    assert verify(sister).passed


def test_a_package_that_fails_on_another_python_is_not_extended(tmp_path: Path, other: str) -> None:
    check = f"import sys\n    assert sys.version_info[:2] == {sys.version_info[:2]}\n    "
    loader = LOADER.replace("return Line(**", f"{check}return Line(**")
    root = write_toy(tmp_path / "toy", loader=loader)
    before = (root / "toy_line" / "model" / "manifest.json").read_bytes()
    report = verify(root, python=other)
    assert not report.passed
    assert report.extended is None
    assert (root / "toy_line" / "model" / "manifest.json").read_bytes() == before
