"""Folders in which a notebook or a project may run, read its files and write, without touching the user's.

Called by proving. Small files are copied, large ones linked; folders above the notebook are linked, because notebooks
read ``../data``. What belongs to tools (``.git``, environments, caches) is left out.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

LARGE = 32 << 20
"""Files of this size and more are linked, bytes."""
BUDGET = 512 << 20
"""Bytes that are copied at most; what comes after is linked."""
ABOVE = 2
"""How many folders above the notebook can be read."""
_LEFT_OUT = {"__pycache__", "node_modules", "site-packages", "venv", "env", "build", "dist"}


def mirrored(folder: Path, root: Path) -> Path:
    """Make a folder with the same files in it, and the same neighbours above it.

    Args:
        folder: The folder.
        root: An empty folder; what is made lies in it.

    Returns:
        The folder in which to run.
    """
    folder = folder.resolve()
    inner = root
    for above in reversed(folder.parents[:ABOVE]):
        inner = inner / (above.name or "root")
        inner.mkdir(parents=True)
        _link_neighbours(above, inner, skipped=[folder, *folder.parents])
    target = inner / (folder.name or "folder")
    copied(folder, target)
    return target


def copied(folder: Path, target: Path) -> None:
    """Copy the files of a folder; large ones are linked.

    Args:
        folder: The folder.
        target: Where the copy goes; it does not exist yet.
    """
    budget = BUDGET
    target.mkdir(parents=True)
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in _LEFT_OUT and not name.startswith(".")]
        inside = target / Path(parent).relative_to(folder)
        for name in folders:
            (inside / name).mkdir(exist_ok=True)
        for name in files:
            source = Path(parent) / name
            with suppress(
                OSError
            ):  # a socket, a broken link, a file that is not ours: the notebook says if it misses it
                size = source.stat().st_size
                budget -= size if size < LARGE else 0
                if size >= LARGE or budget < 0:
                    (inside / name).symlink_to(source.resolve())
                else:
                    shutil.copy2(source, inside / name)


def _link_neighbours(folder: Path, target: Path, *, skipped: list[Path]) -> None:
    with suppress(OSError):
        for entry in folder.iterdir():
            if entry not in skipped and not entry.name.startswith("."):
                with suppress(OSError):
                    (target / entry.name).symlink_to(entry)
