"""Hold a ZIP archive to one meaning: every reader must find the same files in it. Pure standard library.

Called by :mod:`modelwright.registry.admitting.admit` before anything else looks into a wheel. Some installers walk the
entries from the front, some read the directory at the end; an archive in which both do not say the same is refused, and
so is whatever a wheel has no use for. Nothing is
unpacked to disk.

The archive has to be: local entries one after another from byte 0, then the directory that lists them in the same
order, then its end, and nothing between, before or after.

Source: PKWARE APPNOTE 6.3.10, sections 4.3 to 4.5; PyPI's rules of 2025 ("Preventing ZIP parser confusion attacks on
Python package installers", CVE-2025-54368); Fifield 2019, "A better zip bomb".
"""

from __future__ import annotations

import os
import stat
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from modelwright.errors import Problem, UploadError
from modelwright.registry.admitting.paths import clashes, wrong_name

LOCAL, CENTRAL, END, END64, LOCATOR = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
STORED, DEFLATED = 0, 8
FULL16, FULL32 = 0xFFFF, 0xFFFFFFFF
"""What stands in a field whose value is in a ZIP64 field instead."""
ENTRIES = 100_000
"""Most files in one archive."""
CHUNK = 2**20
SHOWN = 100
"""Problems that are listed; nobody reads on after so many."""
DIRECTORY = 64 * 2**20
"""Largest directory, bytes."""
RATIO = 50
"""How many times larger than itself an archive may become, above :data:`ALWAYS`; source: PyPI's rule."""
ALWAYS = 64 * 2**20
_FLAGS = 0x0800 | 0x0006
"""UTF-8 names, and the deflate level, which nobody reads; anything else changes how an entry is read."""
_ZIP64 = 0x0001
_EXTRAS = frozenset((_ZIP64, 0x5455, 0x7875, 0x5855, 0x000A, 0xCAFE))
"""Extra fields that change nothing: ZIP64; times and owners of Info-ZIP; times of NTFS; the mark of JAR files."""


class Member(NamedTuple):
    """One entry, as one of the two places tells of it.

    Attributes:
        name: Its name, bytes as they stand there.
        flags: General purpose flags.
        method: How it is compressed.
        crc: CRC-32 of its content.
        packed: Size in the archive, bytes.
        size: Size of its content, bytes.
        offset: Where its local header begins.
        mode: Unix mode; 0: unknown.
    """

    name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    mode: int = 0


class _Refusal(Exception):
    """The archive cannot be read further."""


NEWEST = 63
"""Newest version of the format, times ten: readers refuse what needs a later one (APPNOTE 4.4.3)."""


def check_zip(path: Path, filename: str) -> None:
    """Refuse an archive that two readers could understand differently, or that holds what no wheel needs.

    Args:
        path: The archive.
        filename: What to call it in messages.

    Raises:
        UploadError: Every problem is listed, as far as it can be read.
    """
    problems: list[Problem] = []
    try:
        with path.open("rb") as stream:
            members, start = _members(stream)
            problems += _entry_problems(members)
            if not problems:
                _walk(stream, members, start)
    except _Refusal as error:
        problems.append(_problem("", str(error)))
    except struct.error:
        problems.append(_problem("", "is truncated"))
    if problems:
        raise UploadError(
            "The ZIP archive is not one that every installer reads alike.",
            where=filename,
            why="What one of them shows could be another thing than what another one installs.",
            hint="Build it again with an ordinary build tool and upload that file as it is.",
            problems=problems,
        )


def _members(stream: BinaryIO) -> tuple[list[Member], int]:
    """Read the directory; return what it lists and where it begins."""
    size = stream.seek(0, os.SEEK_END)
    count, length, start, end = _end(stream, size)
    if count > ENTRIES or length > DIRECTORY:
        raise _Refusal(f"has {count} entries; {ENTRIES} are the most")
    if start + length != end:
        raise _Refusal("has something between its directory and its end, or a directory that lies elsewhere")
    stream.seek(start)
    directory = stream.read(length)
    members, position = [], 0
    while position < len(directory):
        member, position = _central(directory, position)
        members.append(member)
    if len(members) != count or not members:
        raise _Refusal(f"lists {len(members)} entries in its directory and {count} at its end")
    return members, start


