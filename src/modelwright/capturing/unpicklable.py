"""Find the part of a model that stands in the way of saving it, so that the refusal can name it.

Called by formats when saving has failed. It does not save anything.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any, NamedTuple

MAX_DEPTH = 50
"""Levels that are descended into; deeper nesting names the part at this level."""


class Culprit(NamedTuple):
    """The innermost part that cannot be pickled.

    Attributes:
        path: How to reach it, in Python (``model.steps[1][1].callback_``).
        type_name: Its type (``_thread.lock``).
        reason: What pickle says about it.
    """

    path: str
    type_name: str
    reason: str

    def __str__(self) -> str:
        """Say what is where: ``model.callback_ is a _thread.lock``."""
        return f"{self.path} is a {self.type_name}"


def culprit(model: object, *, path: str = "model") -> Culprit | None:
    """Return the innermost part of a model that pickle refuses; ``None`` if it refuses nothing.

    Example:
        >>> import threading
        >>> str(culprit({"steps": [1, threading.Lock()]}))
        "model['steps'][1] is a _thread.lock"
    """
    reason = _refusal(model)
    if not reason:
        return None
    for _ in range(MAX_DEPTH):
        inner = next(((p, v, r) for p, v in _parts(model, path) if (r := _refusal(v))), None)
        if inner is None:
            break
        path, model, reason = inner
    return Culprit(path, _type_name(model), reason)


def _refusal(value: object) -> str:
    try:
        pickle.Pickler(_Nowhere(), protocol=5).dump(value)
    except Exception as error:  # a __reduce__ or __getstate__ may raise anything at all
        return str(error) or type(error).__name__
    return ""


class _Nowhere:
    def write(self, data: Any) -> int:
        return len(data)


def _parts(value: Any, path: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        yield from ((f"{path}[{key!r}]", item) for key, item in value.items())
    elif isinstance(value, list | tuple):
        yield from ((f"{path}[{number}]", item) for number, item in enumerate(value))
    elif isinstance(getattr(value, "__dict__", None), dict) and not isinstance(value, type):
        yield from ((f"{path}.{name}", item) for name, item in vars(value).items())


def _type_name(value: object) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
