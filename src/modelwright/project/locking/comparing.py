"""Say how a lock differs from an earlier one, distribution by distribution.

Called by :mod:`modelwright.project.locking.lock`. Pure: texts in, sentences out. Files that an index got since (a wheel
for another platform) are no difference; files that it lost or changed are.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any, NamedTuple

import tomlkit
from packaging.pylock import Pylock, PylockUnsupportedVersionError, PylockValidationError

from modelwright.errors import LockError
from modelwright.project.locking.asking import PYLOCK, REQUIREMENTS

_PINNED = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*?)(?P<source>==| @ )(?P<version>[^;\\]+)(?:;(?P<marker>[^\\]*))?")
_HASH = re.compile(r"--hash=(\S+)")


class Locked(NamedTuple):
    """One distribution of a lock: where it applies, which version, which files."""

    name: str
    marker: str
    version: str
    hashes: frozenset[str]


def differences(name: str, old: str | None, new: str) -> list[str]:
    """Say how a new text of a lock file differs from the one that is there.

    Args:
        name: Name of the file, which says how to read it.
        old: The text that is there; ``None``: there is no such file.
        new: The text that should be.

    Example:
        >>> differences("requirements.txt", "numpy==2.3.0 --hash=sha256:0", "numpy==2.4.6 --hash=sha256:1")
        ['numpy 2.3.0 → 2.4.6']
    """
    if old is None:
        return [f"{name} is missing"]
    if name not in (PYLOCK, REQUIREMENTS):
        return [f"{name} is another"] if old != new else []
    read = _of_pylock if name == PYLOCK else _of_requirements
    try:
        before, after = _by_name(read(old)), _by_name(read(new))
    except (tomllib.TOMLDecodeError, KeyError):
        return [f"{name} is no lock"]
    found = [f"{name} {_versions(before[name])} is no longer needed" for name in sorted(before.keys() - after)]
    found += [f"{name} {_versions(after[name])} is new" for name in sorted(after.keys() - before)]
    for name in sorted(before.keys() & after):
        found += _between(name, before[name], after[name])
    return found or _for_other_pythons(old, new)


def _between(name: str, old: Mapping[str, Locked], new: Mapping[str, Locked]) -> list[str]:
    """Compare what two locks say of one distribution, by marker."""
    if _versions(old) != _versions(new):
        return [f"{name} {_versions(old)} → {_versions(new)}"]
    if old.keys() != new.keys():
        return [f"{name} {_versions(old)} is for other platforms: {_markers(old)} → {_markers(new)}"]
    if any(not old[marker].hashes <= new[marker].hashes for marker in old):
        return [f"{name} {_versions(old)} has other files on the index"]
    return []


def _versions(locked: Mapping[str, Locked]) -> str:
    return ", ".join(sorted({each.version for each in locked.values()}))


def _markers(locked: Mapping[str, Locked]) -> str:
    return " or ".join(sorted(marker or "all" for marker in locked))


def _for_other_pythons(old: str, new: str) -> list[str]:
    lines = [re.findall(r"^requires-python = .*$|^# Locked by .*$", text, re.MULTILINE) for text in (old, new)]
    return [f"{' '.join(lines[0])} → {' '.join(lines[1])}"] if lines[0] != lines[1] else []


def _by_name(locked: list[Locked]) -> dict[str, dict[str, Locked]]:
    """Group by name and, where platforms differ, by marker."""
    found: dict[str, dict[str, Locked]] = {}
    for each in locked:
        found.setdefault(each.name, {})[each.marker] = each
    return found


def check_pylock(text: str, where: str) -> str:
    """Return the text of a lock if it is one.

    Raises:
        LockError: It is none.
    """
    try:
        Pylock.from_dict(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, PylockValidationError, PylockUnsupportedVersionError) as error:
        raise LockError(
            "The pylock.toml that is there is no lock.", where=where, why=str(error), hint="modelwright lock --upgrade"
        ) from error
    return text


def as_pylock(requirements: str) -> str:
    """Return the versions of a requirements file in the words of a lock, for uv to keep; empty: it has none.

    Example:
        >>> versions(as_pylock("numpy==2.4.6 --hash=sha256:0"))
        {'numpy': '2.4.6'}
    """
    pinned = [each for each in _of_requirements(requirements) if each.version and "/" not in each.version]
    packages = [
        {"name": each.name, "version": each.version} | ({"marker": each.marker} if each.marker else {})
        for each in pinned
    ]
    head = {"lock-version": "1.0", "created-by": "modelwright", "packages": packages}
    return tomlkit.dumps(head) if packages else ""


def versions(pylock: str) -> dict[str, str]:
    """Return the version of each distribution, by name; where platforms differ, the first.

    Example:
        >>> versions('packages = [{name = "numpy", version = "2.4.6"}]')
        {'numpy': '2.4.6'}
    """
    found: dict[str, str] = {}
    for each in _of_pylock(pylock):
        found.setdefault(each.name, each.version)
    return found


def _of_pylock(text: str) -> list[Locked]:
    packages: list[dict[str, Any]] = tomllib.loads(text).get("packages", [])
    return [Locked(each["name"], each.get("marker", ""), _version(each), _hashes(each)) for each in packages]


def _version(package: Mapping[str, Any]) -> str:
    if "vcs" in package:
        return str(package["vcs"]["commit-id"])
    return str(package.get("version", package.get("archive", {}).get("url", "")))


def _hashes(package: Mapping[str, Any]) -> frozenset[str]:
    files = [*package.get("wheels", ()), *(package[kind] for kind in ("sdist", "archive") if kind in package)]
    return frozenset(f"{kind}:{value}" for file in files for kind, value in file.get("hashes", {}).items())


def _of_requirements(text: str) -> list[Locked]:
    lines = text.replace("\\\n", " ").splitlines()
    return [_of_line(line) for line in lines if line.strip() and not line.startswith("#")]


def _of_line(line: str) -> Locked:
    pinned, *_ = line.split("--hash")
    found = _PINNED.match(pinned)
    if found is None:
        return Locked(pinned.strip(), "", "", frozenset())
    return Locked(
        found["name"], (found["marker"] or "").strip(), found["version"].strip(), frozenset(_HASH.findall(line))
    )
