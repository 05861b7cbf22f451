"""Versions that promise more compatibility than the change allows are refused, with the honest one named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from modelwright.errors import VersionStepError
from modelwright.package import open_wheel
from modelwright.registry.deciding.honesty import honest, release_before
from modelwright.registry.projects import Release

Wheels = Callable[..., Path]
BREAKING: dict[str, Any] = {
    "signature": {
        "inputs": [{"name": "x", "datatype": "float64"}, {"name": "tenure", "datatype": "float64"}],
        "outputs": [{"name": "y", "datatype": "float64", "rtol": 1e-9}],
        "container": "records",
    }
}
RETRAINED: dict[str, Any] = {"slope": 3.0}


@pytest.mark.parametrize(
    ("old", "new", "changes", "level"),
    [
        ("1.2.0", "2.0.0", BREAKING, "MAJOR"),
        ("1.2.0", "2.0.0rc1", BREAKING, "MAJOR"),
        ("1.2.0", "3.1.4", BREAKING, "MAJOR"),
        ("0.2.0", "0.3.0", BREAKING, "MAJOR"),
        ("1.2.0", "1.3.0", RETRAINED, "MINOR"),
        ("1.2.0", "1.3.0rc1", RETRAINED, "MINOR"),
        ("1.2.0", "1.2.1", {}, "PATCH"),
        ("1.2.0", "1.2.1.dev1", BREAKING, "MAJOR"),
    ],
)
def test_an_honest_version_is_let_in(churn: Wheels, old: str, new: str, changes: dict[str, Any], level: str) -> None:
    verdict = honest(open_wheel(churn(old)), open_wheel(churn(new, **changes)))
    assert verdict.level == level


@pytest.mark.parametrize(
    ("old", "new", "changes", "expected", "told"),
    [
        ("1.2.0", "1.3.0", BREAKING, "2.0.0", "tenure"),
        ("1.2.0", "1.3.0rc1", BREAKING, "2.0.0", "tenure"),
        ("1.2.0", "1.2.1", RETRAINED, "1.3.0", "trained or saved again"),
        ("1.2.0", "1.2.0.post1", RETRAINED, "1.3.0", "trained or saved again"),
        ("0.2.0", "0.2.1", BREAKING, "0.3.0", "tenure"),
    ],
)
def test_a_version_that_promises_too_much_is_refused_with_the_honest_one(
    churn: Wheels, old: str, new: str, changes: dict[str, Any], expected: str, told: str
) -> None:
    with pytest.raises(VersionStepError) as caught:
        honest(open_wheel(churn(old)), open_wheel(churn(new, **changes)))
    assert expected in caught.value.why
    assert any(told in problem.problem for problem in caught.value.problems)


VERSIONS = st.builds(
    "{}.{}.{}{}".format,
    *[st.integers(0, 3)] * 3,
    st.sampled_from(["", "", "rc1", ".dev1", ".post1", "a2"]),
)


@given(st.lists(VERSIONS, unique_by=Version), VERSIONS)
def test_a_release_is_compared_with_the_highest_final_one_below_it(known: list[str], new: str) -> None:
    found = release_before([Release(version=one, created="", publisher="") for one in known], new)
    below = [Version(one) for one in known if Version(one) < Version(new) and not Version(one).is_prerelease]
    assert (Version(found.version) if found else None) == max(below, default=None)


def test_a_first_release_is_compared_with_nothing() -> None:
    assert release_before([], "1.0.0") is None
    assert release_before([Release(version="1.0.0rc1", created="", publisher="")], "1.0.0") is None
