"""What a graph takes and gives, and which of its outputs are a label with probabilities.

Called by the onnx format. It reads the model's protobuf; running it is the loader's matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from modelwright.errors import ModelMismatchError, SerialisationError

ZIPMAP = ("ai.onnx.ml", "ZipMap")
_IDENTITY_OPSET = 13
"""Version of the standard operators that is imported for Identity where a graph imports none."""
_DATATYPES = {
    1: "float32",
    2: "uint8",
    3: "int8",
    4: "uint16",
    5: "int16",
    6: "int32",
    7: "int64",
    8: "string",
    9: "bool",
    10: "float16",
    11: "float64",
    12: "uint32",
    13: "uint64",
}
"""Types of elements that a field can have. Source: ``onnx.proto``, ``TensorProto.DataType``."""
_LABELS = ("classlabels_strings", "classlabels_int64s", "classlabels_ints", "values_strings", "values_int64s")
_REGRESSORS = {"LinearRegressor", "SVMRegressor", "TreeEnsembleRegressor"}
_SUM_ATOL = 1e-3
"""How far probabilities that are not called so may sum to another number than 1."""


class Graph(NamedTuple):
    """A graph that answers tensors.

    Attributes:
        model: The model: the one that was given, or a copy without ZipMap.
        inputs: ``name``, ``datatype``, ``shape`` (row axis first, -1: any length), ``axes`` (names of such lengths).
        outputs: The same.
        one_by_one: Whether it takes a single row at a time.
        zipped: Outputs that were maps from class to probability: their classes by name.
    """

    model: Any
    inputs: list[dict[str, Any]]
    outputs: list[dict[str, Any]]
    one_by_one: bool
    zipped: dict[str, list[Any]]


def read_graph(model: Any) -> Graph:
    """Look at a model.

    Args:
        model: The ``ModelProto``, which is not changed.

    Raises:
        ModelMismatchError: The number of its rows is fixed, and not 1.
        SerialisationError: An input or output is no tensor of plain values.
    """
    model, zipped = _without_maps(model)
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = [_value(value, "input") for value in model.graph.input if value.name not in constants]
    outputs = [_value(value, "output") for value in model.graph.output]
    if not inputs or not outputs:
        raise SerialisationError(f"The graph has no {'outputs' if inputs else 'inputs'}, so no row can be asked.")
    for given in inputs:
        if not given["shape"]:
            raise ModelMismatchError(f"The input {given['name']!r} of the graph has no axis of rows.")
        if given["shape"][0] > 1:
            raise _fixed(given)
    return Graph(model, inputs, outputs, any(given["shape"][0] == 1 for given in inputs), zipped)


def _fixed(given: dict[str, Any]) -> ModelMismatchError:
    rows = given["shape"][0]
    return ModelMismatchError(
        f"The graph takes exactly {rows} rows at a time, by the shape {given['shape']} of {given['name']!r}.",
        why="Whoever installs the model asks about any number of rows.",
        hint="Export it with a dynamic first axis (torch.onnx.export(…, dynamic_shapes=…)), or with one row.",
    )


def _without_maps(model: Any) -> tuple[Any, dict[str, list[Any]]]:
    """Return the model with tensors in place of maps from class to probability, and the classes of each.

    ZipMap copies the columns of a tensor into dicts, one per row, which callers then take apart again.
    """
    if not any((node.domain, node.op_type) == ZIPMAP for node in model.graph.node):
        return model, {}
    changed = type(model)()
    changed.CopyFrom(model)
    zipped: dict[str, list[Any]] = {}
    for node in changed.graph.node:
        if (node.domain, node.op_type) == ZIPMAP:
            zipped[node.output[0]] = next(filter(None, (_labels(attribute) for attribute in node.attribute)), [])
            node.domain, node.op_type = "", "Identity"
            del node.attribute[:]
    for value in changed.graph.output:
        if value.name in zipped and value.type.WhichOneof("value") == "sequence_type":
            element = value.type.sequence_type.elem_type.map_type.value_type.tensor_type.elem_type
            value.type.Clear()
            value.type.tensor_type.elem_type = element
            value.type.tensor_type.shape.dim.add()
            value.type.tensor_type.shape.dim.add().dim_value = len(zipped[value.name])
    if not any(opset.domain in ("", "ai.onnx") for opset in changed.opset_import):
        opset = changed.opset_import.add()
        opset.version = _IDENTITY_OPSET
    return changed, zipped


def _value(value: Any, what: str) -> dict[str, Any]:
    kind = value.type.WhichOneof("value")
    element = value.type.tensor_type.elem_type
    if kind != "tensor_type" or element not in _DATATYPES:
        shown = (kind or "unknown type").replace("_type", "") if kind != "tensor_type" else f"tensor of type {element}"
        raise SerialisationError(
            f"The {what} {value.name!r} of the graph is a {shown}, which no column can hold.",
            hint=f"Cast it in the graph to one of {', '.join(sorted(_DATATYPES.values()))}.",
        )
    if not value.type.tensor_type.HasField("shape"):
        if what == "output":
            return {"name": value.name, "datatype": _DATATYPES[element]}
        raise SerialisationError(
            f"The input {value.name!r} of the graph has no shape.", hint="Declare at least its number of axes."
        )
    dims = value.type.tensor_type.shape.dim
    shape = [dim.dim_value if dim.WhichOneof("value") == "dim_value" else -1 for dim in dims]
    axes = {str(place): dim.dim_param for place, dim in enumerate(dims) if dim.dim_param}
    found = {"name": value.name, "datatype": _DATATYPES[element], "shape": shape}
    return found | ({"axes": axes} if axes else {})


def classifier(graph: Graph, answers: list[Any]) -> dict[str, Any]:
    """Return ``label``, ``probabilities`` and ``classes`` of a graph that has them; nothing for another.

    Args:
        graph: The graph.
        answers: What its outputs are for some rows; ``[n_rows, 1]`` as ``[n_rows]``.
    """
    pair = [(output["name"], np.asarray(answer)) for output, answer in zip(graph.outputs, answers, strict=True)]
    labels = [(name, values) for name, values in pair if values.ndim == 1 and values.dtype.kind in "iuOU"]
    spread = [(name, values) for name, values in pair if values.ndim == 2 and values.dtype.kind == "f"]
    if len(pair) != 2 or not labels or not spread:
        return {}
    (label, seen), (name, values) = labels[0], spread[0]
    if name not in graph.zipped and not _are_probabilities(name, values):
        return {}
    candidates = [graph.zipped[name]] if name in graph.zipped else _candidates(graph.model.graph, label)
    present = set(seen.tolist())
    for classes in candidates:
        if len(classes) == values.shape[1] and present <= set(classes):
            return {"label": label, "probabilities": name, "classes": classes}
    guessed = list(range(values.shape[1]))
    if present <= set(guessed) and _agree(seen, values):
        return {"label": label, "probabilities": name, "classes": guessed}
    return {}


def _are_probabilities(name: str, values: Any) -> bool:
    inside = np.isfinite(values) & (values >= -_SUM_ATOL) & (values <= 1 + _SUM_ATOL)  # 1 - p may fall below 0
    if values.shape[1] < 2 or not inside.all():
        return False
    return "prob" in name.lower() or bool(np.allclose(values.sum(axis=1), 1, atol=_SUM_ATOL))


def _agree(seen: Any, values: Any) -> bool:
    """Say whether the label of each row is the column of its largest value, ties aside."""
    ranked = np.sort(values, axis=1)
    sure = ranked[:, -1] > ranked[:, -2]
    return bool((values.argmax(axis=1) == seen)[sure].all())


def _candidates(graph: Any, label: str) -> Iterator[list[Any]]:
    """Give what may be the classes, from the node that makes the label backwards."""
    makers = {name: node for node in graph.node for name in node.output}
    constants = {tensor.name: tensor for tensor in graph.initializer}
    waiting, known = [label], {label}
    while waiting:
        name = waiting.pop(0)
        if name in constants:
            if len(constants[name].dims) == 1 and constants[name].data_type in (6, 7, 8):
                yield _constant(constants[name])
            continue
        if name not in makers:
            continue
        yield from filter(None, (_labels(attribute) for attribute in makers[name].attribute))
        waiting += [other for other in makers[name].input if other not in known]
        known.update(makers[name].input)


def _labels(attribute: Any) -> list[Any]:
    if attribute.name not in _LABELS:
        return []
    return [text.decode() for text in attribute.strings] or list(attribute.ints)


def _constant(tensor: Any) -> list[Any]:
    from onnx import numpy_helper

    return [text.decode() for text in tensor.string_data] or list(numpy_helper.to_array(tensor).tolist())


def declared_outputs(graph: Graph, answers: list[Any], options: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the axes of any length that outputs declare, by the names that answers get.

    Args:
        graph: The graph.
        answers: What its outputs are for some rows.
        options: What is stored of it; a classifier has no such axes.
    """
    if "classes" in options:
        return {}
    found = {}
    for output, answer in zip(graph.outputs, answers, strict=bool(answers)):
        shape = output.get("shape", [])[1:]
        if -1 in shape and len(shape) == np.ndim(answer) - 1:
            found["prediction" if len(graph.outputs) == 1 else output["name"]] = {"shape": tuple(shape)}
    return found


