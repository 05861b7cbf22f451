"""A changelog moves on to the next version, and nothing that people wrote gets lost."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from releasing_projects import TODAY

from modelwright.errors import ReleaseError
from modelwright.project.releasing.changelog import release
from modelwright.project.releasing.entries import Entry

BY_HAND = """# Changelog

All notable changes.

## [Unreleased]

Please read the migration guide.

### Fixed

- Rows without a port are answered again
  (they were refused since 1.0.0).

### Notes for operators

- Needs more memory.

## [1.0.0] - 2026-10-01 [YANKED]

### Added

- First release.

```text
## [not a heading]
```

[unreleased]: https://example.org/twice/compare/v1.0.0...HEAD
[1.0.0]: https://example.org/twice/releases/tag/v1.0.0
"""
FOUND = [Entry("Changed", "`roc_auc` 0.91 → 0.93 on test"), Entry("Added", "field `tenure` added")]


def test_what_people_wrote_moves_into_the_release_and_what_was_found_joins_it() -> None:
    text, section = release(BY_HAND, FOUND, version="1.1.0", today=TODAY, previous="1.0.0")
    assert section == (
        "## [1.1.0] - 2026-11-21\n\nPlease read the migration guide.\n\n### Added\n\n- field `tenure` added\n\n"
        "### Changed\n\n- `roc_auc` 0.91 → 0.93 on test\n\n### Fixed\n\n- Rows without a port are answered again\n"
        "  (they were refused since 1.0.0).\n\n### Notes for operators\n\n- Needs more memory."
    )
    assert f"All notable changes.\n\n## [Unreleased]\n\n{section}\n\n## [1.0.0] - 2026-10-01 [YANKED]\n" in text
    assert text.endswith(
        "```\n\n[unreleased]: https://example.org/twice/compare/v1.1.0...HEAD\n"
        "[1.1.0]: https://example.org/twice/compare/v1.0.0...v1.1.0\n"
        "[1.0.0]: https://example.org/twice/releases/tag/v1.0.0\n"
    )


def test_a_changelog_that_is_not_there_is_made_and_can_be_continued() -> None:
    first, _ = release("", [Entry("Added", "First release.")], version="0.1.0", today=TODAY)
    assert first.startswith("# Changelog\n")
    second, _ = release(first, FOUND, version="0.2.0", today=TODAY, previous="0.1.0")
    assert re.findall(r"^## .*", second, re.MULTILINE) == [
        "## [Unreleased]",
        "## [0.2.0] - 2026-11-21",
        "## [0.1.0] - 2026-11-21",
    ]


def test_bumping_again_replaces_numbers_and_repeats_nothing() -> None:
    once, _ = release(BY_HAND, FOUND, version="1.1.0", today=TODAY, previous="1.0.0")
    again, section = release(
        once, [Entry("Changed", "`roc_auc` 0.91 → 0.95 on test"), FOUND[1]], version="1.1.0", today=TODAY
    )
    assert again == once.replace("0.93", "0.95")
    assert section.count("roc_auc") == 1


def test_the_reason_stands_at_the_top_on_one_line() -> None:
    _, section = release("", FOUND, version="1.0.1", today=TODAY, reason="nobody\nuses it ## yet")
    assert section.splitlines()[2] == "nobody uses it ## yet"


def test_the_files_own_style_of_headings_is_kept() -> None:
    plain = BY_HAND.replace("[Unreleased]\n", "Unreleased\n").replace("[1.0.0] - 2026", "1.0.0 - 2026")
    text, section = release(plain, FOUND, version="1.1.0", today=TODAY, previous="1.0.0")
    assert section.startswith("## 1.1.0 - 2026-11-21\n")
    assert "[1.1.0]:" not in text


def test_line_ends_of_windows_are_kept() -> None:
    text, _ = release(BY_HAND.replace("\n", "\r\n"), FOUND, version="1.1.0", today=TODAY, previous="1.0.0")
    assert text.count("\n") == text.count("\r\n") > 30


@pytest.mark.parametrize(
    ("links", "expected"),
    [
        (
            ["[Unreleased]: https://e.org/-/compare/twice-1.0.0..main"],
            [
                "[Unreleased]: https://e.org/-/compare/twice-1.1.0..main",
                "[1.1.0]: https://e.org/-/compare/twice-1.0.0..twice-1.1.0",
            ],
        ),
        (
            ["[1.0.0]: https://e.org/compare/v0.9.0...v1.0.0"],
            ["[1.1.0]: https://e.org/compare/v1.0.0...v1.1.0", "[1.0.0]: https://e.org/compare/v0.9.0...v1.0.0"],
        ),
        (
            ["[1.0.0]: https://e.org/releases/v1.0.0"],
            ["[1.1.0]: https://e.org/releases/v1.1.0", "[1.0.0]: https://e.org/releases/v1.0.0"],
        ),
        (["[guide]: https://e.org/guide"], ["[guide]: https://e.org/guide"]),
    ],
)
def test_links_are_moved_on_in_the_form_they_have(links: list[str], expected: list[str]) -> None:
    before = "# Changelog\n\n## [1.0.0] - 2026-10-01\n\n" + "\n".join(links) + "\n"
    text, _ = release(before, FOUND, version="1.1.0", today=TODAY, previous="1.0.0")
    assert [line for line in text.splitlines() if re.match(r"\[.+\]: ", line)] == expected


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("# Changelog\n\n## v1.0.0 (2026-10-01)\n", ":3"),
        ("# Changelog\n\n## [1.0.0](https://example.org) (2026-10-01)\n", ":3"),
        ("# 1.1.0\n\n- x\n\n# 1.0.0\n", ":5"),
        ("Changes\n=======\n\n1.0.0\n-----\n\n* x\n", ":2"),
        ("# Changelog\n\n## October 2026\n", ":3"),
        ("1.0.0: first release\n1.1.0: second\n", ""),
        ("# Changelog\n\n- 1.0.0 first release\n", ""),
    ],
)
def test_another_style_is_refused_with_its_line(text: str, where: str) -> None:
    with pytest.raises(ReleaseError, match="another style") as caught:
        release(text, FOUND, version="1.1.0", today=TODAY, where="CHANGELOG.md")
    assert caught.value.where == f"CHANGELOG.md{where}"


words = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="#`~=-[]"), min_size=1)
kinds = st.sampled_from(["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"])


@given(st.lists(st.tuples(kinds, words), max_size=6), st.lists(st.tuples(kinds, words), max_size=4))
def test_no_line_of_people_is_lost(written: list[tuple[str, str]], found: list[tuple[str, str]]) -> None:
    by_hand = "".join(f"### {kind}\n\n- ¶ {text} ¶\n\n" for kind, text in written)
    before = f"# Changelog\n\n## [Unreleased]\n\n{by_hand}## [1.0.0] - 2026-10-01\n\n- old\n"
    text, section = release(before, [Entry(*one) for one in found], version="1.1.0", today=TODAY)
    for kind, line in written:
        below = section.partition(f"### {kind}\n")[2].partition("\n### ")[0]
        assert f"- ¶ {line} ¶" in below.splitlines()
    assert text.endswith("## [1.0.0] - 2026-10-01\n\n- old\n")
    headings = re.findall(r"^### (.*)", section, re.MULTILINE)
    assert len(headings) == len(set(headings))
