"""Files that appear whole or not at all, under names that never collide.

Called by :mod:`.series`, in the thread that writes.
Source: POSIX ``rename``; see the rule "old state or new state, never half" in DESIGN.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

PARTIAL = ".partial"
"""How the name of a file that is not complete ends; it begins with a dot, so no pattern for data finds it."""
ABANDONED_S = 3600.0
"""A file that is not complete and this old, seconds, was left by a process that was killed."""
_TOKEN = secrets.token_hex(3)
_numbers = itertools.count(1)
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def safe(text: str) -> str:
    """Return a text as part of a file's name.

    Example:
        >>> safe("../churn model"), safe("churn")
        ('_churn_model', 'churn')
    """
    return _UNSAFE.sub("_", text).lstrip(".") or "_"


def file_name(*parts: str, suffix: str, now: datetime | None = None) -> str:
    """Return a name that sorts by time and is nobody else's: time, parts, process, counter."""
    time_text = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%S.%fZ")
    named = [safe(part) for part in parts if part]
    return "-".join([time_text, *named, str(os.getpid()), _TOKEN, f"{next(_numbers):06d}"]) + suffix


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file so that it is there with all its bytes, or not there; its folder is made if it is missing.

    Raises:
        OSError: It could not be written; nothing is left behind where that can be helped.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}{PARTIAL}")
    try:
        write(partial)
        _sync(partial, os.O_RDWR)
        partial.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise
    if os.name == "posix":
        _sync(path.parent, os.O_RDONLY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(folder: Path) -> None:
    """Remove what a process that was killed left half written below a folder, long ago."""
    with contextlib.suppress(OSError):
        for partial in folder.rglob(f".*{PARTIAL}"):
            with contextlib.suppress(OSError):
                if time.time() - partial.stat().st_mtime > ABANDONED_S:
                    partial.unlink()
