"""Work in the background is bounded, survives its own failures, and ends with nothing left."""

from __future__ import annotations

import logging
import threading
import time

import pytest
from recorded import wait_for

from modelwright.serving.observing.background import Background


class Notes:
    """Work that writes down what it is given; a zero is too much for it."""

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.finished = False
        self.gate = threading.Event()
        self.gate.set()

    def begin(self) -> None:
        pass

    def take(self, items: list[int]) -> None:
        self.gate.wait()
        if 0 in items:
            raise ZeroDivisionError("a zero")
        self.taken += items

    def tick(self) -> None:
        pass

    def finish(self) -> None:
        self.finished = True


@pytest.fixture
def notes() -> Notes:
    return Notes()


def test_everything_is_done_in_order_before_it_ends(notes):
    thread = Background(notes, name="test", limit=100_000)
    for number in range(1, 5000):
        assert thread.offer(number)
    assert thread.close(10)
    assert notes.taken == list(range(1, 5000))
    assert notes.finished
    assert thread.waiting == 0


def test_what_exceeds_the_limit_is_refused_at_once_and_room_comes_back(notes):
    notes.gate.clear()
    thread = Background(notes, name="test", limit=10)
    assert thread.offer(1, 6)
    assert not thread.offer(2, 5)
    assert thread.offer(3, 4)
    notes.gate.set()
    wait_for(lambda: thread.waiting == 0)
    assert thread.offer(4, 10)
    assert thread.close(10)
    assert notes.taken == [1, 3, 4]


def test_a_failure_is_logged_once_and_work_goes_on(notes, caplog):
    thread = Background(notes, name="test", limit=10)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            thread.offer(0)
            wait_for(lambda: thread.waiting == 0)
        thread.offer(1)
        assert thread.close(10)
    assert notes.taken == [1]
    assert [record.getMessage() for record in caplog.records] == ["test: ZeroDivisionError: a zero"]


def test_work_that_hangs_does_not_hold_up_the_end(notes):
    notes.gate.clear()
    thread = Background(notes, name="test", limit=10)
    thread.offer(1)
    began = time.monotonic()
    assert not thread.close(0.3)
    assert time.monotonic() - began < 2
    assert not thread.offer(2)
    notes.gate.set()
    assert thread.close(10)
