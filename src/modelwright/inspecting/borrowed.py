"""Environments in which modelwright itself runs beside other versions of libraries, to capture what they saved.

Called by ``modelwright capture`` when a file was written by a version that is not installed. uv makes the environment;
this very modelwright is put into it by copying, so that nothing has to be published or built, and it is kept for the
next time.

It does not: decide which versions (:mod:`modelwright.capturing.guessing` does), or open the file.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

import modelwright
from modelwright.errors import EnvironmentBuildError
from modelwright.inspecting.environments import keeping
from modelwright.inspecting.installers import python_of
from modelwright.inspecting.interpreters import Interpreter, find_minor, this_interpreter
from modelwright.inspecting.processes import installer_variables, run, uv_program
from modelwright.runtime.digests import cache_folder

PYTHONS = ("3.11", "3.12", "3.13")
"""Pythons that modelwright runs on; this one comes first, then the first that has wheels of the wanted versions."""
TIMEOUT_S = 1800.0
SHOWN_LINES = 12
_TOOL = "modelwright"


@contextmanager
def borrowed(requirements: Sequence[str], *, extras: Sequence[str], cache: Path | None = None) -> Iterator[Path]:
    """Give the Python of an environment with this modelwright and other versions of libraries.

    Args:
        requirements: Requirements (PEP 508).
        extras: Extras of modelwright, whose other libraries come along.
        cache: Folder that holds such environments; by default one in the user's cache folder.

    Raises:
        EnvironmentBuildError: No Python here has wheels of these versions; what uv said is told.
    """
    program = uv_program()
    if program is None:
        raise EnvironmentBuildError("Another environment is made by uv, which is not there.", hint="pip install uv")
    wanted = [*requirements, *_own_requirements(extras, {Requirement(line).name for line in requirements})]
    cache = cache or cache_folder() / "borrowed"
    refused: list[EnvironmentBuildError] = []
    for interpreter in _interpreters():
        target = cache / _key(wanted, interpreter)

        def make(folder: Path, interpreter: Interpreter = interpreter) -> None:
            _make(program, folder, wanted, interpreter)

        try:
            with keeping(target, make):
                yield python_of(target)
            return
        except EnvironmentBuildError as error:
            refused.append(error)
    raise refused[0] if refused else EnvironmentBuildError("There is no Python for it.")


def _interpreters() -> Iterator[Interpreter]:
    here = this_interpreter()
    yield here
    for minor in PYTHONS:
        if minor != here.minor and (found := find_minor(minor)) is not None:
            yield found


def _make(program: str, folder: Path, wanted: Sequence[str], interpreter: Interpreter) -> None:
    start = [program, "--no-progress", "--color", "never"]
    _run([*start, "venv", "--no-project", "--relocatable", "--python", interpreter.path, str(folder)])
    listed = folder / "wanted.txt"
    listed.write_text("".join(f"{line}\n" for line in wanted), "utf-8")
    python = str(python_of(folder))
    _run([*start, "pip", "install", "--python", python, "--no-build", "--requirement", str(listed)])
    libraries = next(iter(sorted(folder.glob("lib/python*/site-packages"))), folder / "Lib" / "site-packages")
    shutil.copytree(_folder(), libraries / _TOOL, ignore=shutil.ignore_patterns("__pycache__"))
    about = Path(str(distribution(_TOOL).locate_file(""))) / f"{_TOOL}-{modelwright.__version__}.dist-info"
    target = libraries / about.name
    target.mkdir()
    for name in ("METADATA", "entry_points.txt"):
        shutil.copyfile(about / name, target / name)


def _run(command: Sequence[str]) -> None:
    done = run(command, variables=installer_variables(), timeout_s=TIMEOUT_S)
    if done.code:
        said = [line for line in done.errors.strip().splitlines() if line.strip()][-SHOWN_LINES:]
        raise EnvironmentBuildError(
            "The environment that the file wants cannot be made.",
            why=" ".join(line.strip(" │╰─▶×") for line in said),
            hint="Capture it where it was trained, or load it with other versions first: --environment here.",
        )


def _own_requirements(extras: Sequence[str], named: set[str]) -> list[str]:
    """Return what modelwright itself needs there, but for the libraries that are named already."""
    found = []
    for line in distribution(_TOOL).requires or ():
        requirement = Requirement(line)
        wanted = any(
            requirement.marker is None or requirement.marker.evaluate({"extra": extra}) for extra in ("", *extras)
        )
        if wanted and requirement.name not in named:
            requirement.marker = None
            found.append(str(requirement))
    return sorted(set(found))


def _folder() -> Path:
    return Path(modelwright.__file__).parent


def _key(wanted: Sequence[str], interpreter: Interpreter) -> str:
    """Name an environment by what is in it, this modelwright to the last file included."""
    digest = hashlib.sha256("\0".join([*wanted, interpreter.path, interpreter.version]).encode())
    for path in sorted(_folder().rglob("*.py")):
        digest.update(f"{path.name}\0{path.stat().st_size}\0{path.stat().st_mtime_ns}".encode())
    return digest.hexdigest()[:24]
