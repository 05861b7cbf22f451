"""The life of a canary: a growing share of the requests, and back to none when it does worse. Pure.

Whoever runs a rollout begins one, calls :func:`step` now and then with what was observed, and does what the actions
say: route, begin new windows, write down. Commands of people are functions of the same form. The state is plain data
that can be kept and shown. No function reads a clock: ``now`` is in seconds, of one that does not go back.

::

    running ⇄ paused        at every check: worse → rolled back; too little seen → inconclusive, nothing changes;
       │                    no worse → the next share
       ├─► finished         the last share was everything: the canary becomes the control
       ├─► holding          the last share was the maximum: it stays there, and is still checked
       ├─► rolled back      it was worse, or it broke
       └─► aborted          a person said so; always possible before the end
"""

from __future__ import annotations

from msgspec.structs import replace

from modelwright.errors import RolloutError
from modelwright.serving.rollout.analysis import Measure, judge
from modelwright.serving.rollout.criteria import Criteria
from modelwright.serving.rollout.states import (
    Actions,
    BeginWindows,
    CanaryState,
    Observation,
    Phase,
    Record,
    Route,
    Schedule,
    Transition,
    Verdict,
    What,
)


def begin(
    schedule: Schedule, criteria: Criteria, *, now: float, actor: str = "", reason: str = ""
) -> tuple[CanaryState, Actions]:
    """Begin a canary with its first share."""
    state = CanaryState(schedule=schedule, criteria=criteria, phase="running", place=0, window_s=now, checked_s=now)
    return _done(None, state, now=now, what="begun", reason=reason or "The canary begins.", actor=actor)


def step(state: CanaryState, observation: Observation, now: float) -> tuple[CanaryState, Actions]:
    """Say what follows from what was observed, if a check is due.

    Args:
        state: Where the canary stands.
        observation: What was seen since the windows began.
        now: The time, seconds.
    """
    if state.ended:
        return state, ()
    if observation.broken:
        return _rolled_back(state, now=now, reason=f"The canary is broken: {observation.broken}.")
    if now < state.due_s:
        return state, ()
    found = judge(observation.canary, observation.control, criteria=state.criteria, evidence=state.evidence)
    checked = replace(state, checks=state.checks + 1, checked_s=now, evidence=found.evidence)
    if found.verdict == "inconclusive":
        unsure = replace(checked, inconclusive=state.inconclusive + 1)
        return _done(state, unsure, now=now, what="checked", reason=found.reason, verdict="inconclusive")
    if found.verdict == "worse":
        return _rolled_back(checked, now=now, reason=found.reason, measures=found.measures)
    if state.phase == "running":
        return _grown(checked, now=now, reason=found.reason, measures=found.measures)
    return _done(state, _anew(checked, now), now=now, what="checked", reason=found.reason, measures=found.measures)


def advance(state: CanaryState, *, now: float, actor: str, reason: str = "") -> tuple[CanaryState, Actions]:
    """Give the canary its next share without waiting for a check.

    Raises:
        RolloutError: It has ended, or has its maximum share.
    """
    _still(state, "advanced")
    if state.place + 1 >= len(state.schedule.shares):
        raise RolloutError(
            f"The canary cannot be advanced: it has its maximum share, {state.share:.0%}.",
            hint="Promote its release to end the rollout well, or abort it.",
        )
    return _grown(state, now=now, reason=reason or "Advanced by hand.", actor=actor)


def abort(state: CanaryState, *, now: float, actor: str, reason: str = "") -> tuple[CanaryState, Actions]:
    """Take all requests from the canary, for good.

    Raises:
        RolloutError: It has ended.
    """
    _still(state, "aborted")
    ended = replace(state, phase="aborted")
    return _done(state, ended, now=now, what="aborted", reason=reason or "Aborted by hand.", actor=actor)


def pause(state: CanaryState, *, now: float, actor: str, reason: str = "") -> tuple[CanaryState, Actions]:
    """Let the canary keep its share until it is resumed; it is still checked, and rolled back when it is worse.

    Raises:
        RolloutError: It has ended, or is paused.
    """
    _still(state, "paused")
    if state.phase == "paused":
        raise RolloutError("The canary cannot be paused: it is paused.", hint="Resume, advance or abort it.")
    paused = replace(state, phase="paused")
    return _done(state, paused, now=now, what="paused", reason=reason or "Paused by hand.", actor=actor)


def resume(state: CanaryState, *, now: float, actor: str, reason: str = "") -> tuple[CanaryState, Actions]:
    """Let a paused canary grow again, from its next check on.

    Raises:
        RolloutError: It has ended, or is not paused.
    """
    _still(state, "resumed")
    if state.phase != "paused":
        raise RolloutError("The canary cannot be resumed: it is not paused.", hint="Pause, advance or abort it.")
    running = replace(state, phase="running")
    return _done(state, running, now=now, what="resumed", reason=reason or "Resumed by hand.", actor=actor)


def _still(state: CanaryState, what: str) -> None:
    if state.ended:
        raise RolloutError(f"The canary cannot be {what}: it is over ({state.phase}).", hint="Begin another rollout.")


def _grown(
    state: CanaryState, *, now: float, reason: str, actor: str = "", measures: tuple[Measure, ...] = ()
) -> tuple[CanaryState, Actions]:
    """Go to the next share; at the last one, hold."""
    shares = state.schedule.shares
    if state.place + 1 >= len(shares):
        held = replace(_anew(state, now), phase="holding")
        told = f"{reason} It has its maximum share, {state.share:.0%}, and keeps it."
        return _done(state, held, now=now, what="held", reason=told, measures=measures)
    place = state.place + 1
    last = shares[place] >= 1
    phase: Phase = "finished" if last else state.phase
    after = replace(_anew(state, now), place=place, phase=phase)
    return _done(
        state,
        after,
        now=now,
        what="finished" if last else "advanced",
        verdict="finished" if last else "advance",
        reason=reason,
        actor=actor,
        measures=measures,
    )


def _anew(state: CanaryState, now: float) -> CanaryState:
    """Return the state with new windows."""
    return replace(state, window=state.window + 1, window_s=now, checked_s=now, inconclusive=0)


def _rolled_back(
    state: CanaryState, *, now: float, reason: str, measures: tuple[Measure, ...] = ()
) -> tuple[CanaryState, Actions]:
    ended = replace(state, phase="rolled back")
    return _done(state, ended, now=now, what="rolled back", verdict="roll back", reason=reason, measures=measures)


def _done(
    before: CanaryState | None,
    after: CanaryState,
    *,
    now: float,
    what: What,
    reason: str,
    verdict: Verdict = "continue",
    actor: str = "",
    measures: tuple[Measure, ...] = (),
) -> tuple[CanaryState, Actions]:
    """Return the state after with what is to be done."""
    share = before.share if before is not None else 0.0
    transition = Transition(
        time_s=now,
        what=what,
        verdict=verdict,
        actor=actor,
        reason=reason,
        before=share,
        after=after.share,
        phase=after.phase,
        measures=measures,
    )
    route = (Route(share=after.share),) if after.share != share else ()
    windows = (BeginWindows(),) if before is None or after.window != before.window else ()
    return after, (*route, *windows, Record(transition=transition))
