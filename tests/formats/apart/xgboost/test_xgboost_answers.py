"""XGBoost's models answer by name, as their estimators do, and say what they cannot hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boosted
import numpy as np
import pandas as pd
import pytest
import xgboost
from test_xgboost_format import array, estimators, frame, numbers, squares, target
from xgboost import XGBClassifier, XGBRegressor

from modelwright.adapters.formats.xgboost import FORMAT
from modelwright.errors import LoaderError, ModelMismatchError, SerialisationError


class TestAnswers(boosted.Answering):
    format = FORMAT
    artifact = "model.ubj"

    def models(self) -> list[tuple[Any, pd.DataFrame]]:
        names = ["binary", "multi-class", "early stopping", "regressor", "ranker", "several targets", "forest", "dart"]
        return [estimators()[name] for name in names]

    def unfitted(self) -> Any:
        return XGBClassifier()

    def unnamed(self) -> Any:
        return estimators()["counts"][0]


class TestPipelines(boosted.Pipelines):
    restored = "xgboost.core.Booster"

    def classifier(self) -> Any:
        return XGBClassifier(n_estimators=4, max_depth=3)

    def regressor(self) -> Any:
        return XGBRegressor(n_estimators=4, max_depth=3)


class TestUbjson(boosted.Versioned):
    format = FORMAT
    ending = "ubj"

    def write(self, folder: Path) -> tuple[Path, Any]:
        model, rows = estimators()["binary"]
        path = folder / f"model.{self.ending}"
        model.save_model(path)
        return path, rows

    def write_by_another_version(self, folder: Path) -> tuple[Path, Any]:
        path, rows = self.write(folder)
        path.write_bytes(path.read_bytes().replace(b"\x03i\x03i\x02i\x00}", b"\x03i\x03i\x01i\x02}"))
        return path, rows


class TestJson(TestUbjson):
    ending = "json"

    def write_by_another_version(self, folder: Path) -> tuple[Path, Any]:
        path, rows = self.write(folder)
        path.write_text(path.read_text().replace('"version":[3,2,0]', '"version":[3,1,2]'))
        return path, rows


def test_the_version_in_the_file_is_told_without_the_library(tmp_path: Path) -> None:
    path, _ = TestUbjson().write(tmp_path)
    report = FORMAT.examine(path)
    assert report is not None
    assert report.versions == {"xgboost-cpu": xgboost.__version__}
    assert report.kind == "XGBoost model in UBJSON"


def test_the_distribution_is_the_one_that_is_installed() -> None:
    assert FORMAT.distributions == ("xgboost-cpu", "numpy")


def test_early_stopping_counts() -> None:
    model, rows = estimators()["early stopping"]
    wrapper = FORMAT.answering(model, rows).model
    assert 0 < wrapper.options["rounds"] == model.best_iteration + 1 < model.get_booster().num_boosted_rounds()


def test_a_bare_booster_answers_as_it_does_itself() -> None:
    data = xgboost.DMatrix(numbers(), target())
    booster = xgboost.train(
        {"max_depth": 3}, data, 40, evals=[(xgboost.DMatrix(numbers(), -target()), "other")], early_stopping_rounds=2
    )
    wrapper = FORMAT.answering(booster, numbers()).model
    assert booster.best_iteration + 1 < booster.num_boosted_rounds()
    assert np.array_equal(wrapper.predict(numbers()), booster.predict(data))


def test_an_artifact_is_as_big_as_the_file_of_the_library_and_says_no_threads(tmp_path: Path) -> None:
    few = {"n_estimators": 6, "max_depth": 3}
    written = []
    for threads in (1, 2):
        model = XGBRegressor(**few, n_jobs=threads).fit(array(), target())
        wrapper = FORMAT.answering(model, array()).model
        FORMAT.save(wrapper, tmp_path, package="any")
        written.append((tmp_path / "model.ubj").read_bytes())
    model.save_model(tmp_path / "theirs.ubj")
    assert written[0] == written[1]
    assert len(written[0]) <= (tmp_path / "theirs.ubj").stat().st_size


def test_categories_that_training_had_not_are_refused() -> None:
    model, rows = estimators()["binary"]
    with pytest.raises(ModelMismatchError, match="other categories") as refused:
        FORMAT.answering(model, rows.assign(plan=rows["plan"].astype(str).replace("pro", "max").astype("category")))
    assert refused.value.code == "MW603"
    assert [(problem.column, "'max'" in problem.problem) for problem in refused.value.problems] == [("plan", True)]


def test_a_sample_with_some_of_the_categories_declares_all_of_them() -> None:
    model, rows = estimators()["binary"]
    few = rows[rows["plan"].eq("pro")].copy()
    few["plan"] = few["plan"].cat.remove_unused_categories()
    adapted = FORMAT.answering(model, few)
    assert list(adapted.sample["plan"].cat.categories) == ["basic", "pro", "team"]
    assert np.array_equal(adapted.model.predict(adapted.sample), model.predict(rows)[rows["plan"].eq("pro")])


def test_a_category_that_comes_later_is_missing() -> None:
    model, rows = estimators()["binary"]
    wrapper = FORMAT.answering(model, rows).model
    strange, missing = rows.copy(), rows.copy()
    strange["plan"] = "max"
    missing["plan"] = pd.Categorical([None] * len(rows), categories=["basic", "pro", "team"])
    assert np.array_equal(wrapper.predict_proba(strange), wrapper.predict_proba(missing))


def test_a_model_without_its_categories_is_refused_with_the_columns() -> None:
    model, rows = estimators()["regressor"]
    told = json.loads(model.get_booster().save_raw("json"))
    del told["learner"]["gradient_booster"]["model"]["cats"]
    booster = xgboost.Booster(model_file=bytearray(json.dumps(told), "utf-8"))
    with pytest.raises(ModelMismatchError) as refused:
        FORMAT.answering(booster, rows)
    assert [problem.column for problem in refused.value.problems] == ["plan", "zone"]
    assert "without the categories" in refused.value.problems[0].problem
    with pytest.raises(ModelMismatchError, match="without the categories"):
        FORMAT.answering(booster, None)


def test_an_estimator_that_answers_otherwise_than_its_booster_is_refused() -> None:
    model = XGBRegressor(n_estimators=3, max_depth=2).fit(array(), target())
    model.predict = lambda rows: np.exp(target())
    with pytest.raises(SerialisationError, match="not answer as this model does") as refused:
        FORMAT.answering(model, array())
    assert "format='skops'" in refused.value.hint


def test_an_objective_of_the_user_is_held_where_the_booster_answers_the_same() -> None:
    model = XGBClassifier(n_estimators=4, objective=squares).fit(array(), np.digitize(target(), [9]))
    wrapper = FORMAT.answering(model, array()).model
    assert np.array_equal(wrapper.predict_proba(array()), model.predict_proba(array()))


@pytest.mark.parametrize("head", [b"binf\0\0\0\x3f", b"\0\0\0\x3f" + b"\x05\0\0\0" * 33])
def test_the_old_binary_format_is_refused_with_what_to_do(head: bytes, tmp_path: Path) -> None:
    named = b"\x0f\0\0\0\0\0\0\0binary:logistic" + b"\x06\0\0\0\0\0\0\0gbtree"
    (tmp_path / "old.model").write_bytes(head + named + bytes(200))
    with pytest.raises(LoaderError, match="binary format") as refused:
        FORMAT.examine(tmp_path / "old.model")
    assert "save_model('model.ubj')" in refused.value.hint


def test_json_of_others_is_not_taken_for_a_model(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text('{"version": [1, 2, 3], "name": "something"}')
    assert FORMAT.examine(tmp_path / "other.json") is None
    assert FORMAT.examine(tmp_path) is None


def test_what_was_not_made_to_answer_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(SerialisationError, match="cannot be stored as a booster"):
        FORMAT.save(estimators()["binary"][0], tmp_path, package="any")


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    FORMAT.answering(*estimators()["binary"]).model.predict(frame())
    assert capfd.readouterr() == ("", "")
