"""Run another program: with a time limit, as a group that is stopped whole, and without this process's Python settings.

Called by environments, interpreters, selftest and predicting. What is passed on to a child is decided here and
nowhere else. It does not read any variable to decide what modelwright itself does.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from threading import Lock
from typing import IO, NamedTuple

import uv

_NOT_FOR_INSTALLERS = frozenset(
    {
        "PIP_CONSTRAINT",
        "PIP_NO_DEPS",
        "PIP_PREFIX",
        "PIP_REQUIRE_VIRTUALENV",
        "PIP_REQUIREMENT",
        "PIP_ROOT",
        "PIP_TARGET",
        "PIP_USER",
        "UV_BUILD_CONSTRAINT",
        "UV_CONSTRAINT",
        "UV_EXCLUDE_NEWER",
        "UV_OVERRIDE",
        "UV_PROJECT",
        "UV_PROJECT_ENVIRONMENT",
        "UV_PYTHON",
        "UV_SYSTEM_PYTHON",
        "UV_VENV_SEED",
        "UV_WORKING_DIRECTORY",
    }
)
"""Installer settings that would change what is installed, or where. Indexes, certificates and proxies stay."""

_FOR_MODELS = frozenset(
    {
        "HOME",
        "LANG",
        "LC_ALL",
        "LC_CTYPE",
        "LOCALAPPDATA",
        "PATH",
        "SYSTEMROOT",
        "TEMP",
        "TMP",
        "TMPDIR",
        "TZ",
        "USERPROFILE",
        "XDG_CACHE_HOME",
        # How numerical libraries choose their kernels: another one gives other last bits than where the model was made.
        "ATEN_CPU_CAPABILITY",
        "MKL_CBWR",
        "MKL_ENABLE_INSTRUCTIONS",
        "NPY_DISABLE_CPU_FEATURES",
        "NPY_ENABLE_CPU_FEATURES",
        "ONEDNN_MAX_CPU_ISA",
        "OPENBLAS_CORETYPE",
    }
)
"""What a model's process is given, beside the variables that its manifest names."""


class Finished(NamedTuple):
    """How a program ended.

    Attributes:
        code: Exit code; negative: ended by that signal.
        output: What it wrote to stdout.
        errors: What it wrote to stderr.
        timed_out: Whether the time limit stopped it.
    """

    code: int
    output: str
    errors: str
    timed_out: bool = False


def installer_variables() -> dict[str, str]:
    """Return the environment for pip, uv and venv: the user's index settings, none of this Python's own."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "CONDA_", "__PYVENV"))
        and name not in _NOT_FOR_INSTALLERS
        and name != "VIRTUAL_ENV"
    }


def model_variables(named: Iterable[str] = ()) -> dict[str, str]:
    """Return the environment for a model's process: next to nothing, and what its manifest names.

    Example:
        >>> "PYTHONPATH" in model_variables(["CHURN_THRESHOLD"])
        False
    """
    wanted = _FOR_MODELS | set(named)
    return {name: value for name, value in os.environ.items() if name in wanted}


class Interruption:
    """Ends programs that another thread waits for, and lets none be started after them; see :func:`interruptible`."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._over = False

    def interrupt(self) -> None:
        """End them, with everything they started."""
        with self._lock:
            self._over = True
            for process in self._running:
                _stop(process)

    @contextmanager
    def over(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        """Watch over a program that was started just now."""
        with self._lock:
            self._running.add(process)
            if self._over:
                _stop(process)
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(process)


_interruption: ContextVar[Interruption] = ContextVar("interruption")


@contextmanager
def interruptible(interruption: Interruption) -> Iterator[None]:
    """Let every program that is run in the block be ended by somebody else."""
    before = _interruption.set(interruption)
    try:
        yield
    finally:
        _interruption.reset(before)


def run(
    command: Sequence[str | Path],
    *,
    variables: Mapping[str, str],
    timeout_s: float,
    folder: Path | None = None,
    output: IO[bytes] | None = None,
    source: IO[bytes] | None = None,
) -> Finished:
    """Run a program to its end.

    Args:
        command: Program and arguments.
        variables: Its whole environment.
        timeout_s: Seconds after which it is stopped, with everything it started.
        folder: Its working directory; by default an empty one of its own, so that no file that lies around
            (``uv.toml``, ``random.py``) has a say.
        output: Where its stdout goes, instead of into the result.
        source: Where its stdin comes from; by default it is empty.

    Raises:
        OSError: The program cannot be started.
    """
    with tempfile.TemporaryDirectory(prefix="modelwright-") as empty:
        process = subprocess.Popen(
            [str(part) for part in command],
            env=dict(variables),
            cwd=folder or empty,
            stdin=source or subprocess.DEVNULL,
            stdout=output or subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        with process, _interruption.get(_NEVER).over(process):
            try:
                out, err = process.communicate(timeout=timeout_s)
                timed_out = False
            except subprocess.TimeoutExpired:
                _stop(process)
                out, err = process.communicate()
                timed_out = True
            except BaseException:
                _stop(process)
                raise
        return Finished(process.returncode, _text(out), _text(err), timed_out)


_NEVER = Interruption()
_finding = Lock()


def uv_program() -> str | None:
    """Return the path of uv, or ``None`` where it is missing or refused."""
    with _finding:  # what uv asks of sysconfig is half there while another thread asks for the first time
        return _found_uv()


@cache
def _found_uv() -> str | None:
    try:
        program = uv.find_uv_bin()
        works = run([program, "--version"], variables=installer_variables(), timeout_s=60).code == 0
    except OSError:
        return None
    return program if works else None


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a process and everything it started, unless it has ended."""
    if process.poll() is not None:
        return
    if os.name == "posix":
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()


def _text(content: bytes | None) -> str:
    return (content or b"").decode("utf-8", "replace")
