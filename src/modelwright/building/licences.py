"""Collect the licence files of a project (PEP 639).

Called by :mod:`modelwright.building.distinfo` (they go into the wheel) and by
:mod:`modelwright.building.metadata` (they are named there).
"""

from __future__ import annotations

from pathlib import Path

from modelwright.building.project import Project
from modelwright.errors import ProjectError

DEFAULT_GLOBS = ("LICEN[CS]E*", "COPYING*", "NOTICE*", "AUTHORS*")
"""What counts as a licence file when nothing is said. Source: PyPA "pyproject.toml specification", license-files."""


def licence_files(project: Project) -> dict[str, Path]:
    """Return the licence files by path relative to the project, sorted.

    Raises:
        ProjectError: ``license-files`` is no list of globs, one of them leads out of the project or matches no
            file, or a file is not UTF-8.
    """
    globs = project.table.get("license-files")
    where = f"{project.where}: project.license-files"
    if globs is None:
        found = {path for glob in DEFAULT_GLOBS for path in project.root.glob(glob) if path.is_file()}
    else:
        if not isinstance(globs, list) or not all(isinstance(glob, str) for glob in globs):
            raise ProjectError("license-files is no list of globs.", where=where, hint='Write ["LICENSE*"].')
        found = {path for glob in globs for path in _matching(project.root, glob, where)}
    return {path.relative_to(project.root).as_posix(): _readable(path) for path in sorted(found)}


def _matching(root: Path, glob: str, where: str) -> list[Path]:
    if glob.startswith("/") or "\\" in glob or ".." in glob.split("/") or ":" in glob:
        raise ProjectError(f"The glob {glob!r} leads out of the project.", where=where, hint="Write it relative.")
    found = [path for path in root.glob(glob) if path.is_file() and path.resolve().is_relative_to(root)]
    if not found:
        raise ProjectError(f"The glob {glob!r} matches no file.", where=where, why="PEP 639: each has to match.")
    return found


def _readable(path: Path) -> Path:
    try:
        path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ProjectError("The licence file is not UTF-8.", where=str(path), why=str(error)) from error
    return path
