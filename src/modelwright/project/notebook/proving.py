"""Prove that a project does what the notebook did: run both in clean environments and compare what they compute.

Called by convert. The notebook runs with nbclient in an environment with Jupyter, the project in one without; both
start with the same seeds, in a copy of their folder, with next to no environment variables. A value that both make is
noted on both sides under the same key, and compared.

It does not: decide what is noted; that is written into the cells, and is what the pipeline tells its observer.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from modelwright.errors import ProofError
from modelwright.inspecting.environments import Environment
from modelwright.inspecting.installers import last_lines
from modelwright.inspecting.processes import Finished, model_variables, run
from modelwright.project.notebook import scratch
from modelwright.project.notebook.comparing import Compared, Fingerprint, Verdict, compare, parting, verdict_of
from modelwright.project.notebook.rooms import JUPYTER, interpreter_for, room, without_jupyter
from modelwright.spec.struct import Frozen
from modelwright.steps import Listener, ignore, timed

TIMEOUT_S = 600.0
"""Longest time that one cell may take, seconds."""
_START_S = 180.0
"""Time to start a kernel and import what is needed, seconds."""
_SAME = {"MPLBACKEND": "Agg", "PYTHONHASHSEED": "0"}
_ABSENT = re.compile(r"No such file or directory: '([^']*)'|^'?([^':]+)'? (?:not found|does not exist)")


class ProofReport(Frozen, frozen=True, kw_only=True):
    """What a proof found.

    Attributes:
        verdict: ``equal``: to the last bit; ``close``: within the tolerance; ``different``.
        parted: The first cell and value that differ, as a sentence; empty unless different.
        compared: Every value that was noted: metrics and predictions first, then in the order of the notebook.
        python: Version of Python that both ran on.
        notebook_s: Time the notebook took, seconds.
        project_s: Time the project took, seconds.
    """

    verdict: Verdict
    parted: str = ""
    compared: tuple[Compared, ...]
    python: str
    notebook_s: float
    project_s: float

    @property
    def holds(self) -> bool:
        """Whether the project does what the notebook did."""
        return self.verdict != "different"


def prove(
    observed_cells: Sequence[tuple[int, str]],
    *,
    project: Path,
    package: str,
    requirements: Sequence[str],
    inputs: Path,
    written: Mapping[str, str] | None = None,
    python: str | None = None,
    timeout_s: float = TIMEOUT_S,
    cache: Path | None = None,
    listener: Listener = ignore,
) -> ProofReport:
    """Run a notebook and the project made from it, and compare what they compute.

    Args:
        observed_cells: Number and code of each cell, with calls of ``__mw_note__(key, value)`` in it.
        project: The project's folder; its ``pipeline`` module is run.
        package: Name of the project's import package.
        requirements: What both need (PEP 508).
        inputs: The folder in which the notebook ran; its relative paths begin there.
        written: Files that the notebook writes itself before it reads them, text by path.
        python: Version or path of the Python to run both on; by default this one.
        timeout_s: Longest time that one cell may take, seconds.
        cache: Folder that keeps the environments; by default one in the user's cache folder.
        listener: Told about each step.

    Raises:
        ProofError: One of the two cannot be run to the end; the cell, or the line of the project, is named.
        EnvironmentBuildError: There is no such Python here.
    """
    interpreter = interpreter_for(python)
    needed = without_jupyter(requirements)
    with tempfile.TemporaryDirectory(prefix="modelwright-proof-", ignore_cleanup_errors=True) as temporary:
        work = Path(temporary).resolve()
        with timed("notebook", listener) as note:
            with room([*needed, *JUPYTER], interpreter=interpreter, cache=cache) as environment:
                began = time.perf_counter()
                cells = list(observed_cells)
                left = _run_notebook(
                    cells, environment, work, inputs=inputs, written=written or {}, timeout_s=timeout_s
                )
                notebook_s = time.perf_counter() - began
            note.detail = f"{len(cells)} cells, {len(left)} values"
        with timed("project", listener) as note:
            with room(needed, interpreter=interpreter, cache=cache) as environment:
                began = time.perf_counter()
                limit = timeout_s * max(1, len(cells))
                right = _run_project(environment, work, project=project, package=package, timeout_s=limit)
                project_s = time.perf_counter() - began
            note.detail = f"{len(right)} values"
    compared = compare(left, right)
    return ProofReport(
        verdict=verdict_of(compared),
        parted=parting(compared),
        compared=compared,
        python=interpreter.version,
        notebook_s=round(notebook_s, 2),
        project_s=round(project_s, 2),
    )


def _run_notebook(
    cells: list[tuple[int, str]],
    environment: Environment,
    work: Path,
    *,
    inputs: Path,
    written: Mapping[str, str],
    timeout_s: float,
) -> list[Fingerprint]:
    """Execute the cells in a copy of the notebook's folder; return what was noted."""
    folder = scratch.mirrored(inputs, work / "notebook")
    for path, text in written.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    order = {"cells": [tuple(cell)[:2] for cell in cells], "timeout_s": timeout_s, "folder": str(folder)}
    settings = {name: str(work / "jupyter") for name in ("JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR")}
    settings |= {"JUPYTER_RUNTIME_DIR": str(work / "kernels"), "JUPYTER_PREFER_ENV_PATH": "1"}
    limit = timeout_s * max(1, len(cells)) + _START_S
    outcome, finished = _run_child(
        "notebook_child", order, environment, work, folder=folder, settings=settings, timeout_s=limit
    )
    if outcome.get("how") != "ended":
        raise _notebook_failed(outcome, finished, dict(cells), timeout_s)
    return _noted(work / "notebook_child.notes")


