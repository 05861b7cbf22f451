"""Memory that a model's process shares: what lies in it comes back, nobody makes it smaller, and it may be missing."""

from __future__ import annotations

import os

import pytest
from running import deployment, serving

from modelwright.errors import WorkerError
from modelwright.serving.deployment import Limits
from modelwright.serving.workers import sharing
from modelwright.serving.workers.loop import SHARED, START
from modelwright.serving.workers.process import shared_payload
from modelwright.serving.workers.sharing import SharedMemory

ROWS = [{"x": float(number), "what": "ok"} for number in range(20_000)]
DOUBLED = [2.0 * number for number in range(20_000)]


def test_parts_lie_one_behind_another_and_are_copied_out() -> None:
    shared = SharedMemory()
    shared.put([b"one", memoryview(b"two")])
    first = shared.get(6)
    shared.put([b"three!"])
    assert (first, shared.get(6)) == (b"onetwo", b"three!")
    assert shared.holds(SHARED - START)
    assert not shared.holds(SHARED)
    shared.inherited()


def test_the_other_process_cannot_make_it_smaller() -> None:
    shared = SharedMemory()
    with pytest.raises(PermissionError):
        os.ftruncate(shared.descriptor, 0)
    shared.inherited()
    assert shared.descriptor == -1


@pytest.mark.parametrize("size", [-1, SHARED + 1, "8", 1.5])
def test_an_answer_that_says_it_lies_elsewhere_is_none(size: object) -> None:
    shared = SharedMemory()
    with pytest.raises(WorkerError):
        shared_payload({"shared": size}, shared, b"")
    shared.inherited()


@pytest.mark.parametrize("there", [True, False])
def test_many_rows_are_answered_with_it_and_without(
    there: bool, behaving: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused() -> tuple[int, memoryview]:
        raise OSError("not here")

    if not there:
        monkeypatch.setattr(sharing, "_sealed", refused)
    with serving(deployment(behaving, limits=Limits(queue_rows=50_000))) as running:
        answer = running.ask(*ROWS)
    assert [one["prediction"] for one in answer.json()["predictions"]] == DOUBLED
