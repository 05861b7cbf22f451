"""Write the files of a wheel or an sdist: stored, sorted, reproducible, in one pass and all or nothing.

Called by :mod:`modelwright.building.build` and :mod:`modelwright.building.sdist`, and by the in-tree backend of an
sdist, which carries a verbatim copy of this file: standard library only, nothing of modelwright.

It does not know what a model is, and it raises only what the operating system says (``OSError``).

Nothing is compressed: what deflate makes of the same bytes differs between zlib, zlib-ng and their versions, and
weights hardly shrink. Stored is the same everywhere.
Source: PyPA "Binary distribution format" (RECORD, order of entries), "Source distribution format";
PKWARE APPNOTE 6.3 (ZIP); RFC 1951 and RFC 1952 (stored blocks, gzip).
"""

from __future__ import annotations

import base64
import csv
import errno
import hashlib
import io
import os
import secrets
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from itertools import cycle
from pathlib import Path
from typing import IO, BinaryIO, NamedTuple

try:
    import fcntl
except ImportError:  # Windows: an open file cannot be removed there, which protects it as well as a lock does
    fcntl = None  # type: ignore[assignment]

CHUNK = 2**20
"""Bytes read at once; two such buffers are alive."""
FIRST_MOMENT = 315_532_800
"""1980-01-01, seconds since 1970: the earliest date that a ZIP entry can have."""
LAST_MOMENT = 4_354_819_198
"""2107-12-31 23:59:58, the latest one."""
PARTIAL = ".modelwright-partial"
"""Suffix of a file that is being written; one that nobody holds a lock on was left by a dead process."""


class Entry(NamedTuple):
    """One file to be written.

    Attributes:
        name: Name in the archive, ``/`` between parts.
        source: The content itself, or the file that holds it.
    """

    name: str
    source: bytes | Path


class Digest(NamedTuple):
    """What was written under a name.

    Attributes:
        name: Name in the archive.
        sha256: 64 hexadecimal digits.
        size: Bytes.
    """

    name: str
    sha256: str
    size: int


Check = Callable[[Digest], None]


def accept(digest: Digest) -> None:
    """Accept whatever was written."""


def write_wheel(target: Path, entries: Iterable[Entry], *, dist_info: str, epoch: int, check: Check = accept) -> None:
    """Write a wheel; the same entries and epoch give the same bytes.

    The files of the package come first, then ``dist_info``, RECORD last, each group sorted. Every file is read
    once: copied, hashed for RECORD and summed for the ZIP in the same pass, in constant memory.

    Args:
        target: The wheel; replaced only when the new one is complete and on disk.
        entries: The files, RECORD excepted.
        dist_info: Name of the ``.dist-info`` folder.
        epoch: Date of the entries, seconds since 1970 UTC; the ZIP format holds 1980 to 2107.
        check: Called with each file's digest once it is written; what it raises undoes everything.

    Raises:
        OSError: A file cannot be read, or the wheel cannot be written.
    """
    ordered = sorted(entries, key=lambda entry: (entry.name.startswith(f"{dist_info}/"), entry.name))
    with _zipping(target, epoch) as add:
        written = []
        for entry in ordered:
            digest = add(entry)
            check(digest)
            written.append(digest)
        record = f"{dist_info}/RECORD"
        add(Entry(record, record_text(written, record)))


def write_zip(target: Path, entries: Iterable[Entry], *, epoch: int, check: Check = accept) -> None:
    """Write a ZIP archive; the same entries and epoch give the same bytes.

    Args:
        target: The archive; replaced only when the new one is complete and on disk.
        entries: The files; their order stays.
        epoch: Date of the entries, seconds since 1970 UTC.
        check: Called with each file's digest once it is written; what it raises undoes everything.

    Raises:
        OSError: A file cannot be read, or the archive cannot be written.
    """
    with _zipping(target, epoch) as add:
        for entry in entries:
            check(add(entry))


