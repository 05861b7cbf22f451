"""Export a live TensorFlow model as a SavedModel whose bytes are the same for the same model.

Called by :mod:`modelwright.adapters.formats.tensorflow`. TensorFlow numbers functions by a counter of the process,
and writes them in the order of a hash; here they are numbered by the order in which the model leads to them. Functions
that nothing leads to, and the fingerprint, which has a random part, stay behind.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import warnings
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modelwright.adapters.loaders.tensorflow_loader import GRAPH, import_tensorflow
from modelwright.errors import SerialisationError

_COUNTED = re.compile(r"_\d+$")
_SCOPE = re.compile(rb"key_value_init\d+")


def exported(model: Any) -> Path:
    """Write a live model into a folder that lives as long as the model does.

    Raises:
        SerialisationError: TensorFlow cannot export it.
    """
    tf = import_tensorflow()
    folder = Path(tempfile.mkdtemp(prefix="saved-model-"))
    weakref.finalize(model, shutil.rmtree, folder, ignore_errors=True)
    try:
        with warnings.catch_warnings(action="ignore"):
            tf.saved_model.save(model, str(folder), signatures=getattr(model, "signatures", None) or None)
    except Exception as error:  # TensorFlow traces whatever the model's methods do
        raise SerialisationError(
            f"TensorFlow cannot export this {type(model).__qualname__}.",
            why=f"{type(error).__name__}: {error}"[:2000],
            hint="Decorate one method: @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, name='x')]).",
        ) from error
    (folder / GRAPH).write_bytes(steady((folder / GRAPH).read_bytes()))
    return folder


def steady(content: bytes) -> bytes:
    """Return a ``saved_model.pb`` with its functions named and ordered by the model, not by the process."""
    from tensorflow.core.protobuf import saved_model_pb2

    saved = saved_model_pb2.SavedModel.FromString(content)
    for graph in saved.meta_graphs:
        library = graph.graph_def.library
        functions = {function.signature.name: function for function in library.function}
        order = list(dict.fromkeys(_led_to(graph, functions)))
        names = {name: f"{_COUNTED.sub('', name)}_{place}" for place, name in enumerate(order)}
        kept = [functions[name] for name in order]
        for node in (*graph.graph_def.node, *(node for function in kept for node in function.node_def)):
            _rename_calls(node, names)
        for function in kept:
            function.signature.name = names[function.signature.name]
        del library.gradient[:]
        copies = [_renumber_scopes(function) for function in kept]
        del library.function[:]
        library.function.extend(copies)
        _renumber_tables(graph.graph_def)
        _rename_objects(graph.object_graph_def, names)
    return bytes(saved.SerializeToString(deterministic=True))


def _led_to(graph: Any, functions: dict[str, Any]) -> Iterator[str]:
    """Give the functions that objects and the graph lead to, in that order, each with those that it calls."""
    waiting = [name for node in graph.object_graph_def.nodes for name in _of_object(node)]
    waiting += [name for node in graph.graph_def.node for name in _called(node)]
    waiting.reverse()
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in functions or name in seen:
            continue
        seen.add(name)
        yield name
        waiting += [called for node in reversed(functions[name].node_def) for called in reversed(_called(node))]


def _of_object(node: Any) -> list[str]:
    return [*node.function.concrete_functions, node.bare_concrete_function.concrete_function_name]


def _called(node: Any) -> list[str]:
    found = [node.op]
    for _, value in sorted(node.attr.items()):
        found += [value.func.name] if value.HasField("func") else [each.name for each in value.list.func]
    return found


def _rename_calls(node: Any, names: dict[str, str]) -> None:
    node.op = names.get(node.op, node.op)
    node.attr.pop("_gradient_op_type", None)  # counted as well, and for training
    for value in node.attr.values():
        for each in [value.func] if value.HasField("func") else value.list.func:
            each.name = names.get(each.name, each.name)


def _renumber_scopes(function: Any) -> Any:
    """Return a copy of a function with the scopes of tables numbered from nought; they hold no big constants."""
    from google.protobuf import text_format

    content = function.SerializeToString()
    numbers = list(dict.fromkeys(_SCOPE.findall(content)))
    if not numbers:
        return type(function).FromString(content)
    text = text_format.MessageToString(function)
    for place, scope in enumerate(numbers):
        text = re.sub(rf"{scope.decode()}(?!\d)", f"key_value_init_{place}", text)
    return text_format.Parse(text, type(function)())


def _renumber_tables(graph: Any) -> None:
    """Number tables and captured constants by their order; TensorFlow gives new numbers when it loads them."""
    numbers: dict[bytes, bytes] = {}
    functions = graph.library.function
    held = [node.attr["shared_name"] for node in graph.node if "shared_name" in node.attr]
    for function in functions:
        held += [node.attr["shared_name"] for node in function.node_def if "shared_name" in node.attr]
        named = [attributes.attr for _, attributes in sorted(function.arg_attr.items())]
        held += [each["_user_specified_name"] for each in named if "_user_specified_name" in each]
    for value in held:
        if value.s.isdigit():
            value.s = numbers.setdefault(value.s, str(len(numbers)).encode())


def _rename_objects(objects: Any, names: dict[str, str]) -> None:
    for node in objects.nodes:
        if node.WhichOneof("kind") == "function":
            node.function.concrete_functions[:] = [names.get(n, n) for n in node.function.concrete_functions]
        elif node.WhichOneof("kind") == "bare_concrete_function":
            name = node.bare_concrete_function.concrete_function_name
            node.bare_concrete_function.concrete_function_name = names.get(name, name)
    for name in sorted(set(objects.concrete_functions) & set(names)):
        held = type(objects.concrete_functions[name]).FromString(objects.concrete_functions[name].SerializeToString())
        del objects.concrete_functions[name]
        objects.concrete_functions[names[name]].CopyFrom(held)
