"""A model that is put together by code: each part in its own format, files as they are, the code in the package."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

import modelwright as mw
from modelwright.errors import ModelMismatchError, SourceError, UnsafeFileError

ROWS = [{"x": float(x), "y": float(x % 3)} for x in range(12)]
MATRIX = np.array([[row["x"], row["y"]] for row in ROWS])
GLUE = '''"""Price times risk, where the region's factor applies."""

import json


def matrix(rows):
    return [[row["x"], row["y"]] for row in rows]


class Offer:
    def __init__(self, models):
        self.models = models
        self.factor = json.loads(models["factors"].read_text())["north"]

    def predict(self, rows):
        risk = self.models["risk"].predict_proba(matrix(rows))[:, 1]
        return [float(r * p * self.factor) for r, p in zip(risk, self.models["price"].predict(matrix(rows)))]


def predict(rows, models):
    return Offer(models).predict(rows)
'''


@pytest.fixture
def parts(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "factors.json").write_text(json.dumps({"north": 1.5}))
    return {
        "risk": LogisticRegression().fit(MATRIX, np.arange(12) > 5),
        "price": LinearRegression().fit(MATRIX, np.arange(12)),
        "factors": tmp_path / "factors.json",
    }


@pytest.fixture
def glue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    (tmp_path / "offer_glue.py").write_text(GLUE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "offer_glue", raising=False)
    import offer_glue

    return offer_glue


def predicted(folder: Path, package: str) -> list[float]:
    code = f"import {package}, json; print(json.dumps([r['prediction'] for r in {package}.predict({ROWS!r})]))"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("kind", ["Offer", "predict", "module"])
def test_a_class_a_function_and_a_module_get_their_parts(
    kind: str, glue: Any, parts: dict[str, Any], tmp_path: Path
) -> None:
    source = glue if kind == "module" else getattr(glue, kind)
    package = mw.capture(source, ROWS, name="offer", version="1.0", models=parts, to=tmp_path)
    storage = package.manifest.storage
    assert storage.format == "python"
    assert storage.model_type == ("offer.offer_glue" if kind == "module" else f"offer.offer_glue.{kind}")
    assert {name: part.get("format", "a file") for name, part in storage.options["models"].items()} == {
        "risk": "skops",
        "price": "skops",
        "factors": "a file",
    }
    assert [file.path for file in package.manifest.artifacts] == [
        "factors/factors.json",
        "price/model.skops",
        "risk/model.skops",
    ]
    expected = glue.predict(ROWS, parts)
    assert predicted(package.path, "offer") == expected
    assert [line.partition("==")[0] for line in package.manifest.environment.dependencies] == ["scikit-learn", "skops"]


def test_a_part_may_be_a_saved_model_and_is_looked_at_before_it_is_opened(
    glue: Any, parts: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "risk.bin").write_bytes(pickle.dumps(parts["risk"]))
    given = parts | {"risk": tmp_path / "risk.bin"}
    package = mw.capture(tmp_path / "offer_glue.py", ROWS, name="offer", version="1.0", models=given, to=tmp_path)
    assert package.manifest.storage.options["models"]["risk"]["format"] == "skops"

    (tmp_path / "risk.bin").write_bytes(b"cos\nsystem\n(S'touch stolen'\ntR.")
    with pytest.raises(UnsafeFileError, match="could run code"):
        mw.capture(glue.Offer, ROWS, name="offer", version="1.1", models=given, to=tmp_path)


def test_names_and_files_of_parts_are_checked(glue: Any, parts: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"'\.\./up' cannot be the name"):
        mw.capture(glue.Offer, ROWS, name="offer", version="1.0", models={"../up": parts["risk"]}, to=tmp_path)
    with pytest.raises(SourceError, match="no such file"):
        mw.capture(glue.Offer, ROWS, name="offer", version="1.0", models={"risk": tmp_path / "gone"}, to=tmp_path)
    with pytest.raises(ModelMismatchError, match="cannot be given parts"):
        mw.capture(parts["risk"], ROWS, name="offer", version="1.0", models=parts, to=tmp_path)
    with pytest.raises(ModelMismatchError, match="cannot be made with its parts"):
        mw.capture(object, ROWS, name="offer", version="1.0", models={"risk": parts["risk"]}, to=tmp_path)


def test_a_part_that_was_changed_is_refused(glue: Any, parts: dict[str, Any], tmp_path: Path) -> None:
    package = mw.capture(glue.Offer, ROWS, name="offer", version="1.0", models=parts, to=tmp_path)
    changed = next(Path(package.path).rglob("factors.json"))
    changed.write_text(json.dumps({"north": 9.5}))
    code = f"import offer; offer.predict({ROWS!r})"
    done = subprocess.run([sys.executable, "-c", code], cwd=package.path, capture_output=True, text=True, check=False)
    assert "MW401" in done.stderr
