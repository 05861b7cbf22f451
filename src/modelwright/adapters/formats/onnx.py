"""The onnx format: graphs of standard operators, answered by onnxruntime alone.

For: capture, with an ``onnx.ModelProto`` or an ``.onnx`` file. What is captured needs onnxruntime and NumPy: neither
``onnx`` nor the library that the model was trained with.

The same model gives the same bytes: protobuf is serialised deterministically, names are kept. Two things are changed:
maps from class to probability become a tensor, and big initialisers lie in a file that onnxruntime maps.
"""

from __future__ import annotations

import shutil
import tempfile
import warnings
import weakref
from collections.abc import Collection
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from modelwright.adapters.formats.onnx_files import report_on
from modelwright.adapters.formats.onnx_graph import (
    classifier,
    declared_outputs,
    provenance,
    read_graph,
    strange_operators,
    task,
)
from modelwright.adapters.formats.onnx_rows import any_rows, declared_rows
from modelwright.adapters.formats.onnx_weights import is_big, serialised, write_model
from modelwright.adapters.loaders import onnx_loader
from modelwright.capturing.formats import Adapted, FileReport, Saved
from modelwright.errors import LoaderError, MissingExtraError, ModelMismatchError, SerialisationError

_TRIED = 1000
"""So many rows of the sample are asked to see which outputs are a label with probabilities."""


class OnnxFormat:
    """ONNX files; see :class:`modelwright.capturing.formats.Format`."""

    name = "onnx"
    loader = Path(onnx_loader.__file__)
    distributions = ("numpy", "onnxruntime")
    executes_code = False
    portable = True
    self_contained = True

    def claims(self, model: object) -> int:
        """Claim models of ``onnx``."""
        kind = type(model)
        return 95 if kind.__name__ == "ModelProto" and kind.__module__.partition(".")[0] == "onnx" else 0

    def answering(self, model: object, sample: Any) -> Adapted:
        """Run a graph with onnxruntime, and return it as something that answers rows.

        Raises:
            ModelMismatchError: The rows are not what the graph declares, or it takes a fixed number of rows.
            SerialisationError: It is no graph, or one that onnxruntime cannot run on processors.
            MissingExtraError: onnxruntime is not installed.
        """
        if find_spec("onnx") is None or find_spec("onnxruntime") is None:
            raise MissingExtraError(
                "The onnx format needs onnx and onnxruntime.", hint='pip install "modelwright[onnx]"'
            )
        if not self.claims(model):
            raise SerialisationError(
                f"A {type(model).__qualname__} is no ONNX model.",
                hint="Convert it first, for example with skl2onnx.to_onnx(model, X), and capture the result.",
            )
        graph = read_graph(model)
        rows = any_rows(graph.inputs) if sample is None else declared_rows(sample, graph.inputs)
        source, running = _started(graph.model)
        options = provenance(graph.model) | {
            "inputs": graph.inputs,
            "outputs": graph.outputs,
            "takes": rows.takes,
            "columns": rows.columns,
        }
        options |= {"one_by_one": True} if graph.one_by_one else {}
        options |= {"task": kind} if (kind := task(graph)) else {}
        try:
            found = _tried(onnx_loader.OnnxModel(running, options), rows.sample)
        except ModelMismatchError:
            if sample is not None:
                raise
            found = []  # not even zeros of any length: what calls it knows what it takes
        options |= classifier(graph, found) if found else {}
        answering = onnx_loader.answering(running, options)
        answering.source = source
        if isinstance(source, Path):
            weakref.finalize(answering, shutil.rmtree, source, ignore_errors=True)
        outputs = declared_outputs(graph, found, options)
        sample = None if sample is None else rows.sample
        return Adapted(answering, sample, fields=rows.fields, outputs=outputs)

    def save(self, model: object, artifacts: Path, *, package: str) -> Saved:
        """Write ``model.onnx``, and ``model.onnx.data`` for big ones.

        Raises:
            SerialisationError: The model is none that this format made answer.
        """
        source = getattr(model, "source", None)
        if not isinstance(model, onnx_loader.OnnxModel) or source is None:
            raise SerialisationError(
                f"A {type(model).__qualname__} is no ONNX model.", hint="Give an onnx.ModelProto or an .onnx file."
            )
        if isinstance(source, bytes):
            (artifacts / onnx_loader.ARTIFACT).write_bytes(source)
        else:
            for path in sorted(source.iterdir()):
                shutil.copyfile(path, artifacts / path.name)
        return Saved(options=model.options)

    def examine(self, path: Path) -> FileReport | None:
        """Say what a file is by its protobuf; ``None`` if it is no ONNX model.

        Raises:
            UnsafeFileError: Its tensors would be read from elsewhere than files beside it.
            LoaderError: It is cut off or damaged.
        """
        return report_on(path)

    def open(self, path: Path, *, trust: Collection[str]) -> object:
        """Return the ``onnx.ModelProto`` in a file, with its external tensors.

        Raises:
            UnsafeFileError: Its tensors would be read from elsewhere than files beside it.
            LoaderError: onnx fails to load it.
        """
        import onnx

        if report_on(path) is None:
            raise LoaderError("This is no ONNX model.", where=str(path))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return onnx.load(path)
        except Exception as error:  # protobuf, ONNX's own checks and the system each raise their own
            raise LoaderError(
                "The ONNX model cannot be loaded.", where=str(path), why=f"{type(error).__name__}: {error}"
            ) from error


def _started(model: Any) -> tuple[bytes | Path, Any]:
    """Return what is stored of a model, its bytes or a temporary folder of files, and onnxruntime running on it."""
    source: bytes | Path
    if is_big(model):
        source = Path(tempfile.mkdtemp(prefix="modelwright-onnx-"))
        write_model(model, source)
    else:
        source = serialised(model)
    try:
        if isinstance(source, bytes):
            return source, onnx_loader.session(source, shared=False)
        return source, onnx_loader.session(str(source / onnx_loader.ARTIFACT), shared=True)
    except Exception as error:  # onnxruntime raises a type of its own for each kind of failure
        if isinstance(source, Path):
            shutil.rmtree(source, ignore_errors=True)
        strange = strange_operators(model)
        raise SerialisationError(
            f"onnxruntime does not have {', '.join(strange)}." if strange else "onnxruntime cannot run this model.",
            why=str(error).replace("[ONNXRuntimeError] : ", "onnxruntime: "),
            hint="Libraries of custom operators are not shipped: export the model with standard ones."
            if strange
            else "Export it for processors, with operators that this onnxruntime has.",
        ) from error


def _tried(model: Any, sample: Any) -> list[Any]:
    """Return the outputs of a graph for some rows of the sample.

    Raises:
        ModelMismatchError: It fails.
    """
    from modelwright.capturing.table import Table

    table = Table.of(sample)
    try:
        found = model.predict(table.take(np.arange(min(table.n_rows, _TRIED))))
    except Exception as error:  # onnxruntime raises a type of its own for each kind of failure
        raise ModelMismatchError(
            "The graph cannot answer the sample.",
            why=f"{type(error).__name__}: {error}",
            hint="Give rows as the model was trained with them.",
        ) from error
    return list(found.values()) if isinstance(found, dict) else [found]


FORMAT = OnnxFormat()
