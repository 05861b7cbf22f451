"""Nothing in a Keras file runs or reads elsewhere: what safe mode lets through in some version is refused by name."""

from __future__ import annotations

import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras
import networks
import pytest

from modelwright.adapters.formats.keras_files import open_file
from modelwright.adapters.loaders import keras_loader
from modelwright.capturing.formats import format_named
from modelwright.capturing.opening import open_model
from modelwright.errors import LoaderError, MissingExtraError, PinError, UnsafeFileError
from modelwright.testing import Trap

FORMAT = format_named("keras")


def saved(folder: Path) -> Path:
    path = folder / "model.keras"
    networks.dense().save(path)
    return path


def altered(path: Path, **members: bytes | None) -> Path:
    """Write the archive again with other members."""
    target = path.with_name("altered.keras")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        kept = {name: old.read(name) for name in old.namelist()}
        for name, content in (kept | {key.replace("__", "."): value for key, value in members.items()}).items():
            if content is not None:
                new.writestr(name, content)
    return target


def with_layer(path: Path, layer: dict[str, Any]) -> Path:
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
    config["config"]["layers"].append(layer)
    return altered(path, config__json=json.dumps(config).encode())


def entry(module: str | None, name: str, config: Any, registered: str | None = None) -> dict[str, Any]:
    return {"module": module, "class_name": name, "config": config, "registered_name": registered}


def activated(function: dict[str, Any]) -> dict[str, Any]:
    return entry("keras.layers", "Activation", {"name": "trap", "activation": function})


HOSTILE = {
    "a Lambda": (entry("keras.layers", "Lambda", {"name": "trap", "function": "x"}), "keras.layers.Lambda"),
    "a lambda anywhere": (activated({"class_name": "__lambda__", "config": {"value": "gA=="}}), "__lambda__"),
    "a function of another module": (activated(entry("os", "function", "system", "system")), "os.system"),
    "a function of Keras that downloads": (
        activated(entry("keras.utils", "function", "get_file", "get_file")),
        "keras.utils.get_file",
    ),
    "a function that turns safe mode off": (
        activated(entry("keras.config", "function", "enable_unsafe_deserialization", "x")),
        "keras.config.enable_unsafe_deserialization",
    ),
    "a function that loads models": (
        activated(entry("keras.models", "function", "load_model", "load_model")),
        "keras.models.load_model",
    ),
    "a function inside Keras": (
        activated(entry("keras.src.saving.saving_api", "function", "load_model", "x")),
        "keras.src.saving.saving_api.load_model",
    ),
    "a class of another module": (entry("subprocess", "Popen", {"name": "trap"}), "subprocess.Popen"),
    "a class that looks like Keras'": (
        entry("keras_evil.layers", "Dense", {"name": "trap"}),
        "keras_evil.layers.Dense",
    ),
    "a class without a module": (entry(None, "Mine", {"name": "trap"}, "Mine"), "Mine"),
    "a registered class with a Keras module": (
        entry("keras.layers", "Dense", {"name": "trap"}, "ours>Scaled"),
        "keras.layers.Dense",
    ),
    "a callback": (entry("keras.callbacks", "BackupAndRestore", {"name": "trap"}), "keras.callbacks.BackupAndRestore"),
    "a SavedModel elsewhere": (
        entry("keras.layers", "TFSMLayer", {"name": "trap", "filepath": "/tmp/other"}),
        "keras.layers.TFSMLayer",
    ),
    "a pickled torch module": (
        entry("keras.layers", "TorchModuleWrapper", {"name": "trap", "module": "gA=="}),
        "keras.layers.TorchModuleWrapper",
    ),
    "a vocabulary elsewhere": (
        entry("keras.layers", "StringLookup", {"name": "trap", "vocabulary": "/etc/passwd"}),
        "/etc/passwd",
    ),
    "a type of another library": (
        entry(None, "__typespec__", {"name": "trap"}) | {"spec_name": "X", "module": "evil"},
        "__typespec__",
    ),
}


@pytest.mark.parametrize("which", HOSTILE)
def test_a_file_that_names_more_than_keras_layers_is_refused(which: str, tmp_path: Path) -> None:
    layer, name = HOSTILE[which]
    path = with_layer(saved(tmp_path), layer)
    with pytest.raises(UnsafeFileError) as caught:
        open_model(path, sample=networks.ROWS, choice=None, trust=["file"])
    assert name in str(caught.value)
    assert "trap" in str(caught.value)
    assert "safe mode" in str(caught.value)


@pytest.mark.parametrize("which", HOSTILE)
def test_a_package_that_names_more_than_keras_layers_is_named_by_the_audit(which: str, tmp_path: Path) -> None:
    layer, name = HOSTILE[which]
    with zipfile.ZipFile(with_layer(saved(tmp_path), layer)) as archive:
        archive.extractall(tmp_path / "network")
    named = keras_loader.audit(tmp_path, {}, "package")
    assert len(named) == 1
    assert name in named[0]


