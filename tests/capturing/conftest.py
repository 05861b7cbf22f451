"""Fitted models and their captures, made once per session."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from modelwright.capturing.capture import capture
from modelwright.package import Package


class Fitted(NamedTuple):
    """A fitted model with its data."""

    model: Any
    X_train: pd.DataFrame
    y_train: pd.Series
    X_test: pd.DataFrame
    y_test: pd.Series


@pytest.fixture(scope="session")
def tumour() -> Fitted:
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X_train, y_train)
    return Fitted(model, X_train, y_train, X_test, y_test)


@pytest.fixture(scope="session")
def captured(tumour: Fitted, tmp_path_factory: pytest.TempPathFactory) -> Package:
    return capture(
        tumour.model,
        tumour.X_train,
        tumour.y_train,
        name="tumour",
        version="1.0.0",
        evaluate=(tumour.X_test, tumour.y_test),
        to=tmp_path_factory.mktemp("models"),
    )


@pytest.fixture(scope="session")
def python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run code in a fresh interpreter that sees only the installed distributions and one folder."""

    def run(code: str, *arguments: str, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-W", "error", "-c", code, *arguments]
        return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=check)

    return run
