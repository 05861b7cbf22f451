"""Compare RECORD and the manifest with the files of a wheel, byte for byte.

Called by :mod:`modelwright.inspecting.wheel`. Every file is read once, in pieces, so memory stays constant.

Source: Binary distribution format, "The .dist-info directory" (RECORD, its hashes, signature files).
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Mapping
from typing import NamedTuple

from modelwright.errors import IntegrityError, PackageError, Problem, RecordError
from modelwright.package import MAX_DOCUMENT, MODEL_FOLDER, Files, Package

CHUNK = 2**20
DIGESTS = frozenset({"sha256", "sha384", "sha512"})
"""Hash algorithms that RECORD may use; the specification forbids anything weaker than sha256."""
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
"""What reading a damaged, encrypted or strangely compressed member raises."""
_ROW_DIGEST = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
"""Source: Binary distribution format: "urlsafe-base64-nopad", which Python's decoder takes less exactly."""
_ROW_SIZE = re.compile(r"[0-9]{1,18}", re.ASCII)
_UNLISTED = (".dist-info/RECORD.jws", ".dist-info/RECORD.p7s")
"""Signatures of RECORD, which RECORD cannot list."""


class Digest(NamedTuple):
    """What the content of a file should be, or is.

    Attributes:
        algorithm: Name of the hash (``sha256``).
        hexadecimal: The hash.
        size: Bytes.
    """

    algorithm: str
    hexadecimal: str
    size: int


class Differences(NamedTuple):
    """How the files of a wheel differ from what was said of them.

    Attributes:
        integrity: From what was captured.
        record: From what RECORD lists.
    """

    integrity: list[Problem]
    record: list[Problem]


def check_files(package: Package, folder: str) -> None:
    """Read every file of a wheel once and compare it with RECORD and with the manifest.

    Args:
        package: The package in the wheel.
        folder: Name of its ``.dist-info`` folder.

    Raises:
        IntegrityError: A file is not the file that was captured; what else is wrong is listed, too.
        RecordError: RECORD and the files disagree.
    """
    found = compare_files(package.files, folder, captured(package))
    _refuse(found.integrity, found.record, package.files.where)


def compare_files(files: Files, folder: str, captured: Mapping[str, Digest]) -> Differences:
    """Read every file of a wheel once and compare it with RECORD, both ways, and with what was captured.

    Args:
        files: The files of the wheel.
        folder: Name of its ``.dist-info`` folder.
        captured: What files must be, whatever RECORD says of them.

    Raises:
        PackageError: RECORD is damaged, or larger than any document.
    """
    listed, record = _read_record(files, folder)
    integrity: list[Problem] = []
    names = set(files.names())
    exempt = {f"{folder}/RECORD", *(folder.removesuffix(".dist-info") + name for name in _UNLISTED)}
    record += [problem(name, "is listed, but not in the wheel") for name in sorted(set(listed) - names)]
    record += [problem(name, "is in the wheel, but not listed") for name in sorted(names - set(listed) - exempt)]
    integrity += [problem(name, "was captured, but is missing") for name in sorted(set(captured) - names)]
    for name in sorted(names - exempt):
        wanted = [(captured[name], integrity)] if name in captured else []
        wanted += [(listed[name], record)] if name in listed else []
        try:
            digests = _digests(files, name, {digest.algorithm for digest, _ in wanted} or {"sha256"})
        except _DAMAGE as error:
            (integrity if name in captured else record).append(problem(name, f"is damaged: {error}"))
            continue
        for digest, found in wanted:
            different = _differences(name, digest, digests)
            found += different
            if different:  # once is enough: RECORD repeats what the manifest says
                break
    return Differences(integrity, record)


