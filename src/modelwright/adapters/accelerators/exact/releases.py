"""Which releases of scikit-learn were examined, and what they are set to.

Kernels are the library's private functions, and what is done around them was read in these releases and is tested with
them. With any other release, or with settings that change what methods do, nothing is accelerated.
"""

from __future__ import annotations

EXAMINED = ("1.9",)
"""Releases whose answers were compared, bit for bit."""

_SETTINGS = {
    "assume_finite": False,
    "transform_output": "default",
    "enable_metadata_routing": False,
    "array_api_dispatch": False,
}


def is_examined() -> bool:
    """Say whether the installed release was examined, and is set to its defaults."""
    import sklearn

    release = ".".join(sklearn.__version__.split(".")[:2])
    settings = sklearn.get_config()
    return release in EXAMINED and all(settings.get(name, value) == value for name, value in _SETTINGS.items())
