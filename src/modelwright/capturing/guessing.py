"""Guess from a saved model, without opening it, which environment it wants, and whether this one will do.

Called by ``modelwright capture``. Versions that a file records are exact; from a pickle the names of its modules tell
what else must be there, and how old NumPy may be. It is a guess: the fresh process and ``verify`` prove it.

It does not: make the environment (:mod:`modelwright.inspecting.borrowed`), or open the file; one that would run code is
refused before an environment is made for it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from packaging.version import Version

from modelwright.capturing.distributions import installed
from modelwright.capturing.opcodes import PickleReport, read_globals
from modelwright.capturing.opening import look_at
from modelwright.capturing.saved import check_names

LIBRARIES = {
    "catboost": "catboost",
    "imblearn": "imbalanced-learn",
    "lightgbm": "lightgbm",
    "numpy": "numpy",
    "pandas": "pandas",
    "polars": "polars",
    "pyarrow": "pyarrow",
    "scipy": "scipy",
    "sklearn": "scikit-learn",
    "statsmodels": "statsmodels",
    "xgboost": "xgboost",
}
"""Distribution by the module that a pickle names, where the two are known to belong together."""
_NUMPY_2 = "numpy._core"
"""What NumPy 2 names in pickles. Source: NumPy 2.0 migration guide, ``numpy.core`` is now ``numpy._core``."""
_NUMPY_1 = "numpy.core"


class Guess(NamedTuple):
    """The environment that a file wants.

    Attributes:
        requirements: Requirements (PEP 508), sorted.
        extra: The extra of modelwright that captures it.
        why: Why this environment will not do.
    """

    requirements: tuple[str, ...]
    extra: str
    why: str


def guess_environment(path: Path, *, trust: Collection[str] = ()) -> Guess | None:
    """Return the environment that a saved model wants; ``None`` if this one will do, or nobody can tell.

    Args:
        path: The file or folder.
        trust: What the caller vouches for in a pickle.

    Raises:
        UnsafeFileError: Opening it would run code, wherever that is.
        LoaderError: It is cut off or damaged.
    """
    found = look_at(path)
    if found is not None:
        return _guess(found.report.versions, dict.fromkeys(found.report.requires, ""), extra=found.format.name)
    if path.is_dir():
        return None
    with path.open("rb") as stream:
        report = read_globals(stream)
    check_names(report, where=str(path), trust=trust)
    return _of_pickle(report)


def _of_pickle(report: PickleReport) -> Guess | None:
    modules = {name.rpartition(".")[0] for name in report.globals}
    ranges = {LIBRARIES[top]: "" for top in sorted({m.partition(".")[0] for m in modules}) if top in LIBRARIES}
    if "numpy" in ranges:
        second = any(f"{module}.".startswith(f"{_NUMPY_2}.") for module in modules)
        first = any(f"{module}.".startswith(f"{_NUMPY_1}.") for module in modules)
        ranges["numpy"] = ">=2" if second else "<2" if first else ""
    return _guess(report.versions, ranges, extra="sklearn")


def _guess(versions: Mapping[str, str], ranges: Mapping[str, str], *, extra: str) -> Guess | None:
    """Decide; only a version that the file records and that is not here is a reason to leave this environment."""
    others = {name: version for name, version in versions.items() if _here(name) != Version(version).public}
    if not others:
        return None
    told = (f"{name} {version} wrote it, {_here(name) or 'none'} is installed" for name, version in others.items())
    wanted = dict(ranges) | {name: f"=={version}" for name, version in versions.items()}
    wanted |= _of_their_time(versions, wanted)
    lines = tuple(sorted(f"{name}{limit}" for name, limit in wanted.items()))
    return Guess(lines, extra, "; ".join(told))


def _here(name: str) -> str:
    found = installed(name)
    return found.version if found else ""


def _of_their_time(versions: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    """Return limits that old releases do not declare themselves.

    Source: the wheels of scikit-learn before 1.4.2 are built against NumPy 1 and fail with NumPy 2 (scikit-learn 1.4.2
    release notes); scikit-learn before 1.8 does not know the string dtype of pandas 3.
    """
    limits: dict[str, str] = {}
    if "scikit-learn" in versions:
        release = Version(versions["scikit-learn"])
        if release < Version("1.4.2") or wanted.get("numpy") == "<2":
            limits["numpy"] = "<2"
        if release < Version("1.8"):
            limits["pandas"] = "<3"
    return limits
