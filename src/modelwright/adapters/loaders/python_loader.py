"""Give the model that is code: a module with ``predict``, a function, or a class with ``predict``.

For: the runtime, which carries a copy of this file in every package stored in the python format. The code in the
package is the model; its named parts, if it has any, are models in formats of their own, each loaded by its own loader
beside this file, or plain files. It does not import anything but the package itself.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any


class FunctionModel:
    """A plain function as something that has ``predict``.

    Example:
        >>> FunctionModel(len).predict([1, 2])
        2
        >>> FunctionModel(lambda rows, models: models["k"] * len(rows), {"k": 3}).predict([1, 2])
        6
    """

    def __init__(self, function: Callable[..., Any], models: dict[str, Any] | None = None) -> None:
        self.function = function
        self.given = {} if models is None else {"models": models}

    def predict(self, rows: Any) -> Any:
        """Call the function with the rows, and with its parts if it has any."""
        return self.function(rows, **self.given)


def audit(artifacts: Path, options: dict[str, Any], package: str) -> list[str]:
    """Name the entry if it does not live in the package itself, and what the loaders of the parts name."""
    module, attribute = options["module"], options.get("attribute", "")
    name = f"{module}.{attribute}" if attribute else module
    named = [] if name.startswith(f"{package}.") else [name]
    for part, said in options.get("models", {}).items():
        folder = _folder(artifacts, part)
        if "file" not in said:
            named += _loader(said["loader"]).audit(folder, said.get("options", {}), package)
    return sorted(set(named))


def load(artifacts: Path, options: dict[str, Any], package: str, trusted: Iterable[str]) -> object:
    """Import the module and give its entry: the module itself, an instance of the class, or the wrapped function."""
    vouched = list(trusted)
    found = importlib.import_module(options["module"])
    for part in filter(None, options.get("attribute", "").split(".")):
        found = getattr(found, part)
    if "models" not in options:
        return as_model(found)
    models = {name: _part(_folder(artifacts, name), said, package, vouched) for name, said in options["models"].items()}
    return as_model(found, models)


def as_model(found: Any, models: dict[str, Any] | None = None) -> Any:
    """Return something that has ``predict``: what was found, an instance of it, or a wrapper around it.

    Example:
        >>> as_model(len).predict("four")
        4
    """
    if isinstance(found, type):
        return found() if models is None else found(models=models)
    if models is not None:
        return FunctionModel(found.predict if isinstance(found, ModuleType) else found, models)
    return found if hasattr(found, "predict") else FunctionModel(found)


def _part(folder: Path, said: dict[str, Any], package: str, trusted: list[str]) -> Any:
    if "file" in said:
        return folder / said["file"]
    return _loader(said["loader"]).load(folder, said.get("options", {}), package, trusted)


def _folder(artifacts: Path, name: str) -> Path:
    if not name.isidentifier():
        raise ValueError(f"{name!r} is no name of a part")
    return artifacts / name


def _loader(name: str) -> Any:
    """Import the loader of a part, a file or folder beside this one, by a name of the package's own."""
    home, place = Path(__file__).parent, __name__.rpartition(".")[0]
    full, folder = f"{place}.{name}".strip("."), home / name
    whole = (folder / "__init__.py").is_file()
    spec = spec_from_file_location(
        full,
        folder / "__init__.py" if whole else home / f"{name}.py",
        submodule_search_locations=[str(folder)] if whole else None,
    )
    if not name.isidentifier() or spec is None or spec.loader is None:
        raise ValueError(f"{name!r} is no loader")
    module = module_from_spec(spec)
    if whole:
        sys.modules[full] = module
    spec.loader.exec_module(module)
    return module
