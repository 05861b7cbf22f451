"""Model folders made by hand, so that the runtime is tested without capture."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import joblib

from modelwright.capturing.staging import Stage

HERE = f"cp{sys.version_info[0]}{sys.version_info[1]}"

JOBLIB_LOADER = """
def audit(artifacts, options, package):
    return options.get("strangers", [])

def load(artifacts, options, package, trusted):
    import joblib
    return joblib.load(artifacts / "model.joblib")
"""

FUNCTION_LOADER = """
class Doubler:
    def predict(self, rows):
        return [2 * row["x"] for row in rows]

    def predict_proba(self, rows):
        return [[0.25, 0.75] for row in rows]

def audit(artifacts, options, package):
    return options.get("strangers", [])

def load(artifacts, options, package, trusted):
    return Doubler()
"""

DOUBLER_SIGNATURE: dict[str, Any] = {
    "inputs": [{"name": "x", "datatype": "float64"}],
    "outputs": [
        {"name": "y", "datatype": "float64"},
        {
            "name": "probability",
            "datatype": "float64",
            "shape": [2],
            "labels": ["no", "yes"],
            "method": "predict_proba",
        },
    ],
    "container": "records",
}
DOUBLER_SCENARIOS = [
    {"kind": "example", "name": "twice", "inputs": [{"x": 1.0}, {"x": 2.5}], "expected": {"y": [2.0, 5.0]}},
    {
        "kind": "direction",
        "name": "more",
        "inputs": [{"x": 1.0}],
        "field": "x",
        "add": 1,
        "output": "y",
        "never": "lower",
    },
    {
        "kind": "minimum",
        "name": "likely",
        "inputs": [{"x": 1.0}],
        "output": "probability",
        "label": "yes",
        "at_least": 0.5,
        "origin": "user",
    },
]


def write_model(
    root: Path,
    signature: Mapping[str, Any],
    *,
    name: str = "churn",
    version: str = "1.3.0",
    loader: str = JOBLIB_LOADER,
    artifacts: Mapping[str, bytes] | None = None,
    native: object = None,
    dependencies: Sequence[str] = (),
    interpreters: Sequence[str] = (HERE,),
    scenarios: Sequence[Mapping[str, Any]] = (),
    methods: Sequence[str] = ("predict",),
    options: Mapping[str, Any] | None = None,
    **environment: Any,
) -> Path:
    """Write an import package with a model folder below ``root``; return the model folder."""
    root.mkdir(parents=True, exist_ok=True)
    stage, loader_file = Stage(root, name), root / "toy_loader.py"
    loader_file.write_text(loader)
    stage.write_static(loader_file)
    loader_file.unlink()
    folder = stage.model_folder
    for path, content in (artifacts or {}).items():
        (folder / "artifacts" / path).write_bytes(content)
    if native is not None:
        joblib.dump(native, folder / "artifacts" / "model.joblib")
    files = sorted(path for path in (folder / "artifacts").rglob("*") if path.is_file())
    manifest = {
        "format_version": 1,
        "name": name,
        "version": version,
        "import_name": name,
        "summary": "Who leaves.",
        "task": "classification",
        "created": "2026-11-20T00:00:00Z",
        "storage": {
            "format": "toy",
            "loader": "toy_loader",
            "model_type": "toy.Model",
            "methods": list(methods),
            "options": dict(options or {}),
        },
        "artifacts": [
            {
                "path": path.relative_to(folder / "artifacts").as_posix(),
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                "size": path.stat().st_size,
            }
            for path in files
        ],
        "signature": dict(signature),
        "environment": {
            "python": ".".join(map(str, sys.version_info[:3])),
            "interpreters": list(interpreters),
            "dependencies": list(dependencies),
            **environment,
        },
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "scenarios.jsonl").write_text("".join(json.dumps(scenario) + "\n" for scenario in scenarios))
    return folder


def write_doubler(root: Path, **changes: Any) -> Path:
    """Write a model that needs nothing but Python: it doubles ``x``."""
    settings: dict[str, Any] = {
        "loader": FUNCTION_LOADER,
        "scenarios": DOUBLER_SCENARIOS,
        "methods": ("predict", "predict_proba"),
        "artifacts": {"weights.txt": b"2\n"},
    }
    return write_model(root, DOUBLER_SIGNATURE, **(settings | changes))


def pin(distribution: str) -> str:
    """Return the exact requirement of what is installed."""
    return f"{distribution}=={metadata.version(distribution)}"
