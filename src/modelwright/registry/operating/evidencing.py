"""Keep evidence about wheels, and read what is kept.

Called by :class:`~.local.LocalService` and by publishing. What evidence is worth is decided by gates, later.
"""

from __future__ import annotations

import hashlib
import math
from typing import Any

import msgspec

from modelwright.errors import EvidenceError, UnknownReleaseError
from modelwright.inspecting.diff import DiffReport
from modelwright.inspecting.verify import VerifyReport
from modelwright.registry.admitting.attestations import check_attestations
from modelwright.registry.audit import Action, canonical
from modelwright.registry.deciding.signing import check_envelope
from modelwright.registry.evidence import Evidence, EvidenceKind
from modelwright.registry.operating.desk import Desk, need_reason, the_release
from modelwright.registry.state.database import Transaction
from modelwright.registry.state.queries import find_file, load_evidence, load_project
from modelwright.registry.state.tables import evidence
from modelwright.spec.evaluation import Evaluation

ATTACHED: frozenset[EvidenceKind] = frozenset({"verification", "comparison", "evaluation", "signature", "attestation"})
"""Kinds that come from outside; the registry makes scans itself, and approvals are a deed of their own."""
LARGEST = 8 * 2**20
"""Largest document that is kept as evidence, bytes of JSON."""


def insert_evidence(transaction: Transaction, sha256: str, kind: EvidenceKind, content: Any, *, actor: str) -> Evidence:
    """Insert evidence within a transaction; whoever calls logs it."""
    document = canonical(content)
    row = {
        "sha256": sha256,
        "kind": kind,
        "created": transaction.now,
        "actor": actor,
        "content": msgspec.json.decode(document),
        "digest": hashlib.sha256(document).hexdigest(),
    }
    inserted = transaction.connection.execute(evidence.insert().values(row))
    assert inserted.inserted_primary_key is not None, "the table has a key"
    return Evidence(id=inserted.inserted_primary_key[0], **row)


def list_evidence(desk: Desk, sha256: str) -> tuple[Evidence, ...]:
    """List the evidence about a wheel, oldest first."""
    with desk.state.read() as connection:
        found = find_file(connection, sha256)
        if found is None:
            raise UnknownReleaseError("There is no file with this digest.", where=sha256[:64])
        desk.allow("read", found.project)
        return load_evidence(connection, [sha256])


def attach(desk: Desk, sha256: str, kind: EvidenceKind, content: Any) -> Evidence:
    """Attach evidence to a wheel; the same document again is no second one."""
    attempt = desk.entry("evidence", sha256=sha256[:64], detail={"kind": kind[:40]})
    with desk.judged(attempt):
        _check(kind, content, sha256)
        with desk.state.write() as transaction:
            found = find_file(transaction.connection, sha256)
            if found is None:
                raise UnknownReleaseError("There is no file with this digest.", where=sha256[:64])
            project = load_project(transaction.connection, found.project)
            desk.allow("evidence", found.project, known=project)
            if kind == "attestation":
                check_attestations([content], filename=found.file.filename, sha256=sha256)
            digest = hashlib.sha256(canonical(content)).hexdigest()
            for known in load_evidence(transaction.connection, [sha256]):
                if known.kind == kind and known.digest == digest:
                    return known
            kept = insert_evidence(transaction, sha256, kind, content, actor=desk.principal.user)
            _log(desk, transaction, "evidence", found.project, found.version, kept)
            return kept


def _log(
    desk: Desk,
    transaction: Transaction,
    action: Action,
    project: str,
    version: str,
    kept: Evidence,
    *,
    stage: str = "",
    reason: str = "",
) -> None:
    desk.record(
        transaction,
        desk.entry(
            action,
            project=project,
            version=version,
            stage=stage,
            sha256=kept.sha256,
            reason=reason,
            detail={"evidence": kept.id, "kind": kept.kind, "digest": kept.digest},
        ),
    )


def _check(kind: EvidenceKind, content: Any, sha256: str) -> None:
    if kind not in ATTACHED:
        raise EvidenceError(
            f"Evidence of the kind {str(kind)[:40]!r} cannot be attached.",
            why=f"What can: {', '.join(sorted(ATTACHED))}.",
            hint="modelwright approve --help" if kind == "approval" else "",
        )
    if len(canonical(content)) > LARGEST:
        raise EvidenceError(f"The document is larger than {LARGEST} bytes.")
    try:
        if kind == "verification":
            report = msgspec.convert(content, VerifyReport)
            if report.sha256 != sha256:
                raise EvidenceError(
                    "The report is about another wheel.",
                    where=report.wheel,
                    why=f"It proves sha256 {report.sha256[:12]}…, this is {sha256[:12]}….",
                    hint="modelwright verify WHEEL --report report.json",
                )
        elif kind == "comparison":
            _check_comparison(msgspec.convert(content, DiffReport), sha256)
        elif kind == "evaluation":
            evaluations = msgspec.convert(content, tuple[Evaluation, ...])
            if not all(math.isfinite(one.value) for one in evaluations):
                raise EvidenceError("A metric is not a number.", why="Nothing can be compared with it.")
        elif kind == "signature":
            check_envelope(content, sha256)
    except msgspec.ValidationError as error:
        raise EvidenceError(f"The document is no {kind}.", why=str(error)) from error


def _check_comparison(report: DiffReport, sha256: str) -> None:
    if report.new.sha256 != sha256 or not report.old.sha256:
        raise EvidenceError(
            "The comparison is about another wheel, or not about wheels.",
            where=report.new.where,
            why=f"Its new side has sha256 {report.new.sha256[:12] or 'none'}…, this is {sha256[:12]}….",
            hint="modelwright diff OLD NEW --report diff.json, with two wheels",
        )
    if report.behaviour is None:
        raise EvidenceError(
            "The comparison ran no model, and what is written in the wheels the registry compares itself.",
            where=report.new.where,
            hint="modelwright diff OLD NEW --report diff.json, without --skip-behaviour",
        )


def approve(desk: Desk, name: str, version: str, *, stage: str, reason: str) -> tuple[Evidence, ...]:
    """Approve a release, with the wheels it has now, for a stage."""
    attempt = desk.entry("approve", project=name, version=version, stage=stage, reason=reason.strip())
    with desk.judged(attempt):
        desk.stage(stage)
        text = need_reason(reason, "An approval")
        with desk.state.write() as transaction:
            project = desk.project(transaction.connection, name)
            desk.allow("approve", project.name, known=project)
            release = the_release(project, version)
            kept = []
            for wheel in release.wheels:
                content = {"stage": stage, "reason": text}
                one = insert_evidence(transaction, wheel.sha256, "approval", content, actor=desk.principal.user)
                _log(desk, transaction, "approve", project.name, release.version, one, stage=stage, reason=text)
                kept.append(one)
            return tuple(kept)
