"""How a rollout stands, for people and as JSON.

``modelwright rollout status``, the admin API and the pages show it. It decides nothing.
"""

from __future__ import annotations

import math

from modelwright.serving.rollout.plans import Kind
from modelwright.serving.rollout.rollouts import Rollout
from modelwright.serving.rollout.shadow import ShadowReport
from modelwright.serving.rollout.states import Phase, Transition
from modelwright.spec.struct import Frozen

SHOWN = 10
"""So many of the last transitions are shown to people."""


class Status(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """How a rollout stands, for people and as JSON.

    Attributes:
        model: Name of the model.
        reference: The release that is tried.
        kind: How.
        control: Variant that it is tried on.
        variant: Variant that is tried.
        phase: What it does.
        share: Share of the requests that it answers, or that are mirrored to it.
        next_check_s: Time until the next check, seconds; ``None``: there is none.
        checks: Checks so far.
        inconclusive: How many of the last ones in a row saw too little.
        history: What happened, the last thing last.
        differences: How a shadow's answers differ.
    """

    model: str
    reference: str
    kind: Kind
    control: str
    variant: str
    phase: Phase
    share: float
    next_check_s: float | None = None
    checks: int = 0
    inconclusive: int = 0
    history: tuple[Transition, ...] = ()
    differences: ShadowReport | None = None

    def __str__(self) -> str:
        """Say it for people: where it stands, what comes next, what happened."""
        verb = "is asked as well for" if self.kind == "shadow" else "answers"
        where = f"{self.model}: {self.kind} of {self.reference} on {self.control}, {self.phase}"
        lines = [f"{where}; {verb} {100 * self.share:.4g} %"]
        if self.next_check_s is not None:
            waits = f", {self.inconclusive} inconclusive in a row" if self.inconclusive else ""
            lines.append(f"next check in {math.ceil(self.next_check_s)} s ({self.checks} so far{waits})")
        lines += [f"{one.what}: {one.reason}" for one in self.history[-SHOWN:]]
        if self.differences is not None:
            lines.append(str(self.differences))
        return "\n".join(lines)


def status_of(
    rollout: Rollout,
    *,
    model: str,
    now: float,
    history: tuple[Transition, ...] = (),
    differences: ShadowReport | None = None,
) -> Status:
    """Return how a rollout stands.

    Args:
        rollout: The rollout.
        model: Name of its model.
        now: The time, seconds.
        history: What happened so far.
        differences: How the shadow's answers differ, if it is one.
    """
    state = rollout.canary
    return Status(
        model=model,
        reference=rollout.request.reference,
        kind=rollout.request.kind,
        control=rollout.control,
        variant=rollout.variant,
        phase=rollout.phase,
        share=rollout.share,
        next_check_s=max(0.0, state.due_s - now) if state is not None and not state.ended else None,
        checks=state.checks if state is not None else 0,
        inconclusive=state.inconclusive if state is not None else 0,
        history=history,
        differences=differences,
    )
