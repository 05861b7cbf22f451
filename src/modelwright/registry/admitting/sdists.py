"""Read an sdist member by member, unpacking nothing: one folder, regular files, PKG-INFO that agrees.

Called by :mod:`modelwright.registry.admitting.admit`. An sdist with a model in it is recognised by its manifest, whose
digests its files must have.

Source: PyPA "Source distribution format" and its "Source distribution archive features"; PEP 625, PEP 643; POSIX pax.
"""

from __future__ import annotations

import gzip
import hashlib
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from packaging.metadata import Metadata
from packaging.utils import canonicalize_name

from modelwright.errors import ModelwrightError, Problem, UploadError
from modelwright.inspecting.agreement import parse_metadata
from modelwright.package import MODEL_FOLDER
from modelwright.registry.admitting.filenames import Named
from modelwright.registry.admitting.paths import clashes, wrong_name
from modelwright.spec.manifest import Manifest, parse_manifest

CHUNK = 2**20
MEMBERS = 100_000
RATIO = 50
ALWAYS = 64 * 2**20
"""What an archive may become, bytes, however small it is; above it :data:`RATIO` times its size."""
DOCUMENT = 64 * 2**20
"""Largest PKG-INFO or manifest, bytes."""
HEADER = 2**16
"""Largest extended header, bytes; tarfile reads it whole."""
_TAKEN = frozenset((tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE))
_HEADERS = frozenset((tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME))


class SourceContents(NamedTuple):
    """What an sdist contains.

    Attributes:
        metadata: Its PKG-INFO.
        manifest: The model's manifest; ``None``: there is no model in it.
        card: The model's card; empty without one.
    """

    metadata: Metadata
    manifest: Manifest | None
    card: str


class _Refusal(Exception):
    """The archive cannot be read further."""


class _Found(NamedTuple):
    sizes: dict[str, int]
    digests: dict[str, str]
    documents: dict[str, bytes]


def check_sdist(path: Path, named: Named) -> SourceContents:
    """Check an sdist and return what it contains.

    Args:
        path: The file.
        named: What its file name says.

    Raises:
        UploadError: Every problem is listed, as far as it can be read.
    """
    problems: list[Problem] = []
    root = named.filename.removesuffix(".tar.gz")
    try:
        found = _read(path, root, problems)
    except (_Refusal, tarfile.TarError, zlib.error, EOFError, OSError, ValueError) as error:
        raise _error(named, [*problems, Problem(None, None, str(error), item="the archive")]) from error
    metadata = _metadata(found, root, named, problems)
    manifest, card = _model(found, named, problems)
    if problems or metadata is None:
        raise _error(named, problems)
    return SourceContents(metadata, manifest, card)


def _error(named: Named, problems: list[Problem]) -> UploadError:
    return UploadError(
        "The sdist is not one that an index may carry.",
        where=named.filename,
        hint="Build it again with an ordinary build tool and upload that file as it is.",
        problems=problems,
    )


def _read(path: Path, root: str, problems: list[Problem]) -> _Found:
    """Go through the archive once; hash every file and keep the documents."""
    found = _Found({}, {}, {})
    names: list[str] = []
    with path.open("rb") as raw, gzip.GzipFile(fileobj=raw) as packed:
        plain = _Plain(packed, most=max(ALWAYS, RATIO * path.stat().st_size))
        archive = tarfile.TarFile(fileobj=plain, tarinfo=_Member, ignore_zeros=False)  # type: ignore[arg-type]
        for member in archive:
            names.append(member.name + "/" * member.isdir())
            if len(names) > MEMBERS:
                raise _Refusal(f"has more than {MEMBERS} members")
            wrong = list(_wrong(member, root))
            problems += [Problem(None, None, text, item=member.name[:200]) for text in wrong]
            if member.isreg() and not wrong:
                _take(archive, member, found)
        plain.expect_zeros()
    problems += clashes(names)
    return found


def _wrong(member: tarfile.TarInfo, root: str) -> Iterator[str]:
    if wrong := wrong_name(member.name):
        yield wrong
    if member.name.partition("/")[0] != root:
        yield f"lies outside the folder {root!r}"
    if member.type not in _TAKEN or member.issparse():
        yield "is no regular file"
    if "size" in member.pax_headers and member.size < 8 * 2**30:
        yield "says its size twice"
    if member.mode & 0o7000:
        yield "asks for the rights of somebody else"
    if member.isdir() and member.size:
        yield "is a folder with content"


def _take(archive: tarfile.TarFile, member: tarfile.TarInfo, found: _Found) -> None:
    stream = archive.extractfile(member)
    if stream is None:
        raise _Refusal(f"{member.name!r} cannot be read")
    keep = _is_document(member.name)
    if keep and member.size > DOCUMENT:
        raise _Refusal(f"{member.name!r} is larger than {DOCUMENT} bytes")
    found.sizes[member.name] = member.size
    found.digests[member.name], content = _digest(stream, keep=keep)
    if keep:
        found.documents[member.name] = content


