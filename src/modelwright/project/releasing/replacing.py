"""Write several files together: all of them or none.

Called by :mod:`~modelwright.project.releasing.bump`. Everything is written beside its place first; only when all of it
is on disk do the names change, and if one of them cannot, or the block fails, those before it are put back.

It does not: survive a machine that loses power between two renames; then some files are old and some new, each whole,
and bumping again makes them agree.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from modelwright.errors import StorageError


@contextmanager
def replaced(contents: Mapping[Path, bytes]) -> Iterator[None]:
    """Replace the contents of files, and put the old ones back if the block ends with an error.

    Args:
        contents: New content of each file; those that are not there are made, their folders have to be.

    Raises:
        StorageError: One cannot be written; all are as they were.
    """
    before = {path: path.read_bytes() if path.is_file() else None for path in contents}
    waiting: dict[Path, Path] = {}
    done: list[Path] = []
    try:
        for path, content in contents.items():
            waiting[path] = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
            _write(waiting[path], content, like=path)
        for path, temporary in waiting.items():
            temporary.replace(path)
            done.append(path)
        yield
    except BaseException as error:
        for path in done:
            _put_back(path, before[path])
        if isinstance(error, OSError):
            told = f"The file cannot be written: {error.strerror or error}."
            where = str(error.filename2 or error.filename or "")
            raise StorageError(told, where=where, why="All files are as they were.") from error
        raise
    finally:
        for temporary in waiting.values():
            temporary.unlink(missing_ok=True)


def _write(path: Path, content: bytes, *, like: Path) -> None:
    with path.open("xb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    if like.is_file():
        shutil.copymode(like, path)


def _put_back(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink(missing_ok=True)
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    _write(temporary, content, like=path)
    temporary.replace(path)
