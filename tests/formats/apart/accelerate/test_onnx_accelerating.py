"""Models of scikit-learn, LightGBM and XGBoost as graphs: how equal they are, and what is said where there is none."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import onnxruntime
import pandas as pd
import pytest
import skl2onnx
import xgboost
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

import modelwright as mw
from modelwright.adapters.accelerators.onnx import convert
from modelwright.adapters.accelerators.onnx_form import FORM
from modelwright.capturing.accelerating import both
from modelwright.capturing.agreeing import Agreement, agreement
from modelwright.capturing.answers import LiveModel
from modelwright.capturing.description import Description, describe
from modelwright.errors import MissingExtraError, SerialisationError

ROWS = 10_000
EXACT, DOUBLE, SINGLE = 0.0, 1e-12, 2e-6
"""How far numbers may lie from the model's: by nothing, by the order of sums, by rounding to 32 bits."""


def numbers() -> tuple[Any, Any, Any]:
    """Return rows to fit, three classes, and other rows: half of the columns on a grid, where thresholds lie."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(2 * ROWS, 12))
    rows[:, 6:] = np.round(rows[:, 6:], 1)
    score = rows[:, 0] + rows[:, 6] * rows[:, 7] + rng.normal(0, 0.3, len(rows))
    return rows[:ROWS], np.digitize(score, [-0.5, 0.7])[:ROWS], rows[ROWS:]


def table() -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 90, 2 * ROWS),
            "income": np.where(rng.random(2 * ROWS) < 0.1, np.nan, np.round(rng.normal(40_000, 9_000, 2 * ROWS), 2)),
            "visits": rng.poisson(3, 2 * ROWS),
            "plan": rng.choice(["basic", "plus", "pro"], 2 * ROWS),
            "town": rng.choice([f"town {number}" for number in range(40)], 2 * ROWS),
        }
    )
    stays = frame["age"] / 100 + (frame["plan"] == "pro") + rng.normal(0, 0.2, 2 * ROWS) > 0.9
    return frame[:ROWS], np.where(stays, "stays", "leaves")[:ROWS], frame[ROWS:].reset_index(drop=True)


def columns(last: Any) -> Any:
    imputed = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    return make_pipeline(
        ColumnTransformer(
            [
                ("numbers", imputed, ["age", "income", "visits"]),
                ("text", OneHotEncoder(handle_unknown="ignore"), ["plan", "town"]),
            ]
        ),
        last,
    )


def made(model: Any, rows: Any, folder: Path) -> tuple[Description, Any]:
    live = LiveModel.of(model)
    described = describe(live, rows)
    return described, FORM.make(model, rows, folder, signature=described.signature, methods=live.methods)


def equality(model: Any, rows: Any, folder: Path) -> tuple[Agreement, Any]:
    described, form = made(model, rows, folder)
    return agreement(*both(described, form.fast), described.table, tolerance=1e-5), form


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("model", "limit"),
    [
        (LogisticRegression(max_iter=300), DOUBLE),
        (make_pipeline(StandardScaler(), LogisticRegression()), DOUBLE),
        (make_pipeline(StandardScaler(), MLPClassifier((32,), max_iter=8, random_state=0)), DOUBLE),
        (DecisionTreeClassifier(random_state=0), EXACT),
        (RandomForestClassifier(16, random_state=0), DOUBLE),
        (make_pipeline(StandardScaler(), RandomForestClassifier(16, random_state=0)), DOUBLE),
        (make_pipeline(StandardScaler(), RandomForestClassifier(16, max_depth=6, random_state=0)), SINGLE),
        (ExtraTreesClassifier(8, random_state=0), DOUBLE),
        (GradientBoostingClassifier(n_estimators=20, random_state=0), SINGLE),
        (HistGradientBoostingClassifier(max_iter=20, random_state=0), SINGLE),
    ],
    ids=lambda value: str(value).replace("\n", "")[:60],
)
def test_classifiers_of_arrays_answer_the_same(model: Any, limit: float, tmp_path: Path) -> None:
    rows, classes, others = numbers()
    found, form = equality(model.fit(rows, classes), others, tmp_path)
    assert not found.problem
    assert found.largest <= limit
    assert ("single" in form.options) == ("Tree" in str(form.options.get("single")))


@pytest.mark.parametrize(
    "model",
    [
        RandomForestClassifier(16, random_state=0),
        make_pipeline(StandardScaler(), RandomForestClassifier(16, max_depth=4, random_state=0)),
    ],
)
def test_forests_of_two_classes_are_undecided_where_the_model_is(model: Any, tmp_path: Path) -> None:
    rows, classes, others = numbers()
    model.fit(rows, np.where(classes > 0, "yes", "no"))
    ties = (model.predict_proba(others)[:, 0] == 0.5).sum()
    found, _ = equality(model, others, tmp_path)
    assert not found.problem
    assert ties or model.__class__.__name__ == "Pipeline"


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("model", "limit"),
    [
        (LinearRegression(), DOUBLE),
        (make_pipeline(StandardScaler(), MLPRegressor(hidden_layer_sizes=(32,), max_iter=8, random_state=0)), DOUBLE),
        (RandomForestRegressor(8, random_state=0), SINGLE),
        (GradientBoostingRegressor(n_estimators=20, random_state=0), SINGLE),
        (HistGradientBoostingRegressor(max_iter=20, random_state=0), SINGLE),
    ],
    ids=lambda value: str(value)[:60],
)
def test_regressors_answer_the_same(model: Any, limit: float, tmp_path: Path) -> None:
    rows, _, others = numbers()
    found, _ = equality(model.fit(rows, rows[:, 0] * 2 + rows[:, 7]), others, tmp_path)
    assert not found.problem
    assert found.largest <= limit


@pytest.mark.parametrize(
    "last", [LogisticRegression(max_iter=500), RandomForestClassifier(8, random_state=0)], ids=["linear", "forest"]
)
def test_pipelines_of_frames_with_text_answer_the_same(last: Any, tmp_path: Path) -> None:
    rows, classes, others = table()
    others.loc[0, "town"] = "a town that nobody has seen"
    found, form = equality(columns(last).fit(rows, classes), others, tmp_path)
    assert not found.problem
    assert found.largest <= DOUBLE
    assert [given["name"] for given in form.options["inputs"]] == list(others)
    assert {given["datatype"] for given in form.options["inputs"]} == {"float64", "string"}


def test_thresholds_of_32_bits_send_rows_another_way(tmp_path: Path) -> None:
    """What skl2onnx writes by itself, and why trees hold doubles here."""
    rows, classes, others = numbers()
    model = make_pipeline(StandardScaler(), RandomForestClassifier(16, random_state=0)).fit(rows, classes)
    plain = skl2onnx.to_onnx(model, others.astype(np.float32), options={"zipmap": False})
    running = onnxruntime.InferenceSession(plain.SerializeToString())
    there = running.run(None, {"X": others.astype(np.float32)})[1]
    differing = (np.abs(there - model.predict_proba(others)).max(axis=1) > 1e-5).mean()
    assert differing > 0.01
    assert equality(model, others, tmp_path)[0].largest <= DOUBLE


@pytest.mark.parametrize(
    "model",
    [
        lightgbm.LGBMClassifier(n_estimators=15, verbose=-1),
        lightgbm.LGBMRegressor(n_estimators=15, verbose=-1),
        xgboost.XGBClassifier(n_estimators=15),
        xgboost.XGBRegressor(n_estimators=15),
    ],
    ids=lambda model: type(model).__name__,
)
def test_boosted_trees_of_other_libraries_answer_with_32_bits(model: Any, tmp_path: Path) -> None:
    rows, classes, others = numbers()
    model.fit(rows, classes if "Classifier" in type(model).__name__ else rows[:, 0] + rows[:, 7])
    found, form = equality(model, others, tmp_path)
    assert found.largest <= 1e-5
    assert any(name.startswith("TreeEnsemble") for name in form.options["single"])


def test_the_converters_own_reason_is_given(tmp_path: Path) -> None:
    rows, classes, others = numbers()
    rows[:, 6], others[:, 6] = np.abs(np.round(rows[:, 6])), np.abs(np.round(others[:, 6]))
    model = HistGradientBoostingClassifier(max_iter=5, categorical_features=[6]).fit(rows, classes)
    with pytest.raises(SerialisationError, match="skl2onnx cannot turn this HistGradientBoostingClassifier") as caught:
        made(model, others, tmp_path)
    assert caught.value.why.startswith("NotImplementedError: Splits on categories")
    own = make_pipeline(StandardScaler(), Unknown()).fit(rows, classes)
    with pytest.raises(SerialisationError) as caught:
        made(own, others, tmp_path)
    assert "Unknown" in caught.value.why


class Unknown(LogisticRegression):
    """A model that no converter knows."""


def test_what_no_graph_takes_or_answers_is_named(tmp_path: Path) -> None:
    rows, classes, others = numbers()
    with pytest.raises(SerialisationError, match="no decision_function"):
        made(LinearSVC().fit(rows, classes), others, tmp_path)
    frame, labels, _ = table()
    missing = frame.assign(plan=frame["plan"].where(frame.index > 5))
    model = columns(LogisticRegression(max_iter=500)).fit(missing, labels)
    with pytest.raises(SerialisationError, match="Text may be missing in 'plan'"):
        made(model, missing, tmp_path)
    assert not FORM.claims(object())


def test_one_line_installs_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rows, classes, others = numbers()
    monkeypatch.setattr("modelwright.adapters.accelerators.onnx.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError) as caught:
        made(LogisticRegression().fit(rows, classes), others, tmp_path)
    assert caught.value.hint == 'pip install "modelwright[accelerate]"'


def test_the_same_model_gives_the_same_bytes() -> None:
    rows, classes, others = numbers()
    model = make_pipeline(StandardScaler(), RandomForestClassifier(3, max_depth=4, random_state=0)).fit(rows, classes)
    signature = describe(LiveModel.of(model), others).signature
    assert convert(model, others, signature=signature) == convert(model, others, signature=signature)


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    rows, classes, others = numbers()
    made(lightgbm.LGBMClassifier(n_estimators=3, verbose=-1).fit(rows, classes), others, tmp_path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("original", ["keep", "drop"])
def test_a_captured_form_needs_no_converter(original: Any, tmp_path: Path) -> None:
    rows, classes, others = numbers()
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, classes)
    package = mw.capture(
        model, others[:500], name="fast", version="1.0", to=tmp_path, accelerate="onnx", original=original
    )
    (record,) = package.manifest.accelerations
    assert record.kept
    locked = tomllib.loads((package.path / "fast" / "model" / "pylock.toml").read_text())
    names = {each["name"] for each in locked["packages"]}
    assert "onnxruntime" in names
    assert not names & {"onnx", "skl2onnx", "onnxmltools"}
    assert ("scikit-learn" in names) == (original == "keep")
