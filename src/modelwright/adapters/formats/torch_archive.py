"""Write ZIP archives as PyTorch reads them, with the same bytes for the same members.

Called by the formats for PyTorch. PyTorch maps tensors into memory where they lie, so every member begins at a
multiple of 64 bytes. Source: torch, ``caffe2/serialize/inline_container.h``, ``kFieldAlignment``.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterable
from pathlib import Path

ALIGNMENT = 64
"""Bytes; see above."""
ENTRY_DATE = (1980, 1, 1, 0, 0, 0)
"""Date of every entry: the earliest that ZIP can hold. Source: APPNOTE.TXT 6.3.10, 4.4.6."""
_FIELD = 0x4246
"""Header ID of the extra field that holds the padding; the one that PyTorch uses."""


def rewrite(source: Path, target: Path, *, changed: dict[str, bytes], dropped: Iterable[str] = ()) -> None:
    """Write an archive again, sorted, undated and aligned, below the root folder that PyTorch names after the file.

    Args:
        source: The archive as PyTorch wrote it.
        target: The new one.
        changed: Members with another content, and new ones, by name below the root.
        dropped: Members to leave out.
    """
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        members = {name.partition("/")[2]: name for name in old.namelist()}
        for inner in sorted((set(members) - set(dropped)) | set(changed)):
            entry = zipfile.ZipInfo(f"{target.stem}/{inner}", ENTRY_DATE)
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            content = changed.get(inner)
            entry.file_size = len(content) if content is not None else old.getinfo(members[inner]).file_size
            _align(entry, new.fp.tell() if new.fp else 0)
            with new.open(entry, "w") as stream:
                if content is not None:
                    stream.write(content)
                else:
                    with old.open(members[inner]) as member:
                        shutil.copyfileobj(member, stream, 1 << 20)


def _align(entry: zipfile.ZipInfo, position: int) -> None:
    """Pad the header of a member that begins at ``position``, so that its content begins at a multiple."""
    entry.CRC = entry.compress_size = 0  # as zipfile sets them before it writes the header
    large = entry.file_size * 1.05 > zipfile.ZIP64_LIMIT  # so does it decide about the longer header
    begins = position + len(entry.FileHeader(large)) + 4
    padding = -begins % ALIGNMENT
    entry.extra = _FIELD.to_bytes(2, "little") + padding.to_bytes(2, "little") + b"Z" * padding


def members(path: Path) -> set[str]:
    """Return the names of the members of an archive, below its root folder; empty for what is no such archive.

    Raises:
        zipfile.BadZipFile: It begins as an archive and is cut off.
    """
    with path.open("rb") as stream:
        if stream.read(4) != b"PK\x03\x04":
            return set()
        with zipfile.ZipFile(stream) as archive:
            names = archive.namelist()
    roots = {name.partition("/")[0] for name in names}
    return {name.partition("/")[2] for name in names} if len(roots) == 1 else set()
