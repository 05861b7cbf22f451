"""Functions and tables that are awkward to carry to another process: every datatype, in every library."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

PLANS = ["basic", "plus", "pro"]
COLUMNS: dict[str, list[Any]] = {
    "plan": ["pro", "basic", None, "plus"],
    "city": ["Köln", "Roma", "", "東京"],
    "visits": [1, 2**40, -3, 0],
    "small": [1, 0, 255, 7],
    "score": [0.1, None, -2.5, 1e300],
    "member": [True, False, True, True],
    "since": [
        datetime(2024, 1, 2, 3, 4, 5, 678901),
        datetime(1969, 7, 20),
        datetime(2000, 2, 29),
        datetime(2030, 1, 1),
    ],
    "seen": [datetime(2026, 3, 29, 1, 30, tzinfo=UTC)] * 4,
    "wait": [timedelta(days=2, microseconds=1), timedelta(0), timedelta(seconds=-5), timedelta(hours=3)],
}
"""Four rows with something of everything that a frame can hold."""


def frame() -> pd.DataFrame:
    """Return the rows as a pandas frame with its own dtypes."""
    made = pd.DataFrame(COLUMNS)
    made["plan"] = pd.Categorical(made["plan"], PLANS)
    return made.astype({"small": "uint8", "score": "float64"})


def describe(rows: pd.DataFrame) -> pd.DataFrame:
    """Answer what the model really got, of every row: so two ways to it can be compared."""
    told = pd.DataFrame(
        {
            "got": [" ".join(map(repr, row)) for row in rows.itertuples(index=False)],
            "dtypes": [" ".join(map(str, rows.dtypes))] * len(rows),
            "when": rows["since"],
            "half": rows["visits"] / 2,
            "tiny": rows["small"].astype("int8"),
            "fine": rows["score"].isna(),
        }
    )
    return told.astype({"got": object, "dtypes": object})


def pairs(rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Answer a tensor per row: mean and bytes of the memory order that the model got."""
    order = np.full(len(rows), rows.flags.f_contiguous and not rows.flags.c_contiguous)
    return np.stack([rows.reshape(len(rows), -1).mean(axis=1), order], axis=1).astype("float32")


def words(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Answer what each row held, as Python writes it."""
    return [{"said": repr({name: _word(row[name]) for name in sorted(row)}), "many": [len(row), 1]} for row in rows]


def _word(value: Any) -> Any:
    """Return a value, or a text for one of a type that libraries refine."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value.isoformat() if isinstance(value, date) else value
