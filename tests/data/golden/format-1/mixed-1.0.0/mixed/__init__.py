"""A packaged machine-learning model.

``load()`` gives the model, ``predict(rows)`` its answers in the kind of container that the rows came in, ``manifest()``
what it is. Every other method of the model (``predict_proba``, ``transform`` …) is here under its own name.
Importing this package loads nothing; the model is loaded when it is first used.
"""

# mypy: ignore-errors

from __future__ import annotations

from . import model as _model
from .model import load, manifest


def __getattr__(name):
    """Return a method of the model (PEP 562)."""
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(_model, name)


def __dir__():
    return sorted({*globals(), *dir(_model)})


__all__ = ["load", "manifest"]
