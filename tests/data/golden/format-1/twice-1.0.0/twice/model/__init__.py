"""The model folder: what was captured, and how to use it.

It does not load the model, or anything heavy, before it is used.
"""

# mypy: ignore-errors

from __future__ import annotations

from _thread import allocate_lock  # the threading module would cost more than everything else here

_FOLDER = __path__[0]  # noqa: F821 (every package has it)
_PACKAGE = __name__.rpartition(".")[0]
_lock = allocate_lock()
_loaded = None
_manifest = None


def load(*, trust=()):
    """Load the model once, after interpreter, pins, digests and types were checked; later calls give the same one.

    Args:
        trust: Types that you vouch for, if the model contains any that nobody reviewed.

    Raises:
        CompatibilityError: This is not an environment that the model was proved in.
        SafetyError: The files are not those that were captured, or contain types that nobody vouched for.
    """
    global _loaded
    with _lock:
        if _loaded is None:
            from ._runtime import load as load_folder

            _loaded = load_folder(_FOLDER, package=_PACKAGE, trust=trust)
    return _loaded


def manifest():
    """Return the manifest as plain data; nothing is loaded."""
    from ._runtime import read_manifest

    return read_manifest(_FOLDER)


def _methods():
    global _manifest
    if _manifest is None:
        _manifest = manifest()
    return _manifest["storage"].get("methods", ["predict"])


def __getattr__(name):
    """Return a method of the model: a function that loads it when it is first called (PEP 562)."""
    if name.startswith("_") or name not in _methods():
        listed = "" if name.startswith("_") else f"; this model has {', '.join(_methods())}"
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{listed}")

    def method(rows):
        return load().call(name, rows)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"Return what ``{name}`` of the model answers for rows, in the kind of container they came in."
    globals()[name] = method
    return method


def __dir__():
    return sorted({*globals(), *_methods()})
