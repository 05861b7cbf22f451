"""Open whatever was given as a model: an object, a function, a class, a module, or the path of a saved one.

Called by capture. It does not decide whether a saved pickle may be opened: :mod:`modelwright.capturing.saved` does.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from modelwright.capturing.saved import open_saved
from modelwright.errors import ModelMismatchError, SourceError


class Given(NamedTuple):
    """A model in both of its shapes.

    Attributes:
        stored: What is stored: the object itself, or the function, class or module whose code is the model.
        asked: What is asked: the same, but an instance instead of a class.
    """

    stored: Any
    asked: Any


def open_model(model: Any, *, trust: Sequence[str]) -> Given:
    """Return a model, opened if it is the path of a file.

    Args:
        model: A live model, or the path of a saved one or of a ``.py`` file.
        trust: What the caller vouches for in a saved pickle.

    Raises:
        UnsafeFileError: The file would run code, and nobody vouched for it.
        SourceError: The ``.py`` file cannot be imported.
        ModelMismatchError: The class cannot be made without arguments.
    """
    if isinstance(model, str | Path):
        path = Path(model)
        model = _import(path) if path.suffix == ".py" else open_saved(path, trust=trust)
    if not inspect.isclass(model):
        return Given(model, model)
    try:
        return Given(model, model())
    except Exception as error:  # the constructor of the user may raise anything
        raise ModelMismatchError(
            f"The class {model.__qualname__} cannot be made without arguments.",
            why=f"{type(error).__name__}: {error}",
            hint=f"Give an instance instead: capture({model.__qualname__}(…), …).",
        ) from error


def _import(path: Path) -> ModuleType:
    """Import a file as the module its name says; the folder it lies in is where it finds its neighbours."""
    if not path.is_file():
        raise SourceError("There is no such file.", where=str(path))
    spec = importlib.util.spec_from_file_location(path.stem, path.resolve())
    if spec is None or spec.loader is None:
        raise SourceError("The file is no Python module.", where=str(path))
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # the user's module may raise anything
        del sys.modules[path.stem]
        raise SourceError(
            f"The file cannot be imported: {type(error).__name__}.", where=str(path), why=str(error)
        ) from error
    return module
