"""Pipelines answer the same bytes when they are accelerated, from arrays and from columns with missing values."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from comparing import accelerated, assert_exact
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def mixed(n_rows: int, seed: int) -> pd.DataFrame:
    """Make a frame of numbers, text and categories with missing values."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({f"f{i}": rng.normal(size=n_rows) for i in range(5)})
    frame.loc[rng.random(n_rows) < 0.1, ["f0", "f1"]] = np.nan
    frame["whole"] = rng.integers(0, 100, n_rows)
    frame["plan"] = rng.choice(["monthly", "yearly", "none"], n_rows)
    frame.loc[rng.random(n_rows) < 0.1, "plan"] = np.nan
    frame["kind"] = pd.Categorical(rng.choice(["a", "b", "c"], n_rows))
    return frame


NUMBERS, TEXT = ["f0", "f1", "f2", "f3", "f4", "whole"], ["plan", "kind"]


def labels(frame: pd.DataFrame, seed: int) -> np.ndarray:
    return (frame["f3"] + np.random.default_rng(seed).normal(size=len(frame)) > 0).astype(int).to_numpy()


@pytest.mark.parametrize("seed", [0, 1])
def test_a_mixed_frame_through_imputers_and_encoders_to_boosting(seed: int) -> None:
    rows = mixed(1000, seed)
    text = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    parts = make_column_transformer((make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS), (text, TEXT))
    model = make_pipeline(parts, HistGradientBoostingClassifier(max_iter=20)).fit(rows, labels(rows, seed))
    exact = assert_exact(model, rows)
    assert all(step.own for step in exact.steps)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_forest_of_a_hundred_trees(seed: int) -> None:
    rows, target = load_iris(return_X_y=True)
    model = RandomForestClassifier(100, random_state=seed).fit(rows, target)
    assert_exact(model, np.random.default_rng(seed).normal(3, 2, (1000, 4)))


def test_a_scaled_logistic_regression() -> None:
    rows, target = load_iris(return_X_y=True)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, target)
    assert_exact(model, np.random.default_rng(0).normal(3, 2, (1000, 4)))


def test_every_step_is_named_with_whether_it_runs_on_kernels() -> None:
    rows, target = load_iris(return_X_y=True)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, target)
    steps = accelerated(model, rows).steps
    assert [(step.path, step.type_name, step.own) for step in steps] == [
        ("", "Pipeline", True),
        ("standardscaler", "StandardScaler", True),
        ("logisticregression", "LogisticRegression", True),
    ]
