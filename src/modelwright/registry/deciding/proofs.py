"""Gates about the wheels themselves: verified, scanned, signed. Pure.

Called by :mod:`.gates`. Each asks for evidence about every wheel, bound to its digest; where there are several pieces
about the same thing, the newest one counts, by number, whatever clocks said.
"""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

import msgspec

from modelwright.errors import EvidenceError
from modelwright.inspecting.scan import Finding, ScanReport
from modelwright.inspecting.suspicion import Severity
from modelwright.inspecting.verify import VerifyReport
from modelwright.registry.deciding.facts import Facts, ago, weights_version
from modelwright.registry.deciding.signing import verify_signature
from modelwright.registry.evidence import Evidence
from modelwright.registry.gates import GateResult, Scan, Signed, Verified
from modelwright.registry.projects import StoredFile
from modelwright.spec.weights import weights_name

_ORDER: tuple[Severity, ...] = ("info", "warning", "danger")
NO_WHEEL = "the release has no wheel"


class _Answer(NamedTuple):
    """What was found about one wheel.

    Attributes:
        passed: Whether it is enough.
        told: What was found.
        evidence: Number of the evidence; ``None``: there is none.
    """

    passed: bool
    told: str
    evidence: int | None = None


def verified(gate: Verified, facts: Facts) -> GateResult:
    """Judge whether every wheel was proved, on every interpreter that is asked for and that it is for.

    Source: :class:`~modelwright.registry.gates.Verified`.
    """
    wanted = gate.on or ("",)
    asked = [(wheel, tag) for tag in wanted for wheel in facts.wheels if not tag or _is_for(wheel, tag)]
    covered = {wheel.sha256 for wheel, _ in asked}
    asked += [(wheel, "") for wheel in facts.wheels if wheel.sha256 not in covered]
    proofs = [_proof(wheel, tag, gate.max_age_days, facts) for wheel, tag in asked]
    answered = {tag for _, tag in asked}
    nowhere = [_Answer(False, f"no wheel is for {tag}") for tag in wanted if facts.wheels and tag not in answered]
    missing = next((pair for pair, proof in zip(asked, proofs, strict=True) if not proof.passed), None)
    name = " ".join(("verified", *(("on", ", ".join(gate.on)) if gate.on else ())))
    age = f", at most {_number(gate.max_age_days)} days ago" if gate.max_age_days is not None else ""
    where = f"on {' and '.join(gate.on)}" if gate.on else "on an interpreter it is for"
    return _result(
        name,
        [*proofs, *nowhere],
        threshold=f"proved {where}{age}, every scenario green",
        hint=_how_to_prove(facts, *(missing or (None, wanted[0]))),
    )


def _how_to_prove(facts: Facts, wheel: StoredFile | None, tag: str) -> str:
    """Return the command that proves a wheel; a reference works in any folder, where a file name does not."""
    reference = f"{facts.project.name}=={facts.release.version}"
    which = wheel.filename if wheel is not None and len(facts.wheels) > 1 else reference
    python = f" --python {tag[2:3]}.{tag[3:]}" if tag else ""
    return f"modelwright verify {which}{python} --report report.json && modelwright publish --evidence report.json"


def scanned(gate: Scan, facts: Facts) -> GateResult:
    """Judge what the scan found in every wheel, and in the wheels that hold its weights.

    Source: :class:`~modelwright.registry.gates.Scan`.
    """
    wheels = {wheel.sha256: wheel.filename for wheel in facts.wheels}
    answers = [_scan(sha256, name, gate, facts) for sha256, name in wheels.items()]
    answers += _weights(gate, facts) if wheels else []
    if gate.no_code_in_artifact and facts.release.executes_code:
        answers.append(_Answer(False, f"its format, {facts.release.format or 'unknown'}, can run code"))
    runs = "; no format that can run code" if gate.no_code_in_artifact else ""
    return _result(
        "scan",
        answers,
        threshold=f"nothing worse than {gate.worst}{runs}",
        hint=f"modelwright scan {next(iter(wheels.values()), 'WHEEL')}",
    )


def signed(gate: Signed, facts: Facts) -> GateResult:
    """Judge whether every wheel was signed with one of the keys.

    Source: :class:`~modelwright.registry.gates.Signed`.
    """
    keys = {name: facts.keys[name] for name in gate.keys if name in facts.keys}
    answers = [_signature(wheel, keys, facts) for wheel in facts.wheels]
    wheel = facts.wheels[0].filename if facts.wheels else "WHEEL"
    return _result(
        "signed",
        answers,
        threshold=f"signed with {' or '.join(gate.keys) or 'a key, and none is listed'}",
        hint=f"modelwright publish {wheel} --sign KEY.pem",
    )


