"""The tensorflow format: SavedModel folders, as TensorFlow wrote them or made of a live module.

For: capture, as the default for ``tf.Module`` and what else TensorFlow tracks, and with folders that hold a
``saved_model.pb``. A live model is exported first and asked through that, so what answers is what is stored.

What a graph may do is decided in the loader, beside the code that applies it. Each signature is a method of the model:
``predict`` is ``serving_default`` or the only one, others are chosen with ``methods=["classify"]``.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Any

from modelwright.adapters.formats.tensor_samples import declare
from modelwright.adapters.formats.tensorflow_export import exported
from modelwright.adapters.loaders import tensorflow_loader
from modelwright.adapters.loaders.tensorflow_loader import ASSETS, FOLDER, GRAPH, VARIABLES, Rows
from modelwright.adapters.loaders.tensorflow_loader.graphs import Scan, scan
from modelwright.capturing.distributions import owner
from modelwright.capturing.formats import Adapted, FileReport, Saved
from modelwright.errors import LoaderError, ModelMismatchError, Problem, SerialisationError, UnsafeFileError

_TRACKED = "tensorflow.python.trackable.autotrackable.AutoTrackable"


class SavedModel:
    """A SavedModel in a folder, which is loaded when it is asked.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder


class TensorFlowFormat:
    """SavedModel folders; see :class:`modelwright.capturing.formats.Format`."""

    name = "tensorflow"
    loader = Path(tensorflow_loader.__file__).parent
    executes_code = False
    portable = True
    self_contained = True

    @property
    def distributions(self) -> tuple[str, ...]:
        """The distribution that has TensorFlow here: ``tensorflow``, ``tensorflow-cpu`` or another build of it."""
        return (str(owner("tensorflow") or "tensorflow"),)

    def claims(self, model: object) -> int:
        """Claim what TensorFlow tracks; models of Keras 3 among it are claimed more by the keras format."""
        if isinstance(model, SavedModel | Rows):
            return 95
        return 90 if any(f"{kind.__module__}.{kind.__qualname__}" == _TRACKED for kind in type(model).__mro__) else 0

    def answering(self, model: Any, sample: Any) -> Adapted:
        """Return the model as what answers rows, and the rows in the dtypes that its default signature declares.

        Raises:
            ModelMismatchError: The model does not take such rows.
            SerialisationError: It has no signature, a signature that takes no rows, or operations that do more than
                calculate or cannot run here.
        """
        folder = model.folder if isinstance(model, SavedModel) else exported(model)
        found = scan((folder / GRAPH).read_bytes())
        if found.problems:
            raise SerialisationError(
                f"This model has {found.problems[0]}, which no package may run.",
                problems=[Problem(None, None, text) for text in found.problems],
                hint="Keep reading files and calling Python outside of the graph: give code that does it, and the "
                "model as a part of it (models={…}).",
            )
        _check_signatures(found, folder)
        rows = Rows(folder, found.signatures)
        if sample is None or rows.default not in rows.signatures:
            return Adapted(rows, sample)
        signature, sample = _taking(rows, sample)
        _try(rows, signature, sample)
        return Adapted(rows, sample)

    def save(self, model: object, artifacts: Path, *, package: str) -> Saved:
        """Copy the graph, the variables and the assets.

        Raises:
            SerialisationError: It is no model that ``answering`` made.
        """
        if not isinstance(model, Rows):
            raise SerialisationError(
                f"A {type(model).__qualname__} is no TensorFlow model.",
                hint="Give a tf.Module, the folder of a SavedModel, or choose another format.",
            )
        target = artifacts / FOLDER
        target.mkdir()
        shutil.copyfile(model.folder / GRAPH, target / GRAPH)
        for name in (VARIABLES, ASSETS):
            files = sorted(path for path in (model.folder / name).rglob("*") if path.is_file())
            for path in files:
                place = target / path.relative_to(model.folder)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, place)
        return Saved(options={"signatures": model.signatures})

    def examine(self, path: Path) -> FileReport | None:
        """Say what a SavedModel folder is; ``None`` for anything else.

        Raises:
            UnsafeFileError: Its graph calls Python, or reads or writes files.
            LoaderError: It is damaged, or in a form that is not supported.
        """
        if not path.is_dir():
            return None
        if not (path / GRAPH).is_file():
            _refuse_other_forms(path)
            return None
        try:
            found = scan((path / GRAPH).read_bytes())
        except (ValueError, TypeError) as error:
            raise LoaderError(
                "The SavedModel is cut off or damaged.",
                where=str(path / GRAPH),
                why=str(error),
                hint="Copy the folder again, or export the model again.",
            ) from error
        _refuse(found, path)
        _check_links(path)
        return FileReport(
            kind=f"TensorFlow {found.version} SavedModel",
            versions={self.distributions[0]: found.version},
            requires=self.distributions,
        )

    def open(self, path: Path, *, trust: Collection[str]) -> object:
        """Return the folder as a model; it is loaded when it is asked."""
        return SavedModel(path)


