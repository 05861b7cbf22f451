"""The keras format: Keras 3 models without code, as unpacked ``.keras`` archives with the same bytes every time.

For: capture, as the default for ``keras.Model``, and with ``.keras`` and HDF5 files that Keras wrote. What Keras writes
is rewritten (:mod:`.keras_archive`).

It does not decide what a model may name: that is in the loader, beside the code that applies it. The answers are
those of the loader's :class:`~modelwright.adapters.loaders.keras_loader.Rows`, live and loaded.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from modelwright.adapters.formats.keras_archive import own_object, rewrite
from modelwright.adapters.formats.keras_files import BACKENDS, examine, open_file
from modelwright.adapters.formats.tensor_samples import declare
from modelwright.adapters.loaders import keras_loader
from modelwright.adapters.loaders.keras_loader import Rows
from modelwright.adapters.loaders.keras_loader.configs import entries, judged
from modelwright.capturing.formats import Adapted, FileReport, Saved
from modelwright.errors import ModelMismatchError, SerialisationError


class KerasFormat:
    """Saved Keras models; see :class:`modelwright.capturing.formats.Format`."""

    name = "keras"
    loader = Path(keras_loader.__file__).parent
    distributions = ("keras", "h5py")
    executes_code = False
    portable = True
    self_contained = True  # but for the user's own layers, which ``answering`` names

    def claims(self, model: object) -> int:
        """Claim models of Keras 3; those of Keras 2 are for the tensorflow format."""
        kinds = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(model).__mro__}
        return 95 if "keras.src.models.model.Model" in kinds else 0

    def answering(self, model: Any, sample: Any) -> Adapted:
        """Return the model as what answers rows, and the rows in the dtypes that its inputs declare.

        Raises:
            ModelMismatchError: The model was never built, or does not take such rows.
            SerialisationError: A layer runs code of its own that no archive can hold.
        """
        import keras

        if not model.built:
            raise ModelMismatchError(
                "The model has never been built, so it has no weights yet.",
                hint="Call it once, or fit it: model(X[:1]).",
            )
        backend = keras.config.backend()
        if backend not in BACKENDS:
            raise SerialisationError(
                f"Models with the Keras backend {backend!r} are not supported.",
                hint=f"Load it with one of {', '.join(BACKENDS)}: KERAS_BACKEND=tensorflow.",
            )
        own = tuple(_own_objects(_configuration(model)))
        rows = Rows(model, {"backend": backend, **_interface(model)})
        sample = declare(sample, {entry["name"]: entry["dtype"] for entry in rows.options["inputs"]})
        try:
            if sample is not None:  # a part of a composed model is asked by its code
                rows.tensors(sample)
        except ValueError as error:
            raise ModelMismatchError(
                "The sample is not what the model takes.",
                why=str(error),
                hint="Name the columns like the inputs, or give one dict of arrays by input: {'image': …, 'age': …}.",
            ) from error
        return Adapted(rows, sample, (sys.modules[backend], *own))

    def save(self, model: object, artifacts: Path, *, package: str) -> Saved:
        """Write the folder of the model, an unpacked ``.keras`` archive.

        Raises:
            SerialisationError: It is no model that ``answering`` made, Keras cannot store it, or a layer is neither
                Keras' own nor part of the package.
        """
        if not isinstance(model, Rows):
            raise SerialisationError(
                f"A {type(model).__qualname__} is no Keras 3 model.",
                hint="Give a keras.Model, or choose another format.",
            )
        with tempfile.TemporaryDirectory() as folder:
            written = Path(folder, "written")
            try:
                with warnings.catch_warnings(action="ignore"):
                    model.keras_model.save(written, zipped=False)
            except Exception as error:  # Keras calls get_config and save_own_variables of every layer
                raise _unwritable(model.keras_model, error) from error
            rewrite(written, artifacts / keras_loader.FOLDER, package=package)
        if named := keras_loader.audit(artifacts, {}, package):
            raise _refusal(named[0])
        return Saved(options=model.options)

    def examine(self, path: Path) -> FileReport | None:
        """Say what a ``.keras`` archive or an HDF5 file of Keras is; see :mod:`.keras_files`."""
        return examine(path)

    def open(self, path: Path, *, trust: Collection[str]) -> object:
        """Return the live model, loaded in safe mode whatever is vouched for; see :mod:`.keras_files`."""
        return open_file(path)


def _refusal(named: str) -> SerialisationError:
    return SerialisationError(
        f"{named}, so no file can hold it.",
        hint="Write it as a layer class with call and get_config; its source then travels with the package.",
    )


def _configuration(model: Any) -> Any:
    import keras

    try:
        with warnings.catch_warnings(action="ignore"):  # what it warns of is refused, with the layer
            return keras.saving.serialize_keras_object(model)
    except Exception as error:  # Keras calls get_config of every layer
        raise _unwritable(model, error) from error


def _unwritable(model: object, error: Exception) -> SerialisationError:
    return SerialisationError(
        f"Keras cannot store this {type(model).__qualname__}.",
        why=f"{type(error).__name__}: {error}",
        hint="Give every layer of yours get_config.",
    )


def _own_objects(config: Any) -> Iterator[Any]:
    """Find the user's classes and functions that a configuration names, without how it was compiled.

    Raises:
        SerialisationError: One of them cannot be found again by its name, or runs code from the archive.
    """
    config = {key: value for key, value in config.items() if key != "compile_config"}
    for entry, wrong in judged(config):
        found = own_object(entry)
        if found is None:
            raise _refusal(wrong)
        yield found
    for entry, layer in entries(config):
        if entry["class_name"] == "function" and not _is_known(str(entry["config"])):
            raise SerialisationError(
                f"Keras does not know the function {entry['config']!r} in layer {layer!r}.",
                why="It writes functions by name, and finds only its own and registered ones again.",
                hint="Put @keras.saving.register_keras_serializable() on it, and make the model again.",
            )


def _is_known(name: str) -> bool:
    import keras

    blocks = (keras.activations, keras.constraints, keras.initializers, keras.losses, keras.metrics, keras.regularizers)
    return ">" in name or any(hasattr(block, name) for block in blocks)


def _interface(model: Any) -> dict[str, Any]:
    """Say what a model takes and gives, by name."""
    import keras

    if getattr(model, "inputs", None) is None:
        return {"inputs": [_built_for(model)], "style": "one", "outputs": []}
    taken, given = _structures(model)
    style = "dict" if isinstance(taken, Mapping) else "list" if isinstance(taken, list | tuple) else "one"
    named = dict(taken) if isinstance(taken, Mapping) else {tensor.name: tensor for tensor in keras.tree.flatten(taken)}
    if any(not hasattr(tensor, "dtype") or tensor.sparse for tensor in named.values()):
        raise SerialisationError(
            "The model takes nested or sparse inputs.", hint="Give it one dense keras.Input per input."
        )
    inputs = [
        {"name": name, "shape": list(tensor.shape[1:]), "dtype": str(tensor.dtype)} for name, tensor in named.items()
    ]
    return {"inputs": inputs, "style": style, "outputs": list(model.output_names) if isinstance(given, list) else []}


def _structures(model: Any) -> tuple[Any, Any]:
    """Return the inputs and outputs of a functional or sequential model, in the nesting that it was made with."""
    import keras

    if isinstance(model, keras.Sequential):
        return model.inputs[0], model.outputs[0]
    return model.input, model.output


def _built_for(model: Any) -> dict[str, Any]:
    """Return the one input of a subclassed model, as it was built; it has no name of its own.

    Raises:
        SerialisationError: It was built for several.
    """
    shape = (model.get_build_config() or {}).get("input_shape")
    if not isinstance(shape, list | tuple) or not all(axis is None or isinstance(axis, int) for axis in shape):
        raise SerialisationError(
            f"{type(model).__qualname__} does not say what it takes.",
            why="A subclassed model with several inputs has no names and dtypes for them.",
            hint="Make it a functional model: keras.Model(inputs, outputs).",
        )
    return {"name": "inputs", "shape": list(shape[1:]), "dtype": str(model.input_dtype)}


FORMAT = KerasFormat()
