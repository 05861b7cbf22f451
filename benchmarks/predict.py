"""What the runtime costs per call, over the bare model: CPU time, median of interleaved calls.

Three cases: a logistic regression on 30 numbers trained on a DataFrame and on an array, and a ColumnTransformer with
HistGradientBoosting on a mixed frame of 20 columns with missing values. Run: ``python benchmarks/predict.py``.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from modelwright.runtime import Model

RESULTS = Path(__file__).parent / "results" / "predict.json"
SECONDS = 6.0
warnings.simplefilter("error")


def field(series: pd.Series) -> dict[str, Any]:
    """Describe a column as capture does."""
    native = str(series.dtype)
    described: dict[str, Any] = {"name": series.name, "native": native, "datatype": native}
    if native in ("str", "object", "category"):
        described["datatype"] = "string"
    if native == "category":
        described["categories"] = series.cat.categories.tolist()
    if series.isna().any():
        described["nullable"] = True
    return described


def packaged(native: object, frame: pd.DataFrame, container: str) -> Model:
    """Wrap a fitted classifier as a loaded package would."""
    signature: dict[str, Any] = {
        "inputs": [field(frame[name]) for name in frame],
        "outputs": [{"name": "label", "datatype": "int64"}],
        "container": container,
        "array_dtype": "float64" if container == "numpy" else "",
    }
    return Model(native, {"name": "bench", "version": "1.0", "storage": {}, "signature": signature})


def cpu(call: Callable[[], object]) -> float:
    """Return the CPU time of one call, µs."""
    start = time.process_time_ns()
    call()
    return (time.process_time_ns() - start) / 1e3


def compare(name: str, bare: Callable[[], object], ours: Callable[[], object]) -> dict[str, Any]:
    """Measure both, interleaved; the overhead is the median of the differences."""
    for _ in range(10):
        bare(), ours()
    pairs, end = [], time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        pairs.append((cpu(bare), cpu(ours)))
    base, over = median(pair[0] for pair in pairs), median(pair[1] - pair[0] for pair in pairs)
    figures = {
        "case": name,
        "bare_us": round(base, 1),
        "overhead_us": round(over, 1),
        "ratio": round(1 + over / base, 3),
    }
    print(f"{name:58}{base:10.0f} µs  {over:+8.1f} µs  {figures['ratio']:.3f} ×", file=sys.stderr)
    return figures


def mixed(n_rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """Make a frame of 12 float, 4 text, 2 category and 2 integer columns, with missing values."""
    frame = pd.DataFrame({f"f{i}": rng.normal(size=n_rows) for i in range(12)})
    frame.loc[rng.random(n_rows) < 0.1, ["f0", "f1", "f2"]] = np.nan
    for i in range(4):
        frame[f"t{i}"] = rng.choice(["monthly", "yearly", "none", "weekly"], n_rows)
    for i in range(2):
        frame[f"c{i}"] = pd.Categorical(rng.choice(["a", "b", "c"], n_rows))
        frame[f"n{i}"] = rng.integers(0, 100, n_rows)
    return frame


def main() -> None:
    """Measure every case; the table goes to standard error, the raw output to ``results/predict.json``."""
    rng = np.random.default_rng(0)
    floats = pd.DataFrame(rng.normal(size=(1000, 30)), columns=[f"x{i}" for i in range(30)])
    target = (floats.sum(axis=1) > 0).astype(int).to_numpy()
    framed, arrayed = LogisticRegression().fit(floats, target), LogisticRegression().fit(floats.to_numpy(), target)
    table = mixed(1000, rng)
    encoder = (OneHotEncoder(handle_unknown="ignore"), [c for c in table if c[0] in "tc"])
    boosted = make_pipeline(
        make_column_transformer(encoder, remainder="passthrough", sparse_threshold=0), HistGradientBoostingClassifier()
    ).fit(table, target)

    frame_model, array_model = packaged(framed, floats, "pandas"), packaged(arrayed, floats, "numpy")
    mixed_model = packaged(boosted, table, "pandas")
    array, one, one_frame = floats.to_numpy(), floats.to_numpy()[:1], floats.iloc[:1]
    names = floats.columns
    results = [
        compare("1 row NumPy, model of an array", lambda: arrayed.predict(one), lambda: array_model.predict(one)),
        compare("1 row NumPy, model of a frame", lambda: framed.predict(one_frame), lambda: frame_model.predict(one)),
        compare(
            "  the same, the bare call makes its frame",
            lambda: framed.predict(pd.DataFrame(one, columns=names)),
            lambda: frame_model.predict(one),
        ),
        compare(
            "1,000 rows NumPy, model of an array", lambda: arrayed.predict(array), lambda: array_model.predict(array)
        ),
        compare("1,000 rows DataFrame, logistic", lambda: framed.predict(floats), lambda: frame_model.predict(floats)),
        compare(
            "1,000 rows mixed DataFrame, boosting", lambda: boosted.predict(table), lambda: mixed_model.predict(table)
        ),
        compare(
            "1 row mixed DataFrame, boosting",
            lambda: boosted.predict(table[:1]),
            lambda: mixed_model.predict(table[:1]),
        ),
        compare(
            "1 row as a list of dicts, logistic",
            lambda: framed.predict(one_frame),
            lambda: frame_model.predict([dict.fromkeys(names, 0.5)]),
        ),
    ]
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
