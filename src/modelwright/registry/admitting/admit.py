"""Decide whether a file may come in, and say what it is. Called once for every upload, before anything is visible.

There is one way in and no flag around it. Nothing in the file is executed, imported or deserialised; nothing is
unpacked to disk; no path or URL of a client is ever opened: the file lies where the registry put it.
"""

from __future__ import annotations

import re
from hashlib import sha256 as sha256_hash
from pathlib import Path
from typing import Any

from packaging.metadata import Metadata
from packaging.utils import canonicalize_name
from packaging.version import Version

from modelwright.errors import EvidenceError, Problem, UnavailableError, UploadError
from modelwright.inspecting.wheel import sha256_of
from modelwright.registry.admitting.attestations import check_attestations
from modelwright.registry.admitting.filenames import Named, parse_filename
from modelwright.registry.admitting.sdists import check_sdist
from modelwright.registry.admitting.wheels import check_wheel_contents
from modelwright.registry.admitting.zips import check_zip
from modelwright.registry.projects import Kind, PackageType, StoredFile
from modelwright.spec.evaluation import Evaluation
from modelwright.spec.manifest import Manifest
from modelwright.spec.struct import Frozen

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")
_FORMAT = re.compile(r"[A-Za-z0-9._+-]{1,100}", re.ASCII)
_SHA256 = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)


