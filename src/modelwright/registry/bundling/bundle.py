"""What a bundle says of itself: the document ``bundle.json``, and where things lie in the archive. Frozen data.

For: the modules beside this one. A bundle is one ZIP archive (stored) that installs a release without a network::

    churn-1.3.0/README.md           the two commands
    churn-1.3.0/bundle.json         this document
    churn-1.3.0/pylock.toml         PEP 751, with relative paths, for uv and a recent pip
    churn-1.3.0/requirements.txt    with hashes, for any pip
    churn-1.3.0/wheels/NAME         the files, and NAME.metadata beside each
    churn-1.3.0/simple/…            a static index of them
"""

from __future__ import annotations

from typing import Literal

import msgspec

from modelwright.errors import BundleError
from modelwright.registry.audit import Entry
from modelwright.registry.evidence import Evidence
from modelwright.spec.struct import Frozen

FORMAT_VERSION = 1
DOCUMENT = "bundle.json"
WHEELS = "wheels"
LARGEST_DOCUMENT = 256 * 2**20

Role = Literal["model", "weights", "library"]


class BundledFile(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """One wheel of a bundle.

    Attributes:
        filename: Its name, below ``wheels/``.
        project: Distribution name, normalised.
        version: Its version.
        role: The model, its weights, or a library.
        sha256: Digest of its bytes.
        size: Size, bytes.
        requires_python: ``Requires-Python`` of its metadata; empty: any.
        metadata_sha256: Digest of ``NAME.metadata`` beside it.
        source: Where it was taken from: ``registry``, or the URL in the model's lock.
    """

    filename: str
    project: str
    version: str
    role: Role
    sha256: str
    size: int
    requires_python: str = ""
    metadata_sha256: str
    source: str


class Bundle(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """What is in a bundle, and what its registry knew of the release.

    Attributes:
        format_version: Version of this document; readers refuse newer ones.
        name: Name of the model.
        version: The release.
        created: When the release was published, RFC 3339 UTC; the same release gives the same bundle.
        python: Version of Python it is for (``3.11``).
        platform: Platform it is for (``manylinux_2_28_x86_64``).
        files: Every wheel: model, weights, libraries by name.
        evidence: Evidence about the model's wheel. Told, not proved: who imports it decides what to trust.
        history: What the log said of the release.
    """

    format_version: int
    name: str
    version: str
    created: str
    python: str
    platform: str
    files: tuple[BundledFile, ...]
    evidence: tuple[Evidence, ...] = ()
    history: tuple[Entry, ...] = ()

    @property
    def root(self) -> str:
        """Name of the one folder in the archive."""
        return f"{self.name}-{self.version}"

    def path(self, file: BundledFile) -> str:
        """Return the name of a file in the archive."""
        return f"{self.root}/{WHEELS}/{file.filename}"


def parse_bundle(content: bytes, *, where: str) -> Bundle:
    """Read ``bundle.json``.

    Raises:
        BundleError: It is malformed, or written by a newer modelwright.
    """
    try:
        version = msgspec.json.decode(content, type=_Version).format_version
        if version > FORMAT_VERSION:
            raise BundleError(
                f"The bundle has format version {version}; this modelwright reads up to {FORMAT_VERSION}.",
                where=where,
                hint="pip install --upgrade modelwright",
            )
        return msgspec.json.decode(content, type=Bundle)
    except msgspec.DecodeError as error:
        raise BundleError(f"{DOCUMENT} is malformed.", where=where, why=str(error)) from error


class _Version(Frozen, frozen=True, kw_only=True):
    format_version: int


def dump_bundle(bundle: Bundle) -> bytes:
    """Write ``bundle.json``; the same bundle gives the same bytes."""
    return msgspec.json.format(msgspec.json.encode(bundle, order="deterministic"), indent=2) + b"\n"
