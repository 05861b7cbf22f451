"""A model that another version of its library saved is captured with that version, in an environment made for it."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import modelwright as mw
from modelwright.capturing.guessing import guess_environment
from modelwright.cli.elsewhere import _tokens
from modelwright.inspecting.borrowed import borrowed

VERSION = "1.5.2"
TRAIN = """
import pickle
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

X, y = load_iris(return_X_y=True, as_frame=True)
model = RandomForestClassifier(20, random_state=0).fit(X, y)
pickle.dump(model, open("old.pkl", "wb"))
X.assign(species=y).to_csv("rows.csv", index=False)
print(model.predict_proba(X.head(20)).tolist())
"""


@pytest.fixture(scope="module")
def old_python() -> Iterator[Path]:
    wanted = ["numpy<2", "pandas<3", f"scikit-learn=={VERSION}"]
    with borrowed(wanted, extras=("sklearn", "pickle")) as python:
        yield python


@pytest.fixture
def folder(old_python: Path, tmp_path: Path) -> Path:
    done = subprocess.run(
        [str(old_python), "-I", "-c", TRAIN], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    (tmp_path / "expected.json").write_text(done.stdout)
    return tmp_path


def modelwright(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "modelwright", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def capture(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    given = ["--name", "old-iris", "--version", "1.0", "--sample", "rows.csv", "--target", "species"]
    return modelwright(folder, "capture", "old.pkl", *given, *options)


def test_it_is_captured_with_the_version_that_wrote_it_and_proved(folder: Path) -> None:
    done = capture(folder, "--owner", "Ada Lovelace", "--owner", "Bob")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "models/old-iris-1.0"
    assert f"scikit-learn {VERSION} wrote it" in done.stderr
    manifest = mw.read(folder / "models" / "old-iris-1.0").manifest
    assert f"scikit-learn=={VERSION}" in manifest.environment.dependencies
    assert manifest.owners == ("Ada Lovelace", "Bob")
    wheel = mw.build(folder / "models" / "old-iris-1.0", folder / "dist")
    assert mw.verify(wheel).passed
    rows = [line.split(",")[:4] for line in (folder / "rows.csv").read_text().splitlines()[:21]]
    (folder / "first.csv").write_text("\n".join(map(",".join, rows)))
    answered = modelwright(folder, "predict", str(wheel), "first.csv", "--method", "predict_proba", "--json")
    found = [list(json.loads(line).values()) for line in answered.stdout.splitlines()]
    assert found == json.loads((folder / "expected.json").read_text())


def test_with_the_versions_installed_here_it_is_refused(folder: Path) -> None:
    done = capture(folder, "--environment", "here")
    assert done.returncode != 0
    assert "MW302" in done.stderr
    assert f"scikit-learn {VERSION}" in done.stderr


def test_a_version_without_wheels_is_refused_with_what_uv_said(folder: Path) -> None:
    content = (folder / "old.pkl").read_bytes()
    assert VERSION.encode() in content
    (folder / "old.pkl").write_bytes(content.replace(VERSION.encode(), b"0.0.9"))
    done = capture(folder)
    assert done.returncode == 5
    assert "MW801" in done.stderr
    assert "scikit-learn==0.0.9" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_would_run_code_is_refused_before_an_environment_is_made(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return exec, ("open('ran', 'w')",)

    (tmp_path / "old.pkl").write_bytes(pickle.dumps({"_sklearn_version": "0.0.9", "trap": Trap()}))
    (tmp_path / "rows.csv").write_text("a,species\n1,2\n")
    done = capture(tmp_path)
    assert "MW403" in done.stderr
    assert "builtins.exec" in done.stderr
    assert not (tmp_path / "ran").exists()


def test_the_names_in_a_pickle_tell_how_old_numpy_is(folder: Path) -> None:
    guess = guess_environment(folder / "old.pkl")
    assert guess is not None
    assert guess.requirements == ("numpy<2", "pandas<3", f"scikit-learn=={VERSION}")


def test_options_are_passed_on_word_for_word() -> None:
    given = {"name": "a b", "only_accelerated": True, "trust": ["x", "y"], "target": None, "summary": "", "tag": None}
    assert list(_tokens(given)) == ["--name=a b", "--only-accelerated", "--trust=x", "--trust=y"]
