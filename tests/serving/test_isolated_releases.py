"""``mw.load`` twice in one program: two releases of scikit-learn, neither of which is the program's, side by side."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

import modelwright as mw
from modelwright.errors import OutputError

for folder in ("inspecting", "exchange"):
    sys.path.append(str(Path(__file__).parent.parent / folder))

from versioned_iris import FIELDS, POISON, iris_wheel, rows  # noqa: E402

LIBRARIES = {"1.0.0": "1.8.0", "1.1.0": "1.9.1"}


@pytest.fixture(scope="module")
def wheels(tmp_path_factory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("iris")
    return {version: iris_wheel(root, version, library, regularisation=1.0) for version, library in LIBRARIES.items()}


def test_two_releases_of_a_library_answer_side_by_side(wheels: dict[str, Path]) -> None:
    data = load_iris().data
    expected = LogisticRegression(C=1.0, max_iter=1000).fit(data, load_iris().target).predict(data)
    with mw.load(wheels["1.0.0"]) as old, mw.load(wheels["1.1.0"]) as new:
        for model in (old, new):
            answer = model.predict(dict(zip(FIELDS, data.T, strict=True)))
            assert answer["species"] == expected.tolist()
            assert set(answer["library"]) == {LIBRARIES[model.version]}
            assert model.predict_proba(data).shape == (150, 3)
            assert np.allclose(old.predict_proba(data), model.predict_proba(data), rtol=1e-12)
            with pytest.raises(OutputError):
                model.predict(np.full((1, 4), POISON + 1))


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_a_program_without_numpy_gets_the_same(wheels: dict[str, Path], library: str, tmp_path: Path) -> None:
    script = f"""
        import sys
        sys.modules["numpy"] = sys.modules["pandas"] = None
        import {library}, modelwright as mw
        rows = {rows(3)!r}
        columns = {{name: [row[name] for row in rows] for name in rows[0]}}
        table = {library}.DataFrame(columns) if {library!r} == "polars" else {library}.table(columns)
        with mw.load({str(wheels["1.1.0"])!r}, offline=True) as model:
            answer, records = model.predict(table), model.predict(rows)
            flat = answer.to_dicts() if {library!r} == "polars" else answer.to_pylist()
            assert flat == records, (flat, records)
            print(*(str(kind) for kind in answer.schema.{"dtypes()" if library == "polars" else "types"}))
            assert model.predict_proba(table).shape == (3, 3)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.split() == (["Int64", "String"] if library == "polars" else ["int64", "string"])
