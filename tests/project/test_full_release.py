"""From a fresh full project to a release: trained, built, verified, and used where nothing of the training is."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from full_projects import MODULE, NAME, render_full, run_in
from sklearn.datasets import load_breast_cancer

import modelwright as mw

NOT_THERE = ("matplotlib", "modelwright", "sqlalchemy", "yaml")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A full project for setuptools whose command has trained and captured the model."""
    project = render_full(tmp_path_factory.mktemp("release"), "classification", setuptools=True)
    done = run_in(project, "-m", f"{MODULE}.scripts.run_pipeline")
    assert done.stdout == ""
    assert "serialise" in done.stderr
    assert len(list((project / "reports").rglob("*.*"))) == 5
    return project


@pytest.fixture(scope="module")
def wheel(trained: Path) -> Path:
    """The wheel of it."""
    return mw.build(trained, trained / "dist")


def test_the_model_folder_is_the_only_thing_that_training_changes(trained: Path, tmp_path: Path) -> None:
    fresh = render_full(tmp_path, "classification", setuptools=True)
    model = trained / "src" / MODULE / "model"
    left = {p.relative_to(trained) for p in trained.rglob("*.py") if not p.is_relative_to(model)}
    assert left == {p.relative_to(fresh) for p in fresh.rglob("*.py")}
    assert (model / "manifest.json").is_file()


def test_the_wheel_holds_the_code_the_model_and_the_commands(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (points,) = (archive.read(name).decode() for name in names if name.endswith("entry_points.txt"))
        (metadata,) = (archive.read(name).decode() for name in names if name.endswith("METADATA"))
    assert {f"{MODULE}/features/transformers.py", f"{MODULE}/model/manifest.json"} <= names
    assert not any(name.startswith(("tests", "notebooks")) for name in names)
    for command in (NAME, f"{NAME}-run-train", f"{NAME}-run-pipeline"):
        assert f"{command} = {MODULE}." in points
    always = [line for line in metadata.splitlines() if line.startswith("Requires-Dist") and "extra ==" not in line]
    assert {line.split()[1].partition("==")[0] for line in always} == {"pandas", "scikit-learn", "skops"}


def test_the_manifest_tells_how_good_it_is_and_what_must_hold(trained: Path) -> None:
    package = mw.read(trained / "src" / MODULE)
    measured = {item.metric: item.value for item in package.manifest.evaluations if item.dataset == "test"}
    assert measured["roc_auc"] > 0.97
    assert {"typical-0", "typical-1"} <= {scenario.name for scenario in package.scenarios}


def test_an_installed_wheel_predicts_where_nothing_of_the_training_is(wheel: Path, tmp_path: Path) -> None:
    """The transformers of the project travel; matplotlib, PyYAML, SQLAlchemy and modelwright are not needed."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    rows = load_breast_cancer(as_frame=True).data.head(50)
    rows.to_csv(tmp_path / "rows.csv", index=False)
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({NOT_THERE!r})); sys.path.insert(0, 'site')\n"
        f"import json, pandas, {MODULE}\n"
        f"answers = {MODULE}.predict(pandas.read_csv('rows.csv'))\n"
        f"print(json.dumps([answers['prediction'].tolist(), {MODULE}.__file__]))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answers, file = json.loads(done.stdout)
    truth = load_breast_cancer().target[:50]
    assert sum(answer == true for answer, true in zip(answers, truth, strict=True)) >= 45
    assert Path(file).is_relative_to(tmp_path)


def test_the_commands_of_an_installed_wheel_name_the_extra_that_is_missing(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    (tmp_path / "config.toml").touch()
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({NOT_THERE!r})); sys.path.insert(0, 'site')\n"
        f"from {MODULE}.scripts.run_train import main; sys.exit(main([]))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"pip install '{NAME}[train]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_wheel_is_proved_in_a_clean_environment(wheel: Path) -> None:
    assert mw.verify(wheel).passed
