"""List the files of a project: those that git knows if it does, otherwise all that a person wrote.

Called by everything in this sub-package, so that all parts speak of the same files. It follows no symbolic link.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from modelwright.errors import AdoptError

_NOT_OURS = (
    ".git .hg .svn .tox .nox .venv venv env .env .eggs build dist node_modules __pycache__ .mypy_cache .ruff_cache "
    ".pytest_cache .ipynb_checkpoints .idea .vscode .modelwright site-packages"
)
NOT_OURS = frozenset(_NOT_OURS.split())
"""Folders that tools make or fill; nobody means them when they say 'my project'."""
MAX_FILES = 100_000
"""Files that are listed at most; more are no project but a data store."""
TEXT_LIMIT = 4 * 2**20
"""Largest source file that is read, bytes."""


@dataclass(frozen=True)
class Tree:
    """The files of a project.

    Attributes:
        root: Its folder, resolved.
        files: Paths relative to it, sorted, with ``/``.
        tracked: Those that git tracks; ``None`` where there is no git.
        links: Symbolic links, which nothing here follows.
    """

    root: Path
    files: tuple[str, ...]
    tracked: frozenset[str] | None
    links: tuple[str, ...] = ()

    @cached_property
    def known(self) -> frozenset[str]:
        """The same files, for looking up."""
        return frozenset(self.files)

    def below(self, folder: str) -> tuple[str, ...]:
        """Return the files below a folder (``.`` is the root)."""
        prefix = "" if folder in ("", ".") else f"{folder}/"
        return tuple(file for file in self.files if file.startswith(prefix))

    def text(self, file: str) -> str:
        """Return the text of a file; bytes that are not UTF-8 become question marks.

        Raises:
            AdoptError: It cannot be read or is too large to be source.
        """
        path = self.root / file
        try:
            if path.stat().st_size > TEXT_LIMIT:
                raise AdoptError("The file is too large to be read as text.", where=str(path))
            return path.read_text("utf-8-sig", errors="replace")
        except OSError as error:
            raise AdoptError("The file cannot be read.", where=str(path), why=error.strerror or str(error)) from error


def open_tree(root: Path) -> Tree:
    """List the files of the project at a folder.

    Raises:
        AdoptError: There is no such folder, it is empty, or it holds too many files.
    """
    if not root.is_dir():
        why = "It is a file." if root.exists() else "There is nothing of that name."
        raise AdoptError("There is no project folder.", where=str(root), why=why, hint="Give the project's folder.")
    root = root.resolve()
    files, links = _walk(root)
    if not files:
        raise AdoptError(
            "The folder is empty.", where=str(root), hint="To begin a project: modelwright new NAME", why="No files."
        )
    return Tree(root, tuple(sorted(files)), _tracked(root), tuple(sorted(links)))


def _walk(root: Path) -> tuple[list[str], list[str]]:
    files: list[str] = []
    links: list[str] = []
    for folder, names, inside in os.walk(root):
        here = Path(folder)
        links += [_relative(here / name, root) for name in names if (here / name).is_symlink()]
        names[:] = sorted(name for name in names if not _is_foreign(here / name))
        for name in inside:
            path = here / name
            (links if path.is_symlink() else files).append(_relative(path, root))
        if len(files) > MAX_FILES:
            raise AdoptError(
                f"There are more than {MAX_FILES} files.", where=str(root), hint="Give the project itself."
            )
    return [file for file in files if not file.endswith((".pyc", ".pyo"))], links


def _is_foreign(folder: Path) -> bool:
    foreign = folder.name in NOT_OURS or folder.name.endswith((".egg-info", ".dist-info"))
    return foreign or folder.is_symlink() or (folder / "pyvenv.cfg").is_file()


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _tracked(root: Path) -> frozenset[str] | None:
    """Ask git which files it tracks; ``None`` if there is no git, no repository, or nothing in it yet."""
    command = ["git", "-C", str(root), "-c", "core.fsmonitor=false", "ls-files", "-z"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    names = [os.fsdecode(name) for name in done.stdout.split(b"\0") if name]
    return frozenset(names) if done.returncode == 0 and names else None


def parents(file: str) -> Iterator[str]:
    """Give the folders above a file, nearest first, without the root.

    Example:
        >>> list(parents("src/churn/data/rows.csv"))
        ['src/churn/data', 'src/churn', 'src']
    """
    yield from (str(folder) for folder in PurePosixPath(file).parents if str(folder) != ".")
