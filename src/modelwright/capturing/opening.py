"""Open whatever was given as a model: an object, a function, a class, a module, or the path of a saved one.

Called by capture. It does not decide whether a saved pickle may be opened: :mod:`modelwright.capturing.saved` does.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from modelwright.capturing.saved import import_file, open_saved
from modelwright.errors import ModelMismatchError


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
        PinError: It was saved by another version of a library.
        LoaderError: It is no saved model.
        SourceError: The ``.py`` file cannot be imported.
        ModelMismatchError: The class cannot be made without arguments.
    """
    if isinstance(model, str | Path):
        path = Path(model)
        model = import_file(path) if path.suffix == ".py" else open_saved(path, trust=trust)
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
