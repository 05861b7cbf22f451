"""Publish a parcel: files one after the other, then the evidence about them.

For: :meth:`modelwright.registry.registry.Registry.publish`. What the registry has already is not sent again.
"""

from __future__ import annotations

from pathlib import Path

from modelwright.errors import UnknownReleaseError
from modelwright.registry.asking.parcels import Document, Parcel, attestations_beside, name_and_version
from modelwright.registry.evidence import Evidence
from modelwright.registry.service import Publication, Service
from modelwright.spec.struct import Frozen
from modelwright.steps import Listener, timed


class Published(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """What became of everything that was published together.

    Attributes:
        files: What became of each file, in the order they were published.
        evidence: The evidence that was attached, signatures included.
    """

    files: tuple[Publication, ...]
    evidence: tuple[Evidence, ...] = ()


def send(service: Service, parcel: Parcel, *, listener: Listener) -> Published:
    """Publish everything in a parcel.

    Raises:
        UploadError: A file is not one that an index may carry; every problem is listed.
        TakenError: Its name is taken by other bytes.
        VersionStepError: Its version promises more compatibility than the change allows.
        EvidenceError: A document is no evidence.
    """
    files = tuple(_upload(service, path, digest, listener) for path, digest in parcel.files.items())
    kept = tuple(_attach(service, sha256, document, listener) for sha256, document in parcel.evidence)
    return Published(files=files, evidence=kept)


def _upload(service: Service, path: Path, sha256: str, listener: Listener) -> Publication:
    with timed("publish", listener) as note:
        known = service.has(path.name, sha256)
        note.detail = f"{path.name}, which is there already" if known else path.name
        if known:
            return _known(service, path, sha256)
        return service.upload(path, attestations=attestations_beside(path))


def _known(service: Service, path: Path, sha256: str) -> Publication:
    name, version = name_and_version(path)
    release = service.project(name).release(str(version))
    if release is not None:
        for file in release.files:
            if file.sha256 == sha256:
                return Publication(project=name, version=release.version, file=file, new=False)
    raise UnknownReleaseError(f"{path.name} was deleted a moment ago.", where=str(path))


def _attach(service: Service, sha256: str, document: Document, listener: Listener) -> Evidence:
    with timed("evidence", listener) as note:
        kept = service.attach(sha256, document.kind, document.content)
        note.detail = f"{kept.kind}, number {kept.id}"
    return kept
