"""LightGBM's models keep the contract: as text, answering without scikit-learn what their estimators answered."""

from __future__ import annotations

import pickle
from functools import cache
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier, LGBMRanker, LGBMRegressor

from modelwright.adapters.formats.lightgbm import FORMAT
from modelwright.testing import FormatContract, Trap


@cache
def frame() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    made = pd.DataFrame(
        {
            "age": generator.normal(40, 9, 300).round(1),
            "visits this year": generator.integers(0, 9, 300),
            "plan": pd.Categorical(generator.choice(["basic", "pro", "team"], 300)),
            "zone": pd.Categorical(generator.choice([10, 20, 30], 300)),
            "size": pd.Categorical(generator.choice(["s", "m", "l"], 300), categories=["s", "m", "l"], ordered=True),
            "paid": generator.integers(0, 2, 300).astype(bool),
        }
    )
    made.loc[::7, "age"] = np.nan
    made.loc[::11, "plan"] = None
    return made


@cache
def target() -> Any:
    rows = frame()
    return (rows["age"].fillna(40) / 9 + rows["visits this year"] + 3 * rows["plan"].eq("pro")).to_numpy()


def numbers() -> pd.DataFrame:
    return frame()[["age", "visits this year", "paid"]]


def array() -> Any:
    return numbers().to_numpy(dtype="float64")


@cache
def estimators() -> dict[str, tuple[Any, Any]]:
    rows, values = frame(), target()
    labels, three = np.where(values > 9, "yes", "no"), np.digitize(values, [7, 11])
    few: dict[str, Any] = {"n_estimators": 6, "num_leaves": 5, "verbose": -1}
    stopping = LGBMClassifier(**few | {"n_estimators": 60, "learning_rate": 0.9})
    told = [(rows, np.random.default_rng(1).permutation(labels))]
    stopping.fit(rows, labels, eval_set=told, callbacks=[lightgbm.early_stopping(2, verbose=False)])
    return {
        "binary": (LGBMClassifier(**few, n_jobs=2).fit(rows, labels), rows),
        "multi-class": (LGBMClassifier(**few).fit(rows, three + 4), rows),
        "true or false": (LGBMClassifier(**few).fit(array(), values > 9), array()),
        "objects": (LGBMClassifier(**few).fit(numbers(), np.array(list(labels), dtype=object)), numbers()),
        "early stopping": (stopping, rows),
        "regressor": (LGBMRegressor(**few).fit(rows, values), rows),
        "codes": (LGBMRegressor(**few).fit(array(), values, categorical_feature=[1]), array()),
        "forest": (
            LGBMRegressor(**few, boosting_type="rf", subsample=0.5, subsample_freq=1).fit(array(), values),
            array(),
        ),
        "dart": (LGBMRegressor(**few, boosting_type="dart").fit(numbers(), values), numbers()),
        "linear trees": (LGBMRegressor(**few, linear_tree=True).fit(array(), values), array()),
        "counts": (LGBMRegressor(**few, objective="poisson").fit(array(), values), array()),
        "own objective": (LGBMRegressor(**few, objective=squares).fit(array(), values), array()),
        "constant": (LGBMRegressor(**few).fit(array(), np.ones(300)), array()),
        "ranker": (LGBMRanker(**few).fit(rows, three, group=[100, 200]), rows),
    }


def squares(truth: Any, answer: Any) -> Any:
    return answer - truth, np.ones_like(answer)


@cache
def booster() -> lightgbm.Booster:
    parameters = {"objective": "regression", "num_leaves": 5, "verbose": -1}
    return lightgbm.train(parameters, lightgbm.Dataset(numbers(), target()), 6)


class TestLightgbm(FormatContract):
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
        return [object(), LGBMClassifier, lightgbm, type("LGBMClassifier", (LGBMClassifier,), {})(), {"predict": 1}]

    def write_hostile(self, artifacts: Path, marker: Path) -> dict[str, Any]:
        (artifacts / "model.txt").write_bytes(pickle.dumps(Trap(marker)))
        return {"kind": "booster", "names": [], "levels": {}}

    def files(self, folder: Path) -> list[tuple[Path, Any, Any]]:
        written = []
        for number, (name, rows) in enumerate([("binary", frame()), ("regressor", frame()), ("codes", array())]):
            model = estimators()[name][0].booster_
            path = folder / f"{number}.txt"
            model.save_model(path)
            written.append((path, rows, [model.predict(rows).tolist()]))
        return written
