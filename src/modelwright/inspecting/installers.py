"""The two installers that make an environment from a lock: uv, and plain ``venv`` with pip where uv is refused.

Called by environments. Both are given the same hashed ``requirements.txt`` and may install nothing else, so both
give the same environment. Indexes are those the user configured for the installer.

Source: pip's and uv's hash-checking mode (``--require-hashes``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol

from modelwright.errors import EnvironmentBuildError
from modelwright.inspecting.interpreters import Interpreter
from modelwright.inspecting.processes import installer_variables, run, uv_program

InstallerName = Literal["auto", "uv", "pip"]
TIMEOUT_S = 1800.0
"""Longest time for one call of an installer: big libraries over a slow line."""
_BUNDLED_PIP = """
import pathlib, runpy, sys, sysconfig
try:
    import ensurepip
    folders = [pathlib.Path(ensurepip.__file__).parent / "_bundled", sysconfig.get_config_var("WHEEL_PKG_DIR")]
except ImportError:
    sys.exit("This Python has no ensurepip, which brings pip. On Debian: apt install python3-venv")
wheels = [wheel for folder in filter(None, folders) for wheel in pathlib.Path(folder).glob("pip-*.whl")]
if not wheels:
    sys.exit("This Python brings no pip.")
sys.path.insert(0, str(wheels[0]))
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""
_NOISE = re.compile(r"^(Using |Resolved |Prepared |Creating |Activate |Looking in |\[notice\]|\s*$)")


class Installer(Protocol):
    """What makes an environment.

    Attributes:
        name: ``uv`` or ``pip``.
    """

    name: str

    def create(self, folder: Path, interpreter: Interpreter) -> None:
        """Make an environment with nothing in it."""
        ...

    def install(self, folder: Path, requirements: Path) -> None:
        """Install exactly the hashed requirements."""
        ...

    def install_wheel(self, folder: Path, wheel: Path) -> None:
        """Install one wheel without its dependencies."""
        ...


class Uv:
    """uv: hard links from its cache, so that a warm one makes an environment in half a second.

    Args:
        program: The executable.
        offline: Whether only the cache may be used.
    """

    name = "uv"

    def __init__(self, program: str, *, offline: bool) -> None:
        self._start = [program, "--no-progress", "--color", "never", *(["--offline"] if offline else [])]
        self._offline = offline

    def create(self, folder: Path, interpreter: Interpreter) -> None:
        """Make an empty environment that stays valid when it is moved."""
        self._run("venv", "--no-project", "--relocatable", "--python", interpreter.path, str(folder))

    def install(self, folder: Path, requirements: Path) -> None:
        """Install exactly the hashed requirements."""
        arguments = ["--no-deps", "--require-hashes", "--requirement", str(requirements)]
        self._run("pip", "install", "--python", str(python_of(folder)), *arguments)

    def install_wheel(self, folder: Path, wheel: Path) -> None:
        """Install one wheel without its dependencies; uv's cache, which would keep its weights, is left out."""
        python = str(python_of(folder))
        self._run("pip", "install", "--python", python, "--no-deps", "--no-index", "--no-cache", str(wheel))

    def _run(self, *arguments: str) -> None:
        _run([*self._start, *arguments], offline=self._offline, name=self.name)


class Pip:
    """``python -m venv`` and the pip that Python itself brings: slower, and everywhere.

    That pip runs from its own wheel, without being installed, so that nothing of it stays in the environment.

    Args:
        offline: Whether only pip's cache and the local folders in its settings may be used.
    """

    name = "pip"

    def __init__(self, *, offline: bool) -> None:
        self._offline = offline

    def create(self, folder: Path, interpreter: Interpreter) -> None:
        """Make an empty environment."""
        self._run(interpreter.path, "-I", "-m", "venv", "--without-pip", str(folder))

    def install(self, folder: Path, requirements: Path) -> None:
        """Install exactly the hashed requirements."""
        offline = ["--no-index"] if self._offline else []
        self._pip(folder, *offline, "--no-deps", "--require-hashes", "--requirement", str(requirements))

    def install_wheel(self, folder: Path, wheel: Path) -> None:
        """Install one wheel without its dependencies."""
        self._pip(folder, "--no-deps", "--no-index", "--no-cache-dir", str(wheel))

    def _pip(self, folder: Path, *arguments: str) -> None:
        start = ["-I", "-c", _BUNDLED_PIP, "install", "--disable-pip-version-check", "--no-input", "--no-color"]
        self._run(str(python_of(folder)), *start, "--no-compile", *arguments)

    def _run(self, *command: str) -> None:
        _run(command, offline=self._offline, name=self.name)


def choose(name: InstallerName, *, offline: bool) -> Installer:
    """Return the installer of a name; ``auto`` is uv where it runs, else pip.

    Raises:
        EnvironmentBuildError: uv was asked for and cannot be run.
    """
    if name == "pip":
        return Pip(offline=offline)
    program = uv_program()
    if program is not None:
        return Uv(program, offline=offline)
    if name == "auto":
        return Pip(offline=offline)
    raise EnvironmentBuildError(
        "uv cannot be run here.",
        why="It is not installed, or this machine refuses to run it.",
        hint="Use pip instead: --installer pip",
    )


def python_of(folder: Path) -> Path:
    """Return the executable of an environment."""
    windows = folder / "Scripts" / "python.exe"
    return windows if windows.exists() else folder / "bin" / "python"


def _run(command: Sequence[str], *, offline: bool, name: str) -> None:
    try:
        finished = run(command, variables=installer_variables(), timeout_s=TIMEOUT_S)
    except OSError as error:
        raise EnvironmentBuildError(f"{name} cannot be started.", where=command[0], why=str(error)) from error
    if finished.code == 0:
        return
    said = last_lines(finished.errors or finished.output)
    raise EnvironmentBuildError(
        f"{name} could not make the clean environment."
        if not finished.timed_out
        else f"{name} did not finish within {TIMEOUT_S:.0f} s.",
        where=f"{name} {'install' if 'install' in command else 'venv'}",
        why=said,
        hint="It ran offline and something is not in its cache: run once without --offline."
        if offline
        else "Is the index reachable that the package was locked with? modelwright doctor",
    )


def last_lines(text: str, *, count: int = 12) -> str:
    r"""Return the last lines of what a program said that tell something.

    Example:
        >>> last_lines("Resolved 3 packages\n\nerror: no such release\n")
        'error: no such release'
    """
    lines = [line.rstrip() for line in text.splitlines() if not _NOISE.match(line)]
    return "\n".join(lines[-count:])
