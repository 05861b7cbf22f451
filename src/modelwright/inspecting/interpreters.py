"""Find the Python that a package is to be proved on.

Called by verify, diff and predict. uv looks in virtual environments, its own installations and the search path; what
it cannot use (shims without a version behind them) is left out and pyenv's folder is looked into.

It does not: install a Python. uv's own rules about downloading one (``UV_PYTHON_DOWNLOADS``) hold.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from modelwright.errors import EnvironmentBuildError
from modelwright.inspecting.processes import installer_variables, run, uv_program
from modelwright.spec.environment import Environment
from modelwright.spec.struct import Frozen

TIMEOUT_S = 120.0
_VERSION = re.compile(r"(\d+)\.(\d+)(\.\d+)?")
_TAG = re.compile(r"cp(\d)(\d+)")
_DESCRIBE = """
import json, platform, sys, sysconfig
print(json.dumps({
    "path": sys.executable,
    "version": platform.python_version(),
    "implementation": sys.implementation.name,
    "platform": sysconfig.get_platform().replace("-", "_").replace(".", "_"),
}))
"""


class Interpreter(Frozen, frozen=True, kw_only=True):
    """A Python on this machine.

    Attributes:
        path: Its executable.
        version: Full version (``3.11.7``).
        implementation: ``cpython``.
        platform: PEP 425 platform tag (``linux_x86_64``).
    """

    path: str
    version: str
    implementation: str
    platform: str

    @property
    def minor(self) -> str:
        """Return major and minor version (``3.11``)."""
        return ".".join(self.version.split(".")[:2])

    @property
    def tag(self) -> str:
        """Return the PEP 425 python tag (``cp311``)."""
        return ("cp" if self.implementation == "cpython" else "pp") + self.minor.replace(".", "")

    def markers(self) -> dict[str, str]:
        """Return the environment markers (PEP 508) that depend on the interpreter."""
        return {
            "python_version": self.minor,
            "python_full_version": self.version,
            "implementation_version": self.version,
            "implementation_name": self.implementation,
        }


def find_interpreter(wanted: str | None, environment: Environment) -> Interpreter:
    """Return the interpreter to use for a package.

    Args:
        wanted: A version (``3.12``, ``3.12.1``) or the path of an executable; ``None``: this one if the package was
            verified on it, else the newest that it was verified on.
        environment: What the package says about itself.

    Raises:
        EnvironmentBuildError: There is no such Python here.
    """
    if wanted is not None:
        return _find(wanted)
    here = describe(sys.executable)
    if environment.portable or here.tag in environment.interpreters:
        return here
    tags = [match for tag in environment.interpreters if (match := _TAG.fullmatch(tag))]
    versions = sorted(((int(match[1]), int(match[2])) for match in tags), reverse=True)
    refused: EnvironmentBuildError | None = None
    for major, minor in versions:
        try:
            return _find(f"{major}.{minor}")
        except EnvironmentBuildError as error:
            refused = error
    raise refused or EnvironmentBuildError("The package names no interpreter that it was verified on.")


def this_interpreter() -> Interpreter:
    """Return the Python that runs this."""
    return describe(sys.executable)


def find_minor(minor: str) -> Interpreter | None:
    """Return a Python of a version (``3.12``); ``None`` if there is none on this machine."""
    try:
        return _find(minor)
    except EnvironmentBuildError:
        return None


def _find(wanted: str) -> Interpreter:
    if not _VERSION.fullmatch(wanted):
        return describe(wanted)
    if sys.version.startswith(f"{wanted}.") or sys.version.startswith(f"{wanted} "):
        return describe(sys.executable)
    tried = []
    for candidate in _candidates(wanted):
        try:
            found = describe(candidate)
        except EnvironmentBuildError as error:
            tried.append(str(error.where))
            continue
        if f"{found.version}.".startswith(f"{wanted}."):
            return found
        tried.append(candidate)
    raise EnvironmentBuildError(
        f"There is no Python {wanted} on this machine.",
        why=f"Tried: {', '.join(tried)}." if tried else "Neither uv nor the search path nor pyenv knows one.",
        hint=f"uv python install {wanted}, or give the path of an executable.",
    )


def _candidates(wanted: str) -> Iterator[str]:
    """Yield executables that may have a version: uv's answer, the search path, pyenv's installations."""
    variables = installer_variables()
    folders = [Path(folder) for folder in variables.get("PATH", "").split(os.pathsep) if folder]
    folders = [folder for folder in folders if folder.name != "shims"]
    uv = uv_program()
    if uv is not None:
        path = os.pathsep.join(map(str, folders))
        found = run([uv, "python", "find", "--no-project", wanted], variables=variables | {"PATH": path}, timeout_s=60)
        if found.code == 0:
            yield found.output.strip()
    minor = ".".join(wanted.split(".")[:2])
    yield from (str(folder / f"python{minor}") for folder in folders if (folder / f"python{minor}").is_file())
    pyenv = Path.home() / ".pyenv" / "versions"
    yield from map(str, sorted(pyenv.glob(f"{wanted}*/bin/python"), reverse=True))


@cache
def describe(path: str) -> Interpreter:
    """Ask an executable what Python it is.

    Raises:
        EnvironmentBuildError: It cannot be run, or is no Python.
    """
    try:
        finished = run([path, "-I", "-c", _DESCRIBE], variables=installer_variables(), timeout_s=TIMEOUT_S)
        answer: Any = msgspec.json.decode(finished.output)
        return msgspec.convert(answer, Interpreter)
    except (OSError, msgspec.DecodeError) as error:
        raise EnvironmentBuildError(
            "This is no Python that can be run.", where=path, why=str(error), hint="Give a version, for example 3.12."
        ) from error