def _proof(wheel: StoredFile, tag: str, max_age_days: float | None, facts: Facts) -> _Answer:
    """Judge the newest verification of a wheel on an interpreter; empty: the best of all interpreters."""
    newest: dict[str, _Answer] = {}
    for evidence in facts.about(wheel.sha256, "verification"):
        try:
            report = msgspec.convert(evidence.content, VerifyReport)
        except msgspec.ValidationError:
            continue
        if report.sha256 == wheel.sha256 and report.interpreter and tag in ("", report.interpreter):
            age = facts.since(evidence.created)
            newest[report.interpreter] = _Answer(*_report(report, age, max_age_days), evidence.id)
    if newest:
        return max(newest.values(), key=lambda answer: (answer.passed, answer.evidence))
    return _Answer(False, f"{wheel.filename} was never verified{f' on {tag}' if tag else ''}")


def _report(report: VerifyReport, age: timedelta, max_age_days: float | None) -> tuple[bool, str]:
    where = f"{report.wheel} on {report.interpreter}"
    failed = [result.name for result in report.scenarios if not result.passed]
    if failed:
        return False, f"{where}: {len(failed)} of {len(report.scenarios)} scenarios failed, {failed[0]} among them"
    if not report.passed:
        return False, f"{where}: failed: {report.problems[0] if report.problems else 'its report says so'}"
    if not report.scenarios:
        return False, f"{where}: no scenario ran"
    told = f"{where}: {len(report.scenarios)} scenarios green, {ago(age)} ago"
    return max_age_days is None or age <= timedelta(days=max_age_days), told


def _is_for(wheel: StoredFile, tag: str) -> bool:
    """Say whether a wheel can be installed on an interpreter, by its tags.

    ``py3`` and, for wheels with a stable interface, nothing narrower is known: models have one or the other.
    """
    pythons = {one.partition("-")[0] for one in wheel.tags}
    return not pythons or bool(pythons & {tag, tag.replace("cp", "py"), f"py{tag[2:3]}"})


def _weights(gate: Scan, facts: Facts) -> list[_Answer]:
    """Judge the wheels with the release's weights, if they are in a distribution of their own."""
    version = weights_version(facts.project.name, facts.release.requires)
    name = f"{weights_name(facts.project.name)} {version}".rstrip()
    if version and not facts.weights:
        return [_Answer(False, f"{name}, which it requires, is not here")]
    answers = [_scan(sha256, name, gate, facts) for sha256 in facts.weights]
    for sha256 in facts.weights:
        for evidence in facts.about(sha256, "scan")[-1:]:
            if _runs_code(evidence) and not facts.release.executes_code and gate.worst != "danger":
                answers.append(_Answer(False, f"{name} can run code, and the manifest says otherwise", evidence.id))
    return answers


def _runs_code(evidence: Evidence) -> bool:
    return isinstance(evidence.content, dict) and bool(evidence.content.get("executes_code"))


def _scan(sha256: str, name: str, gate: Scan, facts: Facts) -> _Answer:
    for evidence in facts.about(sha256, "scan")[-1:]:
        try:
            report = msgspec.convert(evidence.content, ScanReport)
        except msgspec.ValidationError:
            return _Answer(False, f"{name}: its scan cannot be read", evidence.id)
        if gate.no_code_in_artifact and report.executes_code:
            return _Answer(False, f"{name}: an artifact can run code when it is loaded", evidence.id)
        findings = [one for one in report.findings if not (facts.weights and _is_about_weights(one))]
        severities = [one.severity for one in findings]
        worst = max(severities, key=_ORDER.index, default="info") if report.findings else report.worst
        if _ORDER.index(worst) > _ORDER.index(gate.worst):
            told = next((f": {one.file} {one.what}" for one in findings if one.severity == worst), "")
            return _Answer(False, f"{name}: {worst}{told}", evidence.id)
        return _Answer(True, f"{name}: {worst if findings else 'nothing found'}", evidence.id)
    return _Answer(False, f"{name} was never scanned")


def _is_about_weights(finding: Finding) -> bool:
    """Say whether a finding is that nobody looked into the weights; where they have a scan, somebody did."""
    return finding.file == "manifest.json" and finding.severity == "warning"


def _signature(wheel: StoredFile, keys: dict[str, bytes], facts: Facts) -> _Answer:
    signatures = facts.about(wheel.sha256, "signature")
    for evidence in reversed(signatures):
        try:
            name = verify_signature(evidence.content, wheel.sha256, keys)
        except EvidenceError:
            continue
        return _Answer(True, f"{wheel.filename} by {name}", evidence.id)
    return _Answer(False, f"{wheel.filename}: {'signed with other keys' if signatures else 'not signed'}")


def _result(gate: str, answers: list[_Answer], *, threshold: str, hint: str) -> GateResult:
    """Unite what was found about every wheel; nothing found is not enough."""
    passed = bool(answers) and all(answer.passed for answer in answers)
    told = [answer.told for answer in answers if answer.passed == passed] or [NO_WHEEL]
    return GateResult(
        gate=gate,
        passed=passed,
        value="; ".join(dict.fromkeys(told)),
        threshold=threshold,
        hint="" if passed else hint,
        evidence=tuple(sorted({answer.evidence for answer in answers if answer.evidence is not None})),
    )


def _number(value: float | None) -> str:
    return f"{value:g}"
