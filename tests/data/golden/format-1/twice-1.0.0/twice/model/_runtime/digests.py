"""Remember digests of big files outside the package, so that gigabytes are hashed once per file, not per process.

A digest is remembered under everything that changes when a file changes: device, inode, size, mtime, ctime. The
memory is a convenience: if it cannot be read or written, digests are computed.

Called by integrity. It does not write below the model folder.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path

LIMIT = 500
"""At most so many digests are kept; the oldest are forgotten."""
SETTLED_S = 2.0
"""A file changed more recently than this is not remembered, seconds: it might change again within the same tick
of the file system's clock (the "racy" problem; Source: git, Documentation/technical/racy-git)."""


def cache_folder() -> Path:
    """Return the folder for what can be computed again, as the platform wants it.

    Source: XDG Base Directory Specification; Apple File System Programming Guide; Windows known folders.
    """
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "modelwright"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "modelwright" / "Cache"
    given = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(given) if given.startswith("/") else Path.home() / ".cache") / "modelwright"


class DigestMemory:
    """Digests by file identity, read when first needed, written back by :meth:`save`.

    Args:
        path: The file that holds them; by default in the user's cache folder.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._known: dict[str, str] | None = None
        self._new: dict[str, str] = {}

    def recall(self, file: Path) -> str | None:
        """Return the digest of a file that has not changed since it was remembered."""
        if self._known is None:
            self._known = self._read()
        return self._known.get(_identity(file))

    def remember(self, file: Path, digest: str) -> None:
        """Remember a digest, unless the file is so young that it may still be changing."""
        status = file.stat()
        if time.time() - max(status.st_mtime, status.st_ctime) > SETTLED_S:
            self._new[_identity(file)] = digest

    def save(self) -> None:
        """Write what is new, atomically; a folder that cannot be written is fine."""
        if not self._new:
            return
        content = json.dumps(dict([*self._read().items(), *self._new.items()][-LIMIT:]))
        try:
            path = self._file()
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(content)
            Path(temporary).replace(path)
        except (OSError, RuntimeError):  # RuntimeError: the user has no home folder
            return

    def _file(self) -> Path:
        return self._path or cache_folder() / "digests.json"

    def _read(self) -> dict[str, str]:
        try:
            known = json.loads(self._file().read_bytes())
        except (OSError, ValueError, RuntimeError):
            return {}
        return known if isinstance(known, dict) else {}


def _identity(file: Path) -> str:
    status = file.stat()
    return f"{status.st_dev}:{status.st_ino}:{status.st_size}:{status.st_mtime_ns}:{status.st_ctime_ns}"
