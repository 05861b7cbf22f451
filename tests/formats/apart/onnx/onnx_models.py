"""Models for the tests: from scikit-learn through skl2onnx, and graphs made by hand."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import onnx
import pandas as pd
import skl2onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

ROWS = np.random.default_rng(0).normal(size=(80, 4)).astype(np.float32)
LABELS = np.where(ROWS[:, 0] + ROWS[:, 1] > 0, "yes", "no")
FRAME = pd.DataFrame(
    {
        "age": np.arange(80) % 60 + 18.0,
        "visits": np.arange(80) % 7,
        "plan": np.array(["basic", "plus", "pro"])[np.arange(80) % 3],
        "income": np.random.default_rng(1).normal(40_000, 9_000, 80),
    }
)
OPSET = {"": 21, "ai.onnx.ml": 3}


@cache
def fitted(kind: str) -> Any:
    """Return a fitted model of scikit-learn: ``logistic``, ``forest``, ``line`` or ``pipeline``."""
    if kind == "logistic":
        return LogisticRegression().fit(ROWS, LABELS)
    if kind == "forest":
        return RandomForestClassifier(7, random_state=0).fit(ROWS, (ROWS[:, 2] > 0).astype(int) + (ROWS[:, 3] > 1))
    if kind == "line":
        return LinearRegression().fit(ROWS, ROWS[:, 0] * 2 + ROWS[:, 3])
    columns = ColumnTransformer(
        [
            ("numbers", StandardScaler(), ["age", "visits", "income"]),
            ("text", OneHotEncoder(handle_unknown="ignore"), ["plan"]),
        ]
    )
    return make_pipeline(columns, LogisticRegression()).fit(FRAME, np.where(FRAME["age"] > 40, "stays", "leaves"))


def converted(kind: str, *, zipmap: bool = False) -> Any:
    """Return a fitted model as ``onnx.ModelProto``."""
    rows = FRAME if kind == "pipeline" else ROWS
    options = {} if kind == "line" else {"zipmap": zipmap}
    return skl2onnx.to_onnx(fitted(kind), rows, options=options, target_opset=OPSET)


def graph(nodes: list[Any], inputs: list[Any], outputs: list[Any], constants: dict[str, Any] | None = None) -> Any:
    """Return a model made by hand; values are ``(name, type, shape)``."""
    made = helper.make_graph(
        nodes,
        "by-hand",
        [helper.make_tensor_value_info(*value) for value in inputs],
        [helper.make_tensor_value_info(*value) for value in outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in (constants or {}).items()],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 21)], ir_version=10, producer_name="by hand")


def tokens() -> Any:
    """Return a graph that takes rows of numbers of any length and their weights, and answers two tensors."""
    return graph(
        [
            helper.make_node("Cast", ["ids"], ["numbers"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["numbers", "weights"], ["weighted"]),
            helper.make_node("ReduceSum", ["weighted", "axis"], ["total"], keepdims=0),
        ],
        [("ids", TensorProto.INT64, ["rows", "length"]), ("weights", TensorProto.FLOAT, ["rows", "length"])],
        [("total", TensorProto.FLOAT, ["rows"]), ("weighted", TensorProto.FLOAT, ["rows", "length"])],
        {"axis": np.array([1], np.int64)},
    )


def picture(rows: str | int) -> Any:
    """Return a graph that takes pictures ``[rows, 3, 4, 4]`` and answers the mean of each of their colours."""
    return graph(
        [helper.make_node("ReduceMean", ["image", "axes"], ["colour"], keepdims=0)],
        [("image", TensorProto.FLOAT, [rows, 3, 4, 4])],
        [("colour", TensorProto.FLOAT, [rows, 3])],
        {"axes": np.array([2, 3], np.int64)},
    )


def layers(count: int, width: int) -> Any:
    """Return a graph of multiplications whose weights have ``count · width² · 4`` bytes."""
    rng = np.random.default_rng(0)
    nodes, constants, before = [], {}, "x"
    for layer in range(count):
        constants[f"w{layer}"] = rng.standard_normal((width, width), dtype=np.float32) / np.float32(width**0.5)
        nodes += [
            helper.make_node("MatMul", [before, f"w{layer}"], [f"h{layer}"]),
            helper.make_node("Relu", [f"h{layer}"], [f"r{layer}"]),
        ]
        before = f"r{layer}"
    return graph(
        nodes,
        [("x", TensorProto.FLOAT, ["rows", width])],
        [(before, TensorProto.FLOAT, ["rows", width])],
        constants,
    )


def checked(model: Any) -> Any:
    """Return a model that ONNX itself finds well formed."""
    onnx.checker.check_model(model)
    return model
