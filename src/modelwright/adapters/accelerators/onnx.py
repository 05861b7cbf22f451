"""Turn a fitted model into an ONNX graph, in double precision where its operators have it.

Called by the ``onnx`` form, and usable by itself. scikit-learn goes through skl2onnx, LightGBM and XGBoost through
onnxmltools, PyTorch through its own exporter; each is imported only when it is needed. It does not judge how equal the
graph is: capture compares it with the model.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

from modelwright.adapters.accelerators.onnx_precision import in_doubles, single_operators, with_types
from modelwright.adapters.formats.onnx_weights import serialised
from modelwright.adapters.loaders import onnx_loader
from modelwright.errors import MissingExtraError, SerialisationError
from modelwright.spec.signature import Field, Signature

OPSET = {"": 21, "ai.onnx.ml": 3}
"""Operators that are used. From version 3 on, trees compare doubles. Source: ONNX, ``docs/Changelog-ml.md``."""
_BOOSTED_OPSET = 15
"""The newest standard operators that onnxmltools writes."""
_SHOWN = 400


class Converted(NamedTuple):
    """A model as a graph.

    Attributes:
        model: The ``ModelProto``.
        single: Operators that calculate with 32 bits, although the rest does with 64.
    """

    model: Any
    single: tuple[str, ...]


class _Inputs(NamedTuple):
    """How a graph is to take rows: ``X`` for all columns, or one input per column; with which numbers."""

    matrix: bool
    double: bool
    whole: bool


def claims(model: object) -> bool:
    """Say whether a converter may know a model; nothing is imported to decide."""
    tops = {kind.__module__.partition(".")[0] for kind in type(model).__mro__}
    return bool(tops & {"sklearn", "lightgbm", "xgboost", "torch"})


def convert(model: Any, sample: Any, *, signature: Signature) -> bytes:
    """Return a fitted model as the bytes of an ONNX model; see :func:`converted`."""
    return serialised(converted(model, sample, signature=signature).model)


def converted(model: Any, sample: Any, *, signature: Signature) -> Converted:
    """Return a fitted model as a graph that onnxruntime runs.

    Args:
        model: An estimator or pipeline of scikit-learn, a model of LightGBM or XGBoost, or a module of PyTorch.
        sample: Rows as it takes them.
        signature: Its signature.

    Raises:
        SerialisationError: There is no such graph; the reason is the converter's or onnxruntime's own.
        MissingExtraError: The converter is not installed.
    """
    _check_signature(model, signature)
    tops = [kind.__module__.partition(".")[0] for kind in type(model).__mro__]
    library = next((top for top in tops if top in _CONVERTERS), "")
    if not library:
        raise SerialisationError(f"No converter to ONNX knows a {type(model).__qualname__}.")
    needed, convert_with = _CONVERTERS[library]
    if missing := [name for name in ("onnx", "onnxruntime", needed) if find_spec(name) is None]:
        raise MissingExtraError(
            f"Converting to ONNX needs {', '.join(missing)}.", hint='pip install "modelwright[accelerate]"'
        )
    reasons: list[Exception] = []
    for inputs in _tried(signature, library):
        try:
            with _silence():
                found = _trimmed(convert_with(model, sample, signature, inputs), signature)
                onnx_loader.session(serialised(found), shared=False)
        except Exception as error:  # converters raise whatever goes wrong in them
            reasons.append(error)
            continue
        return Converted(found, single_operators(found))
    raise SerialisationError(
        f"{needed} cannot turn this {type(model).__qualname__} into an ONNX graph.",
        why=_reason(reasons[0]),
        hint="Keep the model as it is; it is captured all the same.",
    ) from reasons[0]


def _check_signature(model: Any, signature: Signature) -> None:
    """Refuse what no graph takes or answers.

    Raises:
        SerialisationError: Times, objects, missing text, or a method that graphs do not have.
    """
    methods = {output.method for output in signature.outputs}
    if other := sorted(methods - {"predict", "predict_proba"}):
        raise SerialisationError(f"A graph has no {other[0]}.", hint="It answers predict and predict_proba.")
    for field in signature.inputs:
        if field.datatype in ("bytes", "date", "datetime", "duration", "json"):
            raise SerialisationError(f"A graph takes no {field.datatype}, which {field.name!r} is.")
        if field.datatype == "string" and field.nullable:
            raise SerialisationError(f"Text may be missing in {field.name!r}, and a graph has no missing text.")


def _tried(signature: Signature, library: str) -> Iterator[_Inputs]:
    """Give what is tried, best first: 64 bits before 32, all columns at once before one input for each."""
    numbers = all(_is_number(field) for field in signature.inputs)
    alone = signature.container == "numpy" or library != "sklearn"
    whole = any(field.datatype.startswith(("int", "uint")) for field in signature.inputs)
    for double in (True, False) if library == "sklearn" else (False,):
        if numbers or alone:
            yield _Inputs(True, double, False)
        if not alone:
            yield _Inputs(False, double, False)
            yield from [_Inputs(False, double, True)] if whole else []


def _is_number(field: Field) -> bool:
    return field.datatype == "bool" or field.datatype.startswith(("int", "uint", "float"))


def _of_sklearn(model: Any, sample: Any, signature: Signature, inputs: _Inputs) -> Any:
    import skl2onnx
    from sklearn.base import is_classifier

    found = skl2onnx.convert_sklearn(
        model,
        name=type(model).__name__,  # else a random one
        initial_types=_types(signature, inputs),
        options={id(model): {"zipmap": False}} if is_classifier(model) else None,
        target_opset=OPSET,
        custom_conversion_functions=in_doubles() if inputs.double else None,
    )
    return with_types(found) if inputs.double else found


def _types(signature: Signature, inputs: _Inputs) -> list[tuple[str, Any]]:
    """Return the inputs of the graph as skl2onnx declares them."""
    from skl2onnx.common import data_types as types

    def kind(field: Field, width: int) -> Any:
        if field.datatype == "string":
            return types.StringTensorType([None, width])
        if inputs.whole and field.datatype.startswith(("int", "uint")):
            return types.Int64TensorType([None, width])
        return (types.DoubleTensorType if inputs.double else types.FloatTensorType)([None, width])

    if inputs.matrix:
        return [("X", kind(signature.inputs[0], len(signature.inputs)))]
    return [(field.name, kind(field, 1)) for field in signature.inputs]


def _of_boosting(model: Any, sample: Any, signature: Signature, inputs: _Inputs) -> Any:
    import onnxmltools
    from onnxmltools.convert.common.data_types import FloatTensorType

    library = next(kind.__module__ for kind in type(model).__mro__).partition(".")[0]
    options: dict[str, Any] = {"zipmap": False} if library == "lightgbm" else {}
    return getattr(onnxmltools, f"convert_{library}")(
        model,
        name=type(model).__name__,
        initial_types=[("X", FloatTensorType([None, len(signature.inputs)]))],
        target_opset=_BOOSTED_OPSET,
        **options,
    )


def _of_torch(model: Any, sample: Any, signature: Signature, inputs: _Inputs) -> Any:
    import onnx
    import torch

    columns = sample if isinstance(sample, dict) else {"X": np.asarray(sample)}
    tensors = {name: torch.as_tensor(np.asarray(values)[:2]) for name, values in columns.items()}
    content = io.BytesIO()
    with torch.no_grad():
        torch.onnx.export(
            model.eval(),
            tuple(tensors.values()),
            content,
            dynamo=False,  # the other exporter needs onnxscript
            input_names=list(tensors),
            output_names=["prediction"],
            dynamic_axes={name: {0: "rows"} for name in (*tensors, "prediction")},
        )
    return onnx.load_model_from_string(content.getvalue())


_CONVERTERS: dict[str, tuple[str, Callable[[Any, Any, Signature, _Inputs], Any]]] = {
    "lightgbm": ("onnxmltools", _of_boosting),
    "xgboost": ("onnxmltools", _of_boosting),
    "torch": ("torch", _of_torch),
    "sklearn": ("skl2onnx", _of_sklearn),
}
"""Per library the distribution that converts, and how. Wrappers derive from scikit-learn, and come first."""


def _trimmed(found: Any, signature: Signature) -> Any:
    """Return a graph without the scores that converters add to a model that answers only predictions."""
    methods = {output.method for output in signature.outputs}
    single = methods == {"predict"} and len(signature.outputs) == 1
    if single and len(found.graph.output) > 1:
        del found.graph.output[1:]
    return found


@contextmanager
def _silence() -> Iterator[None]:
    """Print nothing and let no warning escape; what is wrong is raised."""
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def _reason(error: BaseException) -> str:
    """Return what a converter says, without the pages of attributes that it may add."""
    said = " ".join(str(error).split())
    shown = said if len(said) <= _SHOWN else f"{said[:_SHOWN]} …"
    cause = f" ({type(error.__cause__).__name__}: {error.__cause__})" if error.__cause__ else ""
    return f"{type(error).__name__}: {shown}{cause}"
