"""Interpreters become tags, file names and Requires-Python."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import parse_wheel_filename

from modelwright.building.requirements import narrow_python
from modelwright.building.tags import interpreters, requires_python, wheel_name, wheel_tags
from modelwright.errors import ManifestError, ProjectError
from modelwright.spec.environment import Environment
from modelwright.spec.manifest import Manifest, Storage
from modelwright.spec.signature import Signature


def environment(*tags: str, portable: bool = False) -> Environment:
    return Environment(python="3.11.7", interpreters=tags, portable=portable, dependencies=())


def manifest(name: str, version: str, where: Environment) -> Manifest:
    return Manifest(
        format_version=1,
        name=name,
        version=version,
        import_name=name.replace("-", "_"),
        task="function",
        created="2026-01-01T00:00:00Z",
        storage=Storage(format="toy", loader="toy", model_type="toy"),
        artifacts=(),
        signature=Signature(inputs=(), outputs=(), container="records"),
        environment=where,
    )


minors = st.sets(st.integers(8, 20), min_size=1)


@given(minors)
def test_requires_python_allows_exactly_the_verified_minor_versions(allowed: set[int]) -> None:
    specifier = requires_python(environment(*(f"cp3{minor}" for minor in allowed)))
    assert {minor for minor in range(30) if specifier.contains(f"3.{minor}.4")} == allowed


@given(minors, st.sampled_from(["churn", "credit-risk", "a-b-c"]), st.sampled_from(["1.3.0", "2.0rc1", "1!3.post2"]))
def test_the_file_name_says_name_version_and_tags(allowed: set[int], name: str, version: str) -> None:
    where = environment(*(f"cp3{minor}" for minor in allowed))
    parsed_name, parsed_version, build, tags = parse_wheel_filename(wheel_name(manifest(name, version, where)))
    assert (parsed_name, str(parsed_version), build) == (name, version, ())
    assert {str(tag) for tag in tags} == set(wheel_tags(where))


def test_tags_are_ordered_by_version_and_not_by_letters() -> None:
    assert wheel_tags(environment("cp310", "cp39", "cp310")) == ("cp39-none-any", "cp310-none-any")


def test_a_portable_model_runs_anywhere_from_the_oldest_verified_interpreter_on() -> None:
    where = environment("cp312", "cp311", portable=True)
    assert wheel_name(manifest("churn", "1.0", where)) == "churn-1.0-py3-none-any.whl"
    assert str(requires_python(where)) == ">=3.11"


@pytest.mark.parametrize("tag", ["py", "3.11", "cp3", "cp311-none", "CP311", ""])
def test_a_malformed_interpreter_tag_is_refused(tag: str) -> None:
    with pytest.raises(ManifestError, match="no interpreter tag"):
        interpreters(environment(tag))


def test_a_manifest_without_interpreters_is_refused() -> None:
    with pytest.raises(ManifestError, match="no interpreter"):
        wheel_tags(environment())


@pytest.mark.parametrize(
    ("wanted", "expected"), [(">=3.11.4", "<3.13,>=3.11,>=3.11.4"), ("~=3.11", "<3.13,>=3.11,~=3.11")]
)
def test_requires_python_of_the_project_narrows_the_proved_range(wanted: str, expected: str) -> None:
    where = environment("cp311", "cp312")
    assert str(narrow_python(requires_python(where), wanted, interpreters(where), where="here")) == expected


@pytest.mark.parametrize(("wanted", "message"), [(">=3.12", "excludes cp311"), ("three", "no version specifier")])
def test_a_requires_python_that_excludes_what_was_proved_is_refused(wanted: str, message: str) -> None:
    where = environment("cp311", "cp312")
    with pytest.raises(ProjectError, match=message):
        narrow_python(requires_python(where), wanted, interpreters(where), where="here")
