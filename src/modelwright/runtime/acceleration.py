"""Make the faster form of a model that capture has kept, as the manifest says.

A form is made from the loaded model itself (``exact``: the library's own kernels, called without what is around them),
or loaded from files of its own. Either way the model stays the reference: it is loaded as ever, and can be asked.

Called by loading. It does not decide whether a form answers the same: capture did, and the scenarios prove it again.
"""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from .conversion import build
from .errors import ManifestError

FOLDER = "accelerated"
"""Folder below the artifacts that holds the files of a form."""


def kept_form(manifest: dict[str, Any]) -> dict[str, Any] | None:
    """Return the form that a manifest keeps beside the model, if there is one.

    Example:
        >>> kept_form({"accelerations": [{"kind": "onnx"}, {"kind": "exact", "kept": True, "loader": "exact"}]})["kind"]
        'exact'
    """
    return next((form for form in manifest.get("accelerations", ()) if form.get("kept") and form.get("loader")), None)


def make_form(
    form: dict[str, Any], native: Any, manifest: dict[str, Any], *, runtime: Path, artifacts: Path, package: str
) -> Any:
    """Return the fast form: something with the methods of the model, and ``container``, which rows it takes.

    Args:
        form: Its entry in the manifest.
        native: The loaded model.
        manifest: The manifest.
        runtime: The folder of the runtime in the package, where the form's loader is.
        artifacts: The folder of the artifacts.
        package: Import name of the package.

    Raises:
        ManifestError: The loader is not there, or makes nothing of this model.
    """
    module = load_module(form["loader"], runtime, package)
    signature, methods = manifest["signature"], tuple(manifest["storage"].get("methods", ("predict",)))
    if hasattr(module, "accelerate"):
        made = module.accelerate(native, signature, methods, build)
        if made is None:
            raise ManifestError("The model has no faster form of the kind that its manifest keeps.", where=form["kind"])
        return made
    made = module.load(artifacts / FOLDER, form.get("options", {}), package, [])
    return Loaded(made, signature["container"])


class Loaded:
    """A form with files of its own, and the rows it takes.

    Args:
        model: What its loader made.
        container: What the model itself was trained on.
    """

    def __init__(self, model: Any, container: str) -> None:
        self.model = model
        self.container = "numpy" if container == "numpy" else "columns"

    def __getattr__(self, name: str) -> Any:
        """Return a method of the model."""
        return getattr(self.__dict__["model"], name)


def load_module(name: str, runtime: Path, package: str) -> ModuleType:
    """Import a loader that travels with a package: a file, or a folder of modules that import each other.

    It is known by a name of the package's own, so two packages never share one.

    Raises:
        ManifestError: It is not there.
    """
    path, folder = runtime / f"{name}.py", runtime / name
    full = f"{package}.model._runtime.{name}"
    if str(name).isidentifier() and (folder / "__init__.py").is_file():
        spec = spec_from_file_location(full, folder / "__init__.py", submodule_search_locations=[str(folder)])
    elif str(name).isidentifier() and path.is_file():
        spec = spec_from_file_location(full, path)
    else:
        raise ManifestError(f"The package has no loader {name!r}.", where=str(path), hint="Install the package again.")
    if spec is None or spec.loader is None:
        raise ManifestError(f"The loader {name!r} is no Python module.", where=str(path))
    module = module_from_spec(spec)
    if spec.submodule_search_locations:
        sys.modules[full] = module
    spec.loader.exec_module(module)
    return module
