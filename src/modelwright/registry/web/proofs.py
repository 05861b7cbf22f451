"""Say in words what evidence says: verifications, scans, approvals and the others.

For: the page of a version. The form of evidence was checked when it was attached; here nothing relies on that.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from modelwright.inspecting.behaviour import Behaviour
from modelwright.inspecting.diff import DiffReport
from modelwright.inspecting.verify import VerifyReport
from modelwright.registry.evidence import Evidence
from modelwright.registry.projects import StoredFile
from modelwright.spec.struct import Frozen

MOST_NOTES = 50
"""Findings of a scan that are shown."""


class Proof(Frozen, frozen=True, kw_only=True):
    """One verification.

    Attributes:
        evidence: The evidence.
        report: What it found.
    """

    evidence: Evidence
    report: VerifyReport


class EvidenceView(Frozen, frozen=True, kw_only=True):
    """One piece of evidence, in words.

    Attributes:
        evidence: The evidence.
        file: Name of the wheel it is about.
        says: What it says.
        good: Whether it speaks for the release; ``None``: neither.
        notes: What it found, a sentence each.
    """

    evidence: Evidence
    file: str
    says: str
    good: bool | None
    notes: tuple[str, ...]


def proof_of(evidence: Evidence) -> Proof | None:
    """Return the verification that evidence is; ``None``: it is something else, or malformed."""
    if evidence.kind != "verification":
        return None
    try:
        return Proof(evidence=evidence, report=msgspec.convert(evidence.content, VerifyReport))
    except msgspec.ValidationError:
        return None


def told(file: StoredFile, evidence: Evidence) -> EvidenceView:
    """Say in words what evidence about a file says."""
    says, good = _says(evidence.kind, evidence.content)
    return EvidenceView(
        evidence=evidence, file=file.filename, says=says, good=good, notes=_notes(evidence.kind, evidence.content)
    )


def _notes(kind: str, content: Any) -> tuple[str, ...]:
    findings = content.get("findings") if kind == "scan" and isinstance(content, dict) else None
    listed = [one for one in findings if isinstance(one, dict)] if isinstance(findings, list) else []
    return tuple(f"{one.get('severity')}: {one.get('file')} {one.get('what')}" for one in listed[:MOST_NOTES])


def _says(kind: str, content: Any) -> tuple[str, bool | None]:
    """Say in words what evidence says; its form was checked when it was attached, and is not relied upon here."""
    said = content if isinstance(content, dict) else {}
    if kind == "verification":
        listed = said.get("scenarios")
        scenarios = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        held = sum(bool(one.get("passed")) for one in scenarios)
        passed = said.get("passed") is True
        where = f"{said.get('interpreter', '')} {said.get('platform', '')}".strip()
        return f"{'holds' if passed else 'does not hold'} on {where}: {held} of {len(scenarios)} scenarios", passed
    if kind == "comparison":
        return _compared(said), None
    if kind == "scan":
        findings = said.get("findings")
        number = len(findings) if isinstance(findings, list) else 0
        worst = str(said.get("worst", "info"))
        told = f"{number} {'finding' if number == 1 else 'findings'}, the worst is {worst}"
        return (told if number else "nothing found"), worst == "info"
    if kind == "approval":
        reason = str(said.get("reason", ""))
        return f"for {said.get('stage', '')}" + (f": {reason}" if reason else ""), True
    if kind == "evaluation":
        return f"{len(content)} metrics measured later" if isinstance(content, list) else "", None
    return {"signature": "signed statement about this wheel", "attestation": "PEP 740 attestation"}.get(kind, ""), None


def _compared(said: dict[str, Any]) -> str:
    try:
        report = msgspec.convert(said, DiffReport)
    except msgspec.ValidationError:
        return ""
    asked = report.behaviour
    if asked is None:
        return f"compared with {report.old.version}"
    return f"compared with {report.old.version}: {asked.changed} of {asked.rows} rows are answered differently"


def comparison_in(evidence: Iterable[Evidence], *, old: str) -> tuple[Evidence, Behaviour] | None:
    """Return the newest comparison with another wheel, and how the two answer; ``None``: nobody has run both.

    Args:
        evidence: The evidence about the new wheel, oldest first.
        old: Digest of the wheel that it is compared with.
    """
    for one in reversed([one for one in evidence if one.kind == "comparison"]):
        try:
            report = msgspec.convert(one.content, DiffReport)
        except msgspec.ValidationError:
            continue
        if report.old.sha256 == old and report.behaviour is not None:
            return one, report.behaviour
    return None
