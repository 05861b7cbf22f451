"""The Python and platform that a bundle is for: which wheels it takes, and how it evaluates conditions. Pure.

Called by :mod:`.closure`. Nothing is asked of an interpreter, so a bundle for another platform can be written here.

Source: PEP 425 (tags), PEP 508 (markers), PEP 600 (manylinux), PEP 656 (musllinux).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from packaging import tags
from packaging.markers import Environment
from packaging.tags import Tag

from modelwright.errors import RequestError

_PYTHON = re.compile(r"(?P<major>3)\.(?P<minor>\d{1,2})(?:\.(?P<patch>\d{1,2}))?", re.ASCII)
_LINUX = re.compile(
    r"(?P<kind>manylinux|musllinux)_(?P<major>\d)_(?P<minor>\d{1,2})_(?P<machine>[a-z0-9_]{2,16})", re.ASCII
)
_MAC = re.compile(r"macosx_(?P<major>\d{2})_(?P<minor>\d{1,2})_(?P<machine>x86_64|arm64)", re.ASCII)
_WINDOWS = {"win_amd64": "AMD64", "win_arm64": "ARM64", "win32": "x86"}
_LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
"""Names that glibc versions had before PEP 600."""


class Target(NamedTuple):
    """What a bundle is for.

    Attributes:
        python: Minor version (``3.11``).
        platform: Platform tag (``manylinux_2_28_x86_64``).
        tags: Compatibility tags, best first.
        markers: Environment markers.
    """

    python: str
    platform: str
    tags: tuple[Tag, ...]
    markers: Environment


def target(python: str, *, platform: str = "") -> Target:
    """Return the target of a Python and a platform.

    Args:
        python: Version of Python (``3.12``, ``3.12.4``).
        platform: Platform tag (``manylinux_2_28_x86_64``, ``macosx_14_0_arm64``, ``win_amd64``); empty: this machine's.

    Raises:
        RequestError: No such Python or platform.

    Example:
        >>> found = target("3.11.7", platform="win_amd64")
        >>> found.python, str(found.tags[0]), found.markers["sys_platform"]
        ('3.11', 'cp311-cp311-win_amd64', 'win32')
    """
    version = _version(python)
    platforms = _platforms(platform) if platform else list(tags.platform_tags())
    found = [
        *tags.cpython_tags(version[:2], platforms=platforms),
        *tags.compatible_tags(version[:2], interpreter=f"cp{version[0]}{version[1]}", platforms=platforms),
    ]
    minor = f"{version[0]}.{version[1]}"
    telling = next((one for one in platforms if not one.startswith("linux_")), platforms[0])  # that says which libc
    return Target(minor, telling, tuple(found), _markers(version, telling))


def _version(text: str) -> tuple[int, int, int]:
    match = _PYTHON.fullmatch(text)
    if match is None:
        raise RequestError(f"{text[:40]!r} is no version of Python.", hint="Write one like 3.12.")
    return int(match["major"]), int(match["minor"]), int(match["patch"] or 0)


def _platforms(platform: str) -> list[str]:
    """Return every platform tag that a platform understands, best first."""
    if match := _LINUX.fullmatch(platform):
        kind, machine, newest = match["kind"], match["machine"], int(match["minor"])
        found = []
        for minor in range(newest, -1 if kind == "musllinux" else 4, -1):
            found.append(f"{kind}_{match['major']}_{minor}_{machine}")
            if kind == "manylinux" and minor in _LEGACY:
                found.append(f"{_LEGACY[minor]}_{machine}")
        return [*found, f"linux_{machine}"]
    if match := _MAC.fullmatch(platform):
        return list(tags.mac_platforms((int(match["major"]), int(match["minor"])), match["machine"]))
    if platform in _WINDOWS:
        return [platform]
    raise RequestError(
        f"{platform[:60]!r} is no platform.",
        hint="Write manylinux_2_28_x86_64, musllinux_1_2_aarch64, macosx_14_0_arm64 or win_amd64.",
    )


def _markers(version: tuple[int, int, int], platform: str) -> Environment:
    system, name, machine = "Linux", "linux", platform
    if platform.startswith("macosx"):
        system, name, machine = "Darwin", "darwin", platform.split("_", 3)[3]
    elif platform.startswith("win"):
        system, name, machine = "Windows", "win32", _WINDOWS.get(platform, "AMD64")
    elif platform.startswith("linux_"):
        machine = platform.removeprefix("linux_")
    elif platform.startswith(("manylinux", "musllinux")):
        machine = platform.split("_", 3)[3]
    full = ".".join(map(str, version))
    return Environment(
        implementation_name="cpython",
        implementation_version=full,
        os_name="nt" if name == "win32" else "posix",
        platform_machine=machine,
        platform_release="",
        platform_system=system,
        platform_version="",
        python_full_version=full,
        platform_python_implementation="CPython",
        python_version=f"{version[0]}.{version[1]}",
        sys_platform=name,
    )
