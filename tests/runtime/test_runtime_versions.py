"""Versions and requirements, against the library that installers use."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Marker
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from modelwright.runtime.requirements import applies, parse_requirement
from modelwright.runtime.versions import satisfies, version_key

PARTS = st.integers(0, 12)


@st.composite
def versions(draw: st.DrawFn) -> str:
    epoch = draw(st.sampled_from(["", "", "", "1!"]))
    release = ".".join(map(str, draw(st.lists(PARTS, min_size=1, max_size=4))))
    pre = draw(st.sampled_from(["", "", "a1", "b2", "rc1", "-alpha.3", ".preview2", "c4"]))
    post = draw(st.sampled_from(["", "", ".post1", "-2", "rev3"]))
    dev = draw(st.sampled_from(["", "", ".dev1", "dev2"]))
    return f"{epoch}{release}{pre}{post}{dev}"


@given(versions(), versions())
def test_versions_are_ordered_as_installers_order_them(one: str, other: str) -> None:
    assert (version_key(one) < version_key(other)) == (Version(one) < Version(other))  # type: ignore[operator]
    assert (version_key(one) == version_key(other)) == (Version(one) == Version(other))


@given(versions(), st.sampled_from(["==", "!=", ">=", "<=", "~="]), st.lists(PARTS, min_size=2, max_size=3))
def test_clauses_hold_as_installers_judge_them(version: str, operator: str, wanted: list[int]) -> None:
    clause = operator + ".".join(map(str, wanted))
    assert satisfies(version, clause) == SpecifierSet(clause).contains(version, prereleases=True)


@given(versions(), st.lists(PARTS, min_size=1, max_size=3))
def test_a_wildcard_fixes_the_beginning_of_the_release(version: str, wanted: list[int]) -> None:
    clause = "==" + ".".join(map(str, wanted)) + ".*"
    assert satisfies(version, clause) == SpecifierSet(clause).contains(version, prereleases=True)


def test_a_local_label_of_what_is_installed_does_not_matter() -> None:
    assert satisfies("2.13.0+cpu", "==2.13.0")
    assert not satisfies("2.13.1+cpu", "==2.13.0")


def test_a_clause_that_is_none_is_not_fulfilled() -> None:
    assert not satisfies("1.0", "1.0")
    assert not satisfies("1.0", "==one")


def test_an_odd_installed_version_is_compared_as_text() -> None:
    assert satisfies("odd", "==odd")
    assert not satisfies("odd", ">=1")


@pytest.mark.parametrize(
    ("text", "name", "specifier"),
    [
        ("Scikit_Learn==1.9.1", "scikit-learn", "==1.9.1"),
        ("foo[bar,baz] ~= 1.4", "foo", "~= 1.4"),
        ("foo (>=1,<2)", "foo", ">=1,<2"),
        ("foo @ https://example.org/foo-1.0-py3-none-any.whl", "foo", ""),
        ("foo", "foo", ""),
    ],
)
def test_requirements_are_taken_apart(text: str, name: str, specifier: str) -> None:
    found = parse_requirement(text)
    assert found is not None
    assert (found.name, found.specifier.strip()) == (name, specifier)


def test_what_is_no_requirement_is_none() -> None:
    assert parse_requirement("==1.0") is None


@pytest.mark.parametrize(
    "marker",
    [
        "python_version >= '3.11'",
        "python_version < '3.9'",
        "python_full_version >= '3.11.0' and implementation_name == 'cpython'",
        "sys_platform == 'win32' or os_name == 'posix'",
        "(sys_platform == 'win32' or os_name == 'nt') and python_version > '3'",
        "platform_machine in 'x86_64 aarch64 arm64 AMD64'",
        "sys_platform not in 'win32 cygwin'",
        "platform_system == 'Linux'",
    ],
)
def test_markers_are_evaluated_as_installers_do(marker: str) -> None:
    assert applies(marker) == Marker(marker).evaluate()


def test_a_marker_that_cannot_be_understood_holds() -> None:
    assert applies("moon_phase == 'full'")
    assert not applies("extra == 'gpu'")
