"""Decide which files of a model's lock a target needs: pure, from the text of ``pylock.toml`` to exact files.

Called by :mod:`.writing`. Nothing is resolved: the lock decides.

Source: PEP 751 (pylock.toml, "Installation").
"""

from __future__ import annotations

import tomllib
from posixpath import basename
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from packaging.pylock import Package, PackageWheel, Pylock, PylockSelectError, PylockValidationError
from packaging.utils import canonicalize_name

from modelwright.errors import BundleError
from modelwright.registry.bundling.target import Target


class Wanted(NamedTuple):
    """One wheel that a lock names.

    Attributes:
        project: Distribution name, normalised.
        version: Its version.
        filename: File name.
        sha256: Its digest.
        url: Where the lock says that it is; empty: it came from a folder.
    """

    project: str
    version: str
    filename: str
    sha256: str
    url: str


def closure(lock: str, target: Target, *, where: str) -> tuple[Wanted, ...]:
    """Return the wheels that a lock names for a target, by name.

    Args:
        lock: The text of ``pylock.toml``.
        target: Python and platform.
        where: What to call the lock in an error.

    Raises:
        BundleError: The lock is malformed, or not for the target, or has no wheel of something for it.
    """
    try:
        pylock = Pylock.from_dict(tomllib.loads(lock))
        chosen = list(pylock.select(environment=target.markers, tags=target.tags))
    except (ValueError, PylockValidationError) as error:  # also what int() says of thousands of digits
        raise BundleError("The lock of the model is malformed.", where=where, why=str(error)) from error
    except PylockSelectError as error:
        raise BundleError(
            f"The lock does not fit Python {target.python} on {target.platform}.", where=where, why=str(error)
        ) from error
    return tuple(sorted(_wanted(package, file, target, where) for package, file in chosen))


def _wanted(package: Package, file: object, target: Target, where: str) -> Wanted:
    name = canonicalize_name(package.name)
    if not isinstance(file, PackageWheel):
        raise BundleError(
            f"{name} {package.version} has no wheel for Python {target.python} on {target.platform}.",
            where=where,
            why="A source archive would have to be built where there is no network, and no hash would hold for it.",
            hint="Choose another platform, or lock a release that has a wheel.",
        )
    sha256 = file.hashes.get("sha256", "")
    filename = file.name or unquote(basename(urlsplit(file.url).path if file.url else file.path or ""))
    if not sha256 or not filename.endswith(".whl"):
        raise BundleError(f"The lock gives no sha256 for {name} {package.version}.", where=where)
    return Wanted(name, str(package.version), filename, sha256.lower(), file.url or "")
