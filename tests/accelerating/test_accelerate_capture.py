"""A faster form is kept only if it answers the same, is told of in the card, and never replaces the model unseen."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import modelwright as mw
from modelwright.capturing import accelerating
from modelwright.capturing.accelerating import Made
from modelwright.capturing.agreeing import agreement
from modelwright.capturing.table import Table
from modelwright.errors import AccelerationError, UnknownPluginError
from modelwright.runtime.model import Model

RNG = np.random.default_rng(5)
FRAME = pd.DataFrame(
    {"age": RNG.integers(18, 80, 400), "pay": RNG.normal(30, 9, 400), "plan": RNG.choice(["a", "b", "c"], 400)}
)
TRUTH = np.where(FRAME["age"] + FRAME["pay"] > 75, "stays", "leaves")
ARRAY = RNG.normal(size=(300, 4))


def pipeline() -> Any:
    encode = OneHotEncoder(sparse_output=False)
    columns = make_column_transformer((StandardScaler(), ["age", "pay"]), (encode, ["plan"]))
    return make_pipeline(columns, HistGradientBoostingClassifier(max_iter=20, random_state=0)).fit(FRAME, TRUTH)


WRONG = """

class Wrong:
    container = "columns"

    def predict(self, rows):
        return ["stays"] * len(rows["age"])

    def predict_proba(self, rows):
        return [[0.5, 0.5]] * len(rows["age"])


def accelerate(model, signature, methods, build):
    return Wrong()
"""
TOY_LOADER = """
class Form:
    def predict(self, rows):
        return rows @ [1.0, 2.0, 3.0, 4.0] + 1e-4


def load(artifacts, options, package, trusted):
    assert (artifacts / "form.bin").read_bytes() == b"four"
    return Form()
