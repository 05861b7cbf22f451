"""The three models that every server of the comparison serves, the rows they are asked about, and our wheels of them.

``cheap``: a logistic regression on 30 floats; ``forest``: 100 trees on 4 floats; ``mixed``: a ColumnTransformer and
HistGradientBoosting on a frame of 20 columns with text, categories, integers and missing values. For the other
scripts about serving; peers get the same objects through joblib.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
import pandas as pd
from predict import mixed as mixed_frame
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import modelwright as mw

NAMES = ("cheap", "forest", "mixed")
SEED, N_ROWS = 7, 2_000


class Subject(NamedTuple):
    """A trained model and what it is asked.

    Attributes:
        name: ``cheap``, ``forest`` or ``mixed``.
        native: The fitted object; it answers an integer label per row.
        table: Rows as the model takes them: an array or a frame, ``[N_ROWS, n_fields]``.
        target: What it was trained to say.
    """

    name: str
    native: Any
    table: Any
    target: Any

    @property
    def framed(self) -> bool:
        """Whether it takes a frame."""
        return isinstance(self.table, pd.DataFrame)

    @property
    def frame(self) -> pd.DataFrame:
        """The rows as a frame; the columns of an array are called as capture calls them."""
        if self.framed:
            return self.table
        return pd.DataFrame(self.table, columns=[f"x{place}" for place in range(self.table.shape[1])])

    @property
    def fields(self) -> dict[str, str]:
        """Names and kinds (``float``, ``int``, ``str``) of the fields."""
        kinds = {"f": "float", "i": "int"}
        return {name: kinds.get(self.frame[name].dtype.kind, "str") for name in self.frame}

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows as JSON has them: a missing value is ``None``."""
        frame = self.frame.astype(object)
        return frame.where(frame.notna(), None).to_dict("records")

    def write(self, folder: Path) -> None:
        """Write what a peer's server reads: the model and what it must know of its fields."""
        folder.mkdir(parents=True, exist_ok=True)
        joblib.dump(self.native, folder / "model.joblib")
        (folder / "fields.json").write_text(json.dumps({"framed": self.framed, "fields": self.fields}))

    def wheel(self, folder: Path, version: str = "1.0.0", accelerate: str | None = None) -> Path:
        """Capture and build the wheel, with a faster form of the model if that is asked for; return its path."""
        package = mw.capture(
            self.native,
            self.table[:500],
            name=self.name,
            version=version,
            to=folder / version,
            methods=["predict"],
            accelerate=accelerate,
        )
        return mw.build(package, folder)


def numbered(shift: float = 0.0) -> Subject:
    """Return a model whose answer tells which row it was asked: whole numbers, so exact however rows are batched.

    The answer is ``shift + x0 + 2**24 * x1``; ``x2`` and ``x3`` do not count.
    """
    table = np.random.default_rng(SEED).integers(0, 1_000, (500, 4)).astype(float)
    native = LinearRegression().fit(table, table[:, 0])
    native.coef_, native.intercept_ = np.array([1.0, 2.0**24, 0.0, 0.0]), shift
    return Subject("numbered", native, table, table[:, 0])


def subject(name: str) -> Subject:
    """Train a model; the same one every time."""
    rng = np.random.default_rng(SEED)
    if name == "mixed":
        table = mixed_frame(N_ROWS, rng)
        target = ((table["f3"] + table["n0"] / 50 + (table["t0"] == "yearly")) > 1).astype(int).to_numpy()
        encoder = (OneHotEncoder(handle_unknown="ignore"), [one for one in table if one[0] in "tc"])
        columns = make_column_transformer(encoder, remainder="passthrough", sparse_threshold=0)
        native = make_pipeline(columns, HistGradientBoostingClassifier(random_state=SEED)).fit(table, target)
        return Subject(name, native, table, target)
    values, target = (load_breast_cancer if name == "cheap" else load_iris)(return_X_y=True)
    cheap = LogisticRegression(max_iter=10_000)
    native = (cheap if name == "cheap" else RandomForestClassifier(100, random_state=SEED)).fit(values, target)
    chosen = rng.integers(0, len(values), N_ROWS)
    noisy = values[chosen] * rng.normal(1, 0.05, (N_ROWS, values.shape[1]))
    return Subject(name, native, noisy, target[chosen])


def slices(rows: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """Cut rows into requests of one size, dropping what remains."""
    for start in range(0, len(rows) - size + 1, size):
        yield rows[start : start + size]
