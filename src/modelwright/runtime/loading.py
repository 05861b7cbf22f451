"""Load a model from its folder. The order is law: interpreter → pins → sha256 → audit → deserialise.

Called by the generated package, by :func:`modelwright.load` and by the child processes of capture and verify.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from .compatibility import check_interpreter, check_pins
from .digests import DigestMemory
from .documents import read_manifest
from .errors import LoaderError, ManifestError, ModelwrightError, Problem, TrustError
from .integrity import check_artifacts
from .model import Model


def load(folder: str | Path, *, package: str, trust: Iterable[str] = ()) -> Model:
    """Load the model of a folder, after everything was checked that can be checked without loading it.

    Args:
        folder: The model folder (``…/churn/model``).
        package: Import name of the package around it (``churn``); its own code must be importable.
        trust: Types that the caller vouches for, if the audit names any.

    Raises:
        ManifestError: The folder holds no manifest, or one without a loader.
        FormatVersionError: The manifest is newer than this runtime.
        InterpreterError: The package was not verified on this Python.
        PinError: A library is missing or has another version.
        IntegrityError: An artifact is not the one that was captured, or the weights are not installed.
        TrustError: The artifact names types nobody vouched for.
        LoaderError: The loader failed although all of this held.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    check_interpreter(manifest)
    check_pins(manifest)
    artifacts = check_artifacts(folder, manifest, memory=DigestMemory())
    loader = _loader(folder, manifest, package)
    return Model(_deserialise(loader, artifacts, manifest, package, _vouched(trust)), manifest)


def _vouched(trust: Iterable[str]) -> frozenset[str]:
    return frozenset([trust] if isinstance(trust, str) else trust)


def _loader(folder: Path, manifest: dict[str, Any], package: str) -> ModuleType:
    """Import the loader file that travels with the package; it is not registered, so two packages never share one."""
    name = manifest["storage"]["loader"]
    path = folder / "_runtime" / f"{name}.py"
    if not str(name).isidentifier() or not path.is_file():
        raise ManifestError(f"The package has no loader {name!r}.", where=str(path), hint="Install the package again.")
    spec = spec_from_file_location(f"{package}.model._runtime.{name}", path)
    if spec is None or spec.loader is None:
        raise ManifestError(f"The loader {name!r} is no Python module.", where=str(path))
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _deserialise(
    loader: ModuleType, artifacts: Path, manifest: dict[str, Any], package: str, vouched: frozenset[str]
) -> object:
    options = manifest["storage"].get("options", {})
    try:
        named = list(loader.audit(artifacts, options, package))
        strangers = sorted(set(named) - vouched)
        if strangers:
            raise _untrusted(manifest, strangers)
        return loader.load(artifacts, options, package, named)
    except ModelwrightError:
        raise
    except Exception as error:  # whatever a library raises while it loads, the user gets one kind of error
        name, version = manifest["name"], manifest["version"]
        raise LoaderError(
            f"{name} {version} cannot be loaded, although interpreter, pins and digests match.",
            where=str(artifacts),
            why=f"{type(error).__name__}: {error}",
            hint=f"Prove the package elsewhere: modelwright verify {name}=={version}",
        ) from error


def _untrusted(manifest: dict[str, Any], strangers: list[str]) -> TrustError:
    listed = ", ".join(map(repr, strangers))
    return TrustError(
        f"{manifest['name']} {manifest['version']} contains types that nobody vouched for.",
        problems=[Problem(None, None, name) for name in strangers],
        why="Constructing a type can run its code. Nothing was loaded.",
        hint=f"Look at what they do, then: load(trust=[{listed}])",
    )
