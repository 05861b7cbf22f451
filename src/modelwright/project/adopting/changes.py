"""Show changes as diffs, and make them all or none.

Called by :mod:`modelwright.project.adopting.adopt`.
"""

from __future__ import annotations

import difflib
import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from modelwright.errors import StorageError
from modelwright.project.adopting.report import Change
from modelwright.project.adopting.tree import Tree


def change(tree: Tree, path: str, text: str) -> Change | None:
    """Return what writing a file would change; ``None`` if it says that already."""
    is_new = path not in tree.known
    old = "" if is_new else (tree.root / path).read_text("utf-8")
    if old == text and not is_new:
        return None
    lines = difflib.unified_diff(
        old.splitlines(keepends=True),
        text.splitlines(keepends=True),
        "/dev/null" if is_new else f"a/{path}",
        f"b/{path}",
    )
    diff = "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
    return Change(path=path, diff=diff, text=text)


def apply(root: Path, changes: Iterable[Change]) -> None:
    """Write all changes, or none: every file is complete beside its target before the first takes its place.

    Raises:
        StorageError: A file cannot be written; what was there before is there again.
    """
    wanted = list(changes)
    temporary: list[tuple[Path, Path]] = []
    done: list[tuple[Path, bytes | None]] = []
    made: list[Path] = []
    try:
        for each in wanted:
            target = root / each.path
            made += _make_folder(target.parent)
            beside = target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
            temporary.append((beside, target))
            _write(beside, each.text, like=target)
        for beside, target in temporary:
            before = target.read_bytes() if target.exists() else None
            beside.replace(target)
            done.append((target, before))
    except OSError as error:
        _undo(done, made)
        raise StorageError(
            "The changes cannot be written.",
            where=str(error.filename or root),
            why=f"{error.strerror or error}; everything is as it was before.",
        ) from error
    finally:
        for beside, _ in temporary:
            beside.unlink(missing_ok=True)


def _make_folder(folder: Path) -> list[Path]:
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def _write(path: Path, text: str, *, like: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    if like.exists():
        path.chmod(like.stat().st_mode & 0o777)


def _undo(done: list[tuple[Path, bytes | None]], made: list[Path]) -> None:
    for target, before in reversed(done):
        if before is None:
            target.unlink(missing_ok=True)
        else:
            target.write_bytes(before)
    for folder in sorted(made, key=lambda each: len(each.parts), reverse=True):
        with suppress(OSError):
            folder.rmdir()
