"""What is sent to a registry: which files, in which order, and which evidence goes with which.

For: :meth:`modelwright.registry.registry.Registry.publish`. It reads names and small JSON documents, and opens no
wheel: what may come in is decided by :mod:`modelwright.registry.admitting`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path, PurePath
from typing import Any, NamedTuple

import msgspec
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from modelwright.errors import EvidenceError, UnknownPackageError, UploadError
from modelwright.plugins import need
from modelwright.registry.evidence import EvidenceKind
from modelwright.spec.evaluation import Evaluation
from modelwright.spec.struct import Frozen

SUFFIXES = (".whl", ".tar.gz")
ATTESTATION = ".publish.attestation"
"""Ending of the file beside a wheel that holds an attestation of it. Source: PyPI documentation, "Attestations"."""
MAX_EVIDENCE = 64 * 2**20
"""Largest document of evidence, bytes."""


class Document(NamedTuple):
    """A document of evidence.

    Attributes:
        kind: What it is, as its content says.
        content: The JSON value.
        sha256: Digest of the wheel it says it is about; empty: it does not say.
        where: Its path.
    """

    kind: EvidenceKind
    content: Any
    sha256: str
    where: str


class _Report(Frozen, frozen=True, kw_only=True):
    """What a report of ``modelwright verify`` must say to be sent; the registry looks at all of it."""

    wheel: str
    sha256: str
    passed: bool
    scenarios: tuple[dict[str, Any], ...]


class _Side(Frozen, frozen=True, kw_only=True):
    where: str
    sha256: str = ""


class _Comparison(Frozen, frozen=True, kw_only=True):
    """What a report of ``modelwright diff`` must say to be sent; the registry looks at all of it."""

    old: _Side
    new: _Side


class Parcel(NamedTuple):
    """What is published together.

    Attributes:
        files: Digest of each file, in the order in which they are published.
        evidence: Documents, each with the digest of the wheel it is about.
    """

    files: dict[Path, str]
    evidence: list[tuple[str, Document]]


def pack(
    places: Iterable[Path | str], *, evidence: Iterable[Path | str] = (), sign: Path | str | None = None
) -> Parcel:
    """Gather files, read the evidence about them, and sign them; nothing is sent.

    Args:
        places: Files, or folders of which every wheel and source archive is meant; none, if there is only evidence
            about wheels that the registry has.
        evidence: Files with reports of ``modelwright verify`` or ``diff``, or lists of evaluations.
        sign: Private key (Ed25519, PEM) to sign every wheel with.

    Raises:
        UnknownPackageError: There is no such file, or nothing to be published.
        UploadError: A file has the name of no wheel or source archive.
        EvidenceError: A document is no evidence, or about another wheel; or the key cannot be used.
    """
    files = {path: sha256_of(path) for path in gather(places)}
    wheels = {digest: path for path, digest in files.items() if path.suffix == ".whl"}
    documents = [read_document(Path(path)) for path in evidence]
    bound = [(sha256, document) for document in documents for sha256 in wheels_of(document, wheels)]
    if sign is not None:
        bound += [(sha256, signed(path, sha256, Path(sign))) for sha256, path in wheels.items()]
    return Parcel(files, bound)


def gather(places: Iterable[Path | str]) -> tuple[Path, ...]:
    """Return the files to be published: files as they are given, of a folder its wheels and source archives.

    Weights come before the models that need them, lower versions before higher ones, so that each is compared with
    the one before it.

    Raises:
        UnknownPackageError: There is no such file or folder, or nothing to be published in it.
        UploadError: A file has the name of no wheel or source archive.
    """
    found: dict[Path, tuple[bool, str, Version, str]] = {}
    for place in map(Path, places):
        for path in _files(place):
            found[path] = _order(path)
    return tuple(sorted(found, key=found.__getitem__))


def _files(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    inside = [path for path in sorted(place.glob("*")) if path.name.endswith(SUFFIXES) and path.is_file()]
    if not inside:
        raise UnknownPackageError(
            "There is no wheel and no source archive here." if place.is_dir() else "There is no such file or folder.",
            where=str(place),
            hint="modelwright build MODEL_FOLDER",
        )
    return inside


def _order(path: Path) -> tuple[bool, str, Version, str]:
    name, version = name_and_version(path)
    weights = name.endswith("-weights")
    return not weights, name, version, path.name


def name_and_version(path: Path) -> tuple[str, Version]:
    """Return what a file's name says.

    Raises:
        UploadError: It is the name of no wheel or source archive.

    Example:
        >>> name_and_version(Path("dist/Churn-1.3-py3-none-any.whl"))
        ('churn', <Version('1.3')>)
    """
    try:
        if path.name.endswith(".whl"):
            name, version, _, _ = parse_wheel_filename(path.name)
        else:
            name, version = parse_sdist_filename(path.name)
    except (InvalidWheelFilename, InvalidSdistFilename) as error:
        raise UploadError(
            "This is the name of no wheel and no source archive.",
            where=str(path),
            why=str(error),
            hint="Publish what modelwright build or any other build tool wrote, under the name it gave it.",
        ) from error
    return name, version


def sha256_of(path: Path) -> str:
    """Return the digest of a file, 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def attestations_beside(path: Path) -> tuple[Any, ...]:
    """Return the attestation in the file beside a wheel (PEP 740), if there is one.

    Raises:
        EvidenceError: The file is not JSON.
    """
    beside = path.with_name(path.name + ATTESTATION)
    return (_json(beside),) if beside.is_file() else ()


