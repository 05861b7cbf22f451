"""Give the model that is code: a module with ``predict``, a function, or a class with ``predict``.

For: the runtime, which carries a copy of this file in every package stored in the python format. There is no
artifact; the code in the package is the model. It does not import anything but the package itself.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any


class FunctionModel:
    """A plain function as something that has ``predict``.

    Example:
        >>> FunctionModel(len).predict([1, 2])
        2
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def predict(self, rows: Any) -> Any:
        """Call the function with the rows."""
        return self.function(rows)


def audit(artifacts: Path, options: dict[str, Any], package: str) -> list[str]:
    """Name the entry if it does not live in the package itself, so that no manifest can lead elsewhere."""
    module, attribute = options["module"], options.get("attribute", "")
    name = f"{module}.{attribute}" if attribute else module
    return [] if name.startswith(f"{package}.") else [name]


def load(artifacts: Path, options: dict[str, Any], package: str, trusted: Iterable[str]) -> object:
    """Import the module and give its entry: the module itself, an instance of the class, or the wrapped function."""
    found = importlib.import_module(options["module"])
    for part in filter(None, options.get("attribute", "").split(".")):
        found = getattr(found, part)
    return as_model(found)


def as_model(found: Any) -> Any:
    """Return something that has ``predict``: what was found, an instance of it, or a wrapper around it.

    Example:
        >>> as_model(len).predict("four")
        4
    """
    if isinstance(found, type):
        return found()
    return found if hasattr(found, "predict") else FunctionModel(found)
