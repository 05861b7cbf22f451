"""What exact acceleration gains, and that no bit differs.

CPU time of the original ÷ that of its fast form for the same rows, as the runtime hands them over: the original gets
the array, or the frame made of the columns before the clock starts; medians of interleaved calls. Then 100,000 random
rows per supported estimator, in batches of mixed sizes, of which every bit of every answer is compared; the fast form
may not ask the original for any.

Run: ``python benchmarks/exact.py``; ``--rows 2000`` compares fewer.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # or its threads spin after the original's work, in our time

import numpy as np
import pandas as pd
from predict import mixed
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

sys.path.append(str(Path(__file__).parent.parent / "tests" / "accelerating"))

from comparing import accelerated, asked, without_falling_back
from every_estimator import Case, cases, make_rows

RESULTS = Path(__file__).parent / "results" / "exact.json"
SIZES = (1, 100, 1000)
SECONDS = 2.0


def cpu(call: Callable[[], object]) -> float:
    """Return the CPU time of one call, µs."""
    start = time.process_time_ns()
    call()
    return (time.process_time_ns() - start) / 1e3


def compare(name: str, model: Any, rows: Any) -> list[dict[str, Any]]:
    """Measure original and fast form, interleaved, on 1, 100 and 1,000 rows."""
    exact, figures = accelerated(model, rows), []
    for size in SIZES:
        theirs, ours = asked(exact, rows[:size], rows)
        for _ in range(5):
            model.predict(theirs), exact.predict(ours)
        pairs, end = [], time.perf_counter() + SECONDS
        while time.perf_counter() < end:
            pairs.append((cpu(partial(model.predict, theirs)), cpu(partial(exact.predict, ours))))
        original, fast = median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)
        ratio = median(pair[0] / pair[1] for pair in pairs)
        figures.append(
            {
                "case": name,
                "rows": size,
                "original_us": round(original, 1),
                "exact_us": round(fast, 1),
                "ratio": round(ratio, 2),
            }
        )
        print(f"{name:46}{size:6,}{original:10.0f} µs{fast:10.1f} µs{ratio:8.1f} ×", file=sys.stderr)
    return figures


def timed() -> Iterator[tuple[str, Any, Any]]:
    """Yield models with rows to predict."""
    rng = np.random.default_rng(0)
    flowers, kinds = load_iris(return_X_y=True)
    rows = flowers[rng.integers(0, 150, 1000)] + rng.normal(0, 0.3, (1000, 4))
    frame, names = pd.DataFrame(rows, columns=list("abcd")), list("abcd")
    forest = RandomForestClassifier(100, random_state=0)
    yield "RandomForestClassifier(100), array", forest.fit(flowers, kinds), rows
    framed = RandomForestClassifier(100, random_state=0).fit(pd.DataFrame(flowers, columns=names), kinds)
    yield "RandomForestClassifier(100), frame", framed, frame
    yield "RandomForestRegressor(100), array", RandomForestRegressor(100, random_state=0).fit(flowers, kinds), rows
    yield "GradientBoostingClassifier, array", GradientBoostingClassifier().fit(flowers, kinds > 0), rows
    table = mixed(1000, rng)
    target = (table["f3"] + rng.normal(size=1000) > 0).astype(int).to_numpy()
    numbers = [name for name in table if name[0] in "fn"]
    text = [name for name in table if name[0] in "tc"]
    array = table[numbers].to_numpy()
    yield "HistGradientBoostingClassifier, array", HistGradientBoostingClassifier().fit(array, target), array
    filled = make_pipeline(SimpleImputer(), StandardScaler())
    known = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    parts = make_column_transformer((filled, numbers), (known, text))
    yield (
        "mixed frame, histogram boosting",
        make_pipeline(parts, HistGradientBoostingClassifier()).fit(table, target),
        table,
    )
    yield "mixed frame, boosting", make_pipeline(parts, GradientBoostingClassifier()).fit(table, target), table
    yield "mixed frame, forest", make_pipeline(parts, RandomForestClassifier(100)).fit(table, target), table
    yield "mixed frame, logistic regression", make_pipeline(parts, LogisticRegression()).fit(table, target), table
    line = make_pipeline(StandardScaler(), LogisticRegression()).fit(array[:, 3:], target)
    yield "StandardScaler + LogisticRegression, array", line, array[:, 3:]


def differing(case: Case, count: int) -> dict[str, Any]:
    """Compare every bit of every method of one estimator on random rows."""
    rng = np.random.default_rng(3)
    model, compared, bits = case.fit(0), 0, 0
    exact = accelerated(model, make_rows(case.rows, 2, rng))
    while compared < count:
        rows = make_rows(case.rows, min(int(rng.choice([1, 3, 30, 300, 3000])), count - compared), rng)
        for method in exact.methods:
            bits += differing_bits(getattr(model, method)(rows), without_falling_back(exact, method, rows))
        compared += len(rows)
    name = type(model).__name__
    return {
        "estimator": name,
        "case": case.name,
        "methods": list(exact.methods),
        "rows": compared,
        "differing_bits": bits,
    }


def differing_bits(first: Any, second: Any) -> int:
    """Return how many bits differ; all of them if even the dtypes or the shapes do."""
    if hasattr(first, "toarray"):
        first, second = first.toarray(), second.toarray()
    if first.dtype != second.dtype or first.shape != second.shape:
        return int(first.nbytes * 8)
    if first.dtype.kind == "O":
        return sum(8 for one, other in zip(first.ravel(), second.ravel(), strict=True) if one != other)
    raw = (np.frombuffer(one.tobytes(), dtype=np.uint8) for one in (first, second))
    return int(np.bitwise_count(np.bitwise_xor(*raw)).sum())


def main() -> None:
    """Measure and compare; tables go to standard error, the raw output to ``results/exact.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="rows to compare per estimator")
    parser.add_argument("--only", default="", help="only what has this in its name")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")  # of fits: they need not converge
    times = [figure for one in timed() if chosen.only in one[0] for figure in compare(*one)]
    compared = []
    for case in cases():
        if chosen.only in case.name:
            compared.append(differing(case, chosen.rows))
            print("{case:46}{rows:10,} rows  {differing_bits} bits differ".format(**compared[-1]), file=sys.stderr)
    if not chosen.only:
        RESULTS.write_text(json.dumps({"times": times, "compared": compared}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
