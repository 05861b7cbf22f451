"""A live model is measured with the task's metrics, per slice, without NaN and without keeping a row."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn import metrics as skm
from sklearn.cluster import KMeans
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import IsolationForest
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from modelwright.adapters.evaluators.sklearn import EVALUATOR
from modelwright.capturing.answers import LiveModel, task_of
from modelwright.capturing.evaluation import EvaluationResult, Evaluator, evaluate, read_truth
from modelwright.errors import ModelMismatchError, SampleError
from modelwright.spec.manifest import Task

CANCER_X, CANCER_Y = load_breast_cancer(return_X_y=True, as_frame=True)
CANCER_Y = CANCER_Y.map({0: "malignant", 1: "benign"})
CANCER = make_pipeline(StandardScaler(), LogisticRegression()).fit(CANCER_X[200:], CANCER_Y[200:])
TEST_X, TEST_Y = CANCER_X[:143], CANCER_Y[:143]


def measured(model: object, X: Any, y: Any, **options: Any) -> EvaluationResult:
    live = LiveModel.of(model)
    task: Task = options.pop("task", None) or task_of(model, ())
    return evaluate(live, X, y, task=task, **options)


def values(result: EvaluationResult, part: str = "") -> dict[str, float]:
    return {item.metric: item.value for item in result.evaluations if item.slice == part}


def test_the_evaluator_is_what_the_protocol_asks_for() -> None:
    assert isinstance(EVALUATOR, Evaluator)


def test_a_binary_classifier_has_the_usual_metrics() -> None:
    found = values(measured(CANCER, TEST_X, TEST_Y, importance="never"))
    answer, sure = CANCER.predict(TEST_X), CANCER.predict_proba(TEST_X)[:, 1]
    actual = TEST_Y == "malignant"
    assert found == pytest.approx(
        {
            "accuracy": skm.accuracy_score(TEST_Y, answer),
            "balanced_accuracy": skm.balanced_accuracy_score(TEST_Y, answer),
            "precision": skm.precision_score(TEST_Y, answer, pos_label="malignant"),
            "recall": skm.recall_score(TEST_Y, answer, pos_label="malignant"),
            "f1": skm.f1_score(TEST_Y, answer, pos_label="malignant"),
            "roc_auc": skm.roc_auc_score(actual, sure),
            "average_precision": skm.average_precision_score(actual, sure),
            "log_loss": skm.log_loss(actual, sure),
            "brier": skm.brier_score_loss(actual, sure),
        }
    )


def test_each_metric_says_which_direction_is_better_and_where_it_was_measured() -> None:
    result = measured(CANCER, TEST_X, TEST_Y, dataset="holdout", importance="never")
    better = {item.metric: item.better for item in result.evaluations}
    assert (better["roc_auc"], better["log_loss"]) == ("higher", "lower")
    assert {(item.dataset, item.rows) for item in result.evaluations} == {("holdout", 143)}


def test_a_margin_classifier_is_ranked_by_its_score() -> None:
    model = make_pipeline(StandardScaler(), LinearSVC()).fit(CANCER_X[200:], CANCER_Y[200:])
    found = values(measured(model, TEST_X, TEST_Y, importance="never"))
    assert found["roc_auc"] == pytest.approx(skm.roc_auc_score(TEST_Y == "malignant", model.decision_function(TEST_X)))
    assert "log_loss" not in found


def test_several_classes_are_averaged() -> None:
    X, y = load_iris(return_X_y=True)
    model = LogisticRegression(max_iter=1000).fit(X, y)
    found = values(measured(model, X, y, importance="never"))
    assert found["f1_macro"] == pytest.approx(skm.f1_score(y, model.predict(X), average="macro"))
    assert found["roc_auc_ovr"] == pytest.approx(skm.roc_auc_score(y, model.predict_proba(X), multi_class="ovr"))


def test_a_regression_has_the_usual_metrics() -> None:
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    model = LinearRegression().fit(X, y)
    found = values(measured(model, X, y, importance="never"))
    answer = model.predict(X)
    assert set(found) == {"rmse", "mae", "median_ae", "r2", "mape"}
    assert found["rmse"] == pytest.approx(skm.root_mean_squared_error(y, answer))
    assert found["r2"] == pytest.approx(model.score(X, y))


def test_several_targets_are_measured_together() -> None:
    X, y = load_diabetes(return_X_y=True)
    both = np.c_[y, 2 * y]
    result = measured(LinearRegression().fit(X, both), X, both)
    assert values(result)["r2"] > 0.4
    assert result.importance


def test_clusters_and_anomalies_have_metrics_of_their_own() -> None:
    X, y = load_iris(return_X_y=True)
    assert set(values(measured(KMeans(3, random_state=0, n_init=1).fit(X), X, y))) == {"adjusted_rand", "v_measure"}
    odd = np.where(y == 2, -1, 1)
    found = values(measured(IsolationForest(random_state=0).fit(X[odd == 1]), X, odd))
    assert found["roc_auc"] > 0.9


def test_a_metric_that_is_undefined_is_left_out_with_a_note() -> None:
    one = TEST_Y == "malignant"
    result = measured(CANCER, TEST_X[one], TEST_Y[one], importance="never")
    assert "roc_auc" not in values(result)
    assert any("roc_auc was left out: only one class is present" in note for note in result.notes)
    X, y = load_diabetes(return_X_y=True)
    model = LinearRegression().fit(X, y)
    assert "mape" not in values(measured(model, X, np.zeros(len(y)), importance="never"))
    assert all(np.isfinite(item.value) for item in result.evaluations)


def test_slices_are_masks_functions_or_values() -> None:
    big = TEST_X["mean radius"] > 15
    result = measured(
        CANCER,
        TEST_X.assign(),
        TEST_Y,
        importance="never",
        slices={
            "mask": big,
            "list": big.tolist(),
            "function": lambda rows: rows["mean radius"] > 15,
            "value": {"mean radius": TEST_X["mean radius"].iloc[0]},
            "empty": big & False,
        },
    )
    assert values(result, "mask") == values(result, "list") == values(result, "function")
    expected = skm.accuracy_score(TEST_Y[big], CANCER.predict(TEST_X[big]))
    assert values(result, "mask")["accuracy"] == pytest.approx(expected)
    assert {item.rows for item in result.evaluations if item.slice == "value"} == {1}
    assert not values(result, "empty")
    assert "The slice 'empty' has no rows in 'test'." in result.notes


@pytest.mark.parametrize(
    ("slices", "words"),
    [
        ({"s": {"mean radiu": 1}}, "Did you mean 'mean radius'?"),
        ({"s": [True, False]}, "no mask of 143 booleans"),
        ({"s": np.ones(143)}, "no mask of 143 booleans"),
        ({"": np.ones(143, dtype=bool)}, "empty name"),
    ],
)
def test_a_slice_that_is_none_is_refused(slices: dict[str, Any], words: str) -> None:
    with pytest.raises(SampleError) as refused:
        measured(CANCER, TEST_X, TEST_Y, slices=slices)
    assert words in str(refused.value)


def test_metrics_of_the_user_stand_beside_the_usual_ones() -> None:
    def profit(truth: Any, prediction: Any) -> float:
        return float(np.sum(truth == prediction) - 10)

    result = measured(
        CANCER,
        TEST_X,
        TEST_Y,
        metrics={"profit": (profit, "higher"), "broken": lambda truth, prediction: float("nan")},
        slices={"first": np.arange(143) < 10},
        importance="never",
    )
    assert values(result, "first")["profit"] == 10 - 10 - np.sum(CANCER.predict(TEST_X[:10]) != TEST_Y[:10])
    assert {item.better for item in result.evaluations if item.metric == "profit"} == {"higher"}
    assert "test: broken is nan and was left out" in result.notes


def test_a_metric_that_raises_is_named() -> None:
    def profit(truth: Any, prediction: Any) -> float:
        raise RuntimeError("no price list")

    with pytest.raises(ModelMismatchError, match="'profit' raises RuntimeError") as refused:
        measured(CANCER, TEST_X, TEST_Y, metrics={"profit": profit})
    assert "no price list" in refused.value.why


@pytest.mark.parametrize(
    ("truth", "words"),
    [
        (["a"], "1 true answers for 2 rows"),
        (1.0, "1 true answers for 2 rows"),
        ([1.0, np.nan], "missing in 1 rows, first in row 1"),
        (pd.Series(["a", None]), "missing in 1 rows, first in row 1"),
    ],
)
def test_an_incomplete_truth_is_refused(truth: Any, words: str) -> None:
    with pytest.raises(SampleError) as refused:
        read_truth(truth, 2)
    assert words in refused.value.what


@pytest.mark.parametrize(
    "truth", [pd.Series(["a", "b"], dtype="category"), pl.Series(["a", "b"]), np.array(["a", "b"])]
)
def test_the_truth_comes_in_any_container(truth: Any) -> None:
    assert read_truth(truth, 2).tolist() == ["a", "b"]
    assert read_truth(pd.DataFrame({"y": [1, 2]}), 2).tolist() == [1, 2]


def test_a_truth_with_other_labels_is_refused() -> None:
    with pytest.raises(ModelMismatchError, match="no label in common") as refused:
        measured(CANCER, TEST_X, np.zeros(143, dtype=int))
    assert "'benign', 'malignant'" in refused.value.why


def test_importance_agrees_with_scikit_learns() -> None:
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    model = LinearRegression().fit(X, y)
    found = {item.field: item.mean for item in measured(model, X, y).importance}
    theirs = permutation_importance(
        model, X, y, scoring="neg_root_mean_squared_error", n_repeats=30, random_state=0
    ).importances_mean
    assert list(found) == sorted(found, key=lambda name: -found[name])
    for name, mean in zip(X.columns, theirs, strict=True):
        assert found[name] == pytest.approx(mean, abs=2.0)


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow", "records", "columns", "numpy"])
def test_importance_is_the_same_in_every_container_and_every_run(library: str) -> None:
    frame = pd.DataFrame({"a": np.arange(60.0), "b": np.tile([0.0, 1.0], 30)})
    rows: Any = {
        "pandas": frame,
        "polars": pl.from_pandas(frame),
        "pyarrow": pl.from_pandas(frame).to_arrow(),
        "records": frame.to_dict("records"),
        "columns": frame.to_dict("list"),
        "numpy": frame.to_numpy(),
    }[library]

    def model(data: Any) -> list[float]:
        if isinstance(data, np.ndarray):
            return (2 * data[:, 0]).tolist()
        return (
            [2 * row["a"] for row in data]
            if isinstance(data, list)
            else [2 * float(value) for value in listed(data["a"])]
        )

    found = measured(model, rows, (2 * frame["a"]).to_numpy()).importance
    expected = measured(
        lambda data: (2 * data[:, 0]).tolist(), frame.to_numpy(), (2 * frame["a"]).to_numpy()
    ).importance
    assert [item.mean for item in found] == [item.mean for item in expected]
    assert found[0].mean > 0 == found[1].mean


def listed(values: Any) -> list[Any]:
    return values.to_pylist() if hasattr(values, "to_pylist") else list(values)


def test_importance_is_left_out_aloud_where_it_would_take_long() -> None:
    wide = np.random.default_rng(0).random((20, 201))

    def model(rows: Any) -> Any:
        return rows[:, 0]

    left_out = measured(model, wide, wide[:, 0])
    assert left_out.importance == ()
    assert "importance='always'" in left_out.notes[-1]
    assert len(measured(model, wide, wide[:, 0], importance="always").importance) == 201


def test_importance_asks_about_a_bounded_number_of_rows() -> None:
    asked: list[int] = []

    def model(rows: Any) -> Any:
        asked.append(len(rows))
        return rows[:, 0]

    rows = np.random.default_rng(0).random((20_000, 40))
    result = measured(model, rows, rows[:, 0])
    assert sum(asked[1:]) < 80_000
    assert any("Importance was measured on 300 of 20000 rows" in note for note in result.notes)


def test_an_evaluation_is_quick() -> None:
    measured(CANCER, TEST_X, TEST_Y)
    start = time.process_time()
    measured(CANCER, TEST_X, TEST_Y)
    assert time.process_time() - start < 3


def test_nothing_of_the_rows_is_stored() -> None:
    result = measured(CANCER, TEST_X, TEST_Y)
    written = msgspec.json.encode((result.evaluations, result.importance)).decode()
    assert not any(str(value) in written for value in TEST_X["mean area"].head(50))


def test_a_missing_library_is_one_line_that_installs_it() -> None:
    script = """
import sys
sys.modules["sklearn"] = None
from modelwright.capturing.answers import LiveModel
from modelwright.capturing.evaluation import evaluate
from modelwright.errors import MissingExtraError
try:
    evaluate(LiveModel.of(lambda rows: [1 for row in rows]), [{"a": 1}], [1], task="function")
except MissingExtraError as error:
    print(error.hint)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == 'pip install "modelwright[sklearn]"'