def _refuse_other_forms(path: Path) -> None:
    for name, what in (("saved_model.pbtxt", "as text"), ("saved_model.cpb", "in chunks")):
        if (path / name).is_file():
            raise LoaderError(
                f"A SavedModel {what} is not supported.",
                where=str(path / name),
                hint="Load it and save it again: tf.saved_model.save(tf.saved_model.load(path), 'folder').",
            )


def _refuse(found: Scan, path: Path) -> None:
    if found.problems and found.problems[0].startswith("a graph of TensorFlow 1"):
        raise LoaderError(
            "The SavedModel was written by TensorFlow 1.",
            where=str(path),
            hint="Load it with TensorFlow 2 and save it again: loaded = tf.saved_model.load(path); "
            "tf.saved_model.save(loaded, 'folder', signatures=loaded.signatures).",
        )
    if found.problems:
        raise UnsafeFileError(
            "Running this graph could run code or read other files; nothing was executed.",
            where=str(path / GRAPH),
            problems=[Problem(None, None, text) for text in found.problems],
            why="A SavedModel is a program; a package runs only those that calculate, whoever vouches.",
            hint="Export the model without it: keep reading files and calling Python outside of the graph.",
        )


def _check_links(path: Path) -> None:
    """Refuse links, which could lead out of the folder."""
    for each in path.rglob("*"):
        if each.is_symlink():
            raise UnsafeFileError(
                "A file of the SavedModel is a link.", where=str(each), hint="Copy the folder with cp -rL."
            )


def _check_signatures(found: Scan, folder: Path) -> None:
    if not found.signatures:
        raise SerialisationError(
            "The model has no signature, so nobody could say what it takes.",
            where=str(folder),
            hint="Decorate one method: @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, name='x')]); "
            "or tf.saved_model.save(model, folder, signatures={'serving_default': model.method}).",
        )
    for name, signature in found.signatures.items():
        for entry in signature["inputs"]:
            if not entry["dtype"] or not entry["shape"]:
                raise SerialisationError(
                    f"Input {entry['name']!r} of the signature {name!r} has no axis of rows, or a dtype that rows "
                    "cannot have.",
                    hint="Export a signature whose inputs are dense tensors with None as first axis.",
                )


def _taking(rows: Rows, sample: Any) -> tuple[str, Any]:
    """Return the first signature that takes a sample, and the sample as that declares it.

    Raises:
        ModelMismatchError: None takes it; why the default does not is told.
    """
    reasons: dict[str, ValueError] = {}
    for name in dict.fromkeys([rows.default, *rows.signatures]):
        inputs = rows.signatures[name]["inputs"]
        declared = declare(sample, {entry["name"]: entry["dtype"] for entry in inputs})
        try:
            rows.tensors(inputs, declared)
        except ValueError as error:
            reasons[name] = error
        else:
            return name, declared
    raise ModelMismatchError(
        "The sample is not what the model takes.",
        why=str(reasons[rows.default]),
        hint="Name the columns like the inputs, or give one dict of arrays by input: {'image': …, 'age': …}.",
    ) from reasons[rows.default]


def _try(rows: Rows, signature: str, sample: Any) -> None:
    """Ask about one row, to tell operations that this machine does not have.

    Raises:
        SerialisationError: There are such.
    """
    import tensorflow as tf

    tensors = rows.tensors(rows.signatures[signature]["inputs"], sample)
    try:
        rows.ask(signature, {name: tensor[:1] for name, tensor in tensors.items()})
    except tf.errors.OpError as error:
        if "OpKernel" in str(error):  # of anything else, capture itself tells, with the rows
            raise SerialisationError(
                "The model has operations that this machine's processor cannot run.",
                why=str(error)[:500],
                hint="It was made for graphics cards only; export it for both, in Keras with use_cudnn=False.",
            ) from error


FORMAT = TensorFlowFormat()
