"""A real scikit-learn classifier as a package made by hand, with a real lock from the configured index."""

from __future__ import annotations

import io
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import joblib
import uv
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from toy_packages import HERE, write_toy

import modelwright.adapters.loaders

LOADER = Path(modelwright.adapters.loaders.__file__).with_name("joblib_loader.py")


def lock(*requirements: str, folder: Path) -> tuple[str, str]:
    """Resolve requirements; return the texts of pylock.toml and of the hashed requirements.txt."""
    wanted = folder / "requirements.in"
    wanted.write_text("\n".join(requirements))
    command = [uv.find_uv_bin(), "pip", "compile", "-q", "--generate-hashes", "-p", sys.executable, str(wanted), "-o"]
    made = [folder / "pylock.toml", folder / "requirements.txt"]
    for target in made:
        subprocess.run([*command, str(target)], check=True, capture_output=True)
    return made[0].read_text(), made[1].read_text()


def write_iris(root: Path, locked: tuple[str, str], *, regularisation: float = 1.0, **changes: Any) -> Path:
    """Fit a classifier on scikit-learn's iris data and write its package below ``root``."""
    bunch = load_iris()
    model = LogisticRegression(C=regularisation, max_iter=1000).fit(bunch.data, bunch.target)
    stored = io.BytesIO()
    joblib.dump(model, stored, protocol=5)
    rows = bunch.data[::25]
    names = [name.removesuffix(" (cm)").replace(" ", "_") for name in bunch.feature_names]
    example = {
        "kind": "example",
        "name": "typical",
        "inputs": [dict(zip(names, map(float, row), strict=True)) for row in rows],
        "expected": {
            "species": [int(one) for one in model.predict(rows)],
            "probability": model.predict_proba(rows).tolist(),
        },
    }
    labels = [int(label) for label in model.classes_]
    probability = {"name": "probability", "datatype": "float64", "shape": [3], "labels": labels, "rtol": 1e-6}
    return write_toy(
        root,
        loader=LOADER.read_text(),
        artifacts={"model.joblib": stored.getvalue()},
        scenarios=[example],
        lock=locked,
        **{
            "name": "iris",
            "import_name": "iris",
            "task": "classification",
            "storage": {
                "format": "joblib",
                "loader": "toy_loader",
                "model_type": "sklearn.linear_model.LogisticRegression",
                "methods": ["predict", "predict_proba"],
                "executes_code": True,
            },
            "signature": {
                "inputs": [{"name": name, "datatype": "float64"} for name in names],
                "outputs": [
                    {"name": "species", "datatype": "int64", "categories": labels},
                    {**probability, "method": "predict_proba", "atol": 1e-9},
                ],
                "container": "numpy",
                "array_dtype": "float64",
            },
            "hyperparameters": {"C": regularisation},
            "environment": {
                "python": "3.11.7",
                "interpreters": [HERE],
                "dependencies": [f"scikit-learn=={version('scikit-learn')}"],
            },
            **changes,
        },
    )
