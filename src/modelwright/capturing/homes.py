"""Tell where a module comes from: the running script, the user's own files, an installed distribution, or Python.

Called by the other modules that collect code and dependencies. It imports nothing and executes nothing.
"""

from __future__ import annotations

import site
import sys
import sysconfig
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Literal

Home = Literal["main", "local", "installed", "standard"]
"""``main``: script or notebook; ``local``: a file of the user's, also of an editable install; ``installed``: a
distribution that an index can give; ``standard``: Python itself."""

_TOOL = __name__.partition(".")[0]


@cache
def _folders() -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    paths = sysconfig.get_paths()
    installed = {paths["purelib"], paths["platlib"], *site.getsitepackages(), site.getusersitepackages()}
    installed |= {entry for entry in sys.path if Path(entry).name in ("site-packages", "dist-packages")}
    standard = {paths["stdlib"], paths["platstdlib"]}
    return tuple(Path(p).resolve() for p in installed), tuple(Path(p).resolve() for p in standard)


def home_of_file(file: Path) -> Home:
    """Return where a file belongs, by its folder.

    Example:
        >>> import json
        >>> home_of_file(Path(json.__file__))
        'standard'
    """
    path, (installed, standard) = file.resolve(), _folders()
    if any(path.is_relative_to(folder) for folder in installed):
        return "installed"
    return "standard" if any(path.is_relative_to(folder) for folder in standard) else "local"


def home_of_module(name: str) -> Home:
    """Return where a module belongs, by its name; it need not be imported.

    Example:
        >>> home_of_module("numpy.linalg"), home_of_module("json"), home_of_module("__main__")
        ('installed', 'standard', 'main')
    """
    top = name.partition(".")[0]
    if top in ("__main__", "__mp_main__"):
        return "main"
    if top in sys.stdlib_module_names or top == "builtins":
        return "standard"
    if top == _TOOL:
        return "installed"
    files = module_files(name) or module_files(top)
    return home_of_file(files[0]) if files else "installed"


def module_files(name: str) -> tuple[Path, ...]:
    """Return the file of a module, or the folders of a namespace package; empty if it has neither."""
    module = sys.modules.get(name)
    file = getattr(module, "__file__", None)
    if isinstance(file, str):
        return (Path(file),)
    spec = find_spec(name)
    if spec is None:
        return ()
    if spec.has_location and spec.origin:
        return (Path(spec.origin),)
    return tuple(Path(folder) for folder in spec.submodule_search_locations or ())


def find_spec(name: str) -> ModuleSpec | None:
    """Find a module along ``sys.path`` without importing it or its parents; ``None`` if it is not there."""
    known = getattr(sys.modules.get(name), "__spec__", None)
    if isinstance(known, ModuleSpec):
        return known
    parent, _, _ = name.rpartition(".")
    if not parent:
        return PathFinder.find_spec(name)
    above = find_spec(parent)
    if above is None or above.submodule_search_locations is None:
        return None
    return PathFinder.find_spec(name, list(above.submodule_search_locations))
