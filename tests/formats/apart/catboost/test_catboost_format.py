"""CatBoost's models keep the contract: as .cbm, undated, answering as their estimators answered."""

from __future__ import annotations

import pickle
from functools import cache
from pathlib import Path
from typing import Any

import catboost
import numpy as np
import pandas as pd
from catboost import CatBoost, CatBoostClassifier, CatBoostRanker, CatBoostRegressor, Pool

from modelwright.adapters.formats.catboost import FORMAT
from modelwright.testing import FormatContract, Trap

FEW: dict[str, Any] = {"iterations": 6, "depth": 3, "verbose": False, "allow_writing_files": False}
SOME = {**FEW, "cat_features": ["plan", "zone"]}


@cache
def frame() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    made = pd.DataFrame(
        {
            "age": generator.normal(40, 9, 300).round(1),
            "visits": generator.integers(0, 9, 300),
            "plan": generator.choice(["basic", "pro", "team"], 300),
            "zone": generator.choice([10, 20, 30], 300),
            "paid": generator.integers(0, 2, 300).astype(bool),
        }
    )
    made.loc[::7, "age"] = np.nan
    return made


@cache
def target() -> Any:
    rows = frame()
    return (rows["age"].fillna(40) / 9 + rows["visits"] + 3 * rows["plan"].eq("pro")).to_numpy()


def numbers() -> pd.DataFrame:
    return frame()[["age", "visits", "paid"]]


def array() -> Any:
    return numbers().to_numpy(dtype="float64")


@cache
def estimators() -> dict[str, tuple[Any, Any]]:
    rows, values = frame(), target()
    labels, three = np.where(values > 9, "yes", "no"), np.digitize(values, [7, 11])
    stopping = CatBoostClassifier(**SOME | {"iterations": 60}, early_stopping_rounds=2, use_best_model=True)
    stopping.fit(rows, labels, eval_set=(rows, np.random.default_rng(1).permutation(labels)))
    return {
        "binary": (CatBoostClassifier(**SOME, thread_count=2).fit(rows, labels), rows),
        "multi-class": (CatBoostClassifier(**SOME).fit(rows, three + 4), rows),
        "words": (CatBoostClassifier(**FEW).fit(array(), np.array(["é", "b", "c"])[three]), array()),
        "true or false": (CatBoostClassifier(**FEW).fit(numbers(), values > 9), numbers()),
        "several labels": (
            CatBoostClassifier(**FEW, loss_function="MultiLogloss").fit(
                array(), np.column_stack([values > 9, three == 1]).astype(int)
            ),
            array(),
        ),
        "early stopping": (stopping, rows),
        "regressor": (CatBoostRegressor(**SOME).fit(rows, values), rows),
        "counts": (CatBoostRegressor(**FEW, loss_function="Poisson").fit(array(), values), array()),
        "uncertain": (CatBoostRegressor(**FEW, loss_function="RMSEWithUncertainty").fit(array(), values), array()),
        "several targets": (
            CatBoostRegressor(**FEW, loss_function="MultiRMSE").fit(numbers(), np.column_stack([values, -values])),
            numbers(),
        ),
        "bare": (CatBoost(SOME | {"loss_function": "Logloss"}).fit(rows, labels), rows),
        "ranker": (CatBoostRanker(**SOME).fit(rows, three, group_id=np.arange(300) // 30), rows),
    }


class TestCatboost(FormatContract):
    format = FORMAT

    def models(self) -> list[tuple[Any, Any]]:
        return list(estimators().values())

    def whole(self) -> tuple[Any, Any]:
        return estimators()["binary"]

    def answers(self, model: Any, rows: Any) -> Any:
        found = [np.asarray(model.predict(rows)).reshape(len(rows), -1).tolist()]
        if hasattr(model, "predict_proba"):
            found.append(np.asarray(model.predict_proba(rows)).tolist())
        return found

    def foreign(self) -> list[object]:
        return [
            object(),
            CatBoostClassifier,
            catboost,
            type("CatBoost", (CatBoost,), {})(),
            {"predict": 1},
            Pool([[1]]),
        ]

    def write_hostile(self, artifacts: Path, marker: Path) -> dict[str, Any]:
        (artifacts / "model.cbm").write_bytes(pickle.dumps(Trap(marker)))
        return {"kind": "booster", "names": [], "prediction": "RawFormulaVal"}

    def files(self, folder: Path) -> list[tuple[Path, Any, Any]]:
        written = []
        for name in ("binary", "multi-class", "words", "regressor", "counts", "ranker"):
            model, rows = estimators()[name]
            path = folder / f"{name}.cbm"
            model.save_model(path)
            written.append((path, rows, self.answers(model, rows)))
        return written
