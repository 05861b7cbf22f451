"""Load a model from its folder. The order is law: interpreter → pins → sha256 → audit → deserialise.

Called by the generated package, by :func:`modelwright.load` and by the child processes of capture and verify.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from .acceleration import kept_form, load_module, make_form
from .compatibility import check_interpreter, check_pins
from .digests import DigestMemory
from .documents import read_manifest
from .errors import LoaderError, ModelwrightError, Problem, TrustError
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
    runtime = folder / "_runtime"
    loader = load_module(manifest["storage"]["loader"], runtime, package)
    native = _deserialise(loader, artifacts, manifest, package, _vouched(trust))
    form = kept_form(manifest)
    if form is None:
        return Model(native, manifest)
    with _one_kind_of_error(manifest, artifacts):
        fast = make_form(form, native, manifest, runtime=runtime, artifacts=artifacts, package=package)
    return Model(native, manifest, fast)


def _vouched(trust: Iterable[str]) -> frozenset[str]:
    return frozenset([trust] if isinstance(trust, str) else trust)


def _deserialise(
    loader: ModuleType, artifacts: Path, manifest: dict[str, Any], package: str, vouched: frozenset[str]
) -> object:
    options = manifest["storage"].get("options", {})
    with _one_kind_of_error(manifest, artifacts):
        named = list(loader.audit(artifacts, options, package))
        strangers = sorted(set(named) - vouched)
        if strangers:
            raise _untrusted(manifest, strangers)
        found: object = loader.load(artifacts, options, package, named)
    return found


@contextmanager
def _one_kind_of_error(manifest: dict[str, Any], artifacts: Path) -> Iterator[None]:
    try:
        yield
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