def _run_project(
    environment: Environment, work: Path, *, project: Path, package: str, timeout_s: float
) -> list[Fingerprint]:
    """Run the pipeline in a copy of the project; return what was observed."""
    root = work / "project"
    scratch.copied(project.resolve(), root)
    order = {"paths": [str(root / "src"), str(root)], "package": package, "root": str(root)}
    outcome, finished = _run_child(
        "project_child", order, environment, work, folder=root, settings={}, timeout_s=timeout_s
    )
    if outcome.get("how") != "ended":
        raise _project_failed(outcome, finished, timeout_s)
    return _noted(work / "project_child.notes")


def _run_child(
    name: str,
    order: dict[str, Any],
    environment: Environment,
    work: Path,
    *,
    folder: Path,
    settings: Mapping[str, str],
    timeout_s: float,
) -> tuple[dict[str, Any], Finished]:
    """Run one of the two child programs; return what it wrote about its end."""
    library = work / f"{name}.library"
    library.mkdir()
    here = files("modelwright.project.notebook")
    for module, known_as in ((name, name), ("recorder", "mw_recorder"), ("seeds", "mw_seeds")):
        (library / f"{known_as}.py").write_bytes((here / f"{module}.py").read_bytes())
    given = library / "order.json"
    outcome = library / "outcome.json"
    order = order | {"notes": str(work / f"{name}.notes"), "outcome": str(outcome)}
    given.write_text(json.dumps(order), encoding="utf-8")
    variables = {**model_variables(), **_SAME, **settings, "PYTHONPATH": str(library), "PYTHONNOUSERSITE": "1"}
    finished = run(
        [environment.python, library / f"{name}.py", given], variables=variables, timeout_s=timeout_s, folder=folder
    )
    told = json.loads(outcome.read_text("utf-8")) if outcome.is_file() else {}
    shutil.rmtree(library, ignore_errors=True)
    return told, finished


def _noted(path: Path) -> list[Fingerprint]:
    if not path.is_file():
        return []
    return [msgspec.json.decode(line, type=Fingerprint) for line in path.read_bytes().splitlines()]


def _notebook_failed(
    outcome: dict[str, Any], finished: Finished, cells: Mapping[int, str], timeout_s: float
) -> ProofError:
    """Return the error about a notebook that did not run to its end."""
    cell = int(outcome.get("cell", 0))
    how, message = outcome.get("how"), _plain(str(outcome.get("message", "")))
    where = f"cell {cell}: {_first_line(cells.get(cell, ''))}"
    if how == "timeout":
        return ProofError(
            f"Cell {cell} did not end within {timeout_s:g} s.",
            where=where,
            hint="Give it more time, or let it do less.",
        )
    if how == "error":
        absent = _absent(outcome, message)
        if absent:
            return ProofError(
                f"Cell {cell} reads {absent!r}, which is not there.",
                where=f"cell {cell}: {_line_with(absent, cells.get(cell, ''))}",
                why=f"{outcome['name']}: {message}",
                hint="Put the file where the notebook looks for it, or give the folder it ran in.",
            )
        return ProofError(f"Cell {cell} of the notebook fails.", where=where, why=f"{outcome['name']}: {message}")
    if how == "died":
        return ProofError(
            f"The kernel died in cell {cell}.", where=where, why=message or "It may have run out of memory."
        )
    why = last_lines(finished.errors or finished.output)
    return ProofError("The notebook could not be executed.", why=why or f"The process ended with {finished.code}.")


def _project_failed(outcome: dict[str, Any], finished: Finished, timeout_s: float) -> ProofError:
    """Return the error about a project that did not run to its end."""
    if finished.timed_out:
        return ProofError(f"The project did not end within {timeout_s:g} s, while the notebook did.")
    if outcome.get("how") == "error":
        return ProofError(
            "The notebook runs, and the project made from it does not.",
            where=str(outcome.get("place", "")),
            why=f"{outcome['name']}: {_plain(str(outcome['message']))}",
        )
    why = outcome.get("message") or last_lines(finished.errors or finished.output)
    return ProofError("The project could not be run.", why=why or f"The process ended with {finished.code}.")


def _absent(outcome: Mapping[str, Any], message: str) -> str:
    if outcome.get("name") not in ("FileNotFoundError", "OSError"):
        return ""
    found = _ABSENT.search(message)
    return (found[1] or found[2] or "") if found else ""


def _plain(text: str) -> str:
    """Return the first lines of a message without the colours of a terminal."""
    return "\n".join(re.sub(r"\x1b\[[0-9;]*m", "", text).strip().splitlines()[:4])[:600]


def _line_with(path: str, code: str) -> str:
    """Return the line that names a file, or the first line of the cell."""
    name = re.split(r"[\\/]", path)[-1]
    return next((line.strip()[:100] for line in code.split("\n") if name and name in line), _first_line(code))


def _first_line(code: str) -> str:
    lines = [line.strip() for line in code.split("\n") if line.strip() and not line.lstrip().startswith(("#", "__mw_"))]
    return lines[0][:100] if lines else ""
