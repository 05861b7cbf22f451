"""Sign a wheel's digest, and find out whose signature it is: DSSE around an in-toto statement, Ed25519. Pure.

Called by ``publish`` (which attaches a signature as evidence), by the registry when evidence comes in, and by the gate
``signed``. Keys are PEM files; which of them count is decided by the stage, never by what the signature says.

Source: DSSE v1.0.0 (envelope and pre-authentication encoding); in-toto Attestation Framework v1 (statement), predicate
``release`` v0.2; RFC 8032 (Ed25519); RFC 7468 (PEM).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from hashlib import sha256 as sha256_hash
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

from modelwright.errors import EvidenceError
from modelwright.registry.statements import STATEMENT, Statement, Subject, decoded, parse_statement
from modelwright.spec.struct import Frozen

PAYLOAD_TYPE = "application/vnd.in-toto+json"
PREDICATE = "https://in-toto.io/attestation/release/v0.2"
"""That this file is a release; a signed statement of another kind (of a test result) is no signature of the wheel."""
MAX_SIGNATURES = 16
NEW_KEY = "openssl genpkey -algorithm ed25519 -out ci.key && openssl pkey -in ci.key -pubout -out ci.pem"


class _Signature(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    sig: str
    keyid: str = ""


class _Envelope(Frozen, frozen=True, kw_only=True, rename={"payload_type": "payloadType"}):
    payload: str
    payload_type: str
    signatures: tuple[_Signature, ...]


def sign(sha256: str, filename: str, key: bytes) -> dict[str, Any]:
    """Sign a file by its digest.

    Args:
        sha256: Digest of the file, 64 hexadecimal digits.
        filename: Its name.
        key: Private Ed25519 key, PEM (PKCS #8), not encrypted.

    Returns:
        A DSSE envelope, JSON-able.

    Raises:
        EvidenceError: The key is none that can be used, or the file name is not that of a distribution.
    """
    private = _private_key(key)
    statement = Statement(
        type=STATEMENT,
        subject=(Subject(name=filename, digest={"sha256": sha256}),),
        predicate_type=PREDICATE,
        predicate={"purl": _purl(filename)},
    )
    payload = msgspec.json.encode(statement)
    signature = _Signature(sig=_coded(private.sign(preauthenticated(payload))), keyid=key_id(private.public_key()))
    envelope = _Envelope(payload=_coded(payload), payload_type=PAYLOAD_TYPE, signatures=(signature,))
    content: dict[str, Any] = msgspec.to_builtins(envelope)
    return content


def verify_signature(envelope: Any, sha256: str, public_keys: Mapping[str, bytes]) -> str:
    """Say with which of some keys a file was signed.

    Every key is tried, whatever the envelope calls its key: ``keyid`` is not authenticated.

    Args:
        envelope: A DSSE envelope, as JSON gave it.
        sha256: Digest of the file that it must be about.
        public_keys: Public Ed25519 keys, PEM, by the names to report.

    Returns:
        The name of the key.

    Raises:
        EvidenceError: It is malformed, about another file, or by none of the keys.
    """
    payload, signatures = opened(envelope)
    _about(payload, sha256)
    signed = preauthenticated(payload)
    for name, pem in public_keys.items():
        key = _public_key(name, pem)
        for signature in signatures:
            try:
                key.verify(signature, signed)
            except InvalidSignature:
                continue
            return name
    raise EvidenceError(
        "None of the keys made this signature.",
        why=f"Tried: {', '.join(public_keys) or 'no key at all'}.",
        hint="Sign the wheel with the private key that belongs to one of them.",
    )


def check_envelope(envelope: Any, sha256: str) -> None:
    """Refuse what cannot be a signature of a file, by whatever key.

    Raises:
        EvidenceError: It is malformed, or about another file.
    """
    payload, _ = opened(envelope)
    _about(payload, sha256)


def opened(envelope: Any) -> tuple[bytes, tuple[bytes, ...]]:
    """Return payload and signatures of an envelope, decoded; nothing is verified.

    Raises:
        EvidenceError: It is malformed.
    """
    try:
        found = msgspec.convert(envelope, _Envelope)
    except msgspec.ValidationError as error:
        raise EvidenceError("The signature is no DSSE envelope.", why=str(error)) from error
    if found.payload_type != PAYLOAD_TYPE:
        raise EvidenceError("The envelope holds no in-toto statement.", why=f"It says {found.payload_type[:100]!r}.")
    if not 0 < len(found.signatures) <= MAX_SIGNATURES:
        raise EvidenceError(f"The envelope has {len(found.signatures)} signatures.", why=f"1 to {MAX_SIGNATURES}.")
    return decoded(found.payload), tuple(decoded(signature.sig) for signature in found.signatures)


def preauthenticated(payload: bytes, kind: str = PAYLOAD_TYPE) -> bytes:
    """Return the bytes that are signed: type and payload, each with its length, so that neither can be shifted.

    Source: DSSE v1.0.0, "PAE".

    Example:
        >>> preauthenticated(b"hello", "text")
        b'DSSEv1 4 text 5 hello'
    """
    return b"DSSEv1 %d %b %d %b" % (len(kind.encode()), kind.encode(), len(payload), payload)


def key_id(key: Ed25519PublicKey) -> str:
    """Return what a public key is called in an envelope: sha256 of its DER form, hexadecimal."""
    return sha256_hash(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def new_key() -> tuple[bytes, bytes]:
    """Return a new private key and the public key that belongs to it, both PEM."""
    private = Ed25519PrivateKey.generate()
    return (
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    )


def _about(payload: bytes, sha256: str) -> None:
    statement = parse_statement(payload)
    if statement.predicate_type != PREDICATE:
        raise EvidenceError(
            "The statement does not say that this is a release.",
            why=f"It says {statement.predicate_type[:100]!r}; a signature of a wheel says {PREDICATE!r}.",
        )
    if not any(subject.digest.get("sha256", "").lower() == sha256.lower() for subject in statement.subject):
        raise EvidenceError("The signature is about another file.", why=f"None of its subjects has sha256 {sha256}.")


def _purl(filename: str) -> str:
    """Return the package URL of a file; source: purl specification, type ``pypi``."""
    try:
        parsed = parse_wheel_filename(filename)[:2] if filename.endswith(".whl") else parse_sdist_filename(filename)
    except (InvalidWheelFilename, InvalidSdistFilename) as error:
        raise EvidenceError("That is not the name of a wheel or an sdist.", why=str(error)) from error
    return f"pkg:pypi/{parsed[0]}@{parsed[1]}"


def _coded(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _private_key(pem: bytes) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise EvidenceError("The private key cannot be read.", why=str(error), hint=NEW_KEY) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise EvidenceError("The private key is not an Ed25519 key.", hint=NEW_KEY)
    return key


def _public_key(name: str, pem: bytes) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise EvidenceError(f"The public key {name!r} cannot be read.", why=str(error)) from error
    if not isinstance(key, Ed25519PublicKey):
        raise EvidenceError(f"The public key {name!r} is not an Ed25519 key.")
    return key
