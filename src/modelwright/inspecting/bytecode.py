"""Remember the byte code that Python made for installed libraries, so that a fresh environment starts fast.

Called by environments. Without it each fresh environment compiles hundreds of modules at its first import, which
takes longer than everything else verify does, and the load time it reports is that of the compiler. Python itself
decides whether a remembered file is valid: it carries the source's size and modification time (PEP 3147, and
"Cached bytecode invalidation" in the language reference), which uv's hard links keep.

It does not: touch sources, or remember anything of the model's own package, which no lock's digest vouches for.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from modelwright.runtime.digests import cache_folder

KEPT_S = 30 * 86_400.0
"""Byte code that was not used for so long goes, seconds."""


def restore(libraries: Path, tag: str, *, store: Path | None = None) -> int:
    """Put remembered byte code beside the libraries of an environment.

    Args:
        libraries: The ``site-packages`` folder.
        tag: PEP 425 tag of its interpreter; byte code of others is of no use.
        store: Folder of remembered byte code; by default one in the user's cache folder.

    Returns:
        How many files were put there.
    """
    count = 0
    for record, remembered in _distributions(libraries, tag, store):
        if not remembered.is_dir():
            continue
        with suppress(OSError):
            os.utime(remembered)
            for source in remembered.rglob("*.pyc"):
                count += _link(source, record.parent.parent / source.relative_to(remembered))
    return count


def keep(libraries: Path, tag: str, *, store: Path | None = None) -> int:
    """Remember the byte code in an environment, as far as it is not remembered yet.

    Returns:
        How many files were remembered. A store that cannot be written is fine.
    """
    count = 0
    with suppress(OSError):
        for record, remembered in _distributions(libraries, tag, store):
            for compiled in _compiled(record, libraries):
                count += _link(compiled, remembered / compiled.relative_to(libraries))
        _prune(store or _default())
    return count


def _default() -> Path:
    return cache_folder() / "bytecode"


def _distributions(libraries: Path, tag: str, store: Path | None) -> Iterator[tuple[Path, Path]]:
    """Yield the RECORD of each library, and where its byte code is remembered."""
    for record in libraries.glob("*.dist-info/RECORD"):
        if "modelwright.models" in _read(record.with_name("entry_points.txt")):
            continue
        digest = hashlib.sha256(_read(record).encode()).hexdigest()[:24]
        yield record, (store or _default()) / tag / f"{record.parent.name}-{digest}"


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _compiled(record: Path, libraries: Path) -> Iterator[Path]:
    """Yield the byte code that stands beside the sources that RECORD lists."""
    folders = set()
    for line in _read(record).splitlines():
        name = line.rpartition(",")[0].rpartition(",")[0].strip('"')
        if name.endswith(".py") and not name.startswith(("..", "/")):
            folders.add((libraries / name).parent / "__pycache__")
    for folder in folders:
        if folder.is_dir():
            yield from folder.glob("*.pyc")


def _link(source: Path, target: Path) -> int:
    """Give a file a second name; Python replaces byte code by renaming, so it never writes through the link."""
    if target.exists():
        return 0
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except FileExistsError:
        return 0
    except OSError:
        temporary = target.with_name(f"{target.name}.{secrets.token_hex(4)}")
        shutil.copy2(source, temporary)
        temporary.replace(target)
    return 1


def _prune(store: Path) -> None:
    for remembered in store.glob("*/*"):
        if time.time() - remembered.stat().st_mtime > KEPT_S:
            shutil.rmtree(remembered, ignore_errors=True)
