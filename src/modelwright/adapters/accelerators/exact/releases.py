"""Which releases of scikit-learn were examined, and what they are set to.

Kernels are the library's private functions, and what is done around them was read in these releases and is tested with
them. With any other release, or with settings that change what methods do, nothing is accelerated.
"""

from __future__ import annotations

from typing import Any

EXAMINED = ((1, 5), (1, 6), (1, 7), (1, 8), (1, 9))
"""Releases whose answers were compared, bit for bit."""

_SETTINGS = {
    "assume_finite": False,
    "transform_output": "default",
    "enable_metadata_routing": False,
    "array_api_dispatch": False,
}


def release() -> tuple[int, int]:
    """Return the first two numbers of the installed release."""
    import sklearn

    first, second = sklearn.__version__.split(".")[:2]
    return int(first), int(second)


def is_examined() -> bool:
    """Say whether the installed release was examined, and is set to its defaults."""
    import sklearn

    settings = sklearn.get_config()
    return release() in EXAMINED and all(settings.get(name, value) == value for name, value in _SETTINGS.items())


def allows_nan(step: Any) -> bool:
    """Say whether an estimator takes NaN, by its tags."""
    try:
        from sklearn.utils import get_tags
    except ImportError:  # before 1.6
        return bool(step._get_tags()["allow_nan"])
    return bool(get_tags(step).input_tags.allow_nan)
