"""Hostile archives, made byte by byte, as no build tool would make them."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

Files = dict[str, bytes]


def files_of(wheel: Path) -> Files:
    """Read every file of an archive."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def record_again(files: Files) -> Files:
    """Write a RECORD that agrees, as someone would who alters a wheel with care."""
    name = next(name for name in files if name.endswith(".dist-info/RECORD"))
    lines = []
    for other, content in files.items():
        if other != name:
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            lines.append(f"{other},sha256={digest},{len(content)}\n")
    return {**files, name: ("".join(lines) + f"{name},,\n").encode()}


@dataclass
class Entry:
    """One entry of a ZIP archive; what ``local`` and ``central`` name is told there and only there.

    Attributes:
        name: Its name.
        content: What is in it.
        local: Fields of the local header that differ.
        central: Fields of the entry in the directory that differ.
        unlisted: Whether the directory leaves it out.
        trailing: Bytes behind its data.
        deflated: Whether it is compressed.
    """

    name: bytes
    content: bytes = b""
    local: Mapping[str, int | bytes] = field(default_factory=dict)
    central: Mapping[str, int | bytes] = field(default_factory=dict)
    unlisted: bool = False
    trailing: bytes = b""
    deflated: bool = False


def zipped(
    entries: list[Entry],
    *,
    before: bytes = b"",
    between: bytes = b"",
    gap: bytes = b"",
    after: bytes = b"",
    comment: bytes = b"",
    end: Mapping[str, int] = {},
    end64: Mapping[str, int] | None = None,
) -> bytes:
    """Put an archive together.

    Args:
        entries: Its entries.
        before: Bytes before the first one.
        between: Bytes between the last one and the directory.
        gap: Bytes between the directory and its end.
        after: Bytes behind the end.
        comment: The archive's comment.
        end: Fields of the end that differ.
        end64: Fields of a ZIP64 end that differ; ``None``: there is none.
    """
    body, directory = bytearray(before), bytearray()
    for entry in entries:
        offset = len(body)
        packed = _deflated(entry.content) if entry.deflated else entry.content
        said: dict[str, int | bytes] = {
            "flags": 0,
            "method": 8 if entry.deflated else 0,
            "crc": zlib.crc32(entry.content),
            "packed": len(packed) + len(entry.trailing),
            "size": len(entry.content),
            "name": entry.name,
            "extra": b"",
            "comment": b"",
            "mode": 0o100644 << 16,
            "offset": offset,
            "disk": 0,
        }
        body += _local(said | dict(entry.local)) + packed + entry.trailing
        if not entry.unlisted:
            directory += _central(said | dict(entry.central))
    body += between
    listed = sum(not entry.unlisted for entry in entries)
    fields = {"disk": 0, "first": 0, "here": listed, "count": listed, "length": len(directory), "start": len(body)}
    tail = bytearray(gap)
    if end64 is not None:
        wide = {"rest": 44, "locator": len(body) + len(directory) + len(gap), "disks": 1} | fields | dict(end64)
        tail += struct.pack("<4sQ2H2L", b"PK\x06\x06", wide["rest"], 45, 45, wide["disk"], wide["first"])
        tail += struct.pack("<4Q", wide["here"], wide["count"], wide["length"], wide["start"])
        tail += struct.pack("<4sLQL", b"PK\x06\x07", 0, wide["locator"], wide["disks"])
    said_end = fields | dict(end)
    tail += struct.pack(
        "<4s4H2LH",
        b"PK\x05\x06",
        *(said_end[name] for name in ("disk", "first", "here", "count", "length", "start")),
        len(comment),
    )
    return bytes(body + directory + tail) + comment + after


def _deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


def _local(said: Mapping[str, int | bytes]) -> bytes:
    name, extra = bytes(said["name"]), bytes(said["extra"])
    numbers = (said["flags"], said["method"], 0, 33, said["crc"], said["packed"], said["size"])
    return struct.pack("<4sH4H3L2H", b"PK\x03\x04", 20, *numbers, len(name), len(extra)) + name + extra


def _central(said: Mapping[str, int | bytes]) -> bytes:
    name, extra, comment = bytes(said["name"]), bytes(said["extra"]), bytes(said["comment"])
    numbers = (said["flags"], said["method"], 0, 33, said["crc"], said["packed"], said["size"])
    lengths = (len(name), len(extra), len(comment))
    fixed = struct.pack("<4s2H4H3L3H", b"PK\x01\x02", 3 << 8 | 20, 20, *numbers, *lengths)
    return fixed + struct.pack("<2H2L", said["disk"], 0, said["mode"], said["offset"]) + name + extra + comment


def zip64(*values: int) -> bytes:
    """Return a ZIP64 extra field."""
    return struct.pack(f"<2H{len(values)}Q", 1, 8 * len(values), *values)


def tarred(
    members: list[tuple[tarfile.TarInfo, bytes]], *, after: bytes = b"", flavour: int = tarfile.PAX_FORMAT
) -> bytes:
    """Put a compressed tar archive together."""
    stream = io.BytesIO()
    with tarfile.TarFile(fileobj=stream, mode="w", format=flavour) as archive:
        for info, content in members:
            info.size = len(content) or info.size
            archive.addfile(info, io.BytesIO(content))
    return gzip.compress(stream.getvalue() + after, mtime=0)


def member(name: str, *, kind: bytes = tarfile.REGTYPE, **fields: object) -> tarfile.TarInfo:
    """Return the header of one member."""
    info = tarfile.TarInfo(name)
    info.type = kind
    for key, value in fields.items():
        setattr(info, key, value)
    return info