def task(graph: Graph) -> str:
    """Return ``regressor`` for a graph that says it is one; empty for another.

    What skl2onnx and onnxmltools make of a regressor answers ``variable``.
    """
    kinds = {node.op_type for node in graph.model.graph.node if node.domain == "ai.onnx.ml"}
    single = len(graph.outputs) == 1 and graph.outputs[0]["datatype"].startswith("float")
    return "regressor" if single and (kinds & _REGRESSORS or graph.outputs[0]["name"] == "variable") else ""


def provenance(model: Any) -> dict[str, Any]:
    """Return what a model says of itself: version of the format, producer, versions of operators."""
    producer = " ".join(filter(None, [model.producer_name, model.producer_version]))
    opset = {entry.domain or "ai.onnx": entry.version for entry in model.opset_import}
    return {"ir_version": model.ir_version, "producer": producer, "opset": dict(sorted(opset.items()))}


def strange_operators(model: Any) -> list[str]:
    """List the operators that are neither of ONNX nor of onnxruntime nor defined in the model itself."""
    own = {(function.domain, function.name) for function in model.functions}
    nodes = [*_nodes(model.graph), *(node for function in model.functions for node in function.node)]
    known = ("", "ai.onnx", "ai.onnx.ml", "com.microsoft")
    found = {(n.domain, n.op_type) for n in nodes if n.domain not in known} - own
    return sorted(f"{domain}.{name}" for domain, name in found)


def _nodes(graph: Any) -> Iterator[Any]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                yield from _nodes(inner)
