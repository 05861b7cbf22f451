"""Files in a folder of this machine, durable when a verb returns, and never half there.

Opened by :mod:`modelwright.registry.storing.opening`. A file is complete and synced before it gets its name, and its
folders are synced before anybody is told that it is there. The folder may be served by any web server as it is.

It does not hash: what a file is called was decided by whoever looked at its bytes.
Source: fsync(2), link(2), rename(2): a new name is durable when its folder was synced, too.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from modelwright.errors import DamageError, UnavailableError, UnknownReleaseError
from modelwright.registry.storing.store import FOLDER, PIECE, Key, key_at

INCOMING = ".incoming"
"""Folder for what is being written, below that of the files, so that it is on their file system whatever is mounted."""
SETTLED_S = 86_400
"""What was last written to so long ago is being written by nobody any more, seconds."""
_NO_LINKS = (errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)
"""What link(2) answers if the file lies on another file system, or the file system knows no hard links."""
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EISDIR)


class FolderStore:
    """Files in a folder; see :class:`modelwright.registry.storing.store.Store`.

    Args:
        root: The folder, below which ``files/`` lies.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def keep(self, key: Key, source: Path) -> None:
        """Take a complete file in: hard-linked on the same file system, copied from another one."""
        target = self._root / key.path
        with self._understood("The file cannot be stored; nothing was changed."):
            size = _sync_file(source)
            self._make_folders(target.parent)
            if not _linked(source, target):
                self._copy(source, target)
            self._expect(key, size)
            # Also if it was there already: whoever put it there may not have come to this line.
            self._sync_folders(target.parent)
            source.unlink(missing_ok=True)

    def put(self, key: Key, content: bytes) -> None:
        """Write a small document beside a file."""
        target = self._root / key.path
        with self._understood("The document cannot be stored; nothing was changed."):
            self._make_folders(target.parent)
            with self._temporary() as (temporary, stream):
                stream.write(content)
                _finish(stream)
                temporary.replace(target)
            self._sync_folders(target.parent)

    def open(self, key: Key) -> BinaryIO:
        """Open a file as a seekable stream."""
        path = self._root / key.path
        with self._understood("The file cannot be read."):
            try:
                handle = os.open(path, os.O_RDONLY | _NO_FOLLOW)
            except OSError as error:
                if error.errno in _NOT_THERE:
                    raise _unknown(key) from error
                raise
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                os.close(handle)
                raise _unknown(key)
            return os.fdopen(handle, "rb")

    def size(self, key: Key) -> int | None:
        """Return the size of a file, bytes; what is no regular file is not there."""
        path = self._root / key.path
        with self._understood("The file cannot be looked at."):
            try:
                found = path.lstat()
            except OSError as error:
                if error.errno in _NOT_THERE:
                    return None
                raise
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def path(self, key: Key) -> Path | None:
        """Return the path of a file."""
        return self._root / key.path if self.size(key) is not None else None

    def chunks(self, key: Key, *, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Read a part of a file in pieces."""
        if self.size(key) is None:
            raise _unknown(key)  # now, not when the first piece is asked for
        return self._pieces(key, start, stop)

    def _pieces(self, key: Key, start: int, stop: int | None) -> Iterator[bytes]:
        with self.open(key) as stream, self._understood("The file cannot be read."):
            stream.seek(start)
            left = None if stop is None else stop - start
            while (left is None or left > 0) and (piece := stream.read(PIECE if left is None else min(PIECE, left))):
                left = None if left is None else left - len(piece)
                yield piece

    def remove(self, key: Key) -> None:
        """Remove a file; its folder stays, for somebody may be about to put something there."""
        path = self._root / key.path
        with self._understood("The file cannot be removed."), contextlib.suppress(FileNotFoundError):
            path.unlink()
            _sync_folder(path.parent)

    def keys(self) -> Iterator[Key]:
        """List every regular file that a key leads to."""
        with self._understood("The files cannot be listed."):
            for group in _entries(self._root / FOLDER):
                for folder in _entries(Path(group)) if group.is_dir(follow_symlinks=False) else ():
                    for file in _entries(Path(folder)) if folder.is_dir(follow_symlinks=False) else ():
                        key = key_at(f"{FOLDER}/{group.name}/{folder.name}/{file.name}")
                        if key is not None and file.is_file(follow_symlinks=False):
                            yield key

    def sweep(self) -> None:
        """Remove what dead processes left half written."""
        with self._understood("What was left half written cannot be removed."):
            for entry in _entries(self._root / FOLDER / INCOMING):
                with contextlib.suppress(FileNotFoundError):
                    if entry.stat(follow_symlinks=False).st_mtime < time.time() - SETTLED_S:
                        Path(entry).unlink()

    def _expect(self, key: Key, size: int) -> None:
        """Refuse to call something else the file that was given."""
        found = self.size(key)
        if found != size:
            raise DamageError(
                "What is stored is not what was published.",
                where=key.path,
                why="It is no file." if found is None else f"It has {found} bytes; the file has {size}.",
                hint="modelwright registry check",
            )

    def _copy(self, source: Path, target: Path) -> None:
        with source.open("rb") as reader, self._temporary() as (temporary, stream):
            shutil.copyfileobj(reader, stream, PIECE)
            _finish(stream)
            if not _linked(temporary, target):
                temporary.replace(target)  # without hard links the last of two that are equal wins

    @contextmanager
    def _temporary(self) -> Iterator[tuple[Path, BinaryIO]]:
        """Give a new file on the file system of the stored ones; it is gone afterwards unless it got another name."""
        folder = self._root / FOLDER / INCOMING
        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / secrets.token_hex(16)
        try:
            with path.open("xb") as stream:
                yield path, stream
        finally:
            path.unlink(missing_ok=True)

    def _make_folders(self, folder: Path) -> None:
        """Make a folder below the root, readable for the web server as its files are, whatever the umask."""
        missing = []
        while folder != self._root and not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        for folder in reversed(missing):
            with contextlib.suppress(FileExistsError):  # somebody else may make it at the same moment
                folder.mkdir()
                folder.chmod(0o755)

    def _sync_folders(self, folder: Path) -> None:
        """Make every name between the root and a folder durable."""
        while folder != self._root:
            _sync_folder(folder)
            folder = folder.parent
        _sync_folder(self._root)

    @contextmanager
    def _understood(self, what: str) -> Iterator[None]:
        """Turn what the operating system says into an error of ours."""
        try:
            yield
        except OSError as error:
            raise UnavailableError(
                what,
                where=str(self._root),
                why=f"{error.strerror or error}{self._room(error)}",
                hint=_HINTS.get(error.errno or 0, ""),
            ) from error

    def _room(self, error: OSError) -> str:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            return ""
        try:
            return f"; {shutil.disk_usage(self._root).free / 2**20:,.1f} MiB are free"
        except OSError:
            return ""


_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_HINTS = {
    errno.ENOSPC: "Make room, or move the files to a larger disk (settings: files).",
    errno.EDQUOT: "The quota of this user is used up.",
    errno.EROFS: "The file system is mounted read-only.",
    errno.EACCES: "Is the folder this user's?",
    errno.EPERM: "Is the folder this user's?",
}


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, each on disk before anything is put into it.

    Otherwise the first publication would survive a power cut in a folder that does not.

    Raises:
        OSError: It cannot be made.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync_folder(folder.parent)


def _linked(source: Path, target: Path) -> bool:
    """Give a file a second name, unless something has it; say no if this file system cannot."""
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        return True
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return target.exists()
    return True


def _sync_file(path: Path) -> int:
    """Make the content of a file durable, and readable for the web server; return its size, bytes."""
    handle = os.open(path, os.O_RDONLY | _NO_FOLLOW)
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        os.fchmod(handle, 0o644)
        os.fsync(handle)
        return found.st_size
    finally:
        os.close(handle)


def _finish(stream: BinaryIO) -> None:
    stream.flush()
    os.fchmod(stream.fileno(), 0o644)
    os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return  # elsewhere a folder cannot be synced, and need not be
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems sync names by themselves, and say so
            raise
    finally:
        os.close(handle)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _unknown(key: Key) -> UnknownReleaseError:
    return UnknownReleaseError(f"There is no file {key.name} with this digest.", where=key.sha256)
