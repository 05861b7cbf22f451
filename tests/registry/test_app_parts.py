"""Laws of the application's pure parts: paths, ranges, forms, statuses."""

from __future__ import annotations

import contextlib
import errno
import itertools
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from server import FIELDS, form

from modelwright import errors
from modelwright.errors import ModelwrightError, RequestError, UnavailableError
from modelwright.registry.app.multipart import UploadForm
from modelwright.registry.app.parameters import PATTERNS, checked, decoded_path, query_of
from modelwright.registry.app.ranges import OutOfRange, span_of
from modelwright.registry.app.statuses import TABLE, status_of


@given(st.binary(max_size=200))
@example(b"/a/%2e%2e/b")
@example(b"/a/../b")
@example(b"/a/%252e/b")
def test_a_path_is_refused_or_made_of_plain_parts(raw: bytes) -> None:
    try:
        path = decoded_path(b"/" + raw)
    except RequestError:
        return
    parts = path.strip("/").split("/") if path != "/" else []
    assert path.startswith("/")
    assert "//" not in path
    for part in parts:
        assert part
        assert not part.startswith((".", "-"))
        assert set(part) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+!~-")
    assert decoded_path(path.encode()) == path


@given(st.text(max_size=40))
def test_what_matches_a_pattern_is_safe_in_paths_and_headers(value: str) -> None:
    for what in set(PATTERNS) - {"word"}:
        try:
            found = checked(what, value)
        except RequestError:
            continue
        assert found.isascii()
        assert not set(found) & set("/\\ \r\n\0%\"'<>?#:;&")
        assert not found.startswith(".")


@given(st.binary(max_size=300))
def test_any_query_is_parsed_or_refused(raw: bytes) -> None:
    try:
        found = query_of(raw)
    except RequestError:
        return
    assert len(found) <= 32


@given(size=st.integers(0, 500), first=st.integers(0, 600) | st.none(), last=st.integers(0, 600) | st.none())
def test_a_range_means_what_the_standard_says(size: int, first: int | None, last: int | None) -> None:
    content = bytes(number % 251 for number in range(size))
    asked = f"bytes={'' if first is None else first}-{'' if last is None else last}"
    try:
        span = span_of(asked, size)
    except OutOfRange:
        assert not _expected(content, first, last)
        return
    if span is None:
        assert (first is None and last is None) or (first is not None and last is not None and last < first)
        return
    assert content[span.start : span.stop] == _expected(content, first, last)
    assert 0 <= span.start < span.stop <= size


def _expected(content: bytes, first: int | None, last: int | None) -> bytes:
    """The bytes by RFC 9110 section 14.1.2, said with slices."""
    if first is None:
        return content[-last:] if last else b""
    return content[first:] if last is None else content[first : last + 1]


@settings(max_examples=60, deadline=None)
@given(
    content=st.binary(max_size=3000) | st.just(b"\r\n--0123456789abcde" * 20),
    cuts=st.lists(st.integers(0, 4000), max_size=12),
    first=st.booleans(),
)
def test_a_form_is_the_same_however_it_is_cut(content: bytes, cuts: list[int], first: bool) -> None:
    body, kind = form(FIELDS | {"name": "ünï", "description": "x" * 50}, "a-1-py3-none-any.whl", content, first=first)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "upload"
        arriving = UploadForm(kind, target, limit=10_000)
        edges = sorted({0, len(body), *(cut for cut in cuts if cut < len(body))})
        for start, stop in itertools.pairwise(edges):
            arriving.feed(body[start:stop])
        arriving.finish()
        assert target.read_bytes() == content
        assert arriving.fields == FIELDS | {"name": "ünï"}
        assert arriving.filename == "a-1-py3-none-any.whl"


@settings(max_examples=200, deadline=None)
@given(body=st.binary(max_size=400), boundary=st.sampled_from(["x", "0123456789abcdef"]))
def test_any_other_body_is_refused(body: bytes, boundary: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        arriving = UploadForm(f"multipart/form-data; boundary={boundary}", Path(folder) / "upload", limit=10_000)
        with contextlib.closing(arriving), pytest.raises(RequestError):
            _take(arriving, body)


def _take(arriving: UploadForm, body: bytes) -> None:
    arriving.feed(body)
    arriving.finish()


def test_every_error_has_a_status_and_none_but_a_taken_name_or_a_gate_is_a_conflict() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ModelwrightError)]
    assert {kind for kind in kinds if 400 <= status_of(kind("x")) < 600} == set(kinds)
    assert {kind.__name__ for kind, status in TABLE.items() if status == 409} == {"TakenError", "GateError"}


def test_a_full_disk_is_told_from_a_registry_that_is_away() -> None:
    full = UnavailableError("no room")
    full.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    assert status_of(full) == 507
    assert status_of(UnavailableError("x", why="database or disk is full")) == 507
    assert status_of(UnavailableError("the database is away")) == 503
