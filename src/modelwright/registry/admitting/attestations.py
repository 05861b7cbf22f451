"""Check the form of PEP 740 attestations that a file comes with. Pure.

Called by :mod:`modelwright.registry.admitting.admit`.

It does not verify Sigstore's certificate chain or transparency log: both need Sigstore's root of trust, and the
registry asks nobody but its upstream. An attestation is kept and served exactly as it came, about exactly the file it
came with; whoever installs verifies it (``pypi-attestations verify``). Where the registry itself shall decide by a
signature, the gate ``signed`` does, with keys that the stage names (:mod:`modelwright.registry.deciding.signing`).

Source: PEP 740, "Attestation objects"; PyPI's two predicate types.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from modelwright.errors import EvidenceError
from modelwright.registry.statements import decoded, parse_statement
from modelwright.spec.struct import Frozen

PREDICATES = frozenset(("https://docs.pypi.org/attestations/publish/v1", "https://slsa.dev/provenance/v1"))
"""What an attestation may say: that the file was published by somebody, or how it was built."""
MAX_ATTESTATIONS = 8
"""Most attestations of one file; PyPI takes one of each kind."""


class _Material(Frozen, frozen=True, kw_only=True):
    certificate: str
    transparency_entries: tuple[dict[str, Any], ...]


class _Signed(Frozen, frozen=True, kw_only=True):
    statement: str
    signature: str


class _Attestation(Frozen, frozen=True, kw_only=True):
    version: int
    verification_material: _Material
    envelope: _Signed


def check_attestations(attestations: Iterable[Any], *, filename: str, sha256: str) -> None:
    """Refuse attestations that are malformed or about another file.

    Args:
        attestations: Attestation objects, as JSON gave them.
        filename: Name of the file that they came with.
        sha256: Its digest.

    Raises:
        EvidenceError: One is malformed, about another file, or says something that has no place here; or two say the
            same kind of thing.
    """
    said: list[str] = []
    for number, attestation in enumerate(attestations, 1):
        if number > MAX_ATTESTATIONS:
            raise EvidenceError(f"{filename} has more than {MAX_ATTESTATIONS} attestations.")
        said.append(_check(attestation, filename, sha256, f"attestation {number} of {filename}"))
    if len(set(said)) != len(said):
        raise EvidenceError("Two attestations say the same kind of thing.", where=filename, why="PEP 740.")


def _check(attestation: Any, filename: str, sha256: str, where: str) -> str:
    try:
        found = msgspec.convert(attestation, _Attestation)
    except msgspec.ValidationError as error:
        raise EvidenceError("The attestation is malformed.", where=where, why=f"PEP 740: {error}.") from error
    if found.version != 1:
        raise EvidenceError("The attestation has a version that is not known here.", where=where, why="PEP 740: 1.")
    if not found.verification_material.transparency_entries:
        raise EvidenceError("The attestation has no transparency log entry.", where=where, why="PEP 740: at least one.")
    decoded(found.verification_material.certificate)
    decoded(found.envelope.signature)
    statement = parse_statement(decoded(found.envelope.statement))
    if statement.predicate_type not in PREDICATES:
        raise EvidenceError(
            "The attestation says something that has no place on an index.",
            where=where,
            why=f"{statement.predicate_type[:100]!r} is none of {', '.join(sorted(PREDICATES))}.",
        )
    if len(statement.subject) != 1:
        raise EvidenceError("The attestation is about several files.", where=where, why="PEP 740: about one.")
    subject = statement.subject[0]
    if subject.name != filename or subject.digest.get("sha256", "").lower() != sha256.lower():
        raise EvidenceError("The attestation is about another file.", where=where, why=f"It says {subject.name!r}.")
    return statement.predicate_type
