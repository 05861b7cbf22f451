"""Put a finished folder in the place of an old one: old state or new state, never half.

Called by capture. A folder is made under a temporary name beside its target, flushed to disk, then swapped in with
one system call where the platform has one (Linux ``renameat2``, macOS ``renamex_np``). Elsewhere two renames are
needed; a process that dies between them leaves the old folder beside the target, and :func:`recover` puts it back.

It does not: know what is in the folder.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from modelwright.errors import StorageError
from modelwright.liveness import lives

_TEMPORARY = re.compile(r"\.(?P<name>.+)\.(?P<pid>\d+)-[0-9a-f]{8}\.(tmp|old)")
_AT_FDCWD = -100
"""Linux, <fcntl.h>: paths are relative to the working directory."""
_RENAME_EXCHANGE = 2
"""Linux, <linux/fs.h>: exchange the two names atomically."""
_RENAME_SWAP = 2
"""macOS, <sys/stdio.h>: exchange the two names atomically."""

_STORAGE_TROUBLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM}


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a temporary folder beside the target; when the block ends well, it stands in the target's place.

    Args:
        target: Where the finished folder shall be. Its parents are created. What stands there before is kept until
            the new folder is complete and on disk, and stays as it was if the block fails.

    Raises:
        StorageError: The disk is full, or the place may not be written.
    """
    target = target.absolute()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        recover(target)
        temporary = target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
        temporary.mkdir()
    except OSError as error:
        raise _storage_error(error, target) from error
    try:
        yield temporary
        _flush(temporary)
        _swap(temporary, target)
    except OSError as error:
        if error.errno not in _STORAGE_TROUBLE:
            raise
        raise _storage_error(error, target) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def recover(target: Path) -> None:
    """Clear what dead processes left beside a target, and put back an old folder whose successor never came."""
    for leftover in target.parent.glob(f".{target.name}.*"):
        match = _TEMPORARY.fullmatch(leftover.name)
        if match is None or match["name"] != target.name or lives(int(match["pid"])):
            continue
        if leftover.suffix == ".old" and not target.exists():
            leftover.rename(target)
        else:
            shutil.rmtree(leftover, ignore_errors=True)


def _flush(folder: Path) -> None:
    """Write every file and folder below a folder to disk."""
    for path in [*sorted(folder.rglob("*")), folder, folder.parent]:
        if path.is_file() or os.name == "posix":
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _swap(new: Path, target: Path) -> None:
    if not target.exists():
        new.rename(target)
    elif not _exchange(new, target):
        old = new.with_suffix(".old")
        target.rename(old)
        new.rename(target)
        shutil.rmtree(old, ignore_errors=True)
    if os.name == "posix":
        descriptor = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two names atomically; say whether this platform and file system could."""
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None, use_errno=True)
        names = os.fsencode(one), os.fsencode(other)
        if sys.platform == "linux":
            return bool(library.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0)
        if sys.platform == "darwin":
            return bool(library.renamex_np(names[0], names[1], _RENAME_SWAP) == 0)
    return False


def _storage_error(error: OSError, target: Path) -> StorageError:
    full = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
    return StorageError(
        "The disk is full." if full else f"The folder cannot be written: {error.strerror or error}.",
        where=str(target),
        why="What was there before is untouched.",
        hint="Free some space, or choose another place with to=…." if full else "Choose another place with to=….",
    )
