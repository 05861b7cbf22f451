"""A classifier that says which scikit-learn it runs on: its coefficients are data, so any release can hold them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn_packages import lock
from toy_packages import HERE, write_toy

from modelwright.building.build import build

FIELDS = ("sepal_length", "sepal_width", "petal_length", "petal_width")
POISON = 1000.0
"""The model itself fails on what is larger, whatever the signature says."""
LOADER = f'''"""Load a classifier from its coefficients."""
from __future__ import annotations
import json


class Iris:
    def __init__(self, coef, intercept):
        import numpy
        import sklearn
        from sklearn.linear_model import LogisticRegression

        self.library = sklearn.__version__
        self.model = LogisticRegression()
        self.model.coef_, self.model.intercept_ = numpy.array(coef), numpy.array(intercept)
        self.model.classes_, self.model.n_features_in_ = numpy.array([0, 1, 2]), 4

    def predict(self, rows):
        if (rows > {POISON}).any():
            raise ValueError("the flower in /srv/secret/path is too large")
        return {{"species": self.model.predict(rows), "library": [self.library] * len(rows)}}

    def predict_proba(self, rows):
        return self.model.predict_proba(rows)


def audit(artifacts, options, package):
    return []


def load(artifacts, options, package, trusted):
    return Iris(**json.loads((artifacts / "iris.json").read_text()))
'''


def rows(count: int) -> list[dict[str, float]]:
    """Return rows of the data set, as often as needed."""
    data = load_iris().data
    return [dict(zip(FIELDS, map(float, data[place % len(data)]), strict=True)) for place in range(count)]


def iris_wheel(root: Path, version: str, library: str, *, regularisation: float) -> Path:
    """Build a version whose lock wants a release of scikit-learn."""
    data = load_iris()
    fitted = LogisticRegression(C=regularisation, max_iter=1000).fit(data.data, data.target)
    learned = {"coef": fitted.coef_.tolist(), "intercept": fitted.intercept_.tolist()}
    inputs = rows(150)[::25]
    expected = {"species": [int(one) for one in fitted.predict([list(row.values()) for row in inputs])]}
    proba: dict[str, Any] = {"name": "probability", "datatype": "float64", "shape": [3], "labels": [0, 1, 2]}
    places = root / f"lock-{version}"
    places.mkdir(parents=True)
    source = write_toy(
        root / f"source-{version}",
        loader=LOADER,
        artifacts={"iris.json": json.dumps(learned).encode()},
        scenarios=[{"kind": "example", "name": "typical", "inputs": inputs, "expected": expected}],
        lock=lock(f"scikit-learn=={library}", folder=places),
        name="iris",
        import_name="iris",
        version=version,
        task="classification",
        storage={
            "format": "toy",
            "loader": "toy_loader",
            "model_type": "Iris",
            "methods": ["predict", "predict_proba"],
        },
        signature={
            "inputs": [{"name": name, "datatype": "float64"} for name in FIELDS],
            "outputs": [
                {"name": "species", "datatype": "int64"},
                {"name": "library", "datatype": "string"},
                proba | {"method": "predict_proba", "rtol": 1e-9},
            ],
            "container": "numpy",
            "array_dtype": "float64",
        },
        environment={"python": "3.11.7", "interpreters": [HERE], "dependencies": [f"scikit-learn=={library}"]},
    )
    return build(source, root / "dist")
