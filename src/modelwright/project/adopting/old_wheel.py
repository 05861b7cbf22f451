"""Build the project as it is, with its own backend, in a copy: what do people who install it get today?

Called by :mod:`modelwright.project.adopting.adopt`. This is the one place where code of the project runs: its build
backend does what ``pip install .`` would have it do, in an environment of its own, on a copy of the files.
Source: PEP 517; ``uv build``.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from modelwright.inspecting.processes import installer_variables, run, uv_program
from modelwright.project.adopting.tree import Tree

TIMEOUT_S = 600.0
"""Longest time that a build may take."""
SHOWN_LINES = 4


class Wheel(NamedTuple):
    """What the backend made.

    Attributes:
        name: File name; empty if there is none.
        files: Names in it, without those in ``.dist-info``, sorted.
        metadata: METADATA.
        entry_points: entry_points.txt.
        scripts: Names of installed scripts (``.data/scripts``).
        problem: Why there is no wheel, the last lines that the backend said.
    """

    name: str = ""
    files: tuple[str, ...] = ()
    metadata: str = ""
    entry_points: str = ""
    scripts: tuple[str, ...] = ()
    problem: str = ""


def build_old(tree: Tree) -> Wheel:
    """Build a wheel with the project's own backend, in a copy of the project."""
    program = uv_program()
    if program is None:
        return Wheel(problem="uv, which would build it, cannot be started")
    with _copy(tree) as project, tempfile.TemporaryDirectory(prefix="modelwright-") as into:
        command: list[str | Path] = [
            program,
            "build",
            "--wheel",
            "--python",
            sys.executable,
            "--out-dir",
            into,
            project,
        ]
        done = run(command, variables=installer_variables(), timeout_s=TIMEOUT_S, folder=project)
        wheels = sorted(Path(into).glob("*.whl"))
        if done.code or not wheels:
            return Wheel(problem=_reason(done.errors, str(project)) or "the build backend failed")
        return read_wheel(wheels[0])


@contextmanager
def _copy(tree: Tree) -> Iterator[Path]:
    """Copy the project's files, and its git folder for backends that ask git for files or the version."""
    with tempfile.TemporaryDirectory(prefix="modelwright-") as folder:
        copy = Path(folder, tree.root.name or "project")
        copy.mkdir()
        for file in tree.files:
            target = copy / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(tree.root / file, target)
        if (tree.root / ".git").is_dir() and tree.tracked is not None:
            shutil.copytree(tree.root / ".git", copy / ".git", symlinks=True)
        yield copy


def read_wheel(path: Path) -> Wheel:
    """Read names and metadata of a wheel."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        held = {n.partition("/")[2]: n for n in names if re.match(r"[^/]+\.dist-info/", n)}
        texts = {
            name: archive.read(held[name]).decode("utf-8", "replace") if name in held else ""
            for name in ("METADATA", "entry_points.txt")
        }
    files = [name for name in names if not re.match(r"[^/]+\.(dist-info|data)/", name)]
    scripts = [n.rpartition("/")[2] for n in names if re.match(r"[^/]+\.data/scripts/", n)]
    return Wheel(path.name, tuple(sorted(files)), texts["METADATA"], texts["entry_points.txt"], tuple(sorted(scripts)))


def _reason(errors: str, copy: str) -> str:
    """Return the lines that say what went wrong: the end, without tracebacks' frames and temporary paths."""
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip() for line in errors.splitlines()]
    said = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith(("File ", "hint:", "^"))]
    errors_first = [line for line in said if re.match(r"[\w.]*(Error|Exception)\b|error:|×|╰|├", line)]
    return "; ".join((errors_first or said)[-SHOWN_LINES:]).replace(copy, ".")