"""


class Halved:
    """A form that answers as a linear model does, but for what ``spoil`` changes."""

    container = "numpy"

    def __init__(self, model: Any, spoil: Any) -> None:
        self.model, self.spoil = model, spoil

    def predict(self, rows: Any) -> Any:
        return self.spoil(self.model.predict(rows), rows)


class Toy:
    name, loader, distributions, exact = "toy", Path(__file__), (), True

    def __init__(self, spoil: Any) -> None:
        self.spoil = spoil

    def claims(self, model: object) -> bool:
        return True

    def make(self, model: Any, sample: Any, folder: Path, *, signature: Any, methods: Any) -> Made:
        (folder / "form.bin").write_bytes(b"four")
        return Made(Halved(model, self.spoil))


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Any:
    def register(spoil: Any, **attributes: Any) -> None:
        made = Toy(spoil)
        vars(made).update(attributes)
        monkeypatch.setattr(accelerating, "find", lambda group, name: made)
        monkeypatch.setattr(accelerating, "_too_slow", lambda taken: "")

    return register


def captured(tmp_path: Path, **options: Any) -> mw.Package:
    model = LinearRegression().fit(ARRAY, ARRAY @ [1.0, 2.0, 3.0, 4.0])
    return mw.capture(model, ARRAY, name="line", version="1.0", to=tmp_path, **options)


def test_a_form_that_holds_answers_in_the_package_bit_for_bit(tmp_path: Path) -> None:
    model = pipeline()
    package = mw.capture(model, FRAME, TRUTH, name="churn", version="1.0", to=tmp_path, accelerate="exact")
    (form,) = package.manifest.accelerations
    assert form.kept
    assert (form.rows, form.differing, form.largest_difference, form.why) == (400, 0, 0.0, "")
    code = (
        "import json, sys, pandas, churn, churn.model as m; f = pandas.read_json(sys.stdin, dtype={'age': 'int64'}); "
        "print(json.dumps([type(m.load()._fast).__name__, churn.predict_proba(f).to_numpy().tolist()]))"
    )
    given = FRAME.head(50).to_json()
    done = subprocess.run(
        [sys.executable, "-c", code], input=given, cwd=package.path, capture_output=True, text=True, check=True
    )
    name, answered = json.loads(done.stdout)
    assert name == "Exact"
    again = pd.read_json(io.StringIO(given), dtype={"age": "int64"})
    assert answered == model.predict_proba(again).tolist()


def test_selftest_holds_the_model_beside_its_form(tmp_path: Path) -> None:
    package = mw.capture(pipeline(), FRAME, name="churn", version="1.0", to=tmp_path, accelerate="exact")
    scenarios = Path(package.path) / "churn" / "model" / "scenarios.jsonl"
    done = subprocess.run(
        [sys.executable, "-m", "churn.model", "selftest"], cwd=package.path, capture_output=True, text=True, check=True
    )
    assert f"{len(scenarios.read_text().splitlines())} passed, 0 failed" in done.stdout
    exact = Path(package.path) / "churn" / "model" / "_runtime" / "exact" / "__init__.py"
    exact.write_text(exact.read_text() + WRONG)
    done = subprocess.run(
        [sys.executable, "-m", "churn.model", "selftest"], cwd=package.path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, "a form that lies is found by the scenarios"


def test_the_card_tells_how_equal_and_how_fast_it_is(tmp_path: Path) -> None:
    forest = RandomForestClassifier(20, random_state=0).fit(ARRAY, ARRAY[:, 0] > 0)
    package = mw.capture(forest, ARRAY, name="forest", version="1.0", to=tmp_path, accelerate="auto")
    card = (Path(package.path) / "forest" / "model" / "card.md").read_text()
    assert "`exact` was kept. It was compared with the model, bit for bit, on all 300 rows" in card
    assert "| 1,000 |" in card
    assert "0 differ by any bit" in card


def test_a_form_that_differs_by_one_bit_in_one_row_is_refused_with_the_reason(tmp_path: Path, toy: Any) -> None:
    def spoil(answers: Any, rows: Any) -> Any:
        answers[rows[:, 0] == ARRAY[7, 0]] *= 1 + 2.3e-16
        return answers

    toy(spoil)
    package = captured(tmp_path, accelerate="toy")
    (form,) = package.manifest.accelerations
    assert not form.kept
    assert form.differing == 1
    assert "prediction differs by up to" in form.why
    assert "in 1 of 300 rows" in form.why
    assert not (Path(package.path) / "line" / "model" / "artifacts" / "accelerated").exists()
    assert form.why.replace(",", "") in (Path(package.path) / "line" / "model" / "card.md").read_text().replace(",", "")


def test_a_form_that_differs_only_for_few_rows_at_once_is_refused(tmp_path: Path, toy: Any) -> None:
    toy(lambda answers, rows: answers + 1.0 if len(rows) == 7 else answers)
    (form,) = captured(tmp_path, accelerate="toy").manifest.accelerations
    assert "in 7 of 7 rows" in form.why


def test_a_form_that_fails_or_answers_another_type_is_refused(tmp_path: Path, toy: Any) -> None:
    toy(lambda answers, rows: 1 / 0)
    (form,) = captured(tmp_path, accelerate="toy").manifest.accelerations
    assert form.why == "it fails on 300 rows: ZeroDivisionError: division by zero"
    toy(lambda answers, rows: answers.astype("float32"))
    (form,) = captured(tmp_path, accelerate="toy").manifest.accelerations
    assert form.why == "it answers float32 where the model answers float64"


def test_a_form_that_is_not_exact_is_kept_within_what_the_user_allows(tmp_path: Path, toy: Any) -> None:
    (tmp_path / "toy_loader.py").write_text(TOY_LOADER)
    toy(lambda answers, rows: answers + 1e-4, exact=False, loader=tmp_path / "toy_loader.py")
    (form,) = captured(tmp_path, accelerate="toy").manifest.accelerations
    assert "1e-05 is allowed" in form.why
    package = captured(tmp_path / "loose", accelerate="toy", accelerate_within=1e-3)
    (form,) = package.manifest.accelerations
    assert form.kept
    assert form.size == 4
    assert package.manifest.signature.outputs[0].atol == 1e-3, "the scenarios are as loose as what is kept"


def test_a_form_that_breaks_a_scenario_of_the_user_is_dropped(tmp_path: Path, toy: Any) -> None:
    toy(lambda answers, rows: np.where(rows[:, 0] == 99.0, 0.0, answers))
    row = {"f0": 99.0, "f1": 0.0, "f2": 0.0, "f3": 0.0}
    names = [field.name for field in captured(tmp_path / "names").manifest.signature.inputs]
    rows = [dict(zip(names, row.values(), strict=True))]
    rule = mw.minimum(rows, name="large", output="prediction", at_least=50)
    package = captured(tmp_path, accelerate="toy", scenarios=[rule])
    (form,) = package.manifest.accelerations
    assert not form.kept
    assert "the scenario 'large' does not hold" in form.why
    assert [file.path for file in package.manifest.artifacts] == ["model.skops"]


def test_without_a_form_that_holds_the_model_is_not_dropped(tmp_path: Path) -> None:
    with pytest.raises(AccelerationError, match="made of the model itself"):
        captured(tmp_path, accelerate="exact", original="drop")
    with pytest.raises(AccelerationError, match="None was asked for"):
        captured(tmp_path, original="drop")
    assert not list(tmp_path.iterdir())


def test_kernels_of_one_version_need_exact_pins(tmp_path: Path) -> None:
    (form,) = captured(tmp_path, accelerate="exact", pins="compatible").manifest.accelerations
    assert "pins are not exact" in form.why


def test_an_unknown_form_is_named_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UnknownPluginError, match="exact"):
        captured(tmp_path, accelerate="exakt")


@pytest.mark.parametrize(
    ("answered", "expected", "problem"),
    [
        (np.array([1, 2]), np.array([1, 2]), ""),
        (np.array([1, 3]), np.array([1, 2]), "y differs in 1 of 2 rows"),
        (np.array([0.0, -0.0]), np.array([0.0, 0.0]), "y differs in 1 of 2 rows"),
        (np.array([0.5, np.nan]), np.array([0.5, np.nan]), ""),
        (np.array(["a", "b"]), np.array(["a", "c"]), "y differs in 1 of 2 rows"),
        (np.zeros((2, 1)), np.zeros(2), "it answers [2, 1] where the model answers [2]"),
    ],
)
def test_answers_are_compared_bit_by_bit(answered: Any, expected: Any, problem: str) -> None:
    datatype = {"i": "int64", "f": "float64", "U": "string"}[np.asarray(expected).dtype.kind]
    output = {"name": "y", "datatype": datatype, "nullable": True}
    signature = {"inputs": [{"name": "x", "datatype": "float64"}], "outputs": [output], "container": "columns"}
    manifest = {"name": "m", "version": "1", "storage": {}, "signature": signature}

    def of(values: Any) -> Model:
        return Model(lambda rows: values[np.array(rows["x"], dtype=int)], manifest)

    found = agreement(of(expected), of(answered), Table.of({"x": [0.0, 1.0]}), tolerance=0.0)
    assert found.problem == problem


def test_a_converter_that_is_missing_is_told_with_the_line_that_installs_it(tmp_path: Path) -> None:
    (form,) = captured(tmp_path, accelerate="onnx").manifest.accelerations
    assert not form.kept
    assert 'pip install "modelwright[accelerate]"' in form.why
    with pytest.raises(AccelerationError, match=r"pip install .modelwright\[accelerate\]"):
        captured(tmp_path / "only", accelerate="onnx", original="drop")
