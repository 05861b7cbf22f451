"""Write a saved Keras model again so that the same model gives the same bytes, and holds what answering needs.

Called by :mod:`modelwright.adapters.formats.keras`. Keras names shared objects by their memory address and dates what
it writes. The optimizer's state and how the model was compiled are for training; they would make the package three
times as big, and name losses that nobody needs.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from modelwright.adapters.loaders.keras_loader.configs import ASSETS, CONFIG, METADATA, WEIGHTS, entries

_TRAINING = ("optimizer", "_loss_tracker", "_compile_metrics")
"""Groups at the root of the weights that belong to how a model was compiled."""


def rewrite(source: Path, target: Path, *, package: str) -> None:
    """Write a saved model again, without what only training needs.

    Args:
        source: The folder that ``keras.Model.save`` wrote.
        target: The folder to write.
        package: Import package; its own classes and functions are named by module and name, which no other can take.
    """
    target.mkdir()
    (target / CONFIG).write_text(_config(json.loads((source / CONFIG).read_bytes()), package), "utf-8")
    version = json.loads((source / METADATA).read_bytes())["keras_version"]
    (target / METADATA).write_text(json.dumps({"keras_version": version}), "utf-8")
    _copy_weights(source / WEIGHTS, target / WEIGHTS)
    if any(path.is_file() for path in (source / ASSETS).rglob("*")):
        shutil.copytree(source / ASSETS, target / ASSETS)


def _config(config: Any, package: str) -> str:
    numbers: dict[int, int] = {}
    for entry, _ in entries(config):
        entry.pop("compile_config", None)
        if "shared_object_id" in entry:
            address = entry["shared_object_id"]
            entry["shared_object_id"] = numbers.setdefault(address, len(numbers))
        own = own_object(entry)
        if own is not None and own.__module__.startswith(f"{package}."):
            _name(entry, own)
    return json.dumps(config, separators=(",", ":"))


def _name(entry: dict[str, Any], own: Any) -> None:
    """Name a class or function by where it is; names that users register can be taken twice."""
    place = f"{own.__module__}>{own.__qualname__}"
    entry["module"], entry["registered_name"] = own.__module__, place
    if entry["class_name"] == "function":
        entry["config"] = place


def own_object(entry: dict[str, Any]) -> Any:
    """Return the user's class or function that an entry of a configuration names; ``None`` if it names none.

    Keras writes where a class is, but of a function only the name that it was registered with.
    """
    import keras

    name = str(entry["config"] if entry["class_name"] == "function" else entry.get("registered_name"))
    found = keras.saving.get_registered_object(name) if ">" in name else None
    if found is None and entry["class_name"] != "function":
        found = getattr(sys.modules.get(str(entry.get("module") or "__main__")), str(entry["class_name"]), None)
    own = callable(found) and found.__module__.partition(".")[0] not in ("keras", "builtins")
    return found if own else None


def _copy_weights(source: Path, target: Path) -> None:
    import h5py

    with h5py.File(source, "r") as old, h5py.File(target, "w") as new:
        for name in sorted(set(old) - set(_TRAINING)):
            old.copy(name, new)