class Announced(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """What a client says of a file; what it says has to be true, what it leaves out is no matter.

    Attributes:
        name: Name of the project.
        version: Version.
        sha256: Digest of the file, hexadecimal.
    """

    name: str = ""
    version: str = ""
    sha256: str = ""


class Admitted(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """A file that may come in, and what it is.

    Attributes:
        filename: Its name.
        kind: Model, weights or library.
        packagetype: Wheel or sdist.
        project: Name of the project, PEP 503 normalised.
        version: PEP 440, normalised.
        sha256: Digest of the file.
        size: Size of the file, bytes.
        tags: Compatibility tags of a wheel, sorted.
        requires_python: ``Requires-Python``; empty: any.
        summary: One line.
        requires: What it requires, PEP 508.
        metadata: METADATA of a wheel, byte for byte; empty for an sdist.
        metadata_sha256: Its digest; empty for an sdist.
        top_level: Modules and packages that a wheel adds to what can be imported.
        manifest: The model's manifest; ``None``: there is no model in it.
        card: The model's card, Markdown; empty without one.
        scan: :class:`~modelwright.inspecting.scan.ScanReport` of a model's or weights' wheel, JSON-able; else ``None``.
        attestations: PEP 740 attestations, as they came.
    """

    filename: str
    kind: Kind
    packagetype: PackageType
    project: str
    version: str
    sha256: str
    size: int
    tags: tuple[str, ...] = ()
    requires_python: str = ""
    summary: str = ""
    requires: tuple[str, ...] = ()
    metadata: bytes = b""
    metadata_sha256: str = ""
    top_level: tuple[str, ...] = ()
    manifest: Manifest | None = None
    card: str = ""
    scan: dict[str, Any] | None = None
    attestations: tuple[Any, ...] = ()

    def stored(self, *, uploaded: str = "", publisher: str = "") -> StoredFile:
        """Return the file as the registry keeps it.

        Args:
            uploaded: When it came, RFC 3339; empty: it has not come yet.
            publisher: Who brought it.
        """
        return StoredFile(
            filename=self.filename,
            sha256=self.sha256,
            size=self.size,
            packagetype=self.packagetype,
            uploaded=uploaded,
            publisher=publisher,
            requires_python=self.requires_python,
            tags=self.tags,
            metadata_sha256=self.metadata_sha256,
            provenance=bool(self.attestations),
        )

    @property
    def task(self) -> str:
        """What kind of model it is; empty for anything else."""
        return self.manifest.task if self.manifest else ""

    @property
    def format(self) -> str:
        """Format of the model; empty for anything else."""
        return self.manifest.storage.format if self.manifest else ""

    @property
    def executes_code(self) -> bool:
        """Whether loading it can run code that an artifact contains: as the manifest says, or as the scan found."""
        said = self.manifest is not None and self.manifest.storage.executes_code
        return said or bool(self.scan and self.scan["executes_code"])

    @property
    def evaluations(self) -> tuple[Evaluation, ...]:
        """Measured quality, as the manifest says."""
        return self.manifest.evaluations if self.manifest else ()


NOTHING_SAID = Announced()


def admit(
    path: Path, filename: str, *, announced: Announced = NOTHING_SAID, attestations: tuple[Any, ...] = ()
) -> Admitted:
    """Decide whether a file may come in, and say what it is.

    Args:
        path: The file, in the registry's folder for uploads under way.
        filename: The name it shall have, as the client says.
        announced: What else the client says.
        attestations: PEP 740 attestations that came with it.

    Raises:
        UploadError: It is not one that an index may carry; every problem is listed.
        UnavailableError: The file cannot be read.
    """
    named = parse_filename(filename)
    try:
        size, sha256 = path.stat().st_size, sha256_of(path)
        _check_announced(announced, named, sha256)
        _check_attested(attestations, named, sha256)
        fields = _wheel(path, named) if named.packagetype == "bdist_wheel" else _sdist(path, named)
    except RecursionError:
        raise UploadError(
            "Something in the file is nested deeper than any tool writes it.",
            where=filename,
            why="Whoever reads it would run out of stack: a document in JSON or TOML, or a marker in its metadata.",
            hint="Build it again with an ordinary build tool and upload that file as it is.",
        ) from None
    except OSError as error:
        raise UnavailableError(
            "The file that was uploaded cannot be read.", where=filename, why=error.strerror or str(error)
        ) from error
    _check_told(filename, fields["summary"], fields.get("manifest"))
    return Admitted(
        filename=filename,
        packagetype=named.packagetype,
        project=named.project,
        version=str(named.version),
        sha256=sha256,
        size=size,
        tags=tuple(sorted(map(str, named.tags))),
        attestations=attestations,
        **fields,
    )


def _wheel(path: Path, named: Named) -> dict[str, Any]:
    check_zip(path, named.filename)
    found = check_wheel_contents(path, named)
    return {
        "kind": found.kind,
        "metadata": found.document,
        "metadata_sha256": sha256_hash(found.document).hexdigest(),
        "top_level": found.top_level,
        "manifest": found.manifest,
        "card": found.card,
        "scan": found.scan,
        **_described(found.metadata),
    }


def _sdist(path: Path, named: Named) -> dict[str, Any]:
    found = check_sdist(path, named)
    kind: Kind = "model" if found.manifest else "library"
    return {"kind": kind, "manifest": found.manifest, "card": found.card, **_described(found.metadata)}


def _described(metadata: Metadata) -> dict[str, Any]:
    return {
        "requires_python": str(metadata.requires_python or ""),
        "summary": metadata.summary or "",
        "requires": tuple(map(str, metadata.requires_dist or ())),
    }


def _check_told(filename: str, summary: str, manifest: Manifest | None) -> None:
    """Refuse what is told of a file everywhere and that no terminal and not every database takes as it is."""
    problems = []
    if _CONTROL.search(summary):
        problems.append(_problem("Summary", "has control characters"))
    if manifest is not None and not _FORMAT.fullmatch(manifest.storage.format):
        problems.append(_problem("manifest.json", f"has a format that is no name: {manifest.storage.format[:100]!r}"))
    if problems:
        raise UploadError("The file says something that cannot be shown.", where=filename, problems=problems)


def _check_announced(announced: Announced, named: Named, sha256: str) -> None:
    """Refuse a file that is not the one that was announced."""
    problems = []
    hint = "Build it again: METADATA, which the client read, and the file name say different things."
    if announced.name and canonicalize_name(announced.name) != named.project:
        problems.append(_problem("name", f"is {announced.name[:100]!r}, the file name says {named.project!r}"))
    if announced.version and not _is_version(announced.version, named.version):
        problems.append(_problem("version", f"is {announced.version[:100]!r}, the file name says '{named.version}'"))
    if announced.sha256 and (not _SHA256.fullmatch(announced.sha256) or announced.sha256.lower() != sha256):
        problems.append(_problem("sha256", f"is {announced.sha256[:100]!r}, the file has {sha256}"))
        hint = "Upload it again; if it happens again, something on the way changes files."
    if problems:
        raise UploadError(
            "The file is not the one that was announced.",
            where=named.filename,
            hint=hint,
            problems=problems,
        )


def _is_version(text: str, version: Version) -> bool:
    try:
        return Version(text) == version
    except ValueError:  # InvalidVersion is one; so is what int() says of thousands of digits
        return False


def _check_attested(attestations: tuple[Any, ...], named: Named, sha256: str) -> None:
    try:
        check_attestations(attestations, filename=named.filename, sha256=sha256)
    except EvidenceError as error:
        raise UploadError(
            "An attestation does not belong to this file.",
            where=named.filename,
            why=" ".join((error.what, error.why)).strip(),
            hint="Upload it without attestations, or with those that were made for exactly this file.",
        ) from error


def _problem(item: str, text: str) -> Problem:
    return Problem(None, None, text, item=item)
