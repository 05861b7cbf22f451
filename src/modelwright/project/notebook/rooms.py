"""Clean environments for a proof: one to run the notebook in, with Jupyter's machinery, one for the project, without.

Called by proving. They are kept by their requirements and interpreter, as those of packages are, and know nothing of
the environment that modelwright runs in.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from modelwright.errors import EnvironmentBuildError, ProofError
from modelwright.inspecting import bytecode
from modelwright.inspecting.environments import Environment, keeping
from modelwright.inspecting.installers import TIMEOUT_S, Uv, last_lines
from modelwright.inspecting.interpreters import Interpreter, describe, find_interpreter
from modelwright.inspecting.processes import installer_variables, run, uv_program
from modelwright.runtime.digests import cache_folder
from modelwright.spec.environment import Environment as Wanted

JUPYTER = ("ipykernel", "nbclient")
"""What runs a notebook, beside what the notebook itself needs."""
_LAYOUT = "1"
"""Part of the key of an environment: raise it when environments are made differently."""


def interpreter_for(python: str | None) -> Interpreter:
    """Return the interpreter for both sides: the one that is asked for, or this one.

    Raises:
        EnvironmentBuildError: There is no such Python here.
    """
    if python is None:
        return describe(sys.executable)
    return find_interpreter(python, Wanted(python=python, interpreters=(), dependencies=()))


@contextmanager
def room(
    requirements: Sequence[str], *, interpreter: Interpreter, cache: Path | None, offline: bool = False
) -> Iterator[Environment]:
    """Give an environment with some requirements in it.

    Args:
        requirements: What is installed (PEP 508).
        interpreter: The Python to make it with.
        cache: Folder that holds the environments; by default one in the user's cache folder.
        offline: Whether only uv's cache may be used.

    Raises:
        ProofError: It cannot be made; what uv said last is shown.
    """
    wanted = sorted(set(requirements))
    key = "\0".join([_LAYOUT, interpreter.version, interpreter.path, interpreter.platform, *wanted])
    target = (cache or cache_folder() / "proofs") / hashlib.sha256(key.encode()).hexdigest()[:24]
    program = uv_program()
    if program is None:
        raise ProofError("uv cannot be run here, and a proof needs the environments it makes.", hint="pip install uv")
    environment = Environment(folder=target, interpreter=interpreter, installer="uv", wanted={})

    def make(folder: Path) -> None:
        Uv(program, offline=offline).create(folder, interpreter)
        making = Environment(folder=folder, interpreter=interpreter, installer="uv", wanted={})
        _install(program, making, wanted, offline=offline)
        bytecode.restore(making.libraries, interpreter.tag)

    try:
        with keeping(target, make):
            yield environment
            bytecode.keep(environment.libraries, interpreter.tag)
    except EnvironmentBuildError as error:
        raise ProofError(
            "The clean environment for the proof cannot be made.", where=", ".join(wanted), why=str(error)
        ) from error


def without_jupyter(requirements: Sequence[str]) -> list[str]:
    """Return requirements without those that only a notebook has.

    Example:
        >>> without_jupyter(["pandas==3.1.1", "ipykernel>=6", "IPython"])
        ['pandas==3.1.1']
    """
    kept = []
    for text in requirements:
        try:
            name = canonicalize_name(Requirement(text).name)
        except InvalidRequirement:
            name = canonicalize_name(text)
        if name not in ("ipython", "ipykernel", "jupyter", "jupyterlab", "notebook", "nbclient"):
            kept.append(text)
    return kept


def _install(program: str, environment: Environment, wanted: Sequence[str], *, offline: bool) -> None:
    """Resolve and install requirements; the indexes are those that the user configured."""
    if not wanted:
        return
    listed = environment.folder / "requirements.txt"
    listed.write_text("".join(f"{one}\n" for one in wanted), encoding="utf-8")
    start = [program, "--no-progress", "--color", "never", *(["--offline"] if offline else [])]
    finished = run(
        [*start, "pip", "install", "--python", environment.python, "--requirement", listed],
        variables=installer_variables(),
        timeout_s=TIMEOUT_S,
    )
    if finished.code:
        raise ProofError(
            "What the notebook needs cannot be installed.",
            where=", ".join(wanted),
            why=last_lines(finished.errors or finished.output),
            hint="Pin the versions that the notebook was written with, in a cell: %pip install 'name==1.2'.",
        )