def _digest(stream: IO[bytes], *, keep: bool) -> tuple[str, bytes]:
    digest, kept = hashlib.sha256(), bytearray()
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
        if keep:
            kept += chunk
    return digest.hexdigest(), bytes(kept)


def _is_document(name: str) -> bool:
    parts = name.split("/")[1:]
    return parts == ["PKG-INFO"] or (len(parts) in (3, 4) and parts[-2] == MODEL_FOLDER and parts[-1] in _MODEL)


_MODEL = ("manifest.json", "card.md")


def _metadata(found: _Found, root: str, named: Named, problems: list[Problem]) -> Metadata | None:
    content = found.documents.get(f"{root}/PKG-INFO")
    if content is None:
        problems.append(Problem(None, None, "is missing", item="PKG-INFO"))
        return None
    try:
        metadata = parse_metadata(content)
    except ExceptionGroup as error:
        problems += [Problem(None, None, str(reason), item="PKG-INFO") for reason in error.exceptions]
        return None
    if canonicalize_name(metadata.name) != named.project or metadata.version != named.version:
        told = f"says {metadata.name} {metadata.version}, the file name says {named.project} {named.version}"
        problems.append(Problem(None, None, told, item="PKG-INFO"))
    return metadata


def _model(found: _Found, named: Named, problems: list[Problem]) -> tuple[Manifest | None, str]:
    manifests = [name for name in found.documents if name.endswith(f"/{MODEL_FOLDER}/manifest.json")]
    if not manifests:
        return None, ""
    if len(manifests) > 1:
        problems += [Problem(None, None, "is one manifest of several", item=name) for name in manifests]
        return None, ""
    folder = manifests[0].removesuffix(f"/{MODEL_FOLDER}/manifest.json")
    try:
        manifest = parse_manifest(found.documents[manifests[0]])
    except ModelwrightError as error:
        problems.append(Problem(None, None, error.what, hint=error.why, item=manifests[0]))
        return None, ""
    if canonicalize_name(manifest.name) != named.project or manifest.version != str(named.version):
        told = f"says {manifest.name} {manifest.version}, the file name says {named.project} {named.version}"
        problems.append(Problem(None, None, told, item="manifest.json"))
    listed = {f"{folder}/{MODEL_FOLDER}/artifacts/{file.path}": file for file in manifest.artifacts}
    listed |= {f"{folder}/{file.path}": file for file in manifest.code}
    for name, file in listed.items():
        if found.digests.get(name) != file.sha256.lower() or found.sizes[name] != file.size:
            problems.append(Problem(None, None, "is not the file that was captured", item=name))
    card = found.documents.get(f"{folder}/{MODEL_FOLDER}/card.md", b"")
    return manifest, card.decode("utf-8", "replace")


class _Member(tarfile.TarInfo):
    """A header that is looked at before tarfile acts on it."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Member:
        """Read a header block; refuse what tarfile would follow further than is good."""
        member = super().frombuf(buf, encoding, errors)
        if member.type in _HEADERS:
            if member.size > HEADER:
                raise _Refusal(f"has an extended header of {member.size} bytes")
        elif member.type not in _TAKEN:
            raise _Refusal(f"contains {member.name[:200]!r}, which is no regular file (type {member.type!r})")
        return member


class _Plain:
    """What is in a gzip file, forwards only, and only so much of it: what tarfile needs and no more.

    Args:
        packed: The file.
        most: Bytes after which it is taken for a bomb.
    """

    def __init__(self, packed: gzip.GzipFile, *, most: int) -> None:
        self._packed, self._most = packed, most
        self._position, self._last, self._back = 0, b"", False

    def tell(self) -> int:
        return self._position - self._back

    def seek(self, position: int) -> None:
        """Go forwards, or back by the one byte that tarfile reads again to see whether a file is truncated."""
        self._back = position == self._position - 1 and len(self._last) == 1
        if position < self._position - 1:
            raise _Refusal("would have to be read backwards")
        while self._position < position:
            if not self._more(min(CHUNK, position - self._position)):
                return

    def read(self, size: int = -1) -> bytes:
        """Read so many bytes; fewer only at the end."""
        content = bytearray()
        if self._back and size:
            content += self._last
            self._back = False
        while len(content) < size:
            chunk = self._more(min(CHUNK, size - len(content)))
            if not chunk:
                break
            content += chunk
        return bytes(content)

    def expect_zeros(self) -> None:
        """Read to the end, where only padding may be.

        Raises:
            _Refusal: There is something else, which another reader could take for members.
        """
        self._back = False
        while chunk := self._more(CHUNK):
            if chunk.strip(b"\0"):
                raise _Refusal("has something behind its end")

    def _more(self, size: int) -> bytes:
        chunk = self._packed.read(size)
        self._position += len(chunk)
        self._last = chunk[-1:] or self._last
        if self._position > self._most:
            raise _Refusal(f"would become more than {self._most} bytes, {RATIO} times its size")
        return chunk
