"""A model whose faster form stands in for it: its own libraries are gone, its card says what it was compared with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import modelwright as mw
from modelwright.errors import AccelerationError

RNG = np.random.default_rng(3)
FRAME = pd.DataFrame(
    {"age": RNG.integers(18, 80, 500), "pay": RNG.normal(30, 5, 500), "plan": RNG.choice(["a", "b", "c"], 500)}
)
TRUTH = np.where(FRAME["age"] + FRAME["pay"] > 75, "stays", "leaves")


def pipeline() -> object:
    columns = make_column_transformer((StandardScaler(), ["age", "pay"]), (OneHotEncoder(), ["plan"]))
    return make_pipeline(columns, LogisticRegression()).fit(FRAME, TRUTH)


def test_it_needs_numpy_and_onnxruntime_and_answers_as_the_model_did(tmp_path: Path) -> None:
    model = pipeline()
    package = mw.capture(
        model, FRAME, TRUTH, name="churn", version="1.0", to=tmp_path, accelerate="auto", original="drop"
    )
    manifest = package.manifest
    assert [line.partition("==")[0] for line in manifest.environment.dependencies] == ["numpy", "onnxruntime"]
    assert manifest.storage.format == "onnx"
    assert manifest.environment.portable
    assert [form.kind for form in manifest.accelerations if form.kept] == ["onnx"]
    assert "scikit-learn" in manifest.accelerations[-1].replaces
    assert [output.name for output in manifest.signature.outputs] == ["prediction", "probability"]
    assert manifest.hyperparameters["logisticregression__C"] == 1.0, "they are those of the model"
    card = (Path(package.path) / "churn" / "model" / "card.md").read_text()
    assert "instead of `pandas`, `scikit-learn`" in card or "instead of `scikit-learn`" in card
    code = (
        "import sys; import churn; "
        "print(*churn.predict_proba([{'age': 40, 'pay': 30.5, 'plan': 'b'}])[0]['probability'].values()); "
        "print(sorted({'sklearn', 'pandas', 'onnx', 'skl2onnx'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=package.path, capture_output=True, text=True, check=True)
    answered, imported = done.stdout.splitlines()
    expected = model.predict_proba(pd.DataFrame({"age": [40], "pay": [30.5], "plan": ["b"]}))[0]
    assert np.allclose([float(each) for each in answered.split()], expected, rtol=1e-5, atol=1e-5)
    assert imported == "[]"
    assert mw.verify(mw.build(package, tmp_path / "dist")).passed


def test_a_model_whose_graph_answers_too_differently_is_not_dropped(tmp_path: Path) -> None:
    rows = RNG.normal(size=(3000, 6))
    forest = RandomForestClassifier(30, random_state=0).fit(rows, rows[:, 0] > 0)
    with pytest.raises(AccelerationError, match="onnx"):
        mw.capture(
            forest,
            rows,
            name="forest",
            version="1.0",
            to=tmp_path,
            accelerate="onnx",
            accelerate_within=1e-18,
            original="drop",
        )
    assert not list(tmp_path.iterdir())
