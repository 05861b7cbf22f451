"""Compressed bodies are taken within a bound."""

from __future__ import annotations

import gzip
import time
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwright.errors import MediaTypeError, MessageError, TooLargeError
from modelwright.serving.intake.compression import decompress


def bare(body: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(body) + compressor.flush()


WAYS = [("gzip", gzip.compress), ("x-gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", bare)]


@pytest.mark.parametrize(("coding", "compress"), WAYS)
@given(body=st.binary(max_size=200), times=st.sampled_from([1, 1000]))
def test_what_was_compressed_comes_back(coding, compress, body, times):
    assert decompress(compress(body * times), coding, limit=1_000_000) == body * times


def test_a_body_as_it_is_passes_up_to_the_limit():
    assert decompress(b"1234", "", limit=4) == decompress(b"1234", "Identity", limit=4) == b"1234"
    with pytest.raises(TooLargeError, match="larger than 3 bytes"):
        decompress(b"1234", "", limit=3)


def test_several_members_are_one_body():
    assert decompress(gzip.compress(b"ab") + gzip.compress(b"") + gzip.compress(b"cd"), "gzip", limit=4) == b"abcd"


@pytest.mark.parametrize(("coding", "compress"), WAYS)
def test_a_bomb_is_refused_before_it_unfolds(coding, compress):
    bomb = compress(bytes(50_000_000))
    tracemalloc.start()
    with pytest.raises(TooLargeError, match="larger than 1000000 bytes"):
        decompress(bomb, coding, limit=1_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_500_000  # the buffer grows by an eighth at a time


@pytest.mark.parametrize(("coding", "compress"), WAYS)
def test_the_limit_is_exact(coding, compress):
    body = bytes(300_000)
    assert decompress(compress(body), coding, limit=300_000) == body
    with pytest.raises(TooLargeError):
        decompress(compress(body), coding, limit=299_999)


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "compress"])
def test_other_codings_are_refused(coding):
    with pytest.raises(MediaTypeError, match="is not understood") as caught:
        decompress(b"x", coding, limit=10)
    assert "gzip, deflate, identity" in caught.value.why


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (b"", "gzip"),
        (b"plain", "gzip"),
        (b"plain", "deflate"),
        (gzip.compress(b"0123456789")[:-3], "gzip"),
        (gzip.compress(b"0123456789")[:-8] + b"\0" * 8, "gzip"),
        (gzip.compress(b"0123456789") + b"tail", "gzip"),
        (zlib.compress(b"0123456789")[:-1], "deflate"),
        (zlib.compress(b"0123456789") + b"tail", "deflate"),
    ],
    ids=["empty", "no gzip", "no zlib", "cut gzip", "wrong checksum", "gzip and tail", "cut zlib", "zlib and tail"],
)
def test_damaged_bodies_are_refused(body, coding):
    with pytest.raises(MessageError):
        decompress(body, coding, limit=1000)


def test_a_million_members_cost_no_more_than_their_size():
    before = time.process_time()
    with pytest.raises(MessageError, match="members"):
        decompress(gzip.compress(b"") * 800_000, "gzip", limit=1000)
    assert time.process_time() - before < 5
