"""Give the graphs of skl2onnx doubles where it would write 32-bit numbers, and say which operators have none.

Called by the conversion. Thresholds of trees are written with 64 bits (``ai.onnx.ml`` 3 holds them in attributes called
``…_as_tensor``), so no row on a threshold takes another way. Forests add up what their trees say and divide at the end,
as scikit-learn does, so classes that are equally likely stay so. Imputation, whose operator has no doubles, becomes a
choice.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

Converter = Callable[[Any, Any, Any], Any]
"""What writes the nodes of a model: takes skl2onnx's scope, operator and container."""
_NUMBERS = ("nodes_values", "nodes_hitrates", "class_weights", "target_weights", "base_values")
_FLAGS = "nodes_missing_value_tracks_true"
_VERSION = 3
_SINGLE, _INTEGER, _DOUBLE = 1, 7, 11
"""``TensorProto.FLOAT``, ``INT64`` and ``DOUBLE``."""
_TREES = (
    "sklearn.tree._classes",
    "sklearn.ensemble._forest",
    "sklearn.ensemble._gb",
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting",
)
_IMPUTER = "sklearn.impute._base.SimpleImputer"
_EXACT = {"Cast", "Concat", "Constant", "Gather", "Identity", "OneHotEncoder", "Reshape", "Transpose"}
"""Operators that only move or copy numbers."""


class _DoubleTrees:
    """What a converter writes nodes into, with trees that hold doubles.

    Args:
        container: skl2onnx's own.
        scope: What gives unique names.
        model: The model of trees.
    """

    def __init__(self, container: Any, scope: Any, model: Any) -> None:
        self.__dict__.update(container=container, scope=scope, model=model)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["container"], name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.__dict__["container"], name, value)

    def add_node(self, op_type: str, inputs: Any, outputs: Any, **attributes: Any) -> None:
        """Add a node; a tree with 64-bit numbers, and what it says as doubles behind it."""
        add, model = self.__dict__["container"].add_node, self.__dict__["model"]
        if not op_type.startswith("TreeEnsemble"):
            add(op_type, inputs, outputs, **attributes)
            return
        *before, score = [outputs] if isinstance(outputs, str) else outputs
        summed = _summed(model, attributes)
        single = self._name("single")
        add(op_type, inputs, [*before, single], **_in_doubles(attributes))
        total = self._name("total") if summed else score
        add("Cast", [single], [total], to=_DOUBLE, op_version=13)
        if summed and len(model.classes_) == 2:
            self._divide_pair(total, score, len(model.estimators_), attributes["base_values"][0])
        elif summed:
            add("Div", [total, self._constant([float(len(model.estimators_))])], [score], op_version=14)

    def _divide_pair(self, total: str, score: str, count: int, base: float) -> None:
        """Turn the sum for the second class, which is counted from a base, into the probabilities of both."""
        add = self.__dict__["container"].add_node
        second, sums, high, low = (self._name(name) for name in ("second", "sums", "high", "low"))
        place = self._name("place")
        self.add_initializer(place, _INTEGER, [1], [1])
        add("Gather", [total, place], [second], axis=1, op_version=13)
        add("Sub", [second, self._constant([base])], [sums], op_version=14)
        add("Div", [sums, self._constant([float(count)])], [high], op_version=14)
        add("Sub", [self._constant([1.0]), high], [low], op_version=14)
        add("Concat", [low, high], [score], axis=1, op_version=13)

    def _constant(self, values: list[float]) -> str:
        name = self._name("constant")
        self.add_initializer(name, _DOUBLE, [len(values)], values)
        return name

    def _name(self, what: str) -> str:
        return str(self.__dict__["scope"].get_unique_variable_name(what))


def _in_doubles(attributes: dict[str, Any]) -> dict[str, Any]:
    from onnx import numpy_helper

    found = dict(attributes, op_version=_VERSION)
    for name in _NUMBERS:
        values = np.asarray(found.pop(name, ()), dtype=np.float64).ravel()
        if values.size:
            found[f"{name}_as_tensor"] = numpy_helper.from_array(values, name)
    if _FLAGS in found:
        found[_FLAGS] = [int(flag) for flag in found[_FLAGS]]  # ONNX takes no truth values
    return found


