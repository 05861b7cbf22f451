"""A stream over ranges reads like a file, and moves what was looked at."""

from __future__ import annotations

import io
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.inspecting.ranges import BLOCK, LARGE, RangeStream

CONTENT = random.Random(7).randbytes(LARGE + 3 * BLOCK)


class Reading:
    """What a stream fetches, remembered."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.fetched: list[tuple[int, int]] = []

    def __call__(self, start: int, stop: int) -> bytes:
        assert 0 <= start < stop <= len(self.content)
        self.fetched.append((start, stop))
        return self.content[start:stop]


SIZES = st.integers(0, 3 * BLOCK)
MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("read"), st.one_of(st.just(-1), SIZES)),
        st.tuples(st.just("seek"), SIZES),
        st.tuples(st.just("readinto"), SIZES),
    ),
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(size=SIZES, known=st.integers(0, BLOCK), moves=MOVES)
def test_a_stream_over_ranges_reads_like_one_over_bytes(size, known, moves):
    content = CONTENT[:size]
    tail = content[max(0, size - known) :]
    stream, wanted = RangeStream(Reading(content), size, tail=tail), io.BytesIO(content)
    for verb, number in moves:
        if verb == "readinto":
            found = bytearray(number)
            count = stream.readinto(found)
            assert found[:count] == wanted.read(count)
            assert count or not number or not wanted.read(1)
        else:
            assert getattr(stream, verb)(number) == getattr(wanted, verb)(number)
        assert stream.tell() == wanted.tell()


def test_blocks_are_fetched_once_and_large_reads_past_them():
    reading = Reading(CONTENT)
    stream = RangeStream(reading, len(CONTENT))
    for _ in range(3):
        stream.seek(10)
        assert stream.read(100) == CONTENT[10:110]
    assert reading.fetched == [(0, BLOCK)]
    stream.seek(0)
    assert stream.read(LARGE + 5) == CONTENT[: LARGE + 5]
    assert reading.fetched[1:] == [(0, LARGE), (LARGE, LARGE + BLOCK)]


def test_what_is_known_already_is_not_fetched():
    reading = Reading(CONTENT)
    stream = RangeStream(reading, len(CONTENT), tail=CONTENT[-BLOCK:])
    stream.seek(-BLOCK, io.SEEK_END)
    assert stream.read() == CONTENT[-BLOCK:]
    assert reading.fetched == []
    stream.seek(2 * BLOCK)
    assert stream.read() == CONTENT[2 * BLOCK :]
    assert reading.fetched == [(2 * BLOCK, len(CONTENT) - BLOCK)]
