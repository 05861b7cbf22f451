"""The published table of formats speaks of every format and every test of the contract, and of nothing that failed."""

from __future__ import annotations

from pathlib import Path

from modelwright.capturing.formats import GROUP
from modelwright.plugins import available
from modelwright.testing import FormatContract

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "formats.md"


def test_the_table_is_complete_and_every_mark_is_a_passed_test() -> None:
    text = PAGE.read_text("utf-8")
    head = next(line for line in text.splitlines() if line.startswith("| | "))
    assert [name.strip() for name in head.strip("|").split("|") if name.strip()] == list(available(GROUP))
    for name, test in vars(FormatContract).items():
        if name.startswith("test_"):
            promise = (test.__doc__ or "").splitlines()[0].rstrip(".")
            row = next((line for line in text.splitlines() if line.startswith(f"| {promise} |")), "")
            assert row, f"run make formats: the table lacks {promise!r}"
            marks = [mark.strip() for mark in row.split("|")[2:-1]]
            assert set(marks) <= {"\u2713", *(["–"] if "file" in name else [])}, row
