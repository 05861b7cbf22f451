"""Read the name of an uploaded file: one allow-list pattern, then the specification's own parsers, nothing else. Pure.

Called by :mod:`modelwright.registry.admitting.admit`; every other name of a file in the registry was checked here.

Source: Binary distribution format (file name convention); PEP 625 (names of sdists); PEP 440 (no local versions on an
index).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from packaging.tags import Tag
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import Version

from modelwright.errors import UploadError
from modelwright.registry.projects import PackageType

LONGEST = 220
"""Characters of a file name: file systems take 255 bytes, and ``.provenance`` and a temporary suffix must fit."""
LONGEST_NAME = 100
LONGEST_VERSION = 60
_ALLOWED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._!-]*\.(?:whl|tar\.gz)", re.ASCII)
"""A letter or digit first, so that no name is hidden or an option; no ``/``, ``%``, ``+``, space, or the like."""


class Named(NamedTuple):
    """What a file name says.

    Attributes:
        filename: The name itself.
        packagetype: Wheel or sdist.
        project: Name of the project, PEP 503 normalised.
        version: Version.
        tags: Compatibility tags of a wheel.
    """

    filename: str
    packagetype: PackageType
    project: str
    version: Version
    tags: frozenset[Tag] = frozenset()


def parse_filename(filename: str) -> Named:
    """Read the name of a file that somebody wants to publish.

    Raises:
        UploadError: It is none that an index may carry.

    Example:
        >>> named = parse_filename("churn-1.3.0-cp311-none-any.whl")
        >>> named.project, str(named.version), named.packagetype
        ('churn', '1.3.0', 'bdist_wheel')
    """
    if len(filename) > LONGEST or not _ALLOWED.fullmatch(filename):
        raise _refused(
            filename,
            "File names have letters, digits, '.', '_', '-' and '!', end in .whl or .tar.gz, and are at most "
            f"{LONGEST} characters long.",
        )
    try:
        named = _parsed(filename)
    except (InvalidWheelFilename, InvalidSdistFilename) as error:
        raise _refused(filename, str(error)) from error
    if named.version.local:
        raise _refused(filename, f"{named.version} has a local part, which indexes refuse and uv prefers to pins.")
    if len(named.project) > LONGEST_NAME or len(str(named.version)) > LONGEST_VERSION:
        raise _refused(filename, f"A name has at most {LONGEST_NAME} characters, a version at most {LONGEST_VERSION}.")
    return named


def _parsed(filename: str) -> Named:
    if filename.endswith(".whl"):
        name, version, _, tags = parse_wheel_filename(filename)
        return Named(filename, "bdist_wheel", name, version, tags)
    name, version = parse_sdist_filename(filename)
    # PEP 625: the name in its normal form with '_' for '-', so that exactly one '-' stands in the file name.
    stem = filename.removesuffix(".tar.gz")
    if stem.partition("-")[0] != name.replace("-", "_") or stem.count("-") != 1:
        raise InvalidSdistFilename(f"PEP 625 asks for {name.replace('-', '_')}-{version}.tar.gz")
    return Named(filename, "sdist", name, version)


def _refused(filename: str, why: str) -> UploadError:
    return UploadError(
        f"{filename[:100]!r} is not the name of a wheel or an sdist.",
        why=why,
        hint="Upload the file with the name that it was built with.",
    )