def _summed(model: Any, attributes: dict[str, Any]) -> bool:
    """Let a forest that classifies add up what its trees say, undivided; say whether it is one.

    onnxruntime counts the second of two classes only, and compares it with 0.5: then the sum begins at a base, so that
    half of the trees are 0.5.
    """
    if "class_weights" not in attributes or not hasattr(model, "estimators_") or not hasattr(model, "n_outputs_"):
        return False
    trees = [estimator.tree_ for estimator in np.ravel(model.estimators_)]
    there = list(zip(attributes["class_treeids"], attributes["class_nodeids"], strict=True))
    if any(trees[tree].children_left[node] != -1 for tree, node in there):
        return False  # the nodes are numbered in another way than those of the model
    if len(model.classes_) == 2:
        attributes["class_weights"] = [float(trees[tree].value[node, 0, 1]) for tree, node in there]
        attributes["base_values"] = [0.5 - len(trees) / 2]
        return True
    places = [(tree, node, kind) for tree, node in dict.fromkeys(there) for kind in range(len(model.classes_))]
    shares = [float(trees[tree].value[node, 0, kind]) for tree, node, kind in places]
    kept = [(*place, share) for place, share in zip(places, shares, strict=True) if share > 0]
    names = ("class_treeids", "class_nodeids", "class_ids", "class_weights")
    attributes.update(zip(names, map(list, zip(*kept, strict=True)), strict=True))
    return True


def in_doubles() -> dict[type, Converter]:
    """Return converters that write doubles, by the type of model, for those that skl2onnx converts with 32 bits."""
    from skl2onnx._supported_operators import sklearn_operator_name_map
    from skl2onnx.common._registration import get_converter

    found: dict[type, Converter] = {}
    for kind, alias in sklearn_operator_name_map.items():
        home, name = getattr(kind, "__module__", ""), getattr(kind, "__name__", "")
        if home in _TREES and name != "RandomTreesEmbedding":
            found[kind] = _of_trees(getattr(get_converter(alias), "_fct", get_converter(alias)))
        elif f"{home}.{name}" == _IMPUTER:
            found[kind] = _of_imputer(get_converter(alias))
    return found


def _of_trees(converter: Callable[..., Any]) -> Converter:
    versioned = "op_version" in inspect.signature(converter).parameters

    def convert(scope: Any, operator: Any, container: Any) -> None:
        if np.any(getattr(operator.raw_operator, "is_categorical_", False)):
            raise NotImplementedError("Splits on categories are not converted; the graph would take them for numbers.")
        version = {"op_version": _VERSION} if versioned else {}
        converter(scope, operator, _DoubleTrees(container, scope, operator.raw_operator), **version)

    return convert


def _of_imputer(converter: Converter) -> Converter:
    def convert(scope: Any, operator: Any, container: Any) -> None:
        model, given = operator.raw_operator, operator.inputs
        filled = np.asarray(model.statistics_)
        plain = filled.dtype.kind in "fiu" and np.isfinite(filled.astype(float)).all() and not model.add_indicator
        nan = isinstance(model.missing_values, float) and np.isnan(model.missing_values)
        if not plain or not nan or len(given) != 1 or type(given[0].type).__name__ != "DoubleTensorType":
            converter(scope, operator, container)
            return
        missing, fill = scope.get_unique_variable_name("missing"), scope.get_unique_variable_name("fill")
        container.add_initializer(fill, _DOUBLE, [1, len(filled)], filled.astype(float).tolist())
        container.add_node("IsNaN", [given[0].full_name], [missing], op_version=13)
        names = [missing, fill, given[0].full_name]
        container.add_node("Where", names, [operator.outputs[0].full_name], op_version=16)

    return convert


def with_types(model: Any) -> Any:
    """Return a graph whose outputs declare the types that they have."""
    types = _types(model)
    for output in model.graph.output:
        if output.type.WhichOneof("value") == "tensor_type" and output.name in types:
            output.type.tensor_type.elem_type = types[output.name]
    return model


def single_operators(model: Any) -> tuple[str, ...]:
    """List the operators of a graph that calculate 32-bit numbers, sorted."""
    types, all_of_them = _types(model), any(v.type.tensor_type.elem_type == _SINGLE for v in model.graph.input)
    kinds = {n.op_type for n in model.graph.node if all_of_them or _SINGLE in (types.get(name) for name in n.output)}
    return tuple(sorted(kinds - _EXACT))


def _types(model: Any) -> dict[str, int]:
    """Return the type of element of each tensor, as far as it follows from inputs and operators."""
    import onnx

    bare = type(model)()
    bare.CopyFrom(model)
    for output in bare.graph.output:
        output.type.Clear()
    found = onnx.shape_inference.infer_shapes(bare)
    return {
        value.name: value.type.tensor_type.elem_type
        for value in (*found.graph.value_info, *found.graph.output)
        if value.type.WhichOneof("value") == "tensor_type"
    }
