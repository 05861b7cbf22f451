"""Small real model packages, made by hand from the real runtime, that need no library."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import modelwright.capturing
import modelwright.runtime

HERE = f"cp{sys.version_info[0]}{sys.version_info[1]}"
EMPTY_LOCK = 'lock-version = "1.0"\ncreated-by = "test"\npackages = []\n'
LOADER = '''"""Load the toy: a line, y = slope * x + offset."""
from __future__ import annotations
import json


class Line:
    def __init__(self, slope, offset):
        self.slope, self.offset = slope, offset

    def predict(self, rows):
        return [self.slope * row["x"] + self.offset for row in rows]


def audit(artifacts, options, package):
    return []


def load(artifacts, options, package, trusted):
    return Line(**json.loads((artifacts / "line.json").read_text()))
'''


def signature(**changes: Any) -> dict[str, Any]:
    """One number in, one number out."""
    return {
        "inputs": [{"name": "x", "datatype": "float64"}],
        "outputs": [{"name": "y", "datatype": "float64", "rtol": 1e-9}],
        "container": "records",
    } | changes


def manifest(**changes: Any) -> dict[str, Any]:
    """A manifest without files; keys of ``changes`` replace whole fields."""
    return {
        "format_version": 1,
        "name": "toy-line",
        "version": "1.0.0",
        "import_name": "toy_line",
        "summary": "A straight line",
        "task": "regression",
        "created": "2026-10-01T12:00:01Z",
        "storage": {"format": "toy", "loader": "toy_loader", "model_type": "toy.Line"},
        "artifacts": [],
        "signature": signature(),
        "environment": {"python": "3.11.7", "interpreters": [HERE], "dependencies": []},
    } | changes


def scenario(name: str, x: float, y: float) -> dict[str, Any]:
    return {"kind": "example", "name": name, "inputs": [{"x": x}], "expected": {"y": [y]}}


def write_toy(
    root: Path,
    *,
    slope: float = 2.0,
    offset: float = 1.0,
    scenarios: list[dict[str, Any]] | None = None,
    code: str = "",
    loader: str = LOADER,
    lock: tuple[str, str] = (EMPTY_LOCK, ""),
    artifacts: dict[str, bytes] | None = None,
    **changes: Any,
) -> Path:
    """Write an importable package with a model folder below ``root``; return ``root``.

    Args:
        root: Folder that shall hold the import package.
        slope: Of the line.
        offset: Of the line.
        scenarios: What scenarios.jsonl says; by default what the line answers to 0 and 10.
        code: Text of the package's own module ``features.py``.
        loader: Text of the loader.
        lock: Texts of pylock.toml and requirements.txt.
        artifacts: More files of the artifacts folder.
        **changes: Fields of the manifest.
    """
    document = manifest(**changes)
    package = root / document["import_name"]
    folder = package / "model"
    (folder / "artifacts").mkdir(parents=True)
    templates = Path(modelwright.capturing.__file__).parent / "templates"
    shutil.copy(templates / "package_init.py", package / "__init__.py")
    shutil.copy(templates / "model_init.py", folder / "__init__.py")
    shutil.copy(templates / "model_main.py", folder / "__main__.py")
    shutil.copy(templates / "model_scenarios.py", folder / "test_scenarios.py")
    (package / "features.py").write_text(code or "LEVELS = ('a', 'b')\n")
    shutil.copytree(
        Path(modelwright.runtime.__file__).parent, folder / "_runtime", ignore=shutil.ignore_patterns("__pycache__")
    )
    (folder / "_runtime" / "toy_loader.py").write_text(loader)
    files = {"line.json": json.dumps({"slope": slope, "offset": offset}).encode(), **(artifacts or {})}
    for name, content in files.items():
        (folder / "artifacts" / name).write_bytes(content)
    if scenarios is None:
        scenarios = [scenario("zero", 0.0, offset), scenario("ten", 10.0, 10 * slope + offset)]
    (folder / "scenarios.jsonl").write_text("".join(json.dumps(one) + "\n" for one in scenarios))
    (folder / "profile.json").write_text('{"rows": 0, "inputs": {}, "outputs": {}}\n')
    (folder / "card.md").write_text("---\nlanguage: en\n---\n# A line\n\nÜber alles.\n")
    (folder / "pylock.toml").write_text(lock[0])
    (folder / "requirements.txt").write_text(lock[1])
    document["artifacts"] = [_file(name, content) for name, content in sorted(files.items())]
    document["code"] = [_file(name, (package / name).read_bytes()) for name in ("__init__.py", "features.py")]
    (folder / "manifest.json").write_text(json.dumps(document, indent=2))
    return root


def _file(name: str, content: bytes) -> dict[str, Any]:
    return {"path": name, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
