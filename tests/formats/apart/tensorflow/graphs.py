"""TensorFlow modules, the same in every process."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import networks
import numpy as np
import tensorflow as tf

NUMBERS = tf.TensorSpec([None, 4], tf.float32, name="numbers")
TEXT = tf.TensorSpec([None], tf.string, name="plan")


class Linear(tf.Module):
    def __init__(self) -> None:
        super().__init__(name="linear")
        self.weights = tf.Variable(np.array([[0.5], [-1.0], [2.0], [0.25]], "float32"), name="weights")

    @tf.function(input_signature=[NUMBERS])
    def score(self, numbers: Any) -> Any:
        return tf.sigmoid(numbers @ self.weights)


class Scorer(tf.Module):
    """Numbers and text in, two outputs, a table of words, and a second signature."""

    def __init__(self) -> None:
        super().__init__(name="scorer")
        self.weights = tf.Variable(np.arange(8.0).reshape(4, 2).astype("float32") / 10, name="weights")
        words = tf.lookup.KeyValueTensorInitializer(["basic", "gold"], [1.0, 2.0])
        self.words = tf.lookup.StaticHashTable(words, 0.0)

    @tf.function(input_signature=[NUMBERS, TEXT])
    def score(self, numbers: Any, plan: Any) -> Any:
        kind = tf.nn.relu(numbers @ self.weights) + self.words.lookup(plan)[:, None]
        return {"risk": tf.reduce_sum(kind, 1), "kind": kind}

    @tf.function(input_signature=[TEXT])
    def look(self, plan: Any) -> Any:
        return {"worth": self.words.lookup(plan)}

    @property
    def signatures(self) -> dict[str, Any]:
        return {"serving_default": self.score, "look": self.look}


@cache
def linear() -> Any:
    return Linear()


@cache
def scorer() -> Any:
    return Scorer()


def scorer_rows() -> dict[str, Any]:
    plans = np.array(["basic", "gold", "other"] * 20, dtype=object)
    return {"numbers": networks.ROWS, "plan": plans}


def with_vocabulary(folder: Path) -> Any:
    """A module that reads its words from a file, which becomes an asset."""
    words = folder / "words.txt"
    words.write_text("basic\ngold\n")
    module = tf.Module()
    source = tf.lookup.TextFileInitializer(
        str(words), tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
    )
    module.table = tf.lookup.StaticHashTable(source, -1)

    @tf.function(input_signature=[TEXT])
    def place(plan: Any) -> Any:
        return {"place": module.table.lookup(plan)}

    module.place = place
    return module


def written(module: Any, folder: Path) -> Path:
    tf.saved_model.save(module, str(folder), signatures=getattr(module, "signatures", None))
    return folder
