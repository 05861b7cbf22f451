"""Get the files of a bundle onto this machine: from the registry if it has them, else from where the lock says.

Called by :mod:`.writing`. Every file is hashed while it arrives, and one that is another than expected is not kept.

What is fetched from the network are URLs of the model's own lock, as ``uv pip sync pylock.toml`` would fetch them. So
this runs where somebody asked for a bundle, and never in the registry's server, which fetches nothing for anybody.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from modelwright.errors import BundleError, DamageError, UnavailableError, UnknownReleaseError
from modelwright.inspecting.remote import without_credentials
from modelwright.plugins import need
from modelwright.registry.bundling.closure import Wanted
from modelwright.registry.projects import Project, StoredFile
from modelwright.registry.service import Service

REGISTRY = "registry"
"""What a file's source is called that the registry itself had."""
TIMEOUT_S = 60.0
_CHUNK = 2**20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]{0,250}\.whl", re.ASCII)


def check_wheel_name(filename: str, *, where: str) -> None:
    """Refuse a file name that is not that of a wheel, so that it never becomes a path.

    Raises:
        BundleError: It is none.
    """
    why = "Letters, digits and '._+!-', ending in .whl."
    if _NAME.fullmatch(filename):
        try:
            parse_wheel_filename(filename)
        except InvalidWheelFilename as error:
            why = str(error)
        else:
            return
    raise BundleError(f"{filename[:100]!r} is not the name of a wheel.", where=where, why=why)


def find_project(service: Service, name: str) -> Project | None:
    """Return a project of the registry, ``None`` if there is none."""
    try:
        return service.project(name)
    except UnknownReleaseError:
        return None


def take(service: Service, file: StoredFile, folder: Path) -> Path:
    """Copy a file of the registry into a folder.

    Raises:
        DamageError: What is stored is not what was published.
    """
    target = folder / file.filename
    with service.open_file(file.sha256) as source, target.open("wb") as sink:
        found = copy_hashed(source, sink)
    if found != file.sha256:
        raise DamageError(
            f"{file.filename} is not what was published.",
            where=str(folder),
            why=f"It has sha256 {found[:12]}…, not {file.sha256[:12]}….",
            hint="modelwright registry check",
        )
    return target


def gather(service: Service, wanted: Wanted, folder: Path) -> tuple[Path, str]:
    """Get a file that the lock names; return where it is now and where it came from.

    Raises:
        BundleError: Its name is none, it is nowhere, or it is another file than was locked.
        UnavailableError: The server that the lock names does not answer.
        MissingExtraError: The HTTP client is not installed.
    """
    check_wheel_name(wanted.filename, where=wanted.url or wanted.project)
    project = find_project(service, wanted.project)
    for release in project.releases if project else ():
        for file in release.files:
            if file.sha256 == wanted.sha256:
                return take(service, file, folder), REGISTRY
    if not wanted.url.startswith(("https://", "http://")):
        raise BundleError(
            f"{wanted.filename} is not in the registry, and the lock says no place on a network where it is.",
            where=wanted.url or wanted.project,
            hint=f"Publish it first: modelwright publish {wanted.filename}",
        )
    target = folder / wanted.filename
    place = without_credentials(wanted.url)
    with _answer(wanted.url, place) as chunks, target.open("wb") as sink:
        digest = hashlib.sha256()
        for chunk in chunks:
            digest.update(chunk)
            sink.write(chunk)
    if digest.hexdigest() != wanted.sha256:
        target.unlink()
        raise BundleError(
            f"{wanted.filename} is another file than was locked.",
            where=place,
            why=f"It has sha256 {digest.hexdigest()[:12]}…, {wanted.sha256[:12]}… was locked.",
            hint="Do not install it. Ask who runs that index.",
        )
    return target, place


def copy_hashed(source: BinaryIO, sink: IO[bytes]) -> str:
    """Copy a stream in constant memory; return its sha256, hexadecimal."""
    digest = hashlib.sha256()
    while chunk := source.read(_CHUNK):
        digest.update(chunk)
        sink.write(chunk)
    return digest.hexdigest()


@contextmanager
def _answer(url: str, place: str) -> Iterator[Iterator[bytes]]:
    need("remote", "httpx2")
    import httpx2

    try:
        with httpx2.stream(
            "GET", url, follow_redirects=True, timeout=TIMEOUT_S, headers={"Accept-Encoding": "identity"}
        ) as response:
            if not response.is_success:
                raise UnavailableError(
                    f"The server answered {response.status_code} {response.reason_phrase}.",
                    where=place,
                    hint="Is the index reachable that the model was locked with? Nothing was written.",
                )
            yield response.iter_bytes(_CHUNK)
    except httpx2.HTTPError as error:
        raise UnavailableError(
            "A library of the model cannot be fetched.", where=place, why=f"{type(error).__name__}: {error}"
        ) from error
