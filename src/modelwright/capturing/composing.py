"""Open the named parts of a composed model, and hand them to the code that puts them together.

Called by opening, when capture is given ``models=``: a function ``predict(rows, models)``, a class that is made with
``models``, or a module with such a function. A part is a live model, the path of a saved one, or the path of any other
file or folder, which travels as it is. The loading half of the ``python`` format does the same in a package.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from modelwright.capturing.opcodes import read_globals
from modelwright.errors import ModelMismatchError, SourceError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class ComposedModel:
    """Code and its parts as one thing that has ``predict``, for a function or a module.

    Example:
        >>> ComposedModel(lambda rows, models: [row["x"] * models["k"] for row in rows], {"k": 2}).predict([{"x": 4}])
        [8]
    """

    def __init__(self, function: Callable[..., Any], models: Mapping[str, Any]) -> None:
        self.predict = partial(function, models=models)


def check_names(models: Mapping[str, Any]) -> None:
    """Check that every part can be a folder in the package.

    Raises:
        SourceError: A name is not an identifier.
    """
    for name in models:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise SourceError(
                f"{name!r} cannot be the name of a part.",
                hint="Use letters, digits and underscores: models={'risk_model': …}.",
            )


def is_plain_file(part: Any, *, is_model: Callable[[Path], bool]) -> bool:
    """Say whether a part is a file or folder that travels as it is, no saved model.

    Args:
        part: What was given.
        is_model: Says whether a format knows the file.

    Raises:
        SourceError: There is no such file.
    """
    if not isinstance(part, str | Path):
        return False
    path = Path(part)
    if not path.exists():
        raise SourceError("There is no such file for a part of the model.", where=str(path))
    return not is_model(path) and not (path.is_file() and _is_pickle(path))


def _is_pickle(path: Path) -> bool:
    with path.open("rb") as stream:
        return not read_globals(stream).problem


def compose(glue: Any, models: Mapping[str, Any]) -> Any:
    """Return what is asked: an instance of the class, or a function or module with its parts.

    Raises:
        ModelMismatchError: The code takes no ``models``, or is none.
    """
    try:
        if isinstance(glue, type):
            return glue(models=models)
    except Exception as error:  # the constructor of the user may raise anything
        raise ModelMismatchError(
            f"The class {glue.__qualname__} cannot be made with its parts.",
            why=f"{type(error).__name__}: {error}",
            hint="Define 'def __init__(self, models): …'.",
        ) from error
    function = getattr(glue, "predict", None) if isinstance(glue, ModuleType) else glue
    if not callable(function) or hasattr(function, "predict"):
        raise ModelMismatchError(
            f"A {type(glue).__qualname__} cannot be given parts.",
            hint="Give a function predict(rows, models), or a class made with models, beside models={…}.",
        )
    return ComposedModel(function, models)
