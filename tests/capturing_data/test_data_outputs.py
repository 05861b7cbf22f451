"""The live model is asked once, and its answers become typed outputs."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

from modelwright.capturing.answers import LiveModel, labels_of, methods_of, read_answer, task_of, values_by_name
from modelwright.capturing.outputs import infer_outputs, probe_unknown, unseen_level
from modelwright.capturing.signature import infer_inputs
from modelwright.capturing.table import Table
from modelwright.errors import ModelMismatchError
from modelwright.spec.signature import Field, Output

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]


def outputs_of(model: object, rows: object = X, n_rows: int = len(X)) -> tuple[Output, ...]:
    return tuple(item.output for item in LiveModel.of(model).ask(rows, n_rows=n_rows))


def test_a_classifier_answers_a_label_and_a_probability_per_label() -> None:
    prediction, probability = outputs_of(LogisticRegression(max_iter=1000).fit(X, NAMES))

    assert (prediction.name, prediction.datatype, prediction.method) == ("prediction", "string", "predict")
    assert prediction.categories == ("setosa", "versicolor", "virginica")
    assert (prediction.rtol, prediction.atol) == (0.0, 0.0)
    assert (probability.name, probability.shape, probability.method) == ("probability", (3,), "predict_proba")
    assert probability.labels == ("setosa", "versicolor", "virginica")
    assert 0 < probability.rtol <= 1e-6


@pytest.mark.parametrize(
    ("model", "methods", "task"),
    [
        (LogisticRegression(), ("predict", "predict_proba"), "classification"),
        (LinearSVC(), ("predict", "decision_function"), "classification"),
        (LinearRegression(), ("predict",), "regression"),
        (KMeans(2), ("predict",), "clustering"),
        (IsolationForest(), ("predict", "decision_function"), "anomaly-detection"),
        (StandardScaler(), ("transform",), "transformation"),
        (make_pipeline(StandardScaler(), LogisticRegression()), ("predict", "predict_proba"), "classification"),
        (lambda rows: rows, ("predict",), "function"),
    ],
)
def test_methods_and_task_are_what_the_model_says_of_itself(model: object, methods: tuple[str, ...], task: str) -> None:
    assert methods_of(model) == methods
    assert task_of(model, ()) == task


def test_an_object_that_answers_nothing_is_refused() -> None:
    with pytest.raises(ModelMismatchError, match="neither predict nor transform") as refused:
        methods_of(object())
    assert refused.value.hint
    with pytest.raises(ModelMismatchError, match="no method 'predict_proba'"):
        LiveModel.of(LinearRegression(), methods=["predict_proba"])


def test_scores_of_a_margin_classifier_have_labels_only_where_there_is_one_per_class() -> None:
    _, three = outputs_of(LinearSVC().fit(X, NAMES))
    assert (three.name, three.shape, three.labels) == ("score", (3,), ("setosa", "versicolor", "virginica"))
    _, two = outputs_of(LinearSVC().fit(X[:100], NAMES[:100]), X[:100], 100)
    assert (two.shape, two.labels) == ((), None)


def test_single_precision_gets_a_tolerance_it_can_keep() -> None:
    (output,) = infer_outputs(np.array([0.5], dtype=np.float32), method="predict", n_rows=1)
    assert (output.datatype, output.rtol, output.atol) == ("float32", 1e-4, 5e-5)
    large = np.array([2e6, -4e6], dtype=np.float32)
    (output,) = infer_outputs(large, method="predict", n_rows=2)
    assert output.atol == 300.0, "it is relative to a typical answer"
    (output,) = infer_outputs(np.array([0.5]), method="predict", n_rows=1)
    assert (output.rtol, output.atol) == (1e-9, 1e-12)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ([1, 2], [("prediction", "int64", ())]),
        (["a", "b"], [("prediction", "string", ())]),
        ([True, False], [("prediction", "bool", ())]),
        ([[0.5, 1.0], [0.5, 1.0]], [("prediction", "float64", (2,))]),
        ([[1], [1, 2]], [("prediction", "json", ())]),
        ([{"a": 1, "b": "x"}, {"a": 2, "b": "y"}], [("a", "int64", ()), ("b", "string", ())]),
        ({"a": [1.0, 2.0]}, [("a", "float64", ())]),
        (pd.DataFrame({"u": [1, 2], "v": [0.5, 0.5]}), [("u", "int64", ()), ("v", "float64", ())]),
        (pl.DataFrame({"u": [1, 2]}), [("u", "int64", ())]),
        (pd.Series([0.5, 1.0], name="ignored"), [("prediction", "float64", ())]),
        (pl.Series([0.5, 1.0]), [("prediction", "float64", ())]),
        (np.array(["a", "b"]), [("prediction", "string", ())]),
        (np.array(["a", "b"], dtype=object), [("prediction", "string", ())]),
        (np.zeros((2, 3, 4)), [("prediction", "float64", (3, 4))]),
    ],
)
def test_every_common_kind_of_answer_is_understood(answer: object, expected: list[tuple[object, ...]]) -> None:
    outputs = infer_outputs(answer, method="predict", n_rows=2)
    assert [(output.name, output.datatype, output.shape) for output in outputs] == expected


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (np.array([0.5]), "1 values for 2 rows"),
        (0.5, "single float"),
        (np.array([0.5, np.nan]), "answers NaN in 1 of 2 rows"),
        (np.array([[0.5, 1.0], [0.5, -np.inf]]), "answers infinity in 1 of 2 rows"),
        ([None, float("nan")], "answers NaN"),
        (sparse.csr_matrix(np.eye(2)), "sparse matrix"),
        ([np.eye(2), np.eye(2)], "one array per target"),
        (np.array([1j, 2j]), "complex"),
        ([object(), object()], "object"),
    ],
)
def test_an_answer_that_cannot_be_promised_is_refused(answer: object, words: str) -> None:
    with pytest.raises(ModelMismatchError) as refused:
        read_answer(answer, method="predict", n_rows=2, labels=None)
    assert words in str(refused.value)
    assert refused.value.hint


def test_the_rows_with_nan_are_named() -> None:
    answer = np.where(np.arange(100) % 2, np.nan, 0.5)
    with pytest.raises(ModelMismatchError) as refused:
        read_answer(answer, method="predict", n_rows=100, labels=None)
    assert "rows 1, 3, 5, 7, 9, 11, 13, 15, 17, 19 and 40 more" in refused.value.where


def test_nan_is_an_answer_where_it_was_declared() -> None:
    declared = {"prediction": {"nullable": True, "rtol": 0.0, "unit": "EUR"}}
    (found,) = read_answer(np.array([0.5, np.nan]), method="predict", n_rows=2, labels=None, declared=declared)
    assert (found.output.nullable, found.output.rtol, found.output.unit) == (True, 0.0, "EUR")
    with pytest.raises(ModelMismatchError, match="no attribute"):
        read_answer(np.array([0.5]), method="predict", n_rows=1, labels=None, declared={"prediction": {"rtoll": 1}})


def test_several_targets_are_one_output_without_labels() -> None:
    model = RandomForestClassifier(3, random_state=0).fit(X, np.c_[Y, 1 - (Y > 0)])
    assert labels_of(model) is None
    (output,) = infer_outputs(model.predict(X), method="predict", n_rows=len(X))
    assert output.shape == (2,)
    with pytest.raises(ModelMismatchError) as refused:
        LiveModel.of(model).ask(X, n_rows=len(X))
    assert 'methods=["predict"]' in refused.value.hint


def test_what_the_model_raises_is_told_with_its_own_words() -> None:
    def broken(rows: object) -> object:
        raise KeyError("no column 'plan'")

    with pytest.raises(ModelMismatchError) as refused:
        LiveModel.of(broken).ask([{"a": 1}], n_rows=1)
    assert "broken.predict raises KeyError" in refused.value.what
    assert "no column 'plan'" in refused.value.why


def test_warnings_of_the_model_do_not_leak() -> None:
    def noisy(rows: list[object]) -> list[int]:
        warnings.warn("look out", UserWarning, stacklevel=1)
        return [1] * len(rows)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert values_by_name(LiveModel.of(noisy).ask([{"a": 1}], n_rows=1))["prediction"].tolist() == [1]


def probed(handle_unknown: str, frame: pd.DataFrame) -> dict[str, str]:
    encoder = OneHotEncoder(handle_unknown=handle_unknown)
    columns = ColumnTransformer([("t", encoder, ["plan"]), ("z", OneHotEncoder(handle_unknown="ignore"), ["zone"])])
    model = make_pipeline(columns, LogisticRegression()).fit(frame, [0, 1] * (len(frame) // 2))
    table = Table.of(frame)
    fields = infer_inputs(table, known={"plan": ("a", "b"), "zone": (1, 2)})
    live = LiveModel.of(model)
    found = probe_unknown(fields, table, lambda rows: live.ask(rows, n_rows=1))
    return {field.name: field.on_unknown for field in found}


@pytest.mark.parametrize("text", ["str", "object", "category"])
def test_the_policy_for_unknown_levels_is_what_the_model_does(text: str) -> None:
    frame = pd.DataFrame({"plan": ["a", "b"] * 10, "zone": [1, 2] * 10, "n": [0.5] * 20})
    frame["plan"] = frame["plan"].astype(text)
    assert probed("error", frame) == {"plan": "error", "zone": "allow", "n": "allow"}
    assert probed("ignore", frame) == {"plan": "allow", "zone": "allow", "n": "allow"}


def test_a_declared_policy_is_kept_without_asking() -> None:
    def refusing(rows: object) -> object:
        raise AssertionError("asked")

    field = Field(name="plan", datatype="string", categories=("a",), on_unknown="allow")
    assert probe_unknown([field], Table.of({"plan": ["a"]}), refusing, keep=["plan"]) == (field,)


def test_many_categorical_fields_cost_one_call_where_the_model_takes_everything() -> None:
    calls: list[object] = []
    accept: Callable[[object], None] = calls.append
    fields = [Field(name=f"f{n}", datatype="string", categories=("a",)) for n in range(500)]
    found = probe_unknown(fields, Table.of([{f"f{n}": "a" for n in range(500)}]), accept)
    assert (len(calls), {field.on_unknown for field in found}) == (1, {"allow"})


def test_an_unseen_level_is_of_the_fields_type() -> None:
    assert unseen_level(Field(name="x", datatype="float64", categories=(0.5, 2.5))) == 3.5
    assert isinstance(unseen_level(Field(name="x", datatype="string", categories=("a",))), str)
