"""Whatever is odd is asked of the model itself; what is not known is not accelerated; the model stays as it was."""

from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn
from comparing import accelerated, columns_of, same, signature_of
from every_estimator import Case, cases, make_rows
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from modelwright.adapters.accelerators import exact as exact_package
from modelwright.adapters.accelerators.exact import METHODS, accelerate
from modelwright.runtime.conversion import build

ROWS, LABELS = load_iris(return_X_y=True)
FRAME = pd.DataFrame({"a": ROWS[:, 0], "b": np.where(LABELS > 0, "yes", "no")})


def outcome(call: Callable[[], Any]) -> Any:
    """Return an answer, or what was raised instead, in words."""
    try:
        return call()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def models() -> list[Any]:
    return [
        LogisticRegression(max_iter=1000).fit(ROWS, LABELS),
        make_pipeline(StandardScaler(), LogisticRegression()).fit(ROWS, LABELS),
        RandomForestClassifier(10, random_state=0).fit(ROWS, LABELS),
        HistGradientBoostingClassifier(max_iter=5).fit(ROWS, LABELS),
    ]


@pytest.mark.parametrize("model", models(), ids=lambda model: type(model).__name__)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300, -1e300])
@pytest.mark.parametrize("size", [1, 150])
@pytest.mark.filterwarnings("ignore:overflow encountered in cast:RuntimeWarning")
def test_a_value_out_of_the_ordinary_gives_the_model_s_own_answer_or_error(model: Any, value: float, size: int) -> None:
    rows = ROWS[:size].copy()
    rows[0, 1] = value
    exact = accelerated(model, ROWS)
    ours, theirs = outcome(lambda: exact.predict_proba(rows)), outcome(lambda: model.predict_proba(rows))
    assert ours == theirs if isinstance(theirs, str) else same(theirs, ours)


@pytest.mark.parametrize("model", models(), ids=lambda model: type(model).__name__)
@pytest.mark.parametrize(
    "rows",
    [ROWS[:0], ROWS[:, :3], ROWS[0], ROWS.tolist(), ROWS.astype(str), ROWS.astype(object), ROWS[:5] + 1j],
    ids=["none", "narrow", "flat", "list", "text", "objects", "complex"],
)
def test_rows_of_another_shape_or_kind_give_the_model_s_own_answer_or_error(model: Any, rows: Any) -> None:
    exact = accelerated(model, ROWS)
    ours, theirs = outcome(lambda: exact.predict(rows)), outcome(lambda: model.predict(rows))
    assert ours == theirs if isinstance(theirs, str) else same(theirs, ours)


@pytest.mark.parametrize("model", models(), ids=lambda model: type(model).__name__)
@pytest.mark.parametrize(
    "rows",
    [
        ROWS.astype("float32"),
        ROWS.round().astype("int64"),
        ROWS.round().astype("uint8"),
        np.asfortranarray(ROWS),
        np.repeat(ROWS, 2, axis=0)[::2],
        np.repeat(ROWS, 2, axis=1)[:, ::2],
    ],
    ids=["float32", "int64", "uint8", "Fortran", "every second row", "every second column"],
)
def test_rows_of_other_dtypes_and_orders_in_memory(model: Any, rows: Any) -> None:
    exact = accelerated(model, ROWS)
    for size in (1, 2, 150):
        for method in exact.methods:
            assert same(getattr(model, method)(rows[:size]), getattr(exact, method)(rows[:size]))


def test_a_category_that_the_encoder_refuses_gives_its_error() -> None:
    model = make_pipeline(
        make_column_transformer((OneHotEncoder(), ["b"]), (StandardScaler(), ["a"])), LogisticRegression()
    )
    exact = accelerated(model.fit(FRAME, LABELS), FRAME)
    strange = FRAME.assign(b="maybe")
    ours, theirs = outcome(lambda: exact.predict(columns_of(strange))), outcome(lambda: model.predict(strange))
    assert "unknown categories" in theirs
    assert ours == theirs


def test_a_frame_without_rows_gives_the_model_s_own_error() -> None:
    model = HistGradientBoostingClassifier(max_iter=2).fit(FRAME[["a"]], LABELS)
    exact, none = accelerated(model, FRAME[["a"]]), FRAME[["a"]][:0]
    assert outcome(lambda: exact.predict(columns_of(none))) == outcome(lambda: model.predict(none))


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
@pytest.mark.filterwarnings("ignore")
def test_every_estimator_treats_what_is_not_finite_as_the_library_does(case: Case, value: float) -> None:
    model, rows = case.fit(0), make_rows(case.rows, 5, np.random.default_rng(1))
    exact = accelerated(model, rows)
    rows[2, 1] = value
    for method in exact.methods:
        ours, theirs = (outcome(lambda one=one: getattr(one, method)(rows)) for one in (exact, model))  # noqa: B023
        assert ours == theirs if isinstance(theirs, str) else same(theirs, ours)