@contextmanager
def _zipping(target: Path, epoch: int) -> Iterator[Callable[[Entry], Digest]]:
    """Give what adds one file after another to an archive that appears when the block ends well."""
    date = time.gmtime(min(max(epoch, FIRST_MOMENT), LAST_MOMENT))[:6]
    with (
        replacing(target) as stream,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive,
        ThreadPoolExecutor(1, "sha256") as hasher,
    ):
        yield lambda entry: _add(archive, entry, date, hasher)


def record_text(digests: Iterable[Digest], name: str) -> bytes:
    """Return the RECORD of a wheel, which lists itself without a digest.

    Example:
        >>> record_text([Digest("a.py", "00" * 32, 3)], "a-1.dist-info/RECORD").decode().splitlines()
        ['a.py,sha256=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA,3', 'a-1.dist-info/RECORD,,']
    """
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    for digest in digests:
        coded = base64.urlsafe_b64encode(bytes.fromhex(digest.sha256)).rstrip(b"=").decode()
        rows.writerow((digest.name, f"sha256={coded}", digest.size))
    rows.writerow((name, "", ""))
    return text.getvalue().encode()


def _add(archive: zipfile.ZipFile, entry: Entry, date: tuple[int, ...], hasher: ThreadPoolExecutor) -> Digest:
    info = zipfile.ZipInfo(entry.name, date_time=date)  # type: ignore[arg-type]
    info.create_system = 3  # Unix, also when built on Windows: it says how to read external_attr
    info.external_attr = 0o100644 << 16
    with _opened(entry.source) as (source, size):
        info.file_size = size  # known beforehand, so that zip64 fields appear in big entries and only there
        with archive.open(info, "w") as sink:
            sha256, copied = _copy(source, sink, hasher) if size > CHUNK else _copy_whole(source, sink)
    _expect(entry, size, copied)
    return Digest(entry.name, sha256, copied)


def _copy_whole(source: BinaryIO, sink: IO[bytes]) -> tuple[str, int]:
    """Copy a small stream; handing it to another thread would take longer than hashing it."""
    content = source.read()
    sink.write(content)
    return hashlib.sha256(content).hexdigest(), len(content)


def _copy(source: BinaryIO, sink: IO[bytes], hasher: ThreadPoolExecutor) -> tuple[str, int]:
    """Copy a stream; one core hashes a buffer while the other sums, writes and fills the next one."""
    digest, copied = hashlib.sha256(), 0
    hashing: Future[None] | None = None
    for buffer in cycle((memoryview(bytearray(CHUNK)), memoryview(bytearray(CHUNK)))):
        count = source.readinto(buffer)  # type: ignore[attr-defined]
        if hashing:
            hashing.result()
        if not count:
            return digest.hexdigest(), copied
        hashing = hasher.submit(digest.update, buffer[:count])
        sink.write(buffer[:count])
        copied += count
    raise AssertionError("unreachable: the cycle of buffers never ends")


def write_sdist(target: Path, entries: Iterable[Entry], *, root: str, epoch: int, check: Check = accept) -> None:
    """Write an sdist: a pax tar in gzip framing whose blocks are stored; the same entries give the same bytes.

    Args:
        target: The ``.tar.gz``; replaced only when the new one is complete and on disk.
        entries: The files, names relative to ``root``.
        root: The one folder in the archive, ``NAME-VERSION``.
        epoch: Date of the entries and of the gzip header, seconds since 1970 UTC.
        check: Called with each file's digest once it is written; what it raises undoes everything.

    Raises:
        OSError: A file cannot be read, or the sdist cannot be written.
    """
    with (
        replacing(target) as stream,
        _StoredGzip(stream, epoch) as packed,
        tarfile.TarFile(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT, copybufsize=CHUNK) as archive,  # type: ignore[arg-type]
    ):
        for entry in sorted(entries):
            info = tarfile.TarInfo(f"{root}/{entry.name}")
            info.mode, info.mtime = 0o644, max(epoch, 0)
            with _opened(entry.source) as (source, size):
                info.size = size
                reader = _Hashing(source)
                archive.addfile(info, reader)
                _expect(entry, size, size + len(source.read(1)))
            check(Digest(entry.name, reader.digest.hexdigest(), size))


