"""The main job: a live model becomes a folder that any process can import and that answers the same."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import numpy as np
import pandas as pd
import pytest
from plain_models import doubled, remembering
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import modelwright as mw
from modelwright.capturing.capture import capture
from modelwright.errors import (
    DependencyError,
    LockError,
    ModelMismatchError,
    NameVersionError,
    SampleError,
    ScenarioError,
    UnsafeFileError,
)
from modelwright.package import Package
from modelwright.spec.schema import schemas

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
NO_NETWORK_NEEDED: dict[str, Any] = {"importance": "never"}


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def tangled(rows: list[dict[str, float]]) -> list[float]:
    """Live in a module that imports modelwright."""
    return [row["x"] for row in rows]


ROWS = [{"x": 1.0}, {"x": 2.5}, {"x": -3.0}]


def test_the_folder_holds_what_the_design_says(captured: Package) -> None:
    assert captured.path is not None
    files = set(tree(captured.path))
    model = {
        "__init__.py",
        "__main__.py",
        "test_scenarios.py",
        "manifest.json",
        "artifacts/model.skops",
        "scenarios.jsonl",
        "profile.json",
        "pylock.toml",
        "requirements.txt",
        "card.md",
        "_runtime/__init__.py",
        "_runtime/skops_loader.py",
        "charts/confusion.svg",
        "charts/calibration.svg",
        "charts/importance.svg",
    }
    assert {f"tumour/model/{name}" for name in model} | {"pyproject.toml", "tumour/__init__.py"} <= files


def test_the_documents_follow_their_published_schemas(captured: Package) -> None:
    published = schemas()
    manifest = json.loads(captured.read("manifest.json"))
    jsonschema.validate(manifest, published["manifest.schema.json"])
    jsonschema.validate(json.loads(captured.read("profile.json")), published["profile.schema.json"])
    for line in captured.read("scenarios.jsonl").splitlines():
        jsonschema.validate(json.loads(line), published["scenario.schema.json"])


def test_a_fresh_process_gives_the_same_predictions(captured: Package, tumour: Any, python: Callable[..., Any]) -> None:
    tumour.X_test.to_pickle(captured.path.parent / "rows.pickle")
    code = (
        "import pandas, json, sys; import tumour; rows = pandas.read_pickle('../rows.pickle');"
        "print(json.dumps([tumour.predict(rows)['prediction'].tolist(), tumour.predict_proba(rows).values.tolist()]));"
        "assert 'modelwright' not in sys.modules"
    )
    predictions, probabilities = json.loads(python(code, cwd=captured.path).stdout)
    assert predictions == tumour.model.predict(tumour.X_test).tolist()
    np.testing.assert_array_equal(probabilities, tumour.model.predict_proba(tumour.X_test))


def test_the_environment_is_minimal_exact_and_locked_with_hashes(captured: Package) -> None:
    environment = captured.manifest.environment
    names = [line.partition("==")[0] for line in environment.dependencies]
    assert names == ["pandas", "scikit-learn", "skops"]
    assert all("==" in line and "+" not in line for line in environment.dependencies)
    lock = tomllib.loads(captured.lock)
    locked = {package["name"]: package for package in lock["packages"]}
    assert {"numpy", "scipy", "joblib", "pandas", "scikit-learn", "skops"} <= set(locked)
    assert not {"modelwright", "pytest", "uv"} & set(locked)
    assert all(wheel["hashes"]["sha256"] for package in locked.values() for wheel in package.get("wheels", []))
    installed = {"numpy": np.__version__, "pandas": pd.__version__}
    assert {name: locked[name]["version"] for name in installed} == installed
    assert captured.read("requirements.txt").count(b"--hash=sha256:") >= len(locked)


def test_evaluation_importance_profile_and_lineage_are_in_the_manifest(captured: Package, tumour: Any) -> None:
    manifest = captured.manifest
    found = {(item.metric, item.dataset): item for item in manifest.evaluations}
    accuracy = tumour.model.score(tumour.X_test, tumour.y_test)
    assert found["accuracy", "test"].value == accuracy
    assert found["accuracy", "test"].rows == len(tumour.X_test)
    assert ("accuracy", "training") in found
    assert len(manifest.importance) == 30
    assert manifest.hyperparameters["logisticregression__C"] == 1.0
    assert captured.profile.rows == len(tumour.X_train)
    assert set(captured.profile.outputs) == {"prediction", "probability", "probability[0]", "probability[1]"}


def test_the_same_model_gives_the_same_folder(tumour: Any, tmp_path: Path) -> None:
    options: dict[str, Any] = {"name": "same", "version": "1.0.0", "created": MOMENT}
    model = Ridge().fit(tumour.X_train, tumour.y_train)
    first, second = (capture(model, tumour.X_train, to=tmp_path / to, **options) for to in ("one", "two"))
    assert tree(first.path) == tree(second.path)


def test_a_function_needs_nothing_but_the_standard_library(tmp_path: Path, python: Callable[..., Any]) -> None:
    package = capture(doubled, ROWS, name="twice", version="0.1", to=tmp_path)
    assert package.manifest.storage.format == "python"
    assert package.manifest.artifacts == ()
    out = python("import twice; print(twice.predict([{'x': 21}]))", cwd=package.path).stdout
    assert out == "[{'prediction': 42.0}]\n"


def test_a_mixed_frame_keeps_categories_nulls_and_dates(tmp_path: Path, python: Callable[..., Any]) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "plan": pd.Categorical(rng.choice(["basic", "plus", "pro"], 120)),
            "city": rng.choice(["Köln", "São Paulo", "東京"], 120),
            "age": np.where(rng.random(120) < 0.2, np.nan, rng.integers(18, 90, 120)),
            "visits": rng.integers(0, 50, 120),
        }
    )
    target = frame["visits"] + (frame["plan"] == "pro") * 10
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["plan"]),
        (OneHotEncoder(sparse_output=False), ["city"]),
        remainder="passthrough",
    )
    model = make_pipeline(encode, HistGradientBoostingRegressor(max_iter=20)).fit(frame, target)
    package = capture(model, frame, name="visits", version="1.0", to=tmp_path, evaluate=(frame, target))
    fields = {field.name: field for field in package.manifest.signature.inputs}
    assert fields["plan"].categories == ("basic", "plus", "pro")
    assert fields["plan"].on_unknown == "allow"
    assert fields["city"].on_unknown == "error"
    assert fields["age"].nullable
    assert not fields["visits"].nullable
    row = {"plan": "pro", "city": "東京", "age": None, "visits": 7}
    code = f"import visits; print(visits.predict([{row!r}])[0]['prediction'])"
    expected = model.predict(pd.DataFrame([row]).astype({"age": float}))[0]
    assert float(python(code, cwd=package.path).stdout) == expected
    refused = python(
        f"import visits; visits.predict([{row | {'city': 'Koln'}!r}])", cwd=package.path, check=False
    ).stderr
    assert "MW201" in refused
    assert "Köln" in refused


def test_rules_of_the_user_are_held_and_travel_along(tumour: Any, tmp_path: Path) -> None:
    rules = [
        mw.direction("worst radius", add=1.0, output="probability", label=1, never="higher"),
        mw.invariance(change={"mean radius": 14.0}, tolerance=1.0),
        mw.minimum(tumour.X_train.head(1), output="prediction", equals=1, name="first-patient"),
        mw.example(tumour.X_train.tail(2), name="last-patients"),
    ]
    model, frame = tumour.model, tumour.X_train
    package = capture(model, frame, name="ruled", version="1.0", to=tmp_path, scenarios=rules)
    own = {scenario.name: scenario for scenario in package.scenarios if scenario.origin == "user"}
    assert list(own)[-2:] == ["first-patient", "last-patients"]
    last = msgspec.to_builtins(own["last-patients"])
    assert list(last["expected"]["prediction"]) == model.predict(frame.tail(2)).tolist()
    wrong = mw.direction("worst radius", add=1.0, output="probability", label=1, never="lower", name="wrong")
    with pytest.raises(ScenarioError, match="'wrong' does not hold"):
        capture(model, frame, name="ruled", version="1.0", to=tmp_path, scenarios=[wrong])


def test_a_failed_capture_leaves_what_was_there(tumour: Any, tmp_path: Path) -> None:
    capture(doubled, ROWS, name="twice", version="0.1", to=tmp_path, created=MOMENT)
    before = tree(tmp_path)
    with pytest.raises(LockError, match="no-such-distribution"):
        capture(doubled, ROWS, name="twice", version="0.1", to=tmp_path, requirements=["no-such-distribution-mw==1"])
    assert tree(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == ["twice-0.1"]


def test_an_answer_that_depends_on_the_process_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelMismatchError, match="differently"):
        capture(remembering, ROWS, name="moody", version="0.1", to=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "version"),
    [("os", "1"), ("class", "1"), ("no spaces", "1"), ("ok", "1.0+cu12"), ("ok", "one"), ("-x", "1")],
)
def test_names_and_versions_that_an_index_refuses_are_refused(name: str, version: str, tmp_path: Path) -> None:
    with pytest.raises(NameVersionError):
        capture(doubled, ROWS, name=name, version=version, to=tmp_path)


def test_no_sample_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match="no sample"):
        capture(doubled, name="twice", version="0.1", to=tmp_path)


def test_ten_thousand_columns_are_captured(tmp_path: Path) -> None:
    data = np.random.default_rng(0).normal(size=(30, 10_000))
    model = LinearRegression().fit(data, data[:, 0])
    package = capture(model, data, name="wide", version="1.0", to=tmp_path)
    assert len(package.manifest.signature.inputs) == 10_000
    assert sum(len(scenario.inputs) for scenario in package.scenarios) <= 6


def test_compatible_pins_and_given_extras(tmp_path: Path, tumour: Any) -> None:
    package = capture(
        Ridge().fit(tumour.X_train, tumour.y_train),
        tumour.X_train,
        name="loose",
        version="1.0",
        to=tmp_path,
        pins="compatible",
        requirements=["msgspec[toml]==0.22.0"],
    )
    dependencies = package.manifest.environment.dependencies
    assert "msgspec[toml]==0.22.0" in dependencies
    assert any(line.startswith("scikit-learn~=") for line in dependencies)


def test_code_that_imports_the_tool_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(DependencyError, match="Move what the model needs"):
        capture(tangled, ROWS, name="tangled", version="0.1", to=tmp_path)


def test_a_requirement_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(DependencyError, match="is not a requirement"):
        capture(doubled, ROWS, name="twice", version="0.1", to=tmp_path, requirements=["not a requirement"])


def test_a_pickle_that_runs_a_command_is_refused_and_not_executed(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    hostile = tmp_path / "model.pkl"
    hostile.write_bytes(b"cos\nsystem\n(S'touch " + str(canary).encode() + b"'\ntR.")
    with pytest.raises(UnsafeFileError, match="nothing was executed"):
        capture(hostile, ROWS, name="hostile", version="0.1", to=tmp_path / "models")
    assert not canary.exists()
