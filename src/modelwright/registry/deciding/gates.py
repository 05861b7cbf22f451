"""Judge a release by the gates of a stage: every gate answers, with what was found and what is asked for. Pure.

Called before a release is moved, and by whoever wants to know beforehand. It reads no clock, no disk, no database: the
same facts give the same answer. Where a gate cannot be judged, it is not passed.
"""

from __future__ import annotations

from collections.abc import Iterable

from modelwright.registry.deciding import consent, proofs, quality
from modelwright.registry.deciding.facts import Facts
from modelwright.registry.gates import (
    Approved,
    Card,
    Gate,
    GateResult,
    Metric,
    Scan,
    Signed,
    Verified,
)

__all__ = ["Facts", "judge"]


def judge(gates: Iterable[Gate], facts: Facts) -> tuple[GateResult, ...]:
    """Judge a release by every gate, in order; none is left out because another one failed.

    Args:
        gates: What the stage asks for.
        facts: What is known.
    """
    return tuple(_judge(gate, facts) for gate in gates)


def _judge(gate: Gate, facts: Facts) -> GateResult:
    if isinstance(gate, Verified):
        return proofs.verified(gate, facts)
    if isinstance(gate, Metric):
        return quality.metric(gate, facts)
    if isinstance(gate, Card):
        return quality.card(gate, facts)
    if isinstance(gate, Scan):
        return proofs.scanned(gate, facts)
    if isinstance(gate, Signed):
        return proofs.signed(gate, facts)
    if isinstance(gate, Approved):
        return consent.approved(gate, facts)
    return consent.soaked(gate, facts)
