"""Our four formats keep the contract that third parties' formats keep."""

from __future__ import annotations

import json
import pickle
import sys
import zipfile
from copy import deepcopy
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from modelwright.capturing.formats import format_named
from modelwright.testing import PACKAGE, FormatContract, Trap

ROWS = np.random.default_rng(0).normal(size=(60, 4))
LABELS = np.where(ROWS[:, 0] + ROWS[:, 1] > 0, "yes", "no")


@cache
def fitted_models() -> tuple[Any, ...]:
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS  # noqa: F401 (a frozenset in a module)
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    models = (
        make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()),
        RandomForestClassifier(5, random_state=0),
        HistGradientBoostingClassifier(max_iter=4, min_samples_leaf=5, random_state=0),
        KNeighborsClassifier(algorithm="kd_tree"),
        make_pipeline(FunctionTransformer(np.abs, kw_args={}), LogisticRegression(class_weight={"no": 1, "yes": 2})),
    )
    for model in models:
        model.fit(ROWS, LABELS)
        model.tags_ = {"b", "a", "c"}  # a set: its order must not reach the file
    return models


class ScikitLearnContract(FormatContract):
    def models(self) -> list[tuple[Any, Any]]:
        # Copies, because a neighbour search counts its queries and saves the counts.
        return [(deepcopy(model), ROWS) for model in fitted_models()]


class TestSkops(ScikitLearnContract):
    format = format_named("skops")

    def foreign(self) -> list[object]:
        return [object(), len, ModuleType("m"), {"predict": 1}]

    def write_hostile(self, artifacts: Path, marker: Path) -> dict[str, Any]:
        folder = {
            "__class__": "str",
            "__module__": "builtins",
            "__loader__": "JsonNode",
            "content": json.dumps(str(marker)),
        }
        arguments = {"__class__": "tuple", "__module__": "builtins", "__loader__": "TupleNode", "content": [folder]}
        call = {
            "__class__": "mkdir",
            "__module__": "os",
            "__loader__": "ConstructorFromReduceNode",
            "content": arguments,
        }
        with zipfile.ZipFile(artifacts / "model.skops", "w") as archive:
            archive.writestr("schema.json", json.dumps(call | {"protocol": 2, "_skops_version": "0.16.0"}))
        return {}


class TestJoblib(ScikitLearnContract):
    format = format_named("joblib")

    def foreign(self) -> list[object]:
        return [object(), len, ModuleType("m"), int]

    def write_hostile(self, artifacts: Path, marker: Path) -> dict[str, Any]:
        (artifacts / "model.joblib").write_bytes(pickle.dumps(Trap(marker)))
        return {}


class PassedOn:
    """Results as statsmodels wraps them: the class has no ``predict``, the object passes it on."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def __getattr__(self, name: str) -> Any:
        if name == "model":
            raise AttributeError(name)
        return getattr(self.model, name)


def test_joblib_claims_what_passes_predict_on_to_something_else() -> None:
    joblib = format_named("joblib")
    assert joblib.claims(PassedOn(fitted_models()[0])) == 20
    assert joblib.claims(PassedOn(object())) == 0


class TestCloudpickle(ScikitLearnContract):
    format = format_named("cloudpickle")

    def models(self) -> list[tuple[Any, Any]]:
        # cloudpickle keeps the order of a set; the pickles that must be equal have none
        return [(deepcopy(fitted_models()[0].named_steps["logisticregression"]), ROWS)]

    def foreign(self) -> list[object]:
        return [object(), len, ModuleType("m")]

    def write_hostile(self, artifacts: Path, marker: Path) -> dict[str, Any]:
        (artifacts / "model.pickle").write_bytes(pickle.dumps(Trap(marker)))
        return {}


class Doubler:
    """A class with predict, as a user writes it."""

    def predict(self, rows: Any) -> Any:
        return [2 * row for row in rows]


def triple(rows: Any) -> Any:
    return [3 * row for row in rows]


class TestPython(FormatContract):
    format = format_named("python")

    def models(self) -> list[tuple[Any, Any]]:
        home = ModuleType(f"{PACKAGE}.code")
        home.predict = triple
        vars(home).update(Doubler=Doubler, triple=triple)
        sys.modules.update({PACKAGE: ModuleType(PACKAGE), home.__name__: home})
        Doubler.__module__ = triple.__module__ = home.__name__
        return [(Doubler, [1, 2]), (triple, [1, 2]), (home, [1, 2])]

    def whole(self) -> tuple[Any, Any]:
        from plain_function import double

        return double, [{"x": 1.0}, {"x": 2.0}]

    def answers(self, model: Any, rows: Any) -> Any:
        if isinstance(model, type):
            model = model()
        return model.predict(rows) if hasattr(model, "predict") else model(rows)

    def foreign(self) -> list[object]:
        return [object(), np.mean.__class__, fitted_models()[0], json.dumps]

    def write_hostile(self, artifacts: Path, marker: Path) -> dict[str, Any]:
        return {"module": "os", "attribute": "getcwd"}

    def test_nothing_runs_before_the_audit_has_spoken(self, tmp_path: Path) -> None:
        """There is no artifact; an entry outside the package is named."""
        loader = format_named("python").loader
        options = self.write_hostile(tmp_path, tmp_path / "ran")
        scope: dict[str, Any] = {"__name__": "python_loader"}
        exec(compile(loader.read_text(), str(loader), "exec"), scope)
        assert scope["audit"](tmp_path, options, PACKAGE) == ["os.getcwd"]
        assert scope["audit"](tmp_path, {"module": f"{PACKAGE}.code", "attribute": "f"}, PACKAGE) == []
