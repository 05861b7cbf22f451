"""Load a model package and predict with it, using the standard library only.

For: every packaged model. Capture copies this folder verbatim into the model folder (as ``_runtime``), so a
wheel runs where modelwright was never installed. Called by the generated ``__init__`` and ``__main__`` of the
model folder, by :func:`modelwright.load` and by the child processes of capture and verify.

The flow, a module per step: ``documents`` (read the manifest) → ``compatibility`` (interpreter, pins) →
``integrity`` (digests) → the loader (audit, load) make ``loading``; ``containers`` (take rows apart) → ``values``
(judge them) → ``conversion`` (build what the model wants) → the model → ``answers`` (check, give back the caller's
kind) make ``model``, with ``shortcuts`` past the middle for rows that are surely fine.

It does not: import anything outside the standard library when it is imported, import modelwright (all imports
in here are relative), read environment variables (but those that say where the user's cache folder is), or write
into an installed package.
"""

from __future__ import annotations

TYPE_CHECKING = False  # the typing module costs more than everything else that `import NAME` does
if TYPE_CHECKING:
    from .documents import read_manifest
    from .loading import load
    from .model import Model

_HOMES = {"Model": "model", "load": "loading", "read_manifest": "documents"}
__all__ = ["Model", "load", "read_manifest"]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value
