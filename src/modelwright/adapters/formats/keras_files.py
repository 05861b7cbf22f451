"""Know the files of Keras by their content, and open them in safe mode after a look into their configuration.

Called by :mod:`modelwright.adapters.formats.keras`. A ``.keras`` archive says all of it in two JSON files; an HDF5 file
has the same text in attributes, which are read with h5py if it is there. Keras itself is not imported to look.
"""

from __future__ import annotations

import json
import mmap
import shutil
import sys
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from modelwright.adapters.loaders import keras_loader
from modelwright.adapters.loaders.keras_loader import configs
from modelwright.capturing.distributions import owner
from modelwright.capturing.formats import FileReport
from modelwright.errors import LoaderError, MissingExtraError, PinError, Problem, UnsafeFileError

HDF5 = b"\x89HDF\r\n\x1a\n"
"""Signature of an HDF5 file. Source: HDF5 File Format Specification 3.0, III.A."""
ZIP = b"PK\x03\x04"
"""Signature of the first entry. Source: APPNOTE.TXT 6.3.10, 4.3.7."""
BACKENDS = ("tensorflow", "jax", "torch")
"""Backends that train and answer, what Keras tries first in front; the names are also those of their modules."""


def examine(path: Path) -> FileReport | None:
    """Say what a file or folder is, by its content; ``None`` if Keras wrote none such.

    Raises:
        UnsafeFileError: It names layers that run code or read elsewhere, or classes that are not Keras' own.
        PinError: Keras 2 wrote it.
        LoaderError: It holds weights only, or is damaged.
    """
    if path.is_dir():
        return _examine_folder(path)
    if _starts_with(path, HDF5):
        return _examine_hdf5(path)
    return _examine_archive(path) if _starts_with(path, ZIP) else None


def _examine_folder(path: Path) -> FileReport | None:
    config, metadata = path / configs.CONFIG, path / configs.METADATA
    if not (config.is_file() and metadata.is_file() and b"keras_version" in metadata.read_bytes()):
        return None
    names = [each.relative_to(path).as_posix() for each in path.rglob("*") if not each.is_dir()]
    return _judge(path, config.read_bytes(), metadata.read_bytes(), names)


def _examine_archive(path: Path) -> FileReport | None:
    try:
        with zipfile.ZipFile(path) as archive:
            if not {configs.CONFIG, configs.METADATA} <= set(archive.namelist()):
                return None
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
                raise _damaged(path, "Its members are compressed, as Keras never writes them.")
            if broken := archive.testzip():
                raise _damaged(path, f"{broken} does not have its checksum.")
            config, metadata = archive.read(configs.CONFIG), archive.read(configs.METADATA)
            return _judge(path, config, metadata, archive.namelist())
    except (zipfile.BadZipFile, EOFError) as error:
        if _mentions(path, b"keras_version"):
            raise _damaged(path, str(error)) from error
        return None


def _judge(path: Path, config: bytes, metadata: bytes, names: list[str]) -> FileReport | None:
    try:
        version = str(json.loads(metadata)["keras_version"])
        named = configs.strangers(configs.read_config(config)) + configs.foreign_files(names)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _damaged(path, f"{type(error).__name__}: {error}") from error
    _check_version(version, path)
    _refuse(named, path)
    return FileReport(kind=f"Keras {version} model", versions={"keras": version}, requires=_required())


def _examine_hdf5(path: Path) -> FileReport | None:
    if find_spec("h5py") is None:
        if _mentions(path, b"keras_version") and _mentions(path, b"model_config"):
            return FileReport(kind="Keras model in HDF5", requires=_required())
        return None
    import h5py

    try:
        with h5py.File(path, "r") as file:
            if "model_config" not in file.attrs:
                _refuse_weights(file, path)
                return None
            version, backend = (_text(file.attrs.get(name, "")) for name in ("keras_version", "backend"))
            config, named = json.loads(_text(file.attrs["model_config"])), configs.links_of(file)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        if _mentions(path, b"model_config", b"keras_version", b"layer_names"):
            raise _damaged(path, f"{type(error).__name__}: {error}") from error
        return None
    _check_version(version, path)
    _refuse(named + configs.strangers(config, legacy=True), path)
    return FileReport(
        kind=f"Keras {version} model in HDF5",
        versions={"keras": version},
        requires=_required(backend),
        note="HDF5 is Keras' legacy format; the package holds a .keras archive.",
    )