class Own(LogisticRegression):
    """Somebody's own estimator."""

    def predict(self, X: Any) -> Any:
        return super().predict(X)[::-1]


def given_up(model: Any, rows: Any = ROWS) -> bool:
    return accelerate(model, signature_of(rows), METHODS, build) is None


def test_what_is_not_known_is_left_alone() -> None:
    overridden = LogisticRegression(max_iter=1000).fit(ROWS, LABELS)
    overridden.predict = lambda rows: np.zeros(len(rows))
    assert given_up(KNeighborsClassifier().fit(ROWS, LABELS))
    assert given_up(Own(max_iter=1000).fit(ROWS, LABELS))
    assert given_up(overridden)
    assert given_up(lambda rows: rows)
    assert given_up(make_pipeline(StandardScaler().set_output(transform="pandas")).fit(ROWS))
    assert given_up(make_pipeline(Own(max_iter=1000)).fit(ROWS, LABELS))


def test_a_model_that_would_warn_about_names_is_left_alone() -> None:
    frame = pd.DataFrame(ROWS, columns=list("abcd"))
    assert given_up(LogisticRegression(max_iter=1000).fit(ROWS, LABELS), frame)
    assert given_up(LogisticRegression(max_iter=1000).fit(frame, LABELS), ROWS)


@pytest.mark.parametrize("container", ["records", "columns", "polars", "pyarrow"])
def test_containers_that_models_of_scikit_learn_are_not_made_for_are_left_alone(container: str) -> None:
    signature = signature_of(ROWS) | {"container": container}
    assert accelerate(LogisticRegression(max_iter=1000).fit(ROWS, LABELS), signature, METHODS, build) is None


@pytest.mark.parametrize("setting", [{"transform_output": "pandas"}, {"assume_finite": True}], ids=str)
def test_settings_that_change_what_methods_do_are_left_to_the_library(setting: dict[str, Any]) -> None:
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(ROWS, LABELS)
    with sklearn.config_context(**setting):
        assert given_up(model)
    assert not given_up(model)


def test_methods_that_are_not_accelerated_are_not_there() -> None:
    exact = accelerate(
        LogisticRegression(max_iter=1000).fit(ROWS, LABELS), signature_of(ROWS), ["predict", "score"], build
    )
    assert exact is not None
    assert exact.methods == ("predict",)
    with pytest.raises(AttributeError, match="score is not accelerated"):
        exact.score  # noqa: B018


def test_the_folder_works_by_itself_wherever_it_is_copied(tmp_path: Path) -> None:
    shutil.copytree(Path(exact_package.__file__).parent, tmp_path / "somewhere" / "exact")
    (tmp_path / "somewhere" / "__init__.py").touch()
    code = """
import sys
from somewhere.exact import accelerate
assert not {"numpy", "sklearn"} & {*sys.modules}, "it imports more than the standard library before it is asked"
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
rows, labels = load_iris(return_X_y=True)
signature = {"inputs": [{"name": "x", "datatype": "float64", "shape": [4]}], "container": "numpy"}
exact = accelerate(RandomForestClassifier(5).fit(rows, labels), signature, ["predict"], None)
assert exact.predict(rows).shape == (150,)
assert not [name for name in sys.modules if name.startswith("modelwright")]
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, env={})


SOME = {"RandomForestClassifier", "HistGradientBoostingClassifier", "GradientBoostingClassifier", "Pipeline", "KMeans"}
THREADED = [case for case in cases() if case.name.partition(",")[0] in {*SOME, "SVC", "ColumnTransformer"}]


@pytest.mark.parametrize("case", THREADED, ids=lambda case: case.name)
def test_threads_share_it_and_the_model_stays_as_it_was(case: Case) -> None:
    model, rng = case.fit(0), np.random.default_rng(1)
    before = pickle.dumps(model)
    batches = [make_rows(case.rows, int(size), rng) for size in rng.choice([1, 2, 7, 40, 300], 80)]
    exact = accelerated(model, batches[0])
    method = getattr(exact, exact.methods[0])
    expected = [getattr(model, exact.methods[0])(rows) for rows in batches]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(method, batches))
    assert all(map(same, expected, found))
    assert pickle.dumps(model) == before
