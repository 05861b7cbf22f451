"""Frames of numbers, text, categories and truth values, with and without what is missing, through every encoder."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from comparing import assert_exact
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    OneHotEncoder,
    OrdinalEncoder,
    QuantileTransformer,
    StandardScaler,
    TargetEncoder,
)
from sklearn.tree import DecisionTreeClassifier

NUMBERS, TEXT, MISSING = ["f0", "f1", "whole", "single"], ["plan", "kind", "word"], ["holed", "gap"]


def frame_of(n_rows: int, seed: int) -> pd.DataFrame:
    """Make a frame with a column of every kind."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"f0": rng.normal(size=n_rows), "f1": rng.normal(size=n_rows)})
    frame["whole"] = rng.integers(-5, 100, n_rows)
    frame["single"] = rng.normal(size=n_rows).astype("float32")
    frame["plan"] = rng.choice(["monthly", "yearly", "none"], n_rows)
    frame["kind"] = pd.Categorical(rng.choice(["a", "b", "c"], n_rows), categories=["a", "b", "c", "d"])
    frame["word"] = pd.Series(rng.choice(["é", "ß", "x" * 40], n_rows), dtype=object)
    frame["holed"] = np.where(rng.random(n_rows) < 0.2, np.nan, rng.normal(size=n_rows))
    frame["gap"] = frame["plan"].where(rng.random(n_rows) < 0.8)
    frame["few"] = rng.integers(0, 4, n_rows)
    frame["yes"] = rng.random(n_rows) < 0.5
    return frame


ROWS = frame_of(1000, 0)
LABELS = np.random.default_rng(1).choice(["low", "high", "other"], 1000)
TWO = np.random.default_rng(2).integers(0, 2, 1000)


def encoded(encoder: Any, columns: list[str], *, labels: Any = TWO, last: Any = None) -> Any:
    parts = make_column_transformer((encoder, columns), (StandardScaler(), NUMBERS))
    return make_pipeline(parts, last or LogisticRegression()).fit(ROWS, labels)


@pytest.mark.parametrize("columns", [TEXT, ["gap", "plan"], ["few", "plan"], ["kind", "gap"]], ids=str)
@pytest.mark.parametrize(
    "encoder",
    [
        OneHotEncoder(),
        OneHotEncoder(handle_unknown="ignore", sparse_output=False),
        OneHotEncoder(drop="if_binary"),
        OneHotEncoder(drop="first", sparse_output=False),
        OneHotEncoder(min_frequency=0.3, handle_unknown="infrequent_if_exist"),
        OneHotEncoder(max_categories=2, drop="first"),
        OrdinalEncoder(),
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2),
        OrdinalEncoder(max_categories=2, dtype=np.float32),
        TargetEncoder(cv=2),
    ],
    ids=str,
)
def test_text_and_categories_through_an_encoder(encoder: Any, columns: list[str]) -> None:
    last = DecisionTreeClassifier(max_depth=5) if isinstance(encoder, OrdinalEncoder) else None  # it takes NaN
    exact = assert_exact(encoded(encoder, columns, last=last), ROWS, sizes=(1, 2, 100))
    assert all(step.own for step in exact.steps)


def test_the_target_of_several_classes_is_encoded_for_each() -> None:
    assert_exact(encoded(TargetEncoder(cv=2), TEXT, labels=LABELS), ROWS, sizes=(1, 7, 100))


TREES = (RandomForestClassifier(5), GradientBoostingClassifier(n_estimators=5), DecisionTreeClassifier(max_depth=4))


@pytest.mark.parametrize("last", [LogisticRegression(), MultinomialNB(), *TREES], ids=str)
def test_a_sparse_matrix_from_many_columns(last: Any) -> None:
    """With few of its values other than zero, a ColumnTransformer answers a sparse matrix."""
    rare = OneHotEncoder(handle_unknown="ignore")
    parts = make_column_transformer((rare, ["whole", *TEXT]), (MaxAbsScaler(), ["few"]))
    model = make_pipeline(parts, last).fit(ROWS, TWO)
    assert model[0].sparse_output_
    assert all(step.own for step in assert_exact(model, ROWS).steps)


@pytest.mark.parametrize("model", [LogisticRegression(), SelectKBest(k=3), VarianceThreshold()], ids=str)
def test_a_sparse_matrix_handed_on(model: Any) -> None:
    assert_exact(make_pipeline(OneHotEncoder(), model).fit(ROWS[TEXT], TWO), ROWS[TEXT])


def test_missing_text_is_filled_before_it_is_encoded() -> None:
    for imputer in (SimpleImputer(strategy="most_frequent"), SimpleImputer(strategy="constant", fill_value="?")):
        text = make_pipeline(imputer, OneHotEncoder(handle_unknown="ignore"))
        parts = make_column_transformer((text, ["gap", "kind", "plan"]), (SimpleImputer(add_indicator=True), ["holed"]))
        assert_exact(make_pipeline(parts, Ridge()).fit(ROWS, TWO), ROWS)


def test_levels_that_the_dtype_lacks_and_values_never_seen() -> None:
    model = encoded(OneHotEncoder(handle_unknown="ignore"), TEXT)
    exact = assert_exact(model, ROWS, sizes=(1,))
    strange = ROWS[:50].copy()
    strange["plan"], strange["kind"] = "never seen", pd.Categorical(["d"] * 50, categories=["a", "b", "c", "d"])
    assert_exact(model, pd.concat([strange, ROWS[:50]], ignore_index=True).astype({"kind": ROWS["kind"].dtype}))
    assert exact.container == "columns"


