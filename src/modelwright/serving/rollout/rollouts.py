"""A rollout under way: canary, A/B or shadow, what it does to the plan of its model, how it goes on. Pure.

The server keeps one per model. It begins one with :func:`begin`, asks :func:`plan_during` for the plan whenever the
rollout changed, and hands on what was observed and what people command. :mod:`.status` shows how it stands.
"""

from __future__ import annotations

from typing import Literal

from msgspec.structs import replace

from modelwright.errors import RolloutError
from modelwright.serving.rollout import canary
from modelwright.serving.rollout.plans import RolloutRequest, checked, schedule_of
from modelwright.serving.rollout.states import Actions, CanaryState, Observation, Phase, Record, Transition
from modelwright.serving.routing.plan import Plan
from modelwright.spec.struct import Frozen

Command = Literal["advance", "abort", "pause", "resume"]

_COMMANDS = {"advance": canary.advance, "abort": canary.abort, "pause": canary.pause, "resume": canary.resume}


class Rollout(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """A rollout of one model.

    Attributes:
        request: What was asked for.
        control: Variant that it is tried on.
        variant: Variant that is tried.
        phase: What it does; ``holding`` for what has a fixed share.
        canary: Where the canary stands, if it is one.
    """

    request: RolloutRequest
    control: str
    variant: str
    phase: Phase
    canary: CanaryState | None = None

    @property
    def share(self) -> float:
        """Share of the requests that the variant answers, or that are mirrored to it."""
        if self.canary is not None:
            return self.canary.share
        return 0.0 if self.ended else self.request.percent / 100

    @property
    def ended(self) -> bool:
        """Whether nothing will change any more."""
        return self.phase in ("finished", "rolled back", "aborted")


def begin(
    request: RolloutRequest, base: Plan, *, variant: str, now: float, actor: str = "", under_way: Rollout | None = None
) -> tuple[Rollout, Actions]:
    """Begin a rollout.

    Args:
        request: What is asked for.
        base: Where requests go without it.
        variant: Name of the variant that is tried.
        now: The time, seconds.
        actor: Who asks.
        under_way: The rollout of the same model before this one, if there was one.

    Raises:
        RolloutError: It cannot be meant, or another one is under way.
    """
    checked(request)
    if under_way is not None and not under_way.ended:
        raise RolloutError(
            f"The rollout of {_shown(request)} cannot be begun: that of {_shown(under_way.request)} is under way.",
            why="Two at once could not be told apart.",
            hint="See modelwright rollout status NAME; then let it end, or: modelwright rollout abort NAME",
        )
    taken = variant in base.weights or variant in base.shadows
    if taken or (request.kind != "shadow" and sum(weight > 0 for weight in base.weights.values()) > 1):
        told = f"{variant} is served already" if taken else "several variants answer already"
        raise RolloutError(
            f"The rollout of {_shown(request)} cannot be begun: {told}.",
            why=f"A {request.kind} compares one variant with one control.",
            hint="Give all requests to one variant in the deployment first, or name another release.",
        )
    if request.kind == "canary":
        state, actions = canary.begin(
            schedule_of(request), request.criteria, now=now, actor=actor, reason=request.reason
        )
        return _made(request, base, variant, state), actions
    rollout = _made(request, base, variant, None)
    told = request.reason or f"The {'A/B test' if request.kind == 'ab' else 'shadow'} begins."
    return rollout, (_record(rollout, "begun", now=now, before=0.0, reason=told, actor=actor),)


def _shown(request: RolloutRequest) -> str:
    """Return the release of a request without the folders of its path: those are told to no caller."""
    return request.reference.replace("\\", "/").rstrip("/").rpartition("/")[2]


def _made(request: RolloutRequest, base: Plan, variant: str, state: CanaryState | None) -> Rollout:
    control = next(name for name, weight in base.weights.items() if weight > 0)
    phase: Phase = state.phase if state else "holding"
    return Rollout(request=request, control=control, variant=variant, phase=phase, canary=state)


def observed(rollout: Rollout, observation: Observation, now: float) -> tuple[Rollout, Actions]:
    """Say what follows from what was observed; only a canary is judged.

    An A/B test or a shadow whose variant cannot answer at all is ended as well.
    """
    if rollout.ended:
        return rollout, ()
    if rollout.canary is None:
        if not observation.broken:
            return rollout, ()
        after = replace(rollout, phase="rolled back")
        told = f"The variant is broken: {observation.broken}."
        return after, (_record(after, "rolled back", now=now, before=rollout.share, reason=told),)
    state, actions = canary.step(rollout.canary, observation, now)
    return replace(rollout, canary=state, phase=state.phase), actions


def commanded(
    rollout: Rollout, command: Command, *, now: float, actor: str, reason: str = ""
) -> tuple[Rollout, Actions]:
    """Do what a person commands.

    Raises:
        RolloutError: It is over, or has nothing to advance, pause or resume.
    """
    if rollout.canary is not None:
        state, actions = _COMMANDS[command](rollout.canary, now=now, actor=actor, reason=reason)
        return replace(rollout, canary=state, phase=state.phase), actions
    if rollout.ended:
        raise RolloutError(f"The rollout cannot be ended: it is over ({rollout.phase}).", hint="Begin another one.")
    if command != "abort":
        raise RolloutError(
            f"The rollout of {rollout.request.reference} has nothing to {command}: its share is fixed.",
            hint="modelwright rollout abort, and begin a canary",
        )
    after = replace(rollout, phase="aborted")
    told = reason or "Ended by hand."
    return after, (_record(after, "aborted", now=now, before=rollout.share, reason=told, actor=actor),)


def _record(
    after: Rollout,
    what: Literal["begun", "rolled back", "aborted"],
    *,
    now: float,
    before: float,
    reason: str,
    actor: str = "",
) -> Record:
    return Record(
        transition=Transition(
            time_s=now, what=what, actor=actor, reason=reason, before=before, after=after.share, phase=after.phase
        )
    )


def plan_during(rollout: Rollout, base: Plan) -> Plan:
    """Return where requests go while a rollout is as it is.

    Args:
        rollout: The rollout.
        base: Where they went without it.

    Example:
        >>> request = RolloutRequest(reference="churn==1.3.0", percent=10)
        >>> base = Plan({"1.2.0": 1.0})
        >>> plan_during(begin(request, base, variant="1.3.0", now=0.0)[0], base).weights
        {'1.2.0': 0.9, '1.3.0': 0.1}
    """
    share, request = rollout.share, rollout.request
    if share == 0:
        return base
    if request.kind == "shadow":
        return Plan(base.weights, {**base.shadows, rollout.variant: share}, base.experiment, base.salt)
    weights = {rollout.control: 1 - share, rollout.variant: share} if share < 1 else {rollout.variant: 1.0}
    return Plan(weights, base.shadows, request.experiment or request.reference, request.salt)
