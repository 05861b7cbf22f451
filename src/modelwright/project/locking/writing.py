"""Write a lock in the words of pip, uv and conda, and put the files in place together.

Called by :mod:`modelwright.project.locking.lock`. Pure but for :func:`write`.
Source: PEP 751 (pylock.toml); pip documentation, "Requirements File Format" and "Secure installs"; conda documentation,
"Managing environments" (environment.yml with a ``pip`` section).
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from modelwright.capturing.locking import HEADER, without_credentials
from modelwright.errors import LockError, StorageError
from modelwright.project.locking.asking import CONDA, PYLOCK, REQUIREMENTS
from modelwright.project.locking.making import Content

MARK = "# Locked by modelwright"
"""How a file begins that may be replaced: whatever else stands there was written by somebody."""
_ELSEWHERE = ("http:", "https:", "ssh:")
_REQUIREMENTS = f"""\
{MARK} for Python {{python}} or newer: every distribution, with hashes.
# pip install --require-hashes -r requirements.txt
"""
_ENVIRONMENT = f"""\
{MARK}: conda brings Python, pip brings the locked files, which requirements.txt beside this file lists.
# conda env create -f environment.yml
# What conda cannot carry: a lock of other builds than PyPI's, so the libraries come from there, not from a channel.
# The package itself is not in it; install it last: pip install --no-deps WHEEL
name: {{name}}
channels:
  - conda-forge
  - nodefaults
dependencies:
  - python={{python}}.*
  - pip
  - pip:
      - -r requirements.txt
"""


def texts(content: Content, names: tuple[str, ...], *, name: str) -> dict[str, str]:
    """Return the text of each file.

    Args:
        content: What the lock says.
        names: Names of the files to make.
        name: Name of the conda environment.

    Raises:
        LockError: A distribution comes from a place that a file of this kind cannot carry.
    """
    made = {
        PYLOCK: content.pylock if content.pylock.startswith("#") else HEADER + content.pylock,
        REQUIREMENTS: _REQUIREMENTS.format(python=content.python) + content.requirements,
        CONDA: _ENVIRONMENT.format(name=json.dumps(name), python=content.python),
    }
    for package in tomllib.loads(content.pylock).get("packages", []):
        _check(package, names)
    return {each: without_credentials(made[each]) for each in names}


def _check(package: Mapping[str, Any], names: tuple[str, ...]) -> None:
    """Refuse what would hold on this machine only, and what pip refuses without a hash."""
    name = package["name"]
    local = next((place for place in _places(package) if not place.startswith(_ELSEWHERE)), None)
    by_place = any(kind in package for kind in ("directory", "archive", "vcs"))
    if local is not None and (PYLOCK in names or by_place):
        other = "" if by_place else ", or use --format requirements, which names hashes and no places"
        raise LockError(
            f"{name} comes from a folder of this machine.",
            where=local,
            why="A lock that names it would hold nowhere else.",
            hint=f"Publish it to an index{other}.",
        )
    if "vcs" in package and REQUIREMENTS in names:
        raise LockError(
            f"{name} comes from {package['vcs']['type']}, which has no hash.",
            why="pip refuses it where hashes are required.",
            hint="Use --format pylock, which records the commit, or publish it to an index.",
        )


def _places(package: Mapping[str, Any]) -> Iterator[str]:
    kinds = ("sdist", "archive", "directory", "vcs")
    files = [*package.get("wheels", ()), *(package[kind] for kind in kinds if kind in package)]
    return (file.get("url") or file.get("path", "") for file in files)


def replaceable(path: Path) -> bool:
    """Say whether a file may be replaced: there is none, or it is a lock, which is always made by a program."""
    if not path.exists():
        return True
    try:
        return path.is_file() and (path.name == PYLOCK or path.read_text("utf-8").startswith(MARK))
    except UnicodeDecodeError:
        return False


def _check_ours(paths: Iterable[Path]) -> None:
    for path in paths:
        if not replaceable(path):
            raise StorageError(
                f"{path.name} was not written by modelwright, and is left alone.",
                where=str(path),
                why="It may be what somebody maintains by hand, or what setup.py reads.",
                hint="Choose another folder with --into, or move it away.",
            )


def write(files: Mapping[Path, str]) -> None:
    """Write files, all of them or none: the last step for each is one rename.

    Raises:
        StorageError: A file was written by somebody else, or a folder cannot be written.
    """
    temporary = {path: path.with_name(f".{path.name}.{os.getpid()}.tmp") for path in files}
    try:
        _check_ours(files)
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary[path].write_text(text, "utf-8", newline="\n")
        for path in files:
            temporary[path].replace(path)
    except OSError as error:
        raise StorageError(
            "The lock cannot be written.",
            where=str(error.filename or next(iter(files)).parent),
            why=str(error.strerror or error),
            hint="Choose another folder with --into. What was there before is untouched.",
        ) from error
    finally:
        for left in temporary.values():
            with suppress(OSError):
                left.unlink(missing_ok=True)
