"""A Keras model on another backend than TensorFlow requires that backend, and nothing of TensorFlow."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "jax"  # Keras reads it when it is imported, and nowhere else

from functools import cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

import modelwright as mw
from modelwright.capturing.formats import format_named
from modelwright.testing import FormatContract

FORMAT = format_named("keras")
ROWS = np.random.default_rng(0).normal(size=(60, 4)).astype("float32")


@cache
def network() -> Any:
    keras.utils.set_random_seed(0)
    layers = [
        keras.Input((4,), name="numbers"),
        keras.layers.Dense(8, activation="relu", name="hidden"),
        keras.layers.Dense(1, activation="sigmoid", name="risk"),
    ]
    return keras.Sequential(layers, name="network")


class TestKerasOnJax(FormatContract):
    format = FORMAT

    def models(self) -> list[tuple[Any, Any]]:
        return [(network(), ROWS)]

    def foreign(self) -> list[object]:
        return [object(), keras.layers.Dense(2)]

    def write_hostile(self, artifacts: Path, marker: Path) -> dict[str, Any]:
        return {"backend": "jax", "inputs": [], "style": "one", "outputs": []}

    def files(self, folder: Path) -> list[tuple[Path, Any, Any]]:
        network().save(folder / "network.keras")
        network().save(folder / "network.h5")
        asked = FORMAT.answering(network(), ROWS)
        answers = asked.model.predict(asked.sample)
        return [(folder / "network.keras", ROWS, answers), (folder / "network.h5", ROWS, answers)]


def test_the_backend_is_recorded_and_required(tmp_path: Path) -> None:
    frame = pd.DataFrame(ROWS, columns=list("abcd"))
    package = mw.capture(network(), frame, name="ours", version="1.0", to=tmp_path)
    assert package.manifest.storage.options["backend"] == "jax"
    names = [line.partition("==")[0] for line in package.manifest.environment.dependencies]
    assert names == ["h5py", "jax", "keras", "pandas"]


def test_answers_are_those_of_keras() -> None:
    asked = FORMAT.answering(network(), ROWS)
    np.testing.assert_allclose(asked.model.predict(ROWS), network().predict(ROWS, verbose=0)[:, 0], rtol=1e-5)
