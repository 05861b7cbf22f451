"""A format whose models declare more than a sample shows says so, and the captured model takes what it declares."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import modelwright as mw
from modelwright.capturing.formats import Adapted, Saved
from modelwright.runtime.errors import SignatureError
from modelwright.runtime.loading import load

LOADER = '''"""Double every number of rows of any length."""


class Doubler:
    def predict(self, rows):
        import numpy

        return {"twice": [numpy.asarray(row) * 2 for row in rows["ids"]]}


def audit(artifacts, options, package):
    return []


def load(artifacts, options, package, trusted):
    return Doubler()
'''


class Doubler:
    def predict(self, rows: Any) -> Any:
        return {"twice": np.asarray(rows["ids"]) * 2}


class AnyLength:
    """A format whose models take and answer rows of any length, whatever the sample holds."""

    name = "any-length"
    distributions = ("numpy",)
    executes_code = False
    portable = True
    self_contained = True

    def __init__(self, loader: Path) -> None:
        self.loader = loader

    def claims(self, model: object) -> int:
        return 0

    def answering(self, model: object, sample: Any) -> Adapted:
        return Adapted(model, sample, fields={"ids": {"shape": [-1]}}, outputs={"twice": {"shape": (-1,)}})

    def save(self, model: object, artifacts: Path, *, package: str) -> Saved:
        return Saved()


@pytest.fixture
def package(tmp_path: Path) -> Any:
    (tmp_path / "any_length_loader.py").write_text(LOADER)
    return mw.capture(
        Doubler(),
        {"ids": np.array([[1, 2, 3], [4, 5, 6]])},
        name="doubler",
        version="1.0",
        to=tmp_path,
        format=AnyLength(tmp_path / "any_length_loader.py"),
        fields={"ids": {"unit": "tokens"}},
    )


def test_axes_of_any_length_are_in_the_signature_beside_what_the_user_declares(package: Any) -> None:
    (field,), (output,) = package.manifest.signature.inputs, package.manifest.signature.outputs
    assert (field.shape, field.datatype, field.unit) == ((-1,), "int64", "tokens")
    assert (output.shape, output.datatype) == ((-1,), "int64")


def test_rows_of_other_lengths_are_answered(package: Any) -> None:
    model = load(package.path / "doubler" / "model", package="doubler")
    assert model.predict({"ids": [[7], [8]]}) == {"twice": [[14], [16]]}
    assert model.predict([{"ids": [1, 2]}, {"ids": [3]}]) == [{"twice": [2, 4]}, {"twice": [6]}]  # a list of arrays
    with pytest.raises(SignatureError, match="1 problem"):
        model.predict([{"ids": [[1]]}])