def _refuse(integrity: list[Problem], record: list[Problem], where: str) -> None:
    if integrity:
        raise IntegrityError(
            "The wheel does not contain the files that were captured.",
            where=where,
            hint="Get the wheel again from where it was built; nothing in it was executed.",
            problems=[*integrity, *record],
        )
    if record:
        raise RecordError(
            "RECORD and the files of the wheel disagree.",
            where=where,
            why="The wheel was altered after it was built; pip and uv would install it all the same.",
            hint="Get the wheel again from where it was built.",
            problems=record,
        )


def captured(package: Package) -> dict[str, Digest]:
    """Return what the manifest says of files, by name in the wheel; weights of their own are in another one."""
    manifest, root = package.manifest, package.import_name
    own = () if manifest.weights else manifest.artifacts
    files = {f"{root}/{MODEL_FOLDER}/artifacts/{file.path}": file for file in own}
    files |= {f"{root}/{file.path}": file for file in manifest.code}
    return {name: Digest("sha256", file.sha256.lower(), file.size) for name, file in files.items()}


def _read_record(files: Files, folder: str) -> tuple[dict[str, Digest], list[Problem]]:
    """Return what RECORD lists, and what is wrong with RECORD itself."""
    content = document(files, f"{folder}/RECORD")
    if content is None:
        return {}, [problem("RECORD", "is missing")]
    listed: dict[str, Digest] = {}
    problems: list[Problem] = []
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8", "replace"))))
    except csv.Error as error:
        return {}, [problem("RECORD", f"cannot be read as CSV: {error}")]
    for number, row in enumerate(rows, 1):
        if not row or row[0] == f"{folder}/RECORD":
            continue
        digest = _parse_row(row)
        if digest is None:
            problems.append(problem("RECORD", f"line {number} is not 'path,sha256=…,size': {','.join(row)[:200]!r}"))
        elif row[0] in listed:
            problems.append(problem(row[0], "is listed twice"))
        else:
            listed[row[0]] = digest
    return listed, problems


def _parse_row(row: list[str]) -> Digest | None:
    if len(row) != 3:
        return None
    algorithm, _, encoded = row[1].partition("=")
    if algorithm not in DIGESTS or not _ROW_DIGEST.fullmatch(encoded) or not _ROW_SIZE.fullmatch(row[2]):
        return None
    try:
        digest = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    except ValueError:
        return None
    return Digest(algorithm, digest.hex(), int(row[2]))


def _digests(files: Files, name: str, algorithms: set[str]) -> dict[str, Digest]:
    hashes = {algorithm: hashlib.new(algorithm) for algorithm in algorithms}
    size = 0
    with files.open(name) as stream:
        while chunk := stream.read(CHUNK):
            size += len(chunk)
            for hasher in hashes.values():
                hasher.update(chunk)
    return {algorithm: Digest(algorithm, hasher.hexdigest(), size) for algorithm, hasher in hashes.items()}


def _differences(name: str, wanted: Digest, found: dict[str, Digest]) -> list[Problem]:
    got = found[wanted.algorithm]
    if got.size != wanted.size:
        return [problem(name, f"has {got.size} bytes, {wanted.size} were recorded")]
    if got.hexadecimal != wanted.hexadecimal:
        return [
            problem(name, f"has {wanted.algorithm} {got.hexadecimal[:12]}…, {wanted.hexadecimal[:12]}… was recorded")
        ]
    return []


def document(files: Files, name: str) -> bytes | None:
    """Return the content of a document, ``None`` if there is none.

    Raises:
        PackageError: It is larger than any document.
        RecordError: It is damaged.
    """
    try:
        if files.size(name) > MAX_DOCUMENT:
            raise PackageError(f"{name} is larger than {MAX_DOCUMENT} bytes.", where=files.where)
        with files.open(name) as stream:
            return stream.read()
    except KeyError:
        return None
    except _DAMAGE as error:
        raise RecordError(f"{name} is damaged.", where=files.where, why=str(error)) from error


def problem(file: str, text: str) -> Problem:
    """Return a problem with a file."""
    return Problem(None, None, text, item=file)
