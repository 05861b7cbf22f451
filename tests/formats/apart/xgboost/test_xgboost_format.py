"""XGBoost's models keep the contract: as UBJSON, answering without scikit-learn what their estimators answered."""

from __future__ import annotations

import pickle
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xgboost
from xgboost import XGBClassifier, XGBRanker, XGBRegressor, XGBRFClassifier, XGBRFRegressor

from modelwright.adapters.formats.xgboost import FORMAT
from modelwright.testing import FormatContract, Trap


@cache
def frame() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    made = pd.DataFrame(
        {
            "age": generator.normal(40, 9, 300).round(1),
            "visits": generator.integers(0, 9, 300),
            "plan": pd.Categorical(generator.choice(["basic", "pro", "team"], 300)),
            "zone": pd.Categorical(generator.choice([10, 20, 30], 300)),
            "paid": generator.integers(0, 2, 300).astype(bool),
        }
    )
    made.loc[::7, "age"] = np.nan
    made.loc[::11, "plan"] = None
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
    labels, three = (values > 9).astype(int), np.digitize(values, [7, 11])
    told = [(rows, np.random.default_rng(1).permutation(labels))]
    few = {"n_estimators": 6, "max_depth": 3}
    some = {**few, "enable_categorical": True}
    stopping = XGBClassifier(n_estimators=60, learning_rate=1.5, early_stopping_rounds=2, enable_categorical=True)
    stopping.fit(rows, labels, eval_set=told, verbose=False)
    filled = array().copy()
    filled[np.isnan(filled)] = -999
    return {
        "binary": (XGBClassifier(**some, n_jobs=1).fit(rows, labels), rows),
        "multi-class": (XGBClassifier(**some).fit(rows, three), rows),
        "softmax": (XGBClassifier(**few, objective="multi:softmax").fit(array(), three), array()),
        "early stopping": (stopping, rows),
        "forest": (XGBRFClassifier(**few).fit(numbers(), labels), numbers()),
        "several labels": (XGBClassifier(**few).fit(array(), np.column_stack([labels, three == 1])), array()),
        "regressor": (XGBRegressor(**some).fit(rows, values), rows),
        "missing": (XGBRegressor(**few, missing=-999).fit(filled, values), filled),
        "several targets": (XGBRegressor(**few).fit(numbers(), np.column_stack([values, -values])), numbers()),
        "forest of numbers": (XGBRFRegressor(**few).fit(array(), values), array()),
        "dart": (XGBRegressor(**some, booster="dart", rate_drop=0.5).fit(rows, values), rows),
        "linear": (linear(np.nan_to_num(array()), values), np.nan_to_num(array())),
        "counts": (XGBRegressor(**few, objective="count:poisson").fit(array(), values), array()),
        "own objective": (XGBRegressor(**few, objective=squares).fit(array(), values), array()),
        "ranker": (XGBRanker(**some).fit(rows, three, group=[100, 200]), rows),
    }


def linear(rows: Any, values: Any) -> Any:
    # the default updater of a linear booster writes from several threads, so no two trainings are the same
    return XGBRegressor(n_estimators=3, booster="gblinear", updater="coord_descent", n_jobs=1).fit(rows, values)


def squares(truth: Any, answer: Any) -> Any:
    return answer - truth, np.ones_like(answer)


@cache
def booster() -> xgboost.Booster:
    data = xgboost.DMatrix(numbers(), target())
    return xgboost.train({"max_depth": 3}, data, 6)


class TestXgboost(FormatContract):
    format = FORMAT

    def models(self) -> list[tuple[Any, Any]]:
        return [*estimators().values(), (booster(), numbers())]

    def whole(self) -> tuple[Any, Any]:
        return estimators()["binary"]

    def answers(self, model: Any, rows: Any) -> Any:
        found = [np.asarray(model.predict(rows)).tolist()]
        if hasattr(model, "predict_proba"):
            found.append(np.asarray(model.predict_proba(rows)).tolist())
        return found

    def foreign(self) -> list[object]:
        return [object(), XGBClassifier, xgboost, type("XGBClassifier", (XGBClassifier,), {})(), {"predict": 1}]

    def write_hostile(self, artifacts: Path, marker: Path) -> dict[str, Any]:
        (artifacts / "model.ubj").write_bytes(pickle.dumps(Trap(marker)))
        return {"kind": "booster"}

    def files(self, folder: Path) -> list[tuple[Path, Any, Any]]:
        written = []
        for number, (name, ending) in enumerate([("binary", "ubj"), ("multi-class", "json"), ("regressor", "ubj")]):
            model, rows = estimators()[name]
            path = folder / f"{number}.{ending}"
            model.save_model(path)
            written.append((path, rows, self.answers(model, rows)))
        path = folder / "booster.json"
        booster().save_model(path)
        return [*written, (path, numbers(), [booster().inplace_predict(numbers()).tolist()])]
