"""Write a ``.keras`` archive again so that the same model gives the same bytes, and holds what answering needs.

Called by :mod:`modelwright.adapters.formats.keras`. Keras names shared objects by their memory address and dates the
archive; entries come in the order of a directory. The optimizer's state and how the model was compiled are for
training; they would make the archive three times as big, and name losses that nobody needs.
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from modelwright.adapters.loaders.keras_loader import ASSETS, CONFIG, METADATA, WEIGHTS, entries

ENTRY_DATE = (1980, 1, 1, 0, 0, 0)
"""Date of every entry: the earliest that ZIP can hold. Source: APPNOTE.TXT 6.3.10, 4.4.6."""
_TRAINING = ("optimizer", "_loss_tracker", "_compile_metrics")
"""Groups at the root of the weights that belong to how a model was compiled."""


def rewrite(source: Path, target: Path, *, package: str) -> None:
    """Write an archive of Keras again: entries stored, sorted and undated, without what only training needs.

    Args:
        source: What ``keras.Model.save`` wrote.
        target: The file to write.
        package: Import package; its own classes and functions are named by module and name, which no other can take.
    """
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        new.writestr(_entry(CONFIG), _config(json.loads(old.read(CONFIG)), package))
        version = json.loads(old.read(METADATA))["keras_version"]
        new.writestr(_entry(METADATA), json.dumps({"keras_version": version}))
        new.writestr(_entry(WEIGHTS), _weights(old.read(WEIGHTS)))
        for name in sorted(name for name in old.namelist() if name.startswith(ASSETS)):
            new.writestr(_entry(name), old.read(name))


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, ENTRY_DATE)
    entry.create_system, entry.external_attr = 3, 0o100644 << 16
    return entry


def _config(config: Any, package: str) -> str:
    numbers: dict[int, int] = {}
    for entry, _ in entries(config):
        entry.pop("compile_config", None)
        if "shared_object_id" in entry:
            address = entry["shared_object_id"]
            entry["shared_object_id"] = numbers.setdefault(address, len(numbers))
        if str(entry.get("module")).startswith(f"{package}."):
            _name_own(entry)
    return json.dumps(config, separators=(",", ":"))


def _name_own(entry: dict[str, Any]) -> None:
    """Name a class or function of the package by where it is; names that users register can be taken twice."""
    if entry["class_name"] == "function":
        name = str(entry["config"]).rpartition(">")[2]
        entry["config"] = entry["registered_name"] = f"{entry['module']}>{name}"
    else:
        entry["registered_name"] = f"{entry['module']}>{entry['class_name']}"


def _weights(content: bytes) -> bytes:
    import h5py

    written = io.BytesIO()
    with h5py.File(io.BytesIO(content)) as old, h5py.File(written, "w") as new:
        for name in sorted(set(old) - set(_TRAINING)):
            old.copy(name, new)
    return written.getvalue()
