"""What is known about a wheel beside its bytes: evidence, bound to its sha256, that gates look at.

For: operating (which stores it), deciding (which judges it) and whoever attaches some. Frozen data.
"""

from __future__ import annotations

from typing import Any, Literal

from modelwright.spec.struct import Frozen

EvidenceKind = Literal["verification", "comparison", "evaluation", "scan", "signature", "approval", "attestation"]
"""
``verification``  a :class:`~modelwright.inspecting.verify.VerifyReport` as JSON
``comparison``    a :class:`~modelwright.inspecting.diff.DiffReport` for which both models ran; the wheel is the new one
``evaluation``    a JSON list of :class:`~modelwright.spec.evaluation.Evaluation`, measured after the release
``scan``          a :class:`~modelwright.inspecting.scan.ScanReport`; the registry makes it itself at publishing
``signature``     a DSSE envelope around an in-toto statement about the wheel, Ed25519
``approval``      ``{"stage": …, "reason": …}``; who approves is the evidence's actor
``attestation``   a PEP 740 attestation, kept and served as it came
"""


class Evidence(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """One piece of evidence about one wheel.

    Attributes:
        id: Number in the registry.
        sha256: Digest of the wheel it is about.
        kind: What it is.
        created: When the registry received it, RFC 3339 UTC; ages are counted from here, never from its content.
        actor: Who attached it.
        content: The document.
        digest: sha256 of the document's canonical JSON, which the log names.
    """

    id: int
    sha256: str
    kind: EvidenceKind
    created: str
    actor: str
    content: Any
    digest: str