def _end(stream: BinaryIO, size: int) -> tuple[int, int, int, int]:
    """Return number of entries, length and start of the directory, and where what follows it begins."""
    if size < 22:
        raise _Refusal("is no ZIP archive: it is shorter than an empty one")
    stream.seek(size - 22)
    signature, disk, first, here, count, length, start, comment = struct.unpack("<4s4H2LH", stream.read(22))
    if signature != END or comment:
        raise _Refusal("does not end where a ZIP archive ends: truncated, with a comment, or with data after it")
    if size >= 42:
        stream.seek(size - 42)
        if stream.read(4) == LOCATOR:
            return _end64(stream, size, (disk, first, here, count, length, start))
    if disk or first or here != count:
        raise _Refusal("is a part of an archive on several disks")
    if count == FULL16 or FULL32 in (length, start):
        raise _Refusal("says that it is ZIP64, and is not")
    return count, length, start, size - 22


def _end64(stream: BinaryIO, size: int, short: tuple[int, ...]) -> tuple[int, int, int, int]:
    disk, offset, disks = struct.unpack("<LQL", stream.read(16))
    if disk or disks != 1 or offset != size - 42 - 56:
        raise _Refusal("has a ZIP64 locator that points elsewhere")
    stream.seek(offset)
    signature, rest, _, _, disk, first, here, count, length, start = struct.unpack("<4sQ2H2L4Q", stream.read(56))
    if signature != END64 or rest != 44 or disk or first or here != count:
        raise _Refusal("has a malformed ZIP64 end")
    wide = (0, 0, count, count, length, start)
    for told, said, full in zip(wide, short, (FULL16,) * 4 + (FULL32,) * 2, strict=True):
        if said not in (told, full):
            raise _Refusal("says one thing in its ZIP64 end and another in its end")
    return count, length, start, offset


def _central(directory: bytes, position: int) -> tuple[Member, int]:
    fixed = struct.unpack_from("<4s6H3L5H2L", directory, position)
    signature, made_by, needed, flags, method, _, _, crc, packed, size, name_length, extra_length, comment = fixed[:13]
    disk, _, attributes, offset = fixed[13:]
    if signature != CENTRAL:
        raise _Refusal("has something in its directory that is no entry")
    if needed > NEWEST:
        raise _Refusal(f"needs version {needed / 10:.1f} of the ZIP format, which no reader knows")
    if comment or disk:
        raise _Refusal("has an entry with a comment, or on another disk")
    begin = position + 46
    stop = begin + name_length + extra_length
    if stop > len(directory):
        raise _Refusal("is truncated within its directory")
    name = directory[begin : begin + name_length]
    extra = directory[begin + name_length : stop]
    wide = _wide(extra, (size, packed, offset))
    mode = attributes >> 16 if made_by >> 8 in (3, 19) else 0
    return Member(name, flags, method, crc, wide[1], wide[0], wide[2], mode), stop


def _local(stream: BinaryIO, offset: int) -> tuple[Member, int]:
    """Read a local header; return it and where its data begin."""
    stream.seek(offset)
    fixed = struct.unpack("<4s5H3L2H", stream.read(30))
    signature, _, flags, method, _, _, crc, packed, size, name_length, extra_length = fixed
    if signature != LOCAL:
        raise _Refusal(f"has no entry at byte {offset}")
    name = stream.read(name_length)
    extra = stream.read(extra_length)
    if len(name) + len(extra) != name_length + extra_length:
        raise _Refusal("is truncated within an entry")
    wide = _wide(extra, (size, packed))
    return Member(name, flags, method, crc, wide[1], wide[0], offset), offset + 30 + name_length + extra_length


def _wide(extra: bytes, narrow: tuple[int, ...]) -> tuple[int, ...]:
    """Return sizes and offset, from the ZIP64 field where the narrow ones are full.

    A field that is there although nothing is full has to repeat the narrow values: there is no second opinion.
    """
    content = dict(_fields(extra)).get(_ZIP64)
    full = [value == FULL32 for value in narrow]
    if content is None:
        if any(full):
            raise _Refusal("has an entry that says it is ZIP64, and is not")
        return narrow
    if len(content) % 8:
        raise _Refusal("has a malformed ZIP64 field")
    values = list(struct.unpack(f"<{len(content) // 8}Q", content))
    if any(full) and len(values) == sum(full):
        return tuple(values.pop(0) if is_full else value for is_full, value in zip(full, narrow, strict=True))
    if not any(full) and tuple(values) == narrow[: len(values)]:
        return narrow
    raise _Refusal("has an entry whose ZIP64 field says something else than the entry")


