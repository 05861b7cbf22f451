"""Which number a version step leads to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from modelwright.errors import NameVersionError, ReleaseError
from modelwright.inspecting.changes import Change, judge
from modelwright.project.releasing.numbering import check_direction, check_part, follow, step

numbers = st.integers(min_value=0, max_value=30)
suffixes = st.sampled_from(["", "a1", "b2", "rc1", ".dev3", ".post1"])
versions = st.builds(
    lambda epoch, a, b, c, suffix: str(Version(f"{epoch}{a}.{b}.{c}{suffix}")),
    *(st.sampled_from(["", "1!"]), numbers, numbers, numbers, suffixes),
)
levels = st.sampled_from(["MAJOR", "MINOR", "PATCH"])


@given(versions, st.sampled_from(["major", "minor", "patch"]))
def test_a_step_is_a_final_version_above_and_keeps_the_epoch(version: str, part: str) -> None:
    stepped = Version(step(version, part))
    assert stepped > Version(version)
    assert not stepped.is_prerelease
    assert not stepped.is_postrelease
    assert stepped.epoch == Version(version).epoch


@given(versions)
def test_a_larger_step_is_never_below_a_smaller_one(version: str) -> None:
    assert Version(step(version, "major")) >= Version(step(version, "minor")) >= Version(step(version, "patch"))


@given(versions, versions, levels)
def test_what_auto_chooses_never_lies_and_never_goes_down(released: str, current: str, level: str) -> None:
    changes = [Change(level=level, about="signature", what="something")]
    verdict = judge(changes, old=released, new=current)
    chosen = follow(current, verdict, changed=True)
    assert Version(chosen) >= Version(current)
    assert judge(changes, old=released, new=chosen).honoured


@pytest.mark.parametrize(
    ("version", "part", "stepped"),
    [
        ("1.2.3", "major", "2.0.0"),
        ("1.2.3", "minor", "1.3.0"),
        ("1.2.3", "patch", "1.2.4"),
        ("0.3.1", "major", "1.0.0"),
        ("1.2.0rc1", "patch", "1.2.0"),
        ("1.2.0rc1", "minor", "1.2.0"),
        ("1.2.0rc1", "major", "2.0.0"),
        ("1.2.1rc1", "minor", "1.3.0"),
        ("2.0.0.dev4", "major", "2.0.0"),
        ("1.2", "patch", "1.2.1"),
        ("2!1.2.3", "minor", "2!1.3.0"),
    ],
)
def test_a_step(version: str, part: str, stepped: str) -> None:
    assert step(version, part) == stepped


def test_below_one_a_breaking_change_asks_for_a_minor_step() -> None:
    breaking = [Change(level="MAJOR", about="signature", what="field 'x' is now required")]
    assert follow("0.3.1", judge(breaking, old="0.3.1", new="0.3.1"), changed=True) == "0.4.0"


def test_a_pre_release_that_is_high_enough_becomes_final() -> None:
    retrained = [Change(level="MINOR", about="behaviour", what="answers differ")]
    assert follow("1.2.0rc2", judge(retrained, old="1.1.0", new="1.2.0rc2"), changed=True) == "1.2.0"
    assert follow("1.1.1rc2", judge(retrained, old="1.1.0", new="1.1.1rc2"), changed=True) == "1.2.0"


@pytest.mark.parametrize("version", ["1.2", "1.2.0rc1"])
def test_without_changes_the_version_stays(version: str) -> None:
    assert follow(version, judge([], old=version, new=version), changed=False) == version


@pytest.mark.parametrize(("part", "hint"), [("minro", "'minor'"), ("Major", "'major'"), ("one", "MAJOR.MINOR.PATCH")])
def test_what_is_no_step_and_no_version_is_refused_with_what_was_meant(part: str, hint: str) -> None:
    with pytest.raises(NameVersionError) as caught:
        check_part(part)
    assert hint in caught.value.hint


def test_versions_that_indexes_refuse_are_refused() -> None:
    with pytest.raises(NameVersionError, match="local part"):
        check_part("1.0.0+cu12")


@pytest.mark.parametrize(("target", "current", "released"), [("1.0.0", "1.0.1", ""), ("1.1.0", "1.1.0", "2.0.0")])
def test_a_version_that_goes_down_is_refused(target: str, current: str, released: str) -> None:
    with pytest.raises(ReleaseError, match="is lower than"):
        check_direction(target, current=current, released=released)