@pytest.mark.parametrize("kind", [HistGradientBoostingClassifier, HistGradientBoostingRegressor])
def test_boosting_takes_categories_by_their_dtype(kind: Any) -> None:
    columns = ["f0", "kind", "holed", "whole", "city"]
    rows = ROWS.assign(city=pd.Categorical(np.random.default_rng(5).choice([f"c{i}" for i in range(40)], 1000)))
    rows.loc[::7, "kind"] = None
    model = kind(max_iter=15, min_samples_leaf=3, categorical_features="from_dtype").fit(rows[columns], TWO)
    assert any(tree.raw_left_cat_bitsets.size for iteration in model._predictors for tree in iteration)
    exact = assert_exact(model, rows[columns])
    assert all(step.own for step in exact.steps)


def test_boosting_takes_codes_by_the_places_of_their_columns() -> None:
    rows = ROWS[["f0", "few", "holed"]].to_numpy()
    for categorical in ([1], [False, True, False]):
        model = HistGradientBoostingClassifier(max_iter=15, categorical_features=categorical).fit(rows, LABELS)
        exact = assert_exact(model, rows)
        strange = rows[:9].copy()
        strange[:, 1] = [-1, 4, 3.5, np.nan, 0, 1, 2, 3, 300]
        assert np.array_equal(exact.predict_proba(strange), model.predict_proba(strange))


def test_several_blocks_of_columns_side_by_side() -> None:
    numbers = make_union(
        StandardScaler(), make_pipeline(KBinsDiscretizer(4, encode="onehot-dense", strategy="kmeans"), Ridged())
    )
    parts = ColumnTransformer(
        [
            ("numbers", numbers, ["f0", "f1"]),
            ("rest", "passthrough", ["whole", "single"]),
            ("gone", "drop", ["few"]),
            ("even", QuantileTransformer(n_quantiles=20), ["f1"]),
        ],
        transformer_weights={"even": 0.5},
    )
    for last in (GradientBoostingClassifier(n_estimators=5), DecisionTreeClassifier(max_depth=4)):
        exact = assert_exact(make_pipeline(parts, last).fit(ROWS, LABELS), ROWS)
        assert [step.type_name for step in exact.steps if not step.own] == ["Ridged"]


class Ridged(StandardScaler):
    """A scaler of somebody's own: its type is not known."""


def test_a_step_that_is_not_known_gets_what_the_library_would_give_it() -> None:
    longest = FunctionTransformer(lambda frame: frame.map(len).to_numpy(), feature_names_out="one-to-one")
    parts = make_column_transformer((StandardScaler(), NUMBERS), (longest, ["plan", "word"]), (Ridged(), ["f0"]))
    exact = assert_exact(make_pipeline(parts, LogisticRegression()).fit(ROWS, TWO), ROWS)
    assert [(step.type_name, step.own) for step in exact.steps if "Transformer" not in step.type_name] == [
        ("Pipeline", True),
        ("StandardScaler", True),
        ("Ridged", False),
        ("LogisticRegression", True),
    ]
    assert [step.own for step in exact.steps if step.type_name == "FunctionTransformer"] == [False]


def test_a_last_step_that_is_not_known_gets_an_array() -> None:
    parts = make_column_transformer((SimpleImputer(), ["holed", *NUMBERS]))
    exact = assert_exact(make_pipeline(parts, KNeighborsClassifier()).fit(ROWS, TWO), ROWS, sizes=(1, 7, 100))
    assert [step.type_name for step in exact.steps if not step.own] == ["KNeighborsClassifier"]


def test_a_first_step_that_is_not_known_gets_a_frame() -> None:
    drop = FunctionTransformer(lambda frame: frame[NUMBERS])
    model = make_pipeline(drop, StandardScaler(), RandomForestClassifier(5)).fit(ROWS, TWO)
    assert assert_exact(model, ROWS, sizes=(1, 7, 100)).steps[1].own is False


def test_truth_values_are_categories_as_any() -> None:
    model = make_pipeline(make_column_transformer((OneHotEncoder(), ["yes", "plan"])), Ridge()).fit(ROWS, TWO)
    assert_exact(model, ROWS, sizes=(1, 7, 100))


def test_the_columns_may_be_lists_with_none_for_what_is_missing() -> None:
    columns = ["holed", *NUMBERS]
    model = HistGradientBoostingClassifier(max_iter=5).fit(ROWS[columns], TWO)
    exact = assert_exact(model, ROWS[columns])
    lists = {name: [None if value != value else value for value in ROWS[name].tolist()] for name in columns}
    assert np.array_equal(exact.predict_proba(lists), model.predict_proba(ROWS[columns]))


@pytest.mark.parametrize("dtype", ["U9", object])
def test_arrays_of_text(dtype: Any) -> None:
    rows = ROWS[["plan", "word"]].to_numpy().astype(dtype)
    if dtype is object:
        rows[::5, 0] = np.nan
    for encoder in (OneHotEncoder(handle_unknown="ignore"), OrdinalEncoder(), TargetEncoder(cv=2)):
        model = make_pipeline(encoder, DecisionTreeClassifier(max_depth=4)).fit(rows, TWO)
        exact = assert_exact(model, rows, sizes=(1, 2, 100))
        assert all(step.own for step in exact.steps)
