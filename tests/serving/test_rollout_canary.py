"""The life of a canary: laws that hold whatever is observed, and each way it can go."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rollout_windows import observed, window

from modelwright.errors import RolloutError
from modelwright.serving.rollout import canary
from modelwright.serving.rollout.criteria import Criteria, Guard
from modelwright.serving.rollout.states import BeginWindows, CanaryState, Record, Route, Schedule

GOOD = observed()
BAD = observed(window(300, errors=30))
FEW = observed(window(199))
SILENT = observed(control=window(199))
BROKEN = observed(broken="its process ended 5 times")
SCHEDULE = Schedule(shares=(0.1, 0.25, 0.5, 1.0), interval_s=60.0)
COMMANDS = {"advance": canary.advance, "abort": canary.abort, "pause": canary.pause, "resume": canary.resume}

SEEN = (GOOD, GOOD, GOOD, BAD, FEW, SILENT, BROKEN)
MOVES = st.lists(st.tuples(st.sampled_from([*SEEN, *COMMANDS]), st.sampled_from([0.0, 1.0, 60.0, 600.0])), max_size=14)
SCHEDULES = st.lists(st.sampled_from([0.01, 0.1, 0.25, 0.5, 0.8, 1.0]), min_size=1, max_size=4, unique=True).map(
    lambda shares: Schedule(shares=tuple(sorted(shares)), interval_s=60.0)
)


def begun(schedule: Schedule = SCHEDULE, criteria: Criteria | None = None) -> CanaryState:
    return canary.begin(schedule, criteria or Criteria(), now=0.0)[0]


def moved(state: CanaryState, move, now: float):
    if isinstance(move, str):
        try:
            return COMMANDS[move](state, now=now, actor="ann")
        except RolloutError:
            return state, ()
    return canary.step(state, move, now)


def checked(state: CanaryState, *observations, start: float = 0.0) -> CanaryState:
    for number, observation in enumerate(observations, start=1):
        state, _ = canary.step(state, observation, start + 60.0 * number)
    return state


@settings(max_examples=150, deadline=None)
@given(SCHEDULES, MOVES)
def test_laws_of_every_life(schedule, moves):
    state, now = begun(schedule), 0.0
    for move, later in moves:
        now += later
        after, actions = moved(state, move, now)
        transitions = [one.transition for one in actions if isinstance(one, Record)]
        # every change is explained, by one transition with the shares before and after
        assert (after != state) == (len(transitions) == 1)
        if transitions:
            (told,) = transitions
            assert (told.before, told.after, told.phase) == (state.share, after.share, after.phase)
            assert told.reason.endswith(".")
            assert told.time_s == now
        # what is to be done is what changed
        assert [one.share for one in actions if isinstance(one, Route)] == (
            [after.share] if after.share != state.share else []
        )
        assert (BeginWindows() in actions) == (after.window != state.window)
        # never beyond the maximum, and one share at a time
        assert after.share <= schedule.shares[-1]
        assert after.place in (state.place, state.place + 1)
        # what is over is over
        if state.ended:
            assert (after, actions) == (state, ())
        if after.phase in ("rolled back", "aborted"):
            assert after.share == 0
        # what saw too little never grows
        if move in (FEW, SILENT):
            assert after.share == state.share
        if move == "abort" and not state.ended:
            assert after.phase == "aborted"
        if move is BROKEN and not state.ended:
            assert after.phase == "rolled back"
        assert msgspec.json.decode(msgspec.json.encode(after), type=CanaryState) == after
        state = after


def test_a_good_canary_goes_through_its_shares_and_becomes_the_control():
    state, shares = begun(), [0.1]
    for number in range(1, 5):
        state, actions = canary.step(state, GOOD, 60.0 * number)
        shares += [one.share for one in actions if isinstance(one, Route)]
    assert (shares, state.phase, state.share) == ([0.1, 0.25, 0.5, 1.0], "finished", 1.0)


def test_a_bad_canary_is_rolled_back_with_the_numbers_behind_it():
    state, actions = canary.step(begun(), BAD, 60.0)
    assert (state.phase, state.share, actions[0]) == ("rolled back", 0.0, Route(share=0.0))
    told = actions[-1].transition
    assert told.verdict == "roll back"
    assert told.reason.startswith("The canary is worse: errors 10.00% against 0.00%")
    (errors,) = [one for one in told.measures if one.worse]
    assert (errors.name, errors.canary, errors.control, errors.limit) == ("errors", 0.1, 0.0, 0.005)
    assert math.isfinite(errors.evidence)
    assert errors.evidence >= errors.needed


def test_a_fault_that_comes_after_many_good_checks_is_found_at_once():
    state = checked(begun(Schedule(shares=(0.1,), interval_s=60.0)), *[GOOD] * 100)
    assert state.phase == "holding"
    assert checked(state, BAD, start=6000.0).phase == "rolled back"


def test_nothing_happens_before_a_check_is_due():
    state = begun()
    assert canary.step(state, BAD, 59.9) == (state, ())
    assert state.due_s == 60.0


@pytest.mark.parametrize(
    ("observation", "said"),
    [
        (FEW, "The canary had 199 requests; 200 are needed."),
        (SILENT, "The control had 199 requests; 200 are needed."),
        (observed(window(0), window(0)), "The canary had 0 requests; 200 are needed."),
        (observed(window(199, errors=199)), "The canary had 199 requests; 200 are needed."),
    ],
)
def test_too_little_seen_is_inconclusive_however_often(observation, said):
    state = begun()
    for number in range(1, 30):
        state, actions = canary.step(state, observation, 60.0 * number)
        assert (state.share, state.inconclusive, state.window) == (0.1, number, 1)
        assert (actions[0].transition.verdict, actions[0].transition.reason) == ("inconclusive", said)
    assert checked(state, GOOD, start=1800.0).share == 0.25


def test_a_guard_without_values_is_inconclusive():
    state = checked(begun(criteria=Criteria(guards=(Guard(metric="revenue"),))), GOOD)
    assert (state.share, state.inconclusive) == (0.1, 1)


def test_a_paused_canary_keeps_its_share_and_is_still_rolled_back():
    paused, _ = canary.pause(begun(), now=1.0, actor="ann")
    assert checked(paused, GOOD, GOOD).share == 0.1
    assert checked(paused, GOOD, BAD).phase == "rolled back"
    resumed, _ = canary.resume(checked(paused, GOOD), now=61.0, actor="ann")
    assert checked(resumed, GOOD, start=70.0).share == 0.25


def test_a_person_advances_without_a_check_and_is_named():
    state, actions = canary.advance(begun(), now=5.0, actor="ann", reason="Looked at it.")
    assert (state.share, actions[-1].transition.actor, actions[-1].transition.reason) == (0.25, "ann", "Looked at it.")


def test_at_its_maximum_it_holds_and_is_not_advanced():
    state = checked(begun(Schedule(shares=(0.1, 0.3), interval_s=60.0)), GOOD, GOOD, GOOD)
    assert (state.phase, state.share) == ("holding", 0.3)
    with pytest.raises(RolloutError, match="maximum share, 30%"):
        canary.advance(state, now=1000.0, actor="ann")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("end", [BAD, "abort"])
def test_what_is_over_takes_no_command(command, end):
    state, _ = moved(begun(), end, 60.0)
    with pytest.raises(RolloutError, match="it is over"):
        COMMANDS[command](state, now=61.0, actor="ann")


@pytest.mark.parametrize("command", ["pause", "resume"])
def test_pausing_twice_or_resuming_what_runs_is_refused(command):
    state = begun() if command == "resume" else canary.pause(begun(), now=1.0, actor="ann")[0]
    with pytest.raises(RolloutError, match=f"cannot be {command}d: it is"):
        COMMANDS[command](state, now=2.0, actor="ann")
