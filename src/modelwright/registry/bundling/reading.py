"""Open a bundle that came from somewhere: every name and every byte is checked before anything is believed.

Called by :mod:`.importing`, and by whoever wants to know what is in one. Nothing is unpacked, nothing is executed.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from packaging.utils import canonicalize_name, parse_wheel_filename

from modelwright.errors import BundleError, PackageError, Problem, UnknownPackageError, UploadError
from modelwright.package import WheelFiles
from modelwright.registry.admitting.zips import check_zip
from modelwright.registry.bundling.bundle import (
    DOCUMENT,
    LARGEST_DOCUMENT,
    Bundle,
    BundledFile,
    parse_bundle,
)
from modelwright.registry.bundling.gathering import check_wheel_name

_CHUNK = 2**20
_BESIDE = ("README.md", DOCUMENT, "pylock.toml", "requirements.txt")


class OpenBundle:
    """A bundle whose every file was compared with what it says of itself.

    Args:
        bundle: What it says of itself.
        files: The archive.
    """

    def __init__(self, bundle: Bundle, files: WheelFiles) -> None:
        self.bundle = bundle
        self._files = files

    def open(self, file: BundledFile) -> BinaryIO:
        """Open one of its wheels."""
        return self._files.open(self.bundle.path(file))


@contextmanager
def read_bundle(path: Path | str) -> Iterator[OpenBundle]:
    """Open a bundle, after every name and every digest in it was checked.

    Args:
        path: The archive.

    Raises:
        UnknownPackageError: There is no such file.
        BundleError: It is no bundle, two readers could understand it differently, or a file is not the one that it
            lists; every problem is listed.
    """
    path = Path(path)
    if not path.is_file():
        raise UnknownPackageError("There is no such file.", where=str(path))
    try:
        check_zip(path, path.name)
        files = WheelFiles(path)
    except (UploadError, PackageError) as error:
        raise BundleError(
            "The file is no bundle.", where=str(path), why=error.why or error.what, problems=error.problems
        ) from error
    with files.archive:
        bundle = _document(files, path)
        _check_agreement(bundle, path)
        problems = list(_problems(bundle, files))
        if problems:
            raise BundleError(
                "The bundle does not hold the files that it lists.",
                where=str(path),
                why="It was damaged or altered after it was written. Nothing was stored.",
                hint="Get it again from where it was written.",
                problems=problems,
            )
        yield OpenBundle(bundle, files)


def _document(files: WheelFiles, path: Path) -> Bundle:
    found = [name for name in files.names() if name.count("/") == 1 and name.endswith(f"/{DOCUMENT}")]
    if len(found) != 1 or files.size(found[0]) > LARGEST_DOCUMENT:
        raise BundleError(f"The file is no bundle: it has no {DOCUMENT}.", where=str(path))
    try:
        with files.open(found[0]) as stream:
            bundle = parse_bundle(stream.read(), where=f"{path}: {DOCUMENT}")
    except (zipfile.BadZipFile, EOFError) as error:
        raise BundleError(f"{DOCUMENT} is damaged.", where=str(path), why=str(error)) from error
    if found[0].partition("/")[0] != bundle.root:
        raise BundleError(f"{DOCUMENT} is one of {bundle.root}.", where=f"{path}: {found[0]}"[:300])
    return bundle


def _check_agreement(bundle: Bundle, path: Path) -> None:
    """Refuse names that are none, twice the same, and files that are not what their names say."""
    seen: set[str] = set()
    for file in bundle.files:
        check_wheel_name(file.filename, where=str(path))
        name, version, _, _ = parse_wheel_filename(file.filename)
        if file.project in seen or (canonicalize_name(file.project), file.version) != (name, str(version)):
            raise BundleError(f"{file.filename} is listed as {file.project} {file.version}."[:300], where=str(path))
        seen.add(file.project)
    models = [file for file in bundle.files if file.role == "model"]
    if len(models) != 1 or (models[0].project, models[0].version) != (bundle.name, bundle.version):
        raise BundleError(f"The bundle holds no {bundle.name} {bundle.version}."[:300], where=str(path))


def _problems(bundle: Bundle, files: WheelFiles) -> Iterator[Problem]:
    """List what is missing, what nobody listed, and what has other bytes."""
    listed = {bundle.path(file): (file.sha256, file.size) for file in bundle.files}
    beside = {f"{bundle.path(file)}.metadata": file.metadata_sha256 for file in bundle.files}
    names = set(files.names())
    texts = {f"{bundle.root}/{name}" for name in _BESIDE}
    for name in sorted(names - set(listed) - set(beside) - texts):
        if not name.startswith(f"{bundle.root}/simple/"):
            yield Problem(None, None, "is not listed", item=name[:300])
    for name, (digest, size) in listed.items():
        if name not in names:
            yield Problem(None, None, "is listed, but missing", item=name)
        elif files.size(name) != size:
            yield Problem(None, None, f"has {files.size(name)} bytes; {size} are listed", item=name)
        elif (found := _digest(files, name)) != digest:
            yield Problem(None, None, f"has sha256 {found[:12]}…; {digest[:12]}… is listed", item=name)
    for name, digest in beside.items():
        if name in names and _digest(files, name) != digest:
            yield Problem(None, None, "is not the METADATA that is listed", item=name)


def _digest(files: WheelFiles, name: str) -> str:
    digest = sha256()
    try:
        with files.open(name) as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
    except (zipfile.BadZipFile, EOFError, PackageError) as error:
        return f"none, it is damaged: {error}"
    return digest.hexdigest()
