"""Gates about people and time: approved by somebody else, and soaked in the stage before. Pure.

Called by :mod:`.gates`.
"""

from __future__ import annotations

from datetime import timedelta

from modelwright.registry.deciding.facts import Facts, ago
from modelwright.registry.evidence import Evidence
from modelwright.registry.gates import Approved, GateResult, Soaked


def approved(gate: Approved, facts: Facts) -> GateResult:
    """Judge whether enough owners, none of whom published anything of the release, approved all its wheels.

    Source: :class:`~modelwright.registry.gates.Approved`.
    """
    publishers = {facts.release.publisher, *(file.publisher for file in facts.release.files)}
    approvals = [[one for one in facts.about(wheel.sha256, "approval") if _for(one, facts)] for wheel in facts.wheels]
    actors = [{one.actor for one in wheel} for wheel in approvals]
    everyone = set[str]().union(*actors)
    agreed = everyone.intersection(*actors) if actors else everyone
    counted = sorted((agreed & set(facts.project.owners)) - publishers)
    passed = len(counted) >= gate.count and bool(actors)
    told = [", ".join(counted)] if counted else []
    told += [f"{name} published it" for name in sorted(everyone & publishers)]
    told += [f"{name} is no owner" for name in sorted(everyone - publishers - set(facts.project.owners))]
    told += [f"{name} approved other wheels" for name in sorted(everyone - agreed - publishers)]
    owners = "owner" if gate.count == 1 else f"{gate.count} owners"
    return GateResult(
        gate="approved",
        passed=passed,
        value="; ".join(told) or "nobody",
        threshold=f"by {'an ' if gate.count == 1 else ''}{owners} who did not publish it, for {facts.stage}",
        hint=""
        if passed
        else f'modelwright approve {facts.what} --stage {facts.stage} --reason "…"  # by {_who(facts, publishers)}',
        evidence=tuple(sorted(one.id for wheel in approvals for one in wheel if one.actor in counted)),
    )


def _for(evidence: Evidence, facts: Facts) -> bool:
    return isinstance(evidence.content, dict) and evidence.content.get("stage") == facts.stage


def _who(facts: Facts, publishers: set[str]) -> str:
    others = sorted(set(facts.project.owners) - publishers)
    return " or ".join(others) if others else "another owner; the project has none beside its publisher"


def soaked(gate: Soaked, facts: Facts) -> GateResult:
    """Judge how long the release has been what the stage before runs.

    If something else was tried there in between and rolled back, time counts from when that began.

    Source: :class:`~modelwright.registry.gates.Soaked`.
    """
    placement = facts.project.current(facts.before) if facts.before else None
    asked = f"≥ {gate.hours:g} hours in {facts.before or 'the stage before, and there is none'}"
    if placement is None or placement.digest != facts.release.digest:
        runs = f"{facts.before} runs {placement.version if placement else 'nothing'}" if facts.before else "never"
        if placement is not None and placement.version == facts.release.version:
            runs = f"{facts.before} runs {placement.version} with other wheels"
        return GateResult(
            gate="soaked",
            passed=False,
            value=runs,
            threshold=asked,
            hint=f"modelwright promote {facts.what} --to {facts.before}" if facts.before else "",
        )
    later = [
        one.since
        for one in facts.project.placements
        if one.stage == facts.before and one.sequence >= placement.sequence
    ]
    span = min((facts.since(moment) for moment in later), default=timedelta(0))
    passed = span >= timedelta(hours=gate.hours)
    left = timedelta(hours=gate.hours) - span
    return GateResult(
        gate="soaked",
        passed=passed,
        value=f"{ago(span)} in {facts.before}",
        threshold=asked,
        hint="" if passed else f"Wait another {ago(left)}.",
    )
