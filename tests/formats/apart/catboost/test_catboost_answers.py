"""CatBoost's models answer by name, as their estimators do, and say what they cannot hold."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import boosted
import catboost
import numpy as np
import pandas as pd
import pytest
from catboost import CatBoostClassifier, CatBoostRegressor
from test_catboost_format import FEW, SOME, array, estimators, frame, numbers, target

from modelwright.adapters.formats.catboost import FORMAT
from modelwright.errors import ModelMismatchError, SerialisationError


class TestAnswers(boosted.Answering):
    format = FORMAT
    artifact = "model.cbm"

    def models(self) -> list[tuple[Any, pd.DataFrame]]:
        names = ["binary", "multi-class", "early stopping", "regressor", "ranker", "true or false", "several targets"]
        return [estimators()[name] for name in names]

    def unfitted(self) -> Any:
        return CatBoostClassifier()

    def unnamed(self) -> Any:
        return estimators()["counts"][0]


class TestPipelines(boosted.Pipelines):
    restored = "catboost.core.CatBoostClassifier"

    def classifier(self) -> Any:
        return CatBoostClassifier(iterations=4, verbose=False, allow_writing_files=False)

    def regressor(self) -> Any:
        return CatBoostRegressor(iterations=4, verbose=False, allow_writing_files=False)


class TestCbm(boosted.Versioned):
    format = FORMAT

    def write(self, folder: Path) -> tuple[Path, Any]:
        model, rows = estimators()["binary"]
        path = folder / "model.cbm"
        model.save_model(path)
        return path, rows

    def write_by_another_version(self, folder: Path) -> tuple[Path, Any]:
        path, rows = self.write(folder)
        path.write_bytes(path.read_bytes().replace(b"tags/v1.2.10", b"tags/v1.2.11"))
        return path, rows


def test_the_version_in_the_file_is_told_without_the_library(tmp_path: Path) -> None:
    path, _ = TestCbm().write(tmp_path)
    report = FORMAT.examine(path)
    assert report is not None
    assert (report.kind, report.versions) == ("CatBoost model", {"catboost": catboost.__version__})


def test_the_same_training_gives_the_same_bytes_with_any_number_of_threads(tmp_path: Path) -> None:
    written = []
    for threads in (1, 2):
        model = CatBoostClassifier(**SOME, thread_count=threads, train_dir=str(tmp_path / f"run-{threads}"))
        model.fit(frame(), target() > 9)
        FORMAT.save(FORMAT.answering(model, frame()).model, tmp_path, package="any")
        written.append((tmp_path / "model.cbm").read_bytes())
        model.save_model(tmp_path / f"{threads}.cbm")
    theirs = [(tmp_path / f"{threads}.cbm").read_bytes() for threads in (1, 2)]
    assert theirs[0] != theirs[1]
    assert written[0] == written[1]
    assert len(written[0]) <= len(theirs[0])
    assert str(tmp_path).encode() not in written[0]


def test_what_is_said_of_the_training_stays_readable(tmp_path: Path) -> None:
    model, rows = estimators()["binary"]
    FORMAT.save(FORMAT.answering(model, rows).model, tmp_path, package="any")
    told = CatBoostClassifier().load_model(tmp_path / "model.cbm").get_all_params()
    assert (told["iterations"], told["depth"], told["loss_function"]) == (6, 3, "Logloss")


def test_early_stopping_counts() -> None:
    model, rows = estimators()["early stopping"]
    assert FORMAT.answering(model, rows).model.model.tree_count_ == model.best_iteration_ + 1 < 60


@pytest.mark.parametrize(("told", "expected"), [("3", 3), ("", -1), ("many", -1), ("0", -1)])
def test_the_number_of_threads_is_what_the_server_says(told: str, expected: int, tmp_path: Path) -> None:
    model, rows = estimators()["counts"]
    saved = FORMAT.save(FORMAT.answering(model, rows).model, tmp_path, package="any")
    code = f"""
import os, sys
from pathlib import Path
os.environ["OMP_NUM_THREADS"] = {told!r}
sys.path.insert(0, {str(FORMAT.loader.parent)!r})
import catboost, catboost_loader
asked = []
ask = catboost.CatBoost.predict
def watched(self, data, **how):
    asked.append(how["thread_count"])
    return ask(self, data, **how)
catboost.CatBoost.predict = watched
import numpy
catboost_loader.load(Path({str(tmp_path)!r}), {saved.options!r}, "any", []).predict(numpy.zeros((2, 3)))
print(asked)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [f"[{expected}]"]


def test_real_numbers_for_categories_are_refused() -> None:
    model, rows = estimators()["binary"]
    with pytest.raises(ModelMismatchError, match="other types") as refused:
        FORMAT.answering(model, rows.assign(zone=1.5))
    assert [(problem.column, "real numbers" in problem.problem) for problem in refused.value.problems] == [
        ("zone", True)
    ]


def test_text_is_held() -> None:
    words = np.random.default_rng(0).choice(["good day", "bad night", "so so"], 300)
    rows = numbers().assign(said=words)
    model = CatBoostClassifier(**FEW, text_features=["said"]).fit(rows, target() > 9)
    wrapper = FORMAT.answering(model, rows).model
    assert np.array_equal(wrapper.predict_proba(rows.to_dict("records")), model.predict_proba(rows))


def test_embeddings_are_refused() -> None:
    rows = numbers().assign(where=list(np.random.default_rng(0).normal(size=(300, 4))))
    model = CatBoostClassifier(**FEW, embedding_features=["where"]).fit(rows, target() > 9)
    with pytest.raises(SerialisationError, match="embeddings") as refused:
        FORMAT.answering(model, rows)
    assert "function" in refused.value.hint


def test_a_file_opens_as_the_class_that_its_loss_belongs_to(tmp_path: Path) -> None:
    for name in ("binary", "words", "counts", "ranker", "bare"):
        model = estimators()[name][0]
        model.save_model(tmp_path / "model.cbm")
        opened = FORMAT.open(tmp_path / "model.cbm", trust=())
        expected = "CatBoostClassifier" if name == "bare" else type(model).__name__
        assert type(opened).__name__ == expected


def test_a_model_that_answers_otherwise_than_its_file_is_refused() -> None:
    model = CatBoostRegressor(**FEW).fit(array(), target())
    model.predict = lambda rows: np.exp(target())
    with pytest.raises(SerialisationError, match="not answer as this model does"):
        FORMAT.answering(model, array())


def test_what_was_not_made_to_answer_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(SerialisationError, match="cannot be stored as a CatBoost model"):
        FORMAT.save(estimators()["binary"][0], tmp_path, package="any")


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    FORMAT.answering(*estimators()["binary"]).model.predict(frame())
    assert capfd.readouterr() == ("", "")
