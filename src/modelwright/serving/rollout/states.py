"""What a canary is made of: its schedule, its state, what happens to it and what is to be done. Frozen data.

:mod:`.canary` makes them; whoever runs a rollout, the audit log and the pages read them.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from modelwright.serving.rollout.analysis import Measure
from modelwright.serving.rollout.criteria import Criteria
from modelwright.serving.rollout.evidence import Evidence
from modelwright.serving.rollout.windows import Window
from modelwright.spec.struct import Frozen

Phase = Literal["running", "paused", "holding", "finished", "rolled back", "aborted"]
Verdict = Literal["continue", "advance", "roll back", "inconclusive", "finished"]
What = Literal["begun", "checked", "advanced", "paused", "resumed", "held", "finished", "rolled back", "aborted"]

ENDED: tuple[Phase, ...] = ("finished", "rolled back", "aborted")
"""Phases that nothing leaves."""


class Schedule(Frozen, frozen=True, kw_only=True):
    """How a canary grows.

    Attributes:
        shares: Its shares of the requests in order, growing, above 0 and at most 1; 1 ends the canary.
        interval_s: Time from check to check, seconds.
    """

    shares: tuple[float, ...] = (0.1, 0.25, 0.5, 1.0)
    interval_s: float = 300.0


class CanaryState(Frozen, frozen=True, kw_only=True):
    """Where a canary stands.

    Attributes:
        schedule: How it grows.
        criteria: By what it is judged.
        phase: What it does.
        place: Position in ``schedule.shares`` that it has reached.
        window: Number of the windows that the next check looks at; another number means that new ones began.
        window_s: When they began, seconds.
        checked_s: When it was last checked, or its share last changed, seconds.
        checks: Checks so far.
        inconclusive: Of these, how many in a row, the last one included, saw too little.
        evidence: What is known, per measure.
    """

    schedule: Schedule
    criteria: Criteria
    phase: Phase
    place: int
    window: int = 1
    window_s: float
    checked_s: float
    checks: int = 0
    inconclusive: int = 0
    evidence: dict[str, Evidence] = {}

    @property
    def share(self) -> float:
        """Share of the requests that the canary answers now."""
        return 0.0 if self.phase in ("rolled back", "aborted") else self.schedule.shares[self.place]

    @property
    def ended(self) -> bool:
        """Whether nothing will change any more."""
        return self.phase in ENDED

    @property
    def due_s(self) -> float:
        """When the next check is due, seconds."""
        return self.checked_s + self.schedule.interval_s


class Transition(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that happened to a canary, for the audit log and for people.

    Attributes:
        time_s: When.
        what: What.
        verdict: What the check led to, if there was one.
        actor: Who, if a person did it.
        reason: Why, in a sentence.
        before: Share of the requests before.
        after: Share of the requests after.
        phase: The phase after.
        measures: The numbers behind it.
    """

    time_s: float
    what: What
    verdict: Verdict = "continue"
    actor: str = ""
    reason: str
    before: float
    after: float
    phase: Phase
    measures: tuple[Measure, ...] = ()


class Route(Frozen, frozen=True, kw_only=True, tag="route"):
    """To do: let the canary answer this share of the requests from now on."""

    share: float


class BeginWindows(Frozen, frozen=True, kw_only=True, tag="begin windows"):
    """To do: observe into new windows from now on, for both variants."""


class Record(Frozen, frozen=True, kw_only=True, tag="record"):
    """To do: write it down. What only ``checked`` says need not go into an audit log."""

    transition: Transition


Actions = tuple[Route | BeginWindows | Record, ...]


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen since the windows began.

    Attributes:
        canary: What the canary did.
        control: What the control did.
        broken: Why the canary cannot answer at all (its process keeps ending); empty: it can.
    """

    canary: Window
    control: Window
    broken: str = ""
