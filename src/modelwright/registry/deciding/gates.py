"""Judge a release against the gates of a stage. Pure: facts in, results out; no clock, no disk.

Called by promotion inside the transaction that would move the pointer, and by whoever wants to know beforehand.
Evidence counts only for the wheel whose digest it is bound to, and its age counts from when the registry received it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

import msgspec

from modelwright.errors import EvidenceError
from modelwright.inspecting.verify import VerifyReport
from modelwright.registry.deciding.signing import verify_signature
from modelwright.registry.evidence import Evidence
from modelwright.registry.gates import Approved, Card, Gate, GateResult, Metric, Scan, Signed, Soaked, Verified
from modelwright.registry.projects import Placement, Project, Release, StoredFile
from modelwright.spec.evaluation import Evaluation
from modelwright.spec.struct import Frozen

DAY_S = 86_400.0
SEVERITIES = ("info", "warning", "danger")
SOAKED = 1e-9
"""Hours by which a soak may fall short: rounding of a difference of times."""


class Facts(Frozen, frozen=True, kw_only=True):
    """What gates look at.

    Attributes:
        stage: Name of the stage that is asked.
        before: Name of the stage before it; empty: it is the first.
        project: The project, with its placements and owners.
        release: The release that wants in.
        incumbent: The release that the stage runs now; ``None``: none.
        evidence: Evidence about the wheels of the release, oldest first.
        incumbent_evidence: Evidence about those of the incumbent.
        card: The model card, Markdown.
        keys: Public keys that gates name, PEM, by name.
        now: What time it is.
    """

    stage: str
    before: str
    project: Project
    release: Release
    incumbent: Release | None
    evidence: tuple[Evidence, ...]
    incumbent_evidence: tuple[Evidence, ...]
    card: str
    keys: dict[str, bytes]
    now: datetime

    @property
    def wheels(self) -> tuple[StoredFile, ...]:
        """The wheels of the release; an sdist is not what a stage runs."""
        return tuple(file for file in self.release.files if file.packagetype == "bdist_wheel")

    @property
    def reference(self) -> str:
        """The release, as commands spell it."""
        return f"{self.project.name} {self.release.version}"

    def about(self, wheel: StoredFile, kind: str) -> tuple[Evidence, ...]:
        """Return the evidence of a kind about one wheel, oldest first."""
        return tuple(one for one in self.evidence if one.sha256 == wheel.sha256 and one.kind == kind)

    def age_s(self, moment: str) -> float:
        """Return how long ago a moment was, seconds; a clock that was moved back makes nothing younger than now."""
        return max(0.0, (self.now - datetime.fromisoformat(moment)).total_seconds())


def judge(gates: Iterable[Gate], facts: Facts) -> tuple[GateResult, ...]:
    """Say of each gate whether it lets a release in.

    Args:
        gates: What the stage asks.
        facts: What is known.

    Returns:
        A result per gate, in their order.
    """
    return tuple(_JUDGES[type(gate)](gate, facts) for gate in gates)


def _verified(gate: Verified, facts: Facts) -> GateResult:
    wanted = [f"on {name}" for name in gate.on] or ["on any interpreter"]
    if gate.max_age_days is not None:
        wanted.append(f"within {gate.max_age_days:g} days")
    missing, used = [], []
    for wheel in facts.wheels:
        good = [(one, report) for one, report in _reports(facts, wheel) if _is_fresh(gate, facts, one)]
        used += [one.id for one, _ in good]
        proved = {report.interpreter for _, report in good}
        for name in gate.on or ([] if proved else ["any interpreter"]):
            if name not in proved and _runs_on(wheel, name):
                missing.append(f"{wheel.filename} not on {name}{_last_time(facts, wheel, name)}")
    if not facts.wheels:
        missing.append("there is no wheel")
    missing += [f"no wheel runs on {name}" for name in gate.on if not any(_runs_on(one, name) for one in facts.wheels)]
    return GateResult(
        gate="verified",
        passed=not missing,
        value="; ".join(missing) or "every wheel was, and all scenarios held",
        threshold=", ".join(wanted),
        hint="modelwright verify WHEEL --json > report.json && modelwright publish WHEEL --evidence report.json"
        if missing
        else "",
        evidence=tuple(used),
    )


def _reports(facts: Facts, wheel: StoredFile) -> Iterator[tuple[Evidence, VerifyReport]]:
    """Return the verifications of a wheel that passed; what is no report, or about another wheel, does not count."""
    for one in facts.about(wheel, "verification"):
        try:
            report = msgspec.convert(one.content, VerifyReport)
        except msgspec.ValidationError:
            continue
        held = bool(report.scenarios) and all(result.passed for result in report.scenarios)
        if report.sha256 == wheel.sha256 and report.passed and not report.problems and held:
            yield one, report


def _is_fresh(gate: Verified, facts: Facts, evidence: Evidence) -> bool:
    return gate.max_age_days is None or facts.age_s(evidence.created) <= gate.max_age_days * DAY_S


def _last_time(facts: Facts, wheel: StoredFile, name: str) -> str:
    ages = [facts.age_s(one.created) for one, report in _reports(facts, wheel) if report.interpreter == name]
    return f" since {min(ages) / DAY_S:.1f} days" if ages else ""


def _runs_on(wheel: StoredFile, interpreter: str) -> bool:
    """Say whether a wheel is meant for an interpreter, by its tags (PEP 425)."""
    pythons = {tag.partition("-")[0] for tag in wheel.tags}
    return interpreter in pythons or f"py{interpreter[2:3]}" in pythons or not pythons or interpreter.startswith("any")


def _metric(gate: Metric, facts: Facts) -> GateResult:
    name = f"metric {gate.metric} on {gate.dataset}" + (f", {gate.slice}" if gate.slice else "")
    found = _measured(gate, facts.release, facts.evidence)
    incumbent = _measured(gate, facts.incumbent, facts.incumbent_evidence) if facts.incumbent else None
    limits = list(_limits(gate, found, incumbent, facts))
    threshold = (
        " and ".join(text for text, _ in limits) or f"within {gate.within:g} of what {facts.stage} runs: nothing"
    )
    if found is None:
        hint = "capture it with evaluate=(X, y), or modelwright publish WHEEL --evidence evaluations.json"
        return GateResult(gate=name, passed=False, value="not measured", threshold=threshold, hint=hint)
    passed = all(holds for _, holds in limits)
    return GateResult(gate=name, passed=passed, value=f"{found.value:g}", threshold=threshold)


def _limits(
    gate: Metric, found: Evaluation | None, incumbent: Evaluation | None, facts: Facts
) -> Iterator[tuple[str, bool]]:
    """Return each limit in words, and whether the value keeps it."""
    value = found.value if found else math.nan
    if gate.at_least is not None:
        yield f"≥ {gate.at_least:g}", value >= gate.at_least
    if gate.at_most is not None:
        yield f"≤ {gate.at_most:g}", value <= gate.at_most
    if gate.within is None or facts.incumbent is None:
        return
    if incumbent is None:
        # What runs now was never measured there: nothing says that the new one is as good.
        yield f"within {gate.within:g} of {facts.incumbent.version}, which was not measured", False
        return
    less_is_better = (found or incumbent).better == "lower"
    if less_is_better:
        limit = incumbent.value + gate.within
        yield f"≤ {limit:g} ({facts.incumbent.version} has {incumbent.value:g})", value <= limit
    else:
        limit = incumbent.value - gate.within
        yield f"≥ {limit:g} ({facts.incumbent.version} has {incumbent.value:g})", value >= limit


def _measured(gate: Metric, release: Release, evidence: Iterable[Evidence]) -> Evaluation | None:
    """Return what was measured last: evidence that came later counts before what the manifest says."""
    wheels = {file.sha256 for file in release.files}
    known: list[Evaluation] = list(release.evaluations)
    for one in evidence:
        if one.kind == "evaluation" and one.sha256 in wheels:
            known += _evaluations(one.content)
    matching = [
        one
        for one in known
        if (one.metric, one.dataset, one.slice) == (gate.metric, gate.dataset, gate.slice) and math.isfinite(one.value)
    ]
    return matching[-1] if matching else None


def _evaluations(content: Any) -> tuple[Evaluation, ...]:
    try:
        return msgspec.convert(content, tuple[Evaluation, ...])
    except msgspec.ValidationError:
        return ()


_HEADING = re.compile(r"#{1,6}[ \t]+([^\n]{1,200})")
_NOTHING = frozenset({"", "todo", "tbd", "not stated", "not stated.", "n/a", "-", "…", "..."})


def _card(gate: Card, facts: Facts) -> GateResult:
    sections = _sections(facts.card)
    missing = [name for name in gate.sections if name.casefold() not in sections]
    empty = [name for name in gate.sections if name.casefold() in sections and not sections[name.casefold()]]
    problems = [f"no section {name!r}" for name in missing] + [f"{name!r} says nothing" for name in empty]
    if not facts.card.strip():
        problems.insert(0, "there is no card")
    return GateResult(
        gate="card",
        passed=not problems,
        value="; ".join(problems) or "complete",
        threshold=", ".join(gate.sections) or "any card",
        hint="Write it into card.md of the model folder, and release it as the next version." if problems else "",
    )


def _sections(card: str) -> dict[str, bool]:
    """Return the sections of a card by heading, lower case, and whether each says anything."""
    found: dict[str, bool] = {}
    inside: list[tuple[int, str]] = []
    for line in card.splitlines():
        heading = _HEADING.fullmatch(line.strip())
        if heading is not None:
            level = len(line.strip()) - len(line.strip().lstrip("#"))
            inside = [one for one in inside if one[0] < level]
            name = heading[1].strip().strip("#").strip().casefold()
            inside.append((level, name))
            found.setdefault(name, False)
        elif line.strip().strip("*_<>!").casefold() not in _NOTHING:
            for _, name in inside:
                found[name] = True
    return found


def _scan(gate: Scan, facts: Facts) -> GateResult:
    reports = [(one.id, one.content) for wheel in facts.wheels for one in facts.about(wheel, "scan")[-1:]]
    worst = max((SEVERITIES.index(report.get("worst", "danger")) for _, report in reports), default=2)
    scanned = len(reports) == len(facts.wheels) > 0
    runs_code = facts.release.executes_code or any(report.get("executes_code") for _, report in reports)
    problems = [] if scanned else ["not every wheel was scanned"]
    if scanned and worst > SEVERITIES.index(gate.worst):
        problems.append(f"the worst finding is {SEVERITIES[worst]}")
    if gate.no_code_in_artifact and runs_code:
        problems.append(f"the format {facts.release.format or 'of the model'} can run code when it is loaded")
    threshold = f"nothing worse than {gate.worst}" + (", no code in artifacts" if gate.no_code_in_artifact else "")
    return GateResult(
        gate="scan",
        passed=not problems,
        value="; ".join(problems) or f"the worst finding is {SEVERITIES[worst]}",
        threshold=threshold,
        hint="modelwright scan WHEEL" if problems else "",
        evidence=tuple(number for number, _ in reports),
    )


def _signed(gate: Signed, facts: Facts) -> GateResult:
    keys = {name: facts.keys[name] for name in gate.keys if name in facts.keys}
    signers: set[str] = set()
    unsigned, used = [], []
    for wheel in facts.wheels:
        found = [(one.id, name) for one in facts.about(wheel, "signature") for name in _signer(one, wheel, keys)]
        if found:
            used.append(found[-1][0])
            signers |= {name for _, name in found}
        else:
            unsigned.append(wheel.filename)
    passed = bool(facts.wheels) and not unsigned
    return GateResult(
        gate="signed",
        passed=passed,
        value=f"by {', '.join(sorted(signers))}"
        if passed
        else f"not signed by any: {', '.join(unsigned) or 'no wheel'}",
        threshold=f"by one of {', '.join(gate.keys)}",
        hint="" if passed else "modelwright publish WHEEL --sign KEY.pem",
        evidence=tuple(used),
    )


def _signer(evidence: Evidence, wheel: StoredFile, keys: dict[str, bytes]) -> Iterator[str]:
    try:
        yield verify_signature(evidence.content, wheel.sha256, keys)
    except EvidenceError:
        return


def _approved(gate: Approved, facts: Facts) -> GateResult:
    publishers = {file.publisher for file in facts.release.files} | {facts.release.publisher}
    by_wheel = [_approvers(facts, wheel) for wheel in facts.wheels]
    everywhere = set.intersection(*by_wheel) if by_wheel else set()
    counted = (everywhere & set(facts.project.owners)) - publishers
    others = everywhere - counted
    value = f"by {', '.join(sorted(counted)) or 'nobody'}"
    if others:
        value += f" ({', '.join(sorted(others))} published it or owns nothing here)"
    return GateResult(
        gate="approved",
        passed=len(counted) >= gate.count,
        value=value,
        threshold=f"by {gate.count} owner{'s' if gate.count > 1 else ''} other than the publisher",
        hint=""
        if len(counted) >= gate.count
        else f"modelwright approve {facts.reference} --stage {facts.stage} --reason …",
        evidence=tuple(
            one.id for wheel in facts.wheels for one in facts.about(wheel, "approval") if one.actor in counted
        ),
    )


def _approvers(facts: Facts, wheel: StoredFile) -> set[str]:
    return {
        one.actor
        for one in facts.about(wheel, "approval")
        if isinstance(one.content, dict) and one.content.get("stage") == facts.stage
    }


def _soaked(gate: Soaked, facts: Facts) -> GateResult:
    placement: Placement | None = facts.project.current(facts.before) if facts.before else None
    there = placement is not None and placement.digest == facts.release.digest
    hours = facts.age_s(placement.since) / 3600 if placement is not None and there else 0.0
    passed = there and hours >= gate.hours - SOAKED
    value = f"{hours:.1f} hours" if there else f"{facts.before or 'no stage before'} does not run it"
    return GateResult(
        gate="soaked",
        passed=passed,
        value=value,
        threshold=f"≥ {gate.hours:g} hours in {facts.before}",
        hint="" if passed or there else f"modelwright promote {facts.reference} --to {facts.before} --reason …",
    )


_JUDGES: dict[type, Callable[[Any, Facts], GateResult]] = {
    Verified: _verified,
    Metric: _metric,
    Card: _card,
    Scan: _scan,
    Signed: _signed,
    Approved: _approved,
    Soaked: _soaked,
}
