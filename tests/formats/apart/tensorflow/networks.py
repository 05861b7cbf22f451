"""Networks and files of Keras and TensorFlow, the same in every process."""

from __future__ import annotations

from functools import cache
from typing import Any

import keras
import numpy as np

ROWS = np.random.default_rng(0).normal(size=(60, 4)).astype("float32")


def fitted(model: Any, X: Any, y: Any) -> Any:
    model.compile("adam", loss="mse")
    model.fit(X, y, epochs=1, verbose=0)
    return model


@cache
def dense() -> Any:
    keras.utils.set_random_seed(0)
    layers = [
        keras.Input((4,), name="numbers"),
        keras.layers.Dense(8, activation="relu", kernel_regularizer="l2", name="hidden"),
        keras.layers.BatchNormalization(name="norm"),
        keras.layers.Dropout(0.2, seed=3, name="drop"),
        keras.layers.Dense(1, activation="sigmoid", name="risk"),
    ]
    return fitted(keras.Sequential(layers, name="dense"), ROWS, (ROWS[:, :1] > 0).astype("float32"))


@cache
def classifier() -> Any:
    keras.utils.set_random_seed(1)
    layers = [keras.Input((4,), name="numbers"), keras.layers.Dense(3, activation="softmax", name="kind")]
    return keras.Sequential(layers, name="classifier")


def mixed_rows() -> dict[str, Any]:
    plans = np.array(["basic", "gold", "other"] * 20, dtype=object)
    return {"numbers": ROWS, "plan": plans, "zone": np.arange(60, dtype="int32") % 5}


@cache
def mixed() -> Any:
    """Text, whole numbers and a vector in; two outputs; a shared layer, an operation, a frozen normalisation."""
    keras.utils.set_random_seed(2)
    numbers = keras.Input((4,), name="numbers")
    plan = keras.Input((), dtype="string", name="plan")
    zone = keras.Input((1,), dtype="int32", name="zone")
    lookup = keras.layers.StringLookup(vocabulary=["basic", "gold"], output_mode="one_hot", name="plans")
    place = keras.layers.Flatten(name="flat")(keras.layers.Embedding(5, 3, name="zones")(zone))
    scaled = keras.layers.Normalization(mean=[0.0] * 4, variance=[2.0] * 4, name="scaled")(numbers)
    joined = keras.layers.Concatenate(name="joined")([scaled, lookup(plan), place])
    shared = keras.layers.Dense(10, activation="gelu", name="shared")
    hidden = keras.ops.relu(shared(shared(joined))) + 1.0
    risk = keras.layers.Dense(1, activation="sigmoid", name="risk")(hidden)
    kind = keras.layers.Dense(3, activation="softmax", name="kind")(hidden)
    return keras.Model([numbers, plan, zone], [risk, kind], name="mixed")


@cache
def images() -> Any:
    keras.utils.set_random_seed(3)
    layers = [
        keras.Input((8, 8, 1), name="image"),
        keras.layers.Conv2D(4, 3, activation="relu", name="conv"),
        keras.layers.GlobalAveragePooling2D(name="pool"),
        keras.layers.Dense(2, activation="softmax", name="kind"),
    ]
    return keras.Sequential(layers, name="images")


def pictures() -> Any:
    return np.random.default_rng(1).random((20, 8, 8, 1)).astype("float32")
