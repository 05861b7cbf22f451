"""LightGBM's models answer by name, as their estimators do, and say what they cannot hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boosted
import lightgbm
import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from test_lightgbm_format import array, booster, estimators, frame, numbers, squares, target

from modelwright.adapters.formats.lightgbm import FORMAT
from modelwright.errors import LoaderError, ModelMismatchError, SerialisationError

FEW: dict[str, Any] = {"n_estimators": 6, "num_leaves": 5, "verbose": -1}


class TestAnswers(boosted.Answering):
    format = FORMAT
    artifact = "model.txt"

    def models(self) -> list[tuple[Any, pd.DataFrame]]:
        names = ["binary", "multi-class", "early stopping", "regressor", "ranker", "objects", "dart"]
        return [estimators()[name] for name in names]

    def parts(self) -> list[tuple[Any, pd.DataFrame]]:
        rows = frame().rename(columns=lambda name: name.replace(" ", "_")).drop(columns="size")
        return [(LGBMClassifier(**FEW).fit(rows, np.digitize(target(), [9])), rows)]

    def unfitted(self) -> Any:
        return LGBMClassifier()

    def unnamed(self) -> Any:
        return estimators()["counts"][0]


class TestPipelines(boosted.Pipelines):
    restored = "lightgbm.basic.Booster"

    def classifier(self) -> Any:
        return LGBMClassifier(n_estimators=4, num_leaves=5, verbose=-1)

    def regressor(self) -> Any:
        return LGBMRegressor(n_estimators=4, num_leaves=5, verbose=-1)


class TestText(boosted.Files):
    format = FORMAT

    def write(self, folder: Path) -> tuple[Path, Any]:
        model, rows = estimators()["binary"]
        path = folder / "model.txt"
        model.booster_.save_model(path)
        return path, rows


def test_the_version_of_the_format_is_told_and_none_of_the_library(tmp_path: Path) -> None:
    path, _ = TestText().write(tmp_path)
    report = FORMAT.examine(path)
    assert report is not None
    assert (report.kind, report.versions, report.requires) == (
        "LightGBM model in text, format v4",
        {},
        ("lightgbm",),
    )
    assert "labels" in report.note


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("left_child=1", "left_child=9", "leads out of the tree"),
        ("split_feature=", "split_feature=7 ", "has not"),
        ("num_leaves=", "num_leaves=1", "has not"),
        ("Tree=1\n", "Tree=2\n", "does not begin"),
        ("tree_sizes=", "tree_size=", "no sizes"),
        ("version=v4", "version=4", None),
    ],
)
def test_a_tree_that_would_end_the_process_is_refused(old: str, new: str, why: str | None, tmp_path: Path) -> None:
    path, _ = TestText().write(tmp_path)
    content = path.read_text()
    assert old in content
    damaged = content.replace(old, new, 1)
    first = content.index("Tree=0")
    if old not in content[:first] and len(new) != len(old):  # keep the sizes right: the tree itself is wrong
        line = content[content.index("tree_sizes=") : first].splitlines()[0]
        size = int(line.removeprefix("tree_sizes=").split()[0])
        damaged = damaged.replace(f"tree_sizes={size}", f"tree_sizes={size + len(new) - len(old)}", 1)
    path.write_text(damaged)
    if why is None:
        assert FORMAT.examine(path) is None
        return
    with pytest.raises(LoaderError) as refused:
        FORMAT.open(path, trust=("file",))
    assert why in refused.value.why


def test_early_stopping_counts() -> None:
    model, rows = estimators()["early stopping"]
    assert 0 < FORMAT.answering(model, rows).model.booster.num_trees() == model.best_iteration_ < 60


def test_a_bare_booster_answers_as_it_does_itself() -> None:
    rows, values = numbers(), target()
    train = lightgbm.Dataset(rows, values)
    other = lightgbm.Dataset(rows, np.random.default_rng(1).permutation(values), reference=train)
    bare = lightgbm.train(
        {"num_leaves": 5, "verbose": -1},
        train,
        40,
        valid_sets=[other],
        callbacks=[lightgbm.early_stopping(2, verbose=False)],
        keep_training_booster=True,
    )
    wrapper = FORMAT.answering(bare, rows).model
    assert wrapper.booster.num_trees() == bare.best_iteration < bare.num_trees()
    assert np.array_equal(wrapper.predict(rows), bare.predict(rows))


def test_an_artifact_is_as_big_as_the_file_of_the_library_and_says_no_threads(tmp_path: Path) -> None:
    written = []
    for threads in (1, 2):
        model = LGBMRegressor(**FEW, n_jobs=threads).fit(array(), target())
        FORMAT.save(FORMAT.answering(model, array()).model, tmp_path, package="any")
        written.append((tmp_path / "model.txt").read_bytes())
    model.booster_.save_model(tmp_path / "theirs.txt")
    assert written[0] == written[1]
    assert b"[num_threads: 0]" in written[0]
    assert len(written[0]) <= (tmp_path / "theirs.txt").stat().st_size


def test_spaces_in_names_are_what_lightgbm_writes_as_underscores() -> None:
    model, rows = estimators()["binary"]
    assert "visits_this_year" in model.feature_name_
    adapted = FORMAT.answering(model, rows)
    assert adapted.model.feature_names_in_ == list(rows)


def test_categories_that_training_had_not_are_refused() -> None:
    model, rows = estimators()["binary"]
    with pytest.raises(ModelMismatchError, match="other categories") as refused:
        FORMAT.answering(model, rows.assign(plan=rows["plan"].astype(str).replace("pro", "max").astype("category")))
    assert refused.value.code == "MW603"
    assert [problem.column for problem in refused.value.problems] == ["plan"]


def test_columns_of_categories_that_are_gone_are_refused() -> None:
    model, rows = estimators()["binary"]
    with pytest.raises(ModelMismatchError, match="3 columns of categories, and the sample has 2") as refused:
        FORMAT.answering(model, rows.assign(size=1.0))
    assert {problem.column for problem in refused.value.problems} == {"plan", "zone"}


def test_a_sample_with_some_of_the_categories_declares_all_of_them_in_their_order() -> None:
    model, rows = estimators()["binary"]
    few = rows[rows["plan"].eq("pro")].copy()
    few["plan"], few["size"] = few["plan"].cat.remove_unused_categories(), few["size"].cat.set_categories(["l", "m"])
    adapted = FORMAT.answering(model, few)
    assert list(adapted.sample["plan"].cat.categories) == ["basic", "pro", "team"]
    assert list(adapted.sample["size"].cat.categories) == ["s", "m", "l"]
    assert adapted.sample["size"].cat.ordered


def test_a_part_whose_categories_could_be_of_any_column_is_refused() -> None:
    with pytest.raises(ModelMismatchError, match="without a sample it cannot be told which"):
        FORMAT.answering(estimators()["binary"][0], None)


def test_numbers_that_are_categories_are_found_in_columns_without_types() -> None:
    model = LGBMRegressor(**FEW, min_child_samples=5).fit(frame()[["age", "zone"]], target())
    rows = frame()[["age", "zone"]]
    records = rows.astype(object).where(rows.notna(), None).to_dict("records")
    adapted = FORMAT.answering(model, records)
    assert adapted.model.options["levels"] == {"1": [10, 20, 30]}
    assert np.array_equal(adapted.model.predict(records), model.predict(rows))


def test_a_category_that_comes_later_is_missing_as_it_is_to_lightgbm() -> None:
    model, rows = estimators()["binary"]
    wrapper = FORMAT.answering(model, rows).model
    strange = rows.assign(plan=pd.Categorical(["max"] * len(rows)))
    assert np.array_equal(wrapper.predict_proba(strange), model.predict_proba(strange))


def test_a_classifier_with_an_objective_of_the_user_is_refused() -> None:
    model = LGBMClassifier(**FEW, objective=squares).fit(array(), np.digitize(target(), [9]))
    with pytest.raises(SerialisationError, match="objective of your own") as refused:
        FORMAT.answering(model, array())
    assert "function" in refused.value.hint


def test_labels_that_no_text_holds_are_refused() -> None:
    dates = np.where(target() > 9, np.datetime64("2026-01-01"), np.datetime64("2026-01-02"))
    model = LGBMClassifier(**FEW).fit(array(), dates)
    with pytest.raises(SerialisationError, match="labels"):
        FORMAT.answering(model, array())


def test_a_setting_that_changes_the_answers_is_refused() -> None:
    model = LGBMRegressor(**FEW).fit(array(), target())
    model.predict = lambda rows: np.exp(target())
    with pytest.raises(SerialisationError, match="not answer as this model does"):
        FORMAT.answering(model, array())


def test_what_was_not_made_to_answer_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(SerialisationError, match="cannot be stored as a booster"):
        FORMAT.save(estimators()["binary"][0], tmp_path, package="any")


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    FORMAT.answering(*estimators()["binary"]).model.predict(frame())
    lightgbm.Booster(model_str=booster().model_to_string())
    assert capfd.readouterr() == ("", "")