def _refuse_weights(file: Any, path: Path) -> None:
    """Refuse a file that holds the weights of a network and not the network."""
    legacy = "layer_names" in file.attrs or "layer_names" in getattr(file.get("model_weights"), "attrs", {})
    if legacy or "layers" in file or "_layer_checkpoint_dependencies" in file:
        raise LoaderError(
            "The file holds the weights of a Keras model, and not the model.",
            where=str(path),
            hint="Make the model, model.load_weights(path), and capture it; or save it whole: model.save('m.keras').",
        )


def _check_version(version: str, path: Path) -> None:
    if not version.partition(".")[0].isdigit() or int(version.partition(".")[0]) >= 3:
        return
    raise PinError(
        f"The model was saved by Keras {version}, and the keras format is for Keras 3.",
        where=str(path),
        why="Keras 3 reads such files in part, and may give other answers without a word.",
        hint=f"With keras=={version}: model.export('folder'), and capture that SavedModel; or build the model in "
        "Keras 3, model.load_weights(…), and capture it.",
    )


def _refuse(named: list[str], path: Path) -> None:
    if named:
        raise UnsafeFileError(
            "Opening this file could run code or read other files; nothing was executed.",
            where=str(path),
            problems=[Problem(None, None, text) for text in named],
            why="Only Keras' own building blocks are opened, and never a Lambda: safe mode stays on, whoever vouches.",
            hint="If these are layers of yours: load the model yourself with custom_objects={…}, and capture the live "
            "model; their source then travels with it. Write a Lambda as a layer class.",
        )


def _required(backend: str = "") -> tuple[str, ...]:
    """Return the distributions that open a file: Keras, and the backend that it records, or the one that is here."""
    known = [backend] if backend in BACKENDS else [name for name in BACKENDS if owner(name)]
    module = next(iter(known), BACKENDS[0])
    return ("keras", "h5py", str(owner(module) or module))


def _starts_with(path: Path, signature: bytes) -> bool:
    with path.open("rb") as stream:
        return stream.read(len(signature)) == signature


def _mentions(path: Path, *words: bytes) -> bool:
    if not path.stat().st_size:
        return False
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return any(content.find(word) >= 0 for word in words)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _damaged(path: Path, why: str) -> LoaderError:
    return LoaderError(
        "The Keras model is cut off or damaged.", where=str(path), why=why, hint="Copy it again, or save it again."
    )


def open_file(path: Path) -> object:
    """Return the live model in a file that :func:`examine` knows; safe mode is on, whoever vouches for it.

    Raises:
        MissingExtraError: Keras' backend is not installed.
        UnsafeFileError: Its weights lie elsewhere.
        LoaderError: Keras fails to load it.
    """
    keras = _imported(path)
    with tempfile.TemporaryDirectory() as folder:
        named = _unpacked(path, Path(folder))
        try:
            if named.is_dir():
                _refuse(configs.look(named), path)
            return keras.saving.load_model(named, compile=False, safe_mode=True)
        except UnsafeFileError:
            raise
        except Exception as error:  # a library raises what it likes about a file
            raise LoaderError(
                "Keras cannot load the model.",
                where=str(path),
                why=f"{type(error).__name__}: {error}",
                hint="If it has layers of yours: load it yourself with custom_objects={…}, and capture the live model.",
            ) from error


def _imported(path: Path) -> Any:
    """Import Keras with the backend that its own configuration chooses, or with the only one that is here.

    Raises:
        MissingExtraError: That is not installed.
    """
    here = [name for name in BACKENDS if owner(name)]
    if "keras" not in sys.modules and len(here) == 1:
        return keras_loader.import_keras(here[0])
    try:
        with keras_loader.without_log_lines():
            import keras
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"Keras has no backend here: {error.name} is not installed.",
            where=str(path),
            hint='pip install "modelwright[tensorflow]"; with another backend, set KERAS_BACKEND=jax or torch.',
        ) from error
    return keras


def _unpacked(path: Path, folder: Path) -> Path:
    """Return a path that Keras takes for what it is; it decides by the name."""
    if path.is_dir():
        return path
    if _starts_with(path, ZIP):
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder)
        return folder
    named = folder / "model.h5"
    try:
        named.symlink_to(path.resolve())
    except OSError:  # Windows lets not everybody make links
        shutil.copyfile(path, named)
    return named
