"""JSON with two readings is refused, with the place; everything else is read as Python reads it."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwright.errors import MessageError, TooLargeError
from modelwright.serving.intake.strict_json import decode, tally

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@given(VALUES, st.booleans())
def test_what_python_writes_is_read_as_it_was(value, ascii_only):
    assert decode(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(st.dictionaries(st.sampled_from(["a", "a:b", "é", '"', "\\u003a"]), VALUES, min_size=1), st.data())
def test_a_key_that_appears_twice_is_always_noticed(value, data):
    name = data.draw(st.sampled_from(sorted(value)))
    members = [*value.items(), (name, data.draw(VALUES))]
    escape = data.draw(st.booleans())
    text = "{" + ", ".join(f"{json.dumps(key, ensure_ascii=escape)}: {json.dumps(one)}" for key, one in members) + "}"
    wrapped = data.draw(st.sampled_from(["%s", '{"rows": [%s]}', '[1, [":", %s]]'])) % text
    with pytest.raises(MessageError, match="appears 2 times") as caught:
        decode(wrapped.encode())
    assert caught.value.where


@pytest.mark.parametrize(
    ("body", "what", "where"),
    [
        (b"", "The body is empty.", ""),
        (b" \n ", "The body is empty.", ""),
        (b'{"x": NaN}', "NaN, which is not JSON", "line 1, column 7"),
        (b"[1,\n Infinity]", "Infinity, which is not JSON", "line 2, column 2"),
        (b'["NaN", -Infinity]', "-Infinity, which is not JSON", "line 1, column 9"),
        (b'{"x": 1, "x": 2}', "The key 'x' appears 2 times", "line 1, column 10"),
        (b'{"x": 1, "\\u0078": 2}', "The key 'x' appears 2 times", "line 1, column 10"),
        (b'{"a:b": 1, "a\\u003ab": 2}', "The key 'a:b' appears 2 times", "line 1, column 12"),
        (b'[{"x": 1}, {"y": {"x": 1, "z": [], "x": 2}}]', "The key 'x' appears 2 times", "line 1, column 36"),
        (b'{"x": 1} tail', "The body is not JSON", "line 1, column 10"),
        (b'{"x": 1}{"x": 1}', "The body is not JSON", "line 1, column 9"),
        (b"{'x': 1}", "The body is not JSON", "line 1, column 2"),
        (b"[1,]", "The body is not JSON", "line 1, column 4"),
        (b"[01]", "The body is not JSON", "line 1, column 3"),
        (b'{"x": "a\tb"}', "The body is not JSON", "line 1, column 9"),
        (b'"\xff"', "The body is no UTF-8: byte 0xff at 1", "byte 1"),
        (b'"\xed\xa0\x80"', "The body is no UTF-8", "byte 1"),
        (b'["\\ud800"]', "text that is no Unicode", "line 1, column 3"),
        (b"\xef\xbb\xbf[]", "byte order mark", "byte 0"),
        ("[1]".encode("utf-16"), "byte order mark", "byte 0"),
        ("[1]".encode("utf-16-le"), "null byte", "line 1, column 2"),
        (b"[" + b"9" * 4301 + b"]", "a whole number of 4301 digits", "line 1, column 2"),
    ],
)
def test_what_is_not_strict_json_is_refused_with_its_place(body, what, where):
    with pytest.raises(MessageError) as caught:
        decode(body)
    assert what in caught.value.what
    assert caught.value.where == where


@pytest.mark.parametrize(("start", "end"), [("[", "]"), ('{"a":', "}"), ('{"a":[', "]}")])
def test_nesting_is_taken_to_32_levels_and_no_further(start, end):
    per = len(start.replace('"a":', ""))
    fine = start * (32 // per) + "1" + end * (32 // per)
    assert tally(decode(fine.encode())).depth == 32
    for levels in (32 // per + 1, 500, 200_000):
        with pytest.raises(TooLargeError, match="deeper than 32 levels") as caught:
            decode((start * levels + "1" + end * levels).encode())
        assert caught.value.where.startswith("line 1, column ")


def test_numbers_of_any_size_are_read_exactly_or_refused():
    assert decode(b"[18446744073709551616]") == [2**64]
    assert decode(b"[" + b"9" * 4300 + b"]") == [int("9" * 4300)]
    assert decode(b"[1e999]") == [float("inf")]  # whether it may be infinite, the field says


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"9" * 8_000_000 + b"]",
        b"[" + b",".join([b"9" * 4300] * 1800) + b"]",
        b'{"a": NaN, "b": "' + b'\\"' * 500_000,
        b"[" * 8_000_000,
        b'{"' + b'":1,"'.join(str(number).encode() for number in range(200_000)) + b'":1,"199999":1}',
    ],
    ids=["one huge integer", "many large ones", "text without an end", "nothing but brackets", "many keys"],
)
def test_hostile_bodies_cost_no_more_than_their_size(body):
    before = time.process_time()
    with pytest.raises((MessageError, TooLargeError)):
        decode(body + b"!")
    assert time.process_time() - before < 10
