"""What the lock of a package says should be installed, and how an environment differs from it.

Called by verify and environments. The installable face of the lock is the hashed ``requirements.txt``, which every
pip understands; ``pylock.toml`` is the standard that it is compared with. Pure: text in, names and versions out.

Source: PEP 751 (pylock.toml), ``packages.marker`` and ``packages.version``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping

from packaging.markers import default_environment
from packaging.pylock import Pylock, PylockValidationError
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from modelwright.errors import ManifestError

Distributions = Mapping[str, str]
"""Version by PEP 503 normalised name."""


def locked(content: str, *, markers: Mapping[str, str], where: str) -> dict[str, str]:
    """Return the distributions that a lock wants in an environment.

    Args:
        content: The text of ``pylock.toml``.
        markers: Environment markers (PEP 508) that differ from this process's own.
        where: What to call the lock in an error.

    Raises:
        ManifestError: The lock is malformed.
    """
    try:
        lock = Pylock.from_dict(tomllib.loads(content))
    except (ValueError, PylockValidationError) as error:  # also what int() says of thousands of digits
        raise ManifestError("pylock.toml is malformed.", where=where, why=str(error)) from error
    environment = {**default_environment(), **markers, "extras": frozenset(), "dependency_groups": frozenset()}
    return {
        canonicalize_name(package.name): str(package.version)
        for package in lock.packages
        if package.marker is None or package.marker.evaluate(environment, context="lock_file")  # type: ignore[arg-type]
    }


def differences(wanted: Distributions, installed: Distributions) -> list[str]:
    """Say how what is installed differs from the lock, one sentence each; nothing: exactly the lock.

    Local version labels (``2.13.0+cpu``) are builds of the same release and make no difference.

    Example:
        >>> differences({"numpy": "2.4.6"}, {"numpy": "2.4.6", "modelwright": "0.1.0"})
        ['modelwright 0.1.0 is installed, but not in the lock']
    """
    found = [f"{name} {wanted[name]} is in the lock, but not installed" for name in sorted(wanted.keys() - installed)]
    found += [
        f"{name} {installed[name]} is installed, but not in the lock" for name in sorted(installed.keys() - wanted)
    ]
    return found + [
        f"{name} {installed[name]} is installed, {wanted[name]} is in the lock"
        for name in sorted(wanted.keys() & installed)
        if Version(wanted[name]).public != Version(installed[name]).public
    ]


def unmet(requirements: Mapping[str, list[str]], installed: Distributions, *, markers: Mapping[str, str]) -> list[str]:
    """Say which requirement of an installed distribution nothing fulfils, one sentence each; nothing: complete.

    Args:
        requirements: What each distribution requires (PEP 508); of extras only those that somebody asks for.
        installed: What is installed.
        markers: Environment markers that differ from this process's own.

    Example:
        >>> unmet({"pandas": ["numpy>=2"]}, {"pandas": "3.1.1"}, markers={})
        ['pandas requires numpy>=2, which is not installed']
    """
    asked: dict[str, set[str]] = {name: {""} for name in requirements}
    found: set[str] = set()
    waiting = [(name, "") for name in requirements]
    while waiting:
        name, extra = waiting.pop()
        for text in requirements.get(name, ()):
            need = Requirement(text)
            if need.marker and not need.marker.evaluate({**markers, "extra": extra}):
                continue
            wanted = canonicalize_name(need.name)
            version = installed.get(wanted)
            if version is None:
                found.add(f"{name} requires {text}, which is not installed")
            elif not need.specifier.contains(version, prereleases=True):
                found.add(f"{name} requires {text}, but {version} is installed")
            for new in need.extras - asked.setdefault(wanted, set()):
                asked[wanted].add(new)
                waiting.append((wanted, new))
    return sorted(found)
