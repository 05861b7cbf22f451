"""What a server tells a registry of a canary that did worse."""

from __future__ import annotations

from modelwright.registry.rollouts import RolloutEvent, RolloutMeasure


def withdrawn(measure: str, *, time: str) -> RolloutEvent:
    """A canary of 10 % that was withdrawn for one measure."""
    worse = RolloutMeasure(tried=0.4, control=0.0, effect=0.4, limit=0.005, evidence=9000.0, needed=400.0, worse=True)
    return RolloutEvent(
        step="rolled back",
        kind="canary",
        before=0.1,
        after=0.0,
        control="1.0.0",
        time=time,
        measures={measure: worse},
    )
