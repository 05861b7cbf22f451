"""Look into a saved Keras model without Keras: what its configuration names, which files it has, where weights lie.

The configuration names classes that are made and functions that are called. Keras' own ``safe_mode`` stops what it
knows about, and older versions of it know less: what is named is judged here, before Keras reads it. Only Keras' own
building blocks and the code of the package pass; a layer that runs code from the file or reads files elsewhere never
does, whoever vouches for it.

Source: ``serialization_lib.py`` and ``saving_lib.py`` of Keras 3.8–3.15.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

CONFIG, METADATA, WEIGHTS, ASSETS = "config.json", "metadata.json", "model.weights.h5", "assets"
_ASSET = re.compile(rf"{ASSETS}(/(?!\.\.?(/|$))[^/\\]+)+/?")

_BLOCKS = (
    "activations|constraints|dtype_policies|initializers|layers|losses|metrics|models|ops|optimizers|quantizers|"
    "random|regularizers"
)
_OWN_CLASSES = re.compile(rf"keras(\.src)?(\.({_BLOCKS})(\.\w+)*)?")
_OWN_FUNCTIONS = re.compile(r"builtins|keras\.(activations|constraints|initializers|losses|metrics|ops|regularizers)")
_PLAIN = {"__keras_tensor__", "__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__"}
_REFUSED = {
    "Lambda": "runs code that is in the file",
    "__lambda__": "runs code that is in the file",
    "TFSMLayer": "reads a SavedModel elsewhere",
    "TorchModuleWrapper": "unpickles",
    "__typespec__": "names a type of another library",
}


def strangers(config: Any, package: str = "", *, legacy: bool = False) -> list[str]:
    """List what a configuration names beyond Keras' own building blocks and the package's code, with the layer.

    Args:
        config: The configuration, parsed.
        package: Import package whose own code the consumer imports anyway; empty for none.
        legacy: Whether it is of an HDF5 file, where Keras' own classes stand without their module.

    Example:
        >>> strangers({"class_name": "Lambda", "config": {"name": "twice"}, "module": "keras.layers"})
        ["keras.layers.Lambda in layer 'twice' runs code that is in the file"]
    """
    return sorted({text for _, text in judged(config, package, legacy=legacy)})


def judged(config: Any, package: str = "", *, legacy: bool = False) -> Iterator[tuple[dict[str, Any], str]]:
    """Give every such entry with what is wrong with it; see :func:`strangers`."""
    for entry, layer in entries(config):
        if text := _judge(entry, layer, package, legacy):
            yield entry, text


def entries(config: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Give every object that a configuration describes, with the name of the layer that it is in."""
    waiting: list[tuple[Any, str]] = [(config, "")]
    while waiting:
        value, layer = waiting.pop()
        if isinstance(value, list):
            waiting += [(each, layer) for each in reversed(value)]
        elif isinstance(value, dict):
            inner = value.get("config")
            if isinstance(inner, dict) and isinstance(inner.get("name"), str):
                layer = inner["name"]
            if "class_name" in value:
                yield value, layer
            waiting += [(each, layer) for each in reversed(list(value.values()))]


def _judge(entry: dict[str, Any], layer: str, package: str, legacy: bool) -> str:
    """Return what is wrong with one entry; empty if nothing is."""
    name, module, inner = str(entry["class_name"]), entry.get("module"), entry.get("config")
    shown = f"{module}.{inner}" if name == "function" else f"{module}.{name}" if module else name
    place = f"{shown} in layer {layer!r}" if layer else shown
    if name in _REFUSED:
        return f"{place} {_REFUSED[name]}"
    if isinstance(inner, dict) and isinstance(inner.get("vocabulary"), str):
        return f"{place} reads the file {inner['vocabulary']!r}"
    if package and str(module).startswith(f"{package}.") and str(module).replace(".", "").isidentifier():
        return ""
    if module is None:
        return "" if name in _PLAIN or (legacy and name.isidentifier()) else f"{place} is no class of Keras"
    own = _OWN_FUNCTIONS if name == "function" else _OWN_CLASSES
    registered = ">" in f"{entry.get('registered_name')}{inner if name == 'function' else ''}"
    return f"{place} is no part of Keras" if registered or not own.fullmatch(str(module)) else ""


def look(folder: Path, package: str = "") -> list[str]:
    """List the same of the folder of a saved model, an unpacked ``.keras`` archive.

    Raises:
        ValueError: The configuration is damaged.
        OSError: A file is missing, or the weights are damaged.
    """
    h5py: Any = import_module("h5py")
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    named = foreign_files(name for name, path in files.items() if path.is_symlink() or not path.is_dir())
    named += [f"file {name!r} is a link" for name, path in files.items() if path.is_symlink()]
    named += strangers(read_config((folder / CONFIG).read_bytes()), package)
    if named:
        return named
    with h5py.File(folder / WEIGHTS, "r") as file:
        return links_of(file)


def read_config(content: bytes) -> Any:
    """Return the configuration without how the model was compiled, which is for training and is never read."""
    config = json.loads(content)
    if not isinstance(config, dict):
        raise ValueError("the configuration is no object")
    return {key: value for key, value in config.items() if key != "compile_config"}


def foreign_files(names: Iterable[str]) -> list[str]:
    """List files that Keras does not write: other names, and paths that lead out of the folder.

    Example:
        >>> foreign_files(["config.json", "assets/words/vocabulary.txt", "assets/../../.bashrc"])
        ["file 'assets/../../.bashrc' is none of Keras"]
    """
    strange = (n for n in names if n not in (CONFIG, METADATA, WEIGHTS) and not _ASSET.fullmatch(n))
    return [f"file {name!r} is none of Keras" for name in strange]


def links_of(file: Any) -> list[str]:
    """List links and data sets of an open HDF5 file whose content lies elsewhere, in this file or another."""
    h5py: Any = import_module("h5py")
    found, waiting = [], [file]
    while waiting:
        group = waiting.pop()
        for name in group:
            path = f"{group.name.rstrip('/')}/{name}"
            if group.get(name, getlink=True, getclass=True) is not h5py.HardLink:
                found.append(f"weights {path!r} are a link")
                continue
            value = group[name]
            if isinstance(value, h5py.Group):
                waiting.append(value)
            elif value.external or value.is_virtual:
                found.append(f"weights {path!r} lie in another file")
    return sorted(found)
