"""Model folders written by hand, so that building is tested without capture and without any library."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import sys
from pathlib import Path
from typing import Any

import modelwright.runtime

HERE: dict[str, Any] = {
    "python": platform.python_version(),
    "interpreters": [f"cp{sys.version_info.major}{sys.version_info.minor}"],
    "dependencies": [],
}
"""An environment that the running interpreter may be installed into."""
INIT = '''"""A model that multiplies."""

from .model import load, predict
'''
MODEL_INIT = '''"""The model folder."""

import json
from pathlib import Path

FOLDER = Path(__file__).parent


def load():
    return json.loads((FOLDER / "artifacts" / "weights.json").read_text())


def predict(rows):
    factor = load()["factor"]
    return [{"y": row["x"] * factor} for row in rows]
'''
MODEL_MAIN = """import json
import sys

from . import predict


def main():
    print(json.dumps(predict([{"x": float(text)} for text in sys.argv[1:]])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
"""
LOCK = """lock-version = "1.0"
created-by = "uv"
requires-python = ">=3.11"

[[packages]]
name = "joblib"
version = "1.6.0"
dependencies = [{ name = "Threadpoolctl" }]
sdist = { url = "https://files.example/joblib-1.6.0.tar.gz", hashes = { sha256 = "SDIST" } }
wheels = [{ url = "https://files.example/joblib-1.6.0-py3-none-any.whl", hashes = { sha256 = "WHEEL" } }]

[[packages]]
name = "threadpoolctl"
version = "3.6.0"
wheels = [{ path = "wheels/threadpoolctl-3.6.0-py3-none-any.whl", hashes = { sha256 = "WHEEL" } }]
""".replace("SDIST", "a" * 64).replace("WHEEL", "b" * 64)


def manifest(**changes: Any) -> dict[str, Any]:
    """A manifest without files; keys of ``changes`` replace whole fields."""
    document: dict[str, Any] = {
        "format_version": 1,
        "name": "churn",
        "version": "1.3.0",
        "import_name": "churn",
        "summary": "Who leaves next month",
        "task": "regression",
        "license": "Apache-2.0",
        "created": "2026-10-01T12:00:00Z",
        "storage": {"format": "toy", "loader": "toy_loader", "model_type": "toy.Multiplier"},
        "artifacts": [],
        "signature": {
            "inputs": [{"name": "x", "datatype": "float64", "nullable": True}],
            "outputs": [{"name": "y", "datatype": "float64", "shape": [-1, 2]}],
            "container": "records",
        },
        "evaluations": [{"metric": "rmse", "value": 0.5, "dataset": "test", "slice": "x=1"}],
        "lineage": {"data": [{"uri": "s3://lake/churn.parquet", "version": "7"}]},
        "environment": {"python": "3.11.7", "interpreters": ["cp311"], "dependencies": []},
    }
    return document | changes


def listed(root: Path, *names: str) -> list[dict[str, Any]]:
    """What a manifest says about files below a folder."""
    return [
        {
            "path": name,
            "sha256": hashlib.sha256((root / name).read_bytes()).hexdigest(),
            "size": (root / name).stat().st_size,
        }
        for name in sorted(names)
    ]


def write_model(root: Path, *, weights: bytes = b"", **changes: Any) -> Path:
    """Write an importable package with a model folder below ``root``; return the import package.

    Args:
        root: Folder that shall hold the import package.
        weights: Bytes of a second artifact, ``weights.bin``.
        **changes: Fields of the manifest.
    """
    document = manifest(**changes)
    package = root / document["import_name"]
    artifacts = package / "model" / "artifacts"
    artifacts.mkdir(parents=True)
    (package / "__init__.py").write_text(INIT)
    (package / "features.py").write_text("LEVELS = ('a', 'b')\n")
    (package / "model" / "__init__.py").write_text(MODEL_INIT)
    (package / "model" / "__main__.py").write_text(MODEL_MAIN)
    (artifacts / "weights.json").write_text('{"factor": 3.0}\n')
    names = ["weights.json"]
    if weights:
        (artifacts / "weights.bin").write_bytes(weights)
        names.append("weights.bin")
    (package / "model" / "card.md").write_text("---\nlanguage: en\n---\n# Churn\n\nWho leaves, in Ελλάδα.\n")
    (package / "model" / "pylock.toml").write_text(LOCK)
    (package / "model" / "scenarios.jsonl").write_text("")
    (package / "model" / "profile.json").write_text('{"rows": 0, "inputs": {}, "outputs": {}}\n')
    shutil.copytree(
        Path(modelwright.runtime.__file__).parent,
        package / "model" / "_runtime",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    document["artifacts"] = changes.get("artifacts", listed(artifacts, *names))
    document["code"] = changes.get("code", listed(package, "__init__.py", "features.py"))
    (package / "model" / "manifest.json").write_text(json.dumps(document, indent=2))
    return package


def write_project(root: Path, project: str = "", *, tool: str = "", source: str = "src", **changes: Any) -> Path:
    """Write a model project that modelwright builds; return its root.

    Args:
        root: Folder of the project.
        project: What stands in ``[project]`` beside the name; without it there is no such table.
        tool: What stands in ``[tool.modelwright]``.
        source: Folder of the import package, relative to the root.
        **changes: Fields of the manifest.
    """
    package = write_model(root / source, **changes)
    text = '[build-system]\nrequires = ["modelwright"]\nbuild-backend = "modelwright.backend"\n'
    if project:
        text += f'\n[project]\nname = "{package.name.replace("_", "-")}"\n{project}\n'
    if tool:
        text += f"\n[tool.modelwright]\n{tool}\n"
    (root / "pyproject.toml").write_text(text)
    return root