class _Hashing:
    """A stream that hashes what is read from it."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream, self.digest = stream, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        content = self.stream.read(size)
        self.digest.update(content)
        return content


class _StoredGzip:
    """A gzip member made of stored blocks (RFC 1951 section 3.2.4): versions of zlib cut them differently."""

    BLOCK = 65_535

    def __init__(self, stream: BinaryIO, epoch: int) -> None:
        self.stream, self.crc, self.size, self.pending = stream, 0, 0, bytearray()
        moment = min(max(epoch, 0), 2**32 - 1).to_bytes(4, "little")
        stream.write(b"\x1f\x8b\x08\x00" + moment + b"\x00\xff")

    def __enter__(self) -> _StoredGzip:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._block(self.pending, final=1)
            self.stream.write(self.crc.to_bytes(4, "little") + (self.size % 2**32).to_bytes(4, "little"))

    def write(self, content: bytes) -> int:
        self.crc = zlib.crc32(content, self.crc)
        self.size += len(content)
        self.pending += content
        whole = len(self.pending) - len(self.pending) % self.BLOCK
        view = memoryview(bytes(self.pending[:whole]))
        for start in range(0, whole, self.BLOCK):
            self._block(view[start : start + self.BLOCK], final=0)
        del self.pending[:whole]
        return len(content)

    def _block(self, content: bytes | bytearray | memoryview, *, final: int) -> None:
        length = len(content)
        self.stream.write(bytes([final]) + length.to_bytes(2, "little") + (length ^ 0xFFFF).to_bytes(2, "little"))
        self.stream.write(content)

    def tell(self) -> int:
        return self.size


@contextmanager
def _opened(source: bytes | Path) -> Iterator[tuple[BinaryIO, int]]:
    if isinstance(source, bytes):
        yield io.BytesIO(source), len(source)
    else:
        with source.open("rb", buffering=0) as stream:
            yield stream, os.fstat(stream.fileno()).st_size


def _expect(entry: Entry, size: int, copied: int) -> None:
    if size != copied:
        raise OSError(errno.EBUSY, "The file changed while it was read", str(entry.source))


@contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """Open a new file that takes the place of ``target`` when the block ends well, and vanishes when it does not.

    The content is on disk before the name is, so that a power cut or ``kill -9`` leaves the old file or the new
    one. Files that dead processes left in the folder are removed first.

    Raises:
        OSError: The folder or the file cannot be written.

    Example:
        >>> import tempfile
        >>> target = Path(tempfile.mkdtemp()) / "dist" / "note.txt"
        >>> with replacing(target) as stream:
        ...     _ = stream.write(b"whole")
        >>> target.read_text()
        'whole'
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(target.parent)
    stream = _claim(target)
    partial = Path(stream.name)
    try:
        with stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
            if fcntl:  # renamed while the lock is held: nobody can take it for a leftover
                partial.replace(target)
        if not fcntl:
            partial.replace(target)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise
    _sync_folder(target.parent)


def _claim(target: Path) -> BinaryIO:
    """Open a new file and lock it; the lock, unlike a process id, means the same in every container."""
    while True:
        partial = target.with_name(f".{target.name[:100]}.{secrets.token_hex(8)}{PARTIAL}")
        stream = partial.open("xb")
        if not fcntl:
            return stream
        fcntl.flock(stream, fcntl.LOCK_EX)
        if os.fstat(stream.fileno()).st_nlink:
            return stream
        stream.close()  # another process removed it between open and lock


def _remove_leftovers(folder: Path) -> None:
    for partial in folder.glob(f".*{PARTIAL}"):
        with suppress(OSError), partial.open("rb") if fcntl else nullcontext() as stream:
            if stream:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            partial.unlink()


def _sync_folder(folder: Path) -> None:
    """Put the new name on disk; Windows cannot open a folder and needs none of it."""
    if os.name != "nt":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