def _fields(extra: bytes) -> list[tuple[int, bytes]]:
    fields: list[tuple[int, bytes]] = []
    position = 0
    while position < len(extra):
        if position + 4 > len(extra):
            raise _Refusal("has a malformed extra field")
        kind, length = struct.unpack_from("<2H", extra, position)
        content = extra[position + 4 : position + 4 + length]
        if len(content) != length or kind not in _EXTRAS or any(kind == known for known, _ in fields):
            raise _Refusal(f"has an extra field that no wheel needs, or one twice (0x{kind:04x})")
        fields.append((kind, content))
        position += 4 + length
    return fields


def _walk(stream: BinaryIO, members: list[Member], end: int) -> None:
    """Go through the archive from its first byte, as an installer does that does not look at the directory."""
    position = 0
    for member in sorted(members, key=lambda one: one.offset):
        if member.offset != position:
            raise _Refusal(f"has something before {_shown(member.name)} that no entry lists, or entries that overlap")
        local, begin = _local(stream, position)
        if local != member._replace(mode=0):
            told = [field for field in Member._fields[:-1] if getattr(local, field) != getattr(member, field)]
            raise _Refusal(
                f"says another {' and '.join(told)} of {_shown(member.name)} before it than in its directory"
            )
        if member.method == DEFLATED:
            _inflate(stream, member)
        position = begin + member.packed
    if position != end:
        raise _Refusal("has something between its last entry and its directory")


def _inflate(stream: BinaryIO, member: Member) -> None:
    """Find out whether compressed data end where the entry ends, and give as much as it says."""
    inflater, left, got = zlib.decompressobj(-zlib.MAX_WBITS), member.packed, 0
    while not inflater.eof:
        pending = inflater.unconsumed_tail or stream.read(min(left, CHUNK))
        if not inflater.unconsumed_tail:
            left -= len(pending)
        try:
            given = len(inflater.decompress(pending, CHUNK))
        except zlib.error as error:
            raise _Refusal(f"has damaged data in {_shown(member.name)}: {error}") from error
        got += given
        if got > member.size or not (pending or given):
            break
    if not inflater.eof or inflater.unused_data or left or got != member.size:
        raise _Refusal(f"has data in {_shown(member.name)} that do not end where the entry ends")


def _entry_problems(members: list[Member]) -> list[Problem]:
    names = [_name(member) for member in members]
    problems = [
        _problem(_shown(member.name), wrong)
        for member, name in zip(members, names, strict=True)
        for wrong in _wrong(member, name)
    ]
    problems += clashes(name for name in names if name)
    packed, size = sum(member.packed for member in members), sum(member.size for member in members)
    if size > ALWAYS and size > RATIO * packed:
        problems.append(_problem("", f"would become {size // max(packed, 1)} times larger; {RATIO} times is the most"))
    return problems[:SHOWN]


def _name(member: Member) -> str:
    """Decode a name; what is neither ASCII nor marked as UTF-8 is read by every system in its own way."""
    try:
        return member.name.decode("utf-8" if member.flags & 0x0800 else "ascii")
    except UnicodeDecodeError:
        return ""


def _wrong(member: Member, name: str) -> Iterator[str]:
    """Say what is wrong with one entry."""
    if wrong := wrong_name(name):
        yield wrong
    if member.flags & ~_FLAGS:
        yield "is encrypted, patched, or has its sizes behind its data"
    if member.method not in (STORED, DEFLATED):
        yield f"is compressed by method {member.method}; only stored and deflated are taken"
    if member.method == STORED and member.packed != member.size:
        yield "is stored, and says two sizes"
    if name.endswith("/") and member.size:
        yield "is a folder with content"
    wanted = stat.S_IFDIR if name.endswith("/") else stat.S_IFREG
    if stat.S_IFMT(member.mode) not in (0, wanted):
        yield "is no regular file"
    if member.mode & (stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX):
        yield "asks for the rights of somebody else"


def _shown(name: bytes) -> str:
    return name[:200].decode("utf-8", "replace").encode("unicode_escape").decode("ascii")


def _problem(item: str, text: str) -> Problem:
    return Problem(None, None, text, item=item or "the archive")
