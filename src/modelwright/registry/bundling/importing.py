"""Take a bundle into a registry: its model and weights, and its libraries if that is asked for.

Called by ``modelwright import``. Files go in through the same door as uploads, with the same checks; twice is harmless.

What the bundle tells of the release's past (evidence, log) is not taken over: evidence is what this registry's people
attach, and its log is about what happened here. The bundle keeps it for who wants to read it.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Literal

from modelwright.errors import BundleError, StorageError
from modelwright.registry.bundling.bundle import Bundle, BundledFile, Role
from modelwright.registry.bundling.reading import OpenBundle, read_bundle
from modelwright.registry.service import Service
from modelwright.spec.struct import Frozen
from modelwright.steps import Listener, ignore, timed

Libraries = Literal["skip", "publish"]
"""What becomes of libraries: ``skip``: there is an index for them; ``publish``: this registry serves them."""
_ORDER: tuple[Role, ...] = ("library", "weights", "model")
"""What a wheel requires goes in before it."""
_CHUNK = 2**20


class ImportedFile(Frozen, frozen=True, kw_only=True):
    """What became of one wheel of a bundle.

    Attributes:
        filename: Its name.
        sha256: Its digest.
        role: Model, weights or library.
        outcome: ``published``, ``there`` (exactly these bytes were in the registry) or ``skipped``.
    """

    filename: str
    sha256: str
    role: Role
    outcome: Literal["published", "there", "skipped"]


class Imported(Frozen, frozen=True, kw_only=True):
    """What became of a bundle.

    Attributes:
        name: Name of the model.
        version: The release.
        files: Every wheel.
    """

    name: str
    version: str
    files: tuple[ImportedFile, ...]


def import_bundle(
    path: Path | str, service: Service, *, libraries: Libraries = "skip", listener: Listener = ignore
) -> Imported:
    """Publish what is in a bundle; every byte of it is checked before the first file is stored.

    Args:
        path: The archive.
        service: The registry that takes it in.
        libraries: Whether the libraries of the model become projects of the registry, too. A name that was published
            once hides the upstream one for ever, so this is for registries without an upstream.
        listener: Told about each file.

    Raises:
        UnknownPackageError: There is no such file.
        BundleError: It is no bundle, or a file in it is not the one that it lists.
        UploadError: A wheel is not one that an index may carry.
        TakenError: A name is taken by other bytes.
        VersionStepError: The model's version promises more compatibility than the change allows.
        NotAllowedError: Who asks may not publish.
    """
    with ExitStack() as stack:
        with timed("check", listener) as note:
            opened = stack.enter_context(read_bundle(path))
            note.detail = f"{len(opened.bundle.files)} wheels have the digests that are listed"
        bundle = opened.bundle
        outcomes = {file.sha256: _take(opened, file, service, libraries, listener) for file in _ordered(bundle)}
    return Imported(
        name=bundle.name, version=bundle.version, files=tuple(outcomes[file.sha256] for file in bundle.files)
    )


def _ordered(bundle: Bundle) -> list[BundledFile]:
    return sorted(bundle.files, key=lambda file: (_ORDER.index(file.role), file.filename))


def _take(
    opened: OpenBundle, file: BundledFile, service: Service, libraries: Libraries, listener: Listener
) -> ImportedFile:
    if file.role == "library" and libraries == "skip":
        return _became(file, "skipped")
    if service.has(file.filename, file.sha256):
        return _became(file, "there")
    with timed("publish", listener) as note, tempfile.TemporaryDirectory(prefix="modelwright-import-") as folder:
        note.detail = file.filename
        published = service.upload(_unpacked(opened, file, Path(folder)))
    return _became(file, "published" if published.new else "there")


def _unpacked(opened: OpenBundle, file: BundledFile, folder: Path) -> Path:
    """Copy one wheel out of the archive, hashing it again: the archive may have changed since it was checked."""
    target = folder / file.filename
    digest = sha256()
    try:
        with opened.open(file) as source, target.open("wb") as sink:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                sink.write(chunk)
    except OSError as error:
        raise StorageError("The wheel cannot be unpacked.", where=str(target), why=str(error)) from error
    if digest.hexdigest() != file.sha256:
        raise BundleError(f"{file.filename} changed while the bundle was read.")
    return target


def _became(file: BundledFile, outcome: Literal["published", "there", "skipped"]) -> ImportedFile:
    return ImportedFile(filename=file.filename, sha256=file.sha256, role=file.role, outcome=outcome)