def read_document(path: Path) -> Document:
    """Read evidence; what kind it is, its content says.

    A verification is what ``modelwright verify --report`` writes, a comparison what ``modelwright diff --report`` does;
    an evaluation is a JSON list of metrics.

    Raises:
        EvidenceError: It is none of these.
        UnknownPackageError: There is no such file.
    """
    value = _json(path)
    if isinstance(value, list) and value:
        _convert(value, list[Evaluation], path)
        return Document("evaluation", value, "", str(path))
    if isinstance(value, dict) and "scenarios" in value and "sha256" in value:
        report: _Report = _convert(value, _Report, path)
        return Document("verification", value, report.sha256, str(path))
    if isinstance(value, dict) and "verdict" in value and "new" in value:
        compared: _Comparison = _convert(value, _Comparison, path)
        for side in ("old", "new"):  # where it lies here is nobody's business there
            value[side]["where"] = PurePath(value[side]["where"]).name
        return Document("comparison", value, compared.new.sha256, str(path))
    raise EvidenceError(
        "This is no evidence that a registry knows.",
        where=str(path),
        why="It is neither a report of modelwright verify or diff nor a list of evaluations.",
        hint="modelwright verify WHEEL --report report.json",
    )


def wheels_of(document: Document, wheels: dict[str, Path]) -> tuple[str, ...]:
    """Return the digests of the wheels that a document is about: the one it names, else all.

    Args:
        document: The evidence.
        wheels: The wheels that are published, by digest; none: the registry has the one that is named.

    Raises:
        EvidenceError: It is about another wheel, or nobody says about which.
    """
    if not document.sha256 and not wheels:
        raise EvidenceError(
            "Nobody says which wheel the evidence is about.", where=document.where, hint="Give the wheel beside it."
        )
    if document.sha256 and wheels and document.sha256 not in wheels:
        names = ", ".join(path.name for path in wheels.values())
        raise EvidenceError(
            "The evidence is about another wheel.",
            where=document.where,
            why=f"It was made for sha256 {document.sha256[:16]}…, which is none of {names}.",
            hint="modelwright verify WHEEL --report report.json",
        )
    return (document.sha256,) if document.sha256 else tuple(wheels)


def _json(path: Path) -> Any:
    try:
        if path.stat().st_size > MAX_EVIDENCE:
            raise EvidenceError(f"The document is larger than {MAX_EVIDENCE} bytes.", where=str(path))
        return msgspec.json.decode(path.read_bytes())
    except FileNotFoundError as error:
        raise UnknownPackageError("There is no such file.", where=str(path)) from error
    except msgspec.DecodeError as error:
        raise EvidenceError("The document is not JSON.", where=str(path), why=str(error)) from error


def _convert(value: Any, kind: Any, path: Path) -> Any:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise EvidenceError("The evidence is malformed.", where=str(path), why=str(error)) from error


def signed(path: Path, sha256: str, key: Path) -> Document:
    """Sign a wheel and return the signature as evidence.

    Args:
        path: The wheel.
        sha256: Its digest.
        key: Private key, Ed25519, PEM.

    Raises:
        EvidenceError: The key cannot be used.
        UnknownPackageError: There is no such key.
        MissingExtraError: The libraries of a registry are not installed.
    """
    need("registry", "cryptography")
    from modelwright.registry.deciding.signing import sign

    try:
        content = key.read_bytes()
    except FileNotFoundError as error:
        raise UnknownPackageError("There is no such key.", where=str(key)) from error
    except OSError as error:
        raise EvidenceError("The key cannot be read.", where=str(key), why=error.strerror or str(error)) from error
    return Document("signature", sign(sha256, path.name, content), sha256, str(key))