def test_a_lambda_in_hdf5_is_refused_though_keras_once_opened_it(tmp_path: Path) -> None:
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    path = tmp_path / "model.h5"
    network.save(path)
    code = {"name": "trap", "function": ["gA==", None, None], "function_type": "lambda"}
    with h5py.File(path, "a") as file:
        config = json.loads(file.attrs["model_config"])
        config["config"]["layers"].append({"class_name": "Lambda", "config": code})
        file.attrs["model_config"] = json.dumps(config)
    with pytest.raises(UnsafeFileError, match="Lambda in layer 'trap'"):
        FORMAT.examine(path)


def test_weights_that_lie_in_another_file_are_refused(tmp_path: Path) -> None:
    weights = tmp_path / "model.weights.h5"
    with zipfile.ZipFile(saved(tmp_path)) as archive:
        weights.write_bytes(archive.read("model.weights.h5"))
    with h5py.File(weights, "a") as file:
        del file["layers/dense/vars/0"]
        file["layers/dense/vars/0"] = h5py.ExternalLink("/etc/other.h5", "/secret")
    path = altered(tmp_path / "model.keras", **{"model.weights.h5": weights.read_bytes()})
    with pytest.raises(UnsafeFileError, match="weights '/layers/dense/vars/0' are a link"):
        open_file(path)


def test_members_that_lead_out_of_the_archive_are_refused(tmp_path: Path) -> None:
    path = altered(saved(tmp_path), **{"assets/../../../trap.txt": b"x"})
    with pytest.raises(UnsafeFileError, match=r"assets/../../../trap.txt"):
        FORMAT.examine(path)


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_a_file_of_keras_2_is_told_its_version_and_the_way(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    networks.dense().save(path)
    if name.endswith("h5"):
        with h5py.File(path, "a") as file:
            file.attrs["keras_version"] = "2.15.0"
    else:
        path = altered(path, metadata__json=b'{"keras_version": "2.15.0"}')
    with pytest.raises(PinError, match=r"Keras 2\.15\.0") as caught:
        FORMAT.examine(path)
    assert "model.export" in caught.value.hint


def test_a_file_of_another_keras_3_is_told_what_to_install(tmp_path: Path) -> None:
    path = altered(saved(tmp_path), metadata__json=b'{"keras_version": "3.9.0"}')
    with pytest.raises(PinError) as caught:
        open_model(path, sample=networks.ROWS, choice=None, trust=[])
    assert "pip install keras==3.9.0" in str(caught.value)


@pytest.mark.parametrize("legacy", [True, False])
def test_weights_without_their_network_are_refused_with_the_way(legacy: bool, tmp_path: Path) -> None:
    path = tmp_path / "model.weights.h5"
    networks.dense().save_weights(path)
    if legacy:
        networks.dense().save(tmp_path / "whole.h5")
        with h5py.File(tmp_path / "whole.h5") as whole, h5py.File(path, "w") as file:
            whole.copy("model_weights", file)
    with pytest.raises(LoaderError, match="weights of a Keras model") as caught:
        FORMAT.examine(path)
    assert "load_weights" in caught.value.hint


def test_damaged_archives_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path)
    for damage in (
        altered(path, config__json=b"{"),
        altered(path, config__json=b"[1]"),
        altered(path, config__json=b"[" * 100_000),
    ):
        with pytest.raises(LoaderError, match="cut off or damaged"):
            FORMAT.examine(damage)
    with pytest.raises(LoaderError, match="cannot load"):
        open_file(altered(path, **{"model.weights.h5": b"\x89HDF\r\n\x1a\n"}))
    half = tmp_path / "half"
    half.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(LoaderError, match="cut off or damaged"):
        FORMAT.examine(half)


def test_a_pickle_called_keras_is_opened_as_the_pickle_that_it_is(tmp_path: Path) -> None:
    path, marker = tmp_path / "model.keras", tmp_path / "ran"
    path.write_bytes(pickle.dumps(Trap(marker)))
    assert FORMAT.examine(path) is None
    with pytest.raises(UnsafeFileError, match=r"posix\.mkdir"):
        open_model(path, sample=networks.ROWS, choice=None, trust=[])
    assert not marker.exists()


def test_a_hdf5_file_of_others_is_none_of_keras(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "table.h5", "w") as file:
        file["rows"] = [1, 2]
    assert FORMAT.examine(tmp_path / "table.h5") is None


def test_without_keras_one_line_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelwright.capturing.opening.installed", lambda name: None)
    with pytest.raises(MissingExtraError) as caught:
        open_model(saved(tmp_path), sample=networks.ROWS, choice=None, trust=[])
    assert caught.value.hint == f'pip install "modelwright[keras]" keras=={keras.__version__} tensorflow-cpu'
