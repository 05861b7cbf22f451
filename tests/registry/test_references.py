"""References to releases: what they say, what they mean, and what is suggested when they mean nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from packaging.version import Version

from modelwright.errors import RequestError, UnknownReleaseError
from modelwright.registry.projects import Placement, Project, Release
from modelwright.registry.references import (
    Reference,
    check_stage,
    find_release,
    parse_reference,
    unknown_project,
    unknown_version,
)

STAGES = ("dev", "staging", "production")


def placement(stage: str, version: str, **changes: object) -> Placement:
    fields = {"digest": "ab" * 32, "files": (), "sequence": 1, "since": "2026-01-01T00:00:00Z", "actor": "ann"}
    return Placement(stage=stage, project="churn", version=version, **(fields | changes))


def churn(*versions: str, yanked: tuple[str, ...] = (), placements: tuple[Placement, ...] = ()) -> Project:
    releases = tuple(
        Release(version=one, created="2026-01-01T00:00:00Z", publisher="ann", yanked="bad" if one in yanked else None)
        for one in versions
    )
    return Project(
        name="churn", kind="model", created="2026-01-01T00:00:00Z", serial=1, releases=releases, placements=placements
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("churn", Reference(name="churn")),
        ("Churn.Model", Reference(name="churn-model")),
        ("churn==1.3.0", Reference(name="churn", version="1.3.0")),
        (" churn == 1.3.0RC1 ", Reference(name="churn", version="1.3.0rc1")),
        ("churn@production", Reference(name="churn", stage="production")),
    ],
)
def test_reference_says_name_and_version_or_stage(text, said):
    assert parse_reference(text) == said


HOSTILE = (
    *("", "@", "churn@", "churn==", "churn==x.y", "churn>=1", "churn@Prod uction", "-churn", "churn-", "a/b"),
    *("../churn", "churn==1@production", "churn@production==1", "chu\nrn", "churn\0", "ch\u0131rn", "x" * 301),
    *("churn==1;os", "churn==1 --to x"),
)


@pytest.mark.parametrize("text", HOSTILE, ids=repr)
def test_what_names_no_release_is_refused(text):
    with pytest.raises(RequestError):
        parse_reference(text)


NAMES = st.from_regex(r"[a-z0-9]([a-z0-9._-]{0,20}[a-z0-9])?", fullmatch=True)
VERSIONS = st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){0,3}((a|b|rc)[0-9])?(\.post[0-9])?", fullmatch=True)


@given(NAMES, VERSIONS, st.sampled_from(STAGES))
def test_reference_is_typed_as_it_is_parsed(name, version, stage):
    for text in (name, f"{name}=={version}", f"{name}@{stage}"):
        said = parse_reference(text)
        assert parse_reference(str(said)) == said


@given(st.text(max_size=60))
def test_any_text_is_a_reference_or_refused(text):
    try:
        said = parse_reference(text)
    except RequestError:
        return
    assert said.name
    assert not (said.version and said.stage)


def test_name_alone_is_the_highest_final_version_that_is_not_yanked():
    project = churn("1.0.0", "1.2.0", "1.10.0", "2.0.0rc1", yanked=("1.10.0",))
    assert find_release(project, parse_reference("churn"), STAGES).version == "1.2.0"


def test_name_alone_is_the_pre_release_if_there_is_nothing_else():
    assert find_release(churn("2.0.0rc1", "2.0.0rc2"), parse_reference("churn"), ()).version == "2.0.0rc2"


@given(st.lists(VERSIONS, min_size=1, max_size=6, unique_by=Version))
def test_version_finds_its_release_however_it_is_spelled(versions):
    project = churn(*versions)
    for version in versions:
        found = find_release(project, Reference(name="churn", version=f"{version}"), ())
        assert Version(found.version) == Version(version)


def test_stage_is_what_it_runs_now():
    placements = (
        placement("production", "1.0.0", current=False),
        placement("production", "1.2.0"),
        placement("staging", "1.3.0"),
    )
    project = churn("1.0.0", "1.2.0", "1.3.0", placements=placements)
    assert find_release(project, parse_reference("churn@production"), STAGES).version == "1.2.0"


def test_stage_that_runs_nothing_says_what_others_run_and_how_to_promote():
    project = churn("1.0.0", placements=(placement("staging", "1.0.0"),))
    with pytest.raises(UnknownReleaseError) as refused:
        find_release(project, parse_reference("churn@production"), STAGES)
    assert refused.value.why == "staging runs 1.0.0."
    assert refused.value.hint == "modelwright promote churn 1.0.0 --to production"


def test_stage_that_is_misspelled_is_suggested():
    with pytest.raises(UnknownReleaseError) as refused:
        check_stage("producton", STAGES)
    assert refused.value.hint == "Did you mean 'production'?"


def test_version_that_is_not_there_is_suggested_and_the_newest_are_named():
    with pytest.raises(UnknownReleaseError) as refused:
        find_release(churn("1.0.0", "1.3.0"), parse_reference("churn==1.30"), ())
    assert refused.value.why == "The newest are 1.3.0, 1.0.0."
    assert refused.value.hint == "Did you mean churn==1.3.0?"


def test_project_of_which_everything_was_deleted_says_so():
    assert "no releases any more" in unknown_version(churn(), "").what


@pytest.mark.parametrize("filename", ["churn-1.1.0-py3-none-any.whl", "churn-1.1.0.tar.gz"])
def test_version_that_was_deleted_is_not_taken_for_a_slip_of_the_pen(filename):
    project = replace(churn("1.0.0"), deleted=("no name", filename))
    with pytest.raises(UnknownReleaseError) as refused:
        find_release(project, parse_reference("churn==1.1"), ())
    assert refused.value.what == "churn 1.1 was deleted."
    assert refused.value.hint == "modelwright history churn==1.1"
    assert find_release(project, parse_reference("churn"), ()).version == "1.0.0"


def test_project_that_is_misspelled_is_suggested():
    assert unknown_project("chrun", ["churn", "fraud"]).hint == "Did you mean 'churn'?"
    assert unknown_project("zebra", ["churn"]).hint == "modelwright list"
