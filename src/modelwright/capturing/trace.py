"""Run a staged package in a fresh process and see what it imports and answers.

For: capture, which starts a trace as soon as the folder is staged and waits for it later; dependencies, which repeats
one with modules blocked to prove that they are not needed. The process sees the staging root and the installed
distributions, nothing of the user's folders or environment variables for Python, so what works in it is not owed to
the place it was captured in.

It does not: decide what becomes a dependency (:mod:`modelwright.capturing.dependencies`).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

from modelwright.errors import TraceError
from modelwright.spec.struct import Frozen

CHILD = Path(__file__).with_name("trace_child.py")
TIMEOUT_S = 600.0
"""A trace that takes longer is given up, seconds."""
SHOWN_LINES = 12
"""Lines of the child's traceback that an error shows: the last ones."""


class Traced(NamedTuple):
    """One module that was imported.

    Attributes:
        file: Where it came from; empty for builtin modules.
        importer: Name of the module that imported it first.
    """

    file: str
    importer: str


class Trace(Frozen, frozen=True, kw_only=True):
    """What a fresh process did with the package.

    Attributes:
        modules: Modules that were imported beyond the interpreter's own start, by name.
        answers: Per output, one JSON value per row.
        load_seconds: Wall time from the first import to a loaded model, seconds.
        predict_seconds: Wall time of predicting the rows, seconds.
        cpu_seconds: Processor time of the whole process, seconds.
    """

    modules: dict[str, Traced] = {}
    answers: dict[str, list[Any]] = {}
    load_seconds: float = 0.0
    predict_seconds: float = 0.0
    cpu_seconds: float = 0.0


class Running:
    """A trace under way; :meth:`result` waits for it, :meth:`stop` gives it up."""

    def __init__(self, process: subprocess.Popen[bytes], package: str, said: IO[bytes]) -> None:
        self._process = process
        self._package = package
        self._said = said

    def result(self, *, timeout_s: float = TIMEOUT_S) -> Trace:
        """Wait for the answer.

        Raises:
            TraceError: The package does not load or predict there, or not in time.
        """
        try:
            out, _ = self._process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired as error:
            self.stop()
            raise TraceError(
                f"The model {self._package!r} did not load and predict within {timeout_s:g} s in a fresh process.",
                hint="Give fewer or smaller sample rows.",
            ) from error
        with self._said:
            self._said.seek(0)
            said = self._said.read().decode(errors="replace")
        try:
            answer = json.loads(out)
        except ValueError as error:
            raise self._failure(f"The process ended with code {self._process.returncode}.", said) from error
        if not answer["ok"]:
            raise self._failure(answer["error"], answer["traceback"])
        modules = {name: Traced(*seen) for name, seen in answer["modules"].items()}
        times = {name: answer[name] for name in ("load_seconds", "predict_seconds", "cpu_seconds")}
        return Trace(modules=modules, answers=answer["answers"], **times)

    def stop(self) -> None:
        """End the process, if it still runs."""
        self._process.kill()
        self._process.communicate()
        self._said.close()

    def _failure(self, why: str, detail: str) -> TraceError:
        lines = detail.strip().splitlines()[-SHOWN_LINES:]
        return TraceError(
            f"The captured model {self._package!r} does not run in a fresh process.",
            where="\n         ".join(lines),
            why=why,
            hint="What it needs and is not seen in its code: give modules=[…] for local code, requirements=[…] for "
            "distributions.",
        )


def start(
    root: Path,
    package: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    trust: Iterable[str] = (),
    blocked: Iterable[str] = (),
    python: str = sys.executable,
) -> Running:
    """Start a fresh process that loads the package below ``root`` and predicts the rows.

    Args:
        root: Folder that holds the import package, complete with runtime, manifest and artifacts.
        package: Import name.
        rows: Rows in the encoding of scenarios (``"NaN"`` for NaN, and so on).
        trust: Types that capture vouches for.
        blocked: Top-level modules that must seem not to be installed.
        python: The interpreter.
    """
    question = {"root": str(root), "package": package, "rows": list(rows), "trust": [*trust], "blocked": [*blocked]}
    said = tempfile.TemporaryFile()  # noqa: SIM115 (result() closes it)
    # -E -P: no PYTHON* variables, not the current folder. -B: nothing is written into the staging root.
    process = subprocess.Popen(
        [python, "-E", "-P", "-B", str(CHILD)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, cwd=root
    )
    if process.stdin is not None:
        with suppress(BrokenPipeError), process.stdin as stdin:  # it died at once; result() tells why
            stdin.write(json.dumps(question).encode())
        process.stdin = None
    return Running(process, package, said)
