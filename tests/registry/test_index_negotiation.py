"""Who asks for a form of a page gets the best one that it accepts, or none."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwright.registry.index.negotiation import HTML, JSON, LONGEST, PLAIN_HTML, negotiate

PIP = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01"
UV = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (PIP, JSON),
        (UV, JSON),
        (BROWSER, PLAIN_HTML),
        (None, PLAIN_HTML),
        ("", PLAIN_HTML),
        ("*/*", PLAIN_HTML),
        ("text/html", PLAIN_HTML),
        ("text/*", PLAIN_HTML),
        ("application/*", JSON),
        (HTML, HTML),
        ("application/vnd.pypi.simple.latest+json", JSON),
        ("application/vnd.pypi.simple.latest+html", HTML),
        ("APPLICATION/VND.PYPI.SIMPLE.V1+JSON", JSON),
        (f"{JSON};q=0.1, {HTML};q=0.5", HTML),
        (f"{JSON};q=0, */*", PLAIN_HTML),
        (f"{JSON};q=0, application/*", HTML),
        (f"{HTML}, */*", HTML),
        (f"{JSON};q=0", None),
        (f"{JSON};q=0.0001", None),
        (f"{JSON};q=-1", None),
        (f"{JSON};q=", None),
        (f"{JSON};q=٣", None),
        (f"{JSON};charset=utf-8;q=0.5", JSON),
        ("application/json", None),
        ("image/png", None),
        ("application/vnd.pypi.simple.v2+json", None),
        (",;,;q=1", None),
        (f"{PIP},{'x' * LONGEST}", None),
    ],
)
def test_header_decides(accept: str | None, expected: str | None) -> None:
    assert negotiate(accept) == expected


@pytest.mark.parametrize(
    ("requested", "expected"),
    [(JSON, JSON), (HTML, HTML), (PLAIN_HTML, PLAIN_HTML), ("application/vnd.pypi.simple.latest+json", JSON)]
    + [(text, None) for text in ("json", "*/*", f"{JSON};q=1", "")],
)
def test_parameter_in_the_url_comes_before_the_header(requested: str, expected: str | None) -> None:
    assert negotiate("text/html", requested) == expected


@given(st.text(max_size=200))
def test_any_header_is_answered(accept: str) -> None:
    assert negotiate(accept) in (JSON, HTML, PLAIN_HTML, None)


@given(st.permutations([f"{JSON};q=0.3", f"{HTML};q=0.7", "text/html;q=0.5", "*/*;q=0.1"]))
def test_order_of_the_header_means_nothing(entries: list[str]) -> None:
    assert negotiate(", ".join(entries)) == HTML


def test_longest_header_that_is_read_costs_no_time() -> None:
    start = time.process_time()
    for _ in range(100):
        negotiate((",;q=" * LONGEST)[:LONGEST])
    assert time.process_time() - start < 2
