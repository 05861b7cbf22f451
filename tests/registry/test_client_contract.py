"""``mw.Registry`` is the same on a folder and on a server: every verb, every refusal."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from client_server import served
from msgspec.structs import replace
from registry_wheels import library_wheel
from rolled_back import withdrawn
from toy_packages import write_toy

import modelwright as mw
from modelwright.building.build import build
from modelwright.errors import (
    EvidenceError,
    GateError,
    NotAllowedError,
    RequestError,
    StaleError,
    TakenError,
    UnknownPackageError,
    UnknownReleaseError,
    UploadError,
    VersionStepError,
)
from modelwright.inspecting.diff import diff
from modelwright.registry.rollouts import MAX_MEASURES, RolloutEvent
from modelwright.registry.service import Selection

SETTINGS = """
[[stages]]
name = "dev"
[[stages]]
name = "production"
gates = [{ gate = "metric", metric = "accuracy", dataset = "test", at_least = 0.8 }]
"""


class Place(NamedTuple):
    """A registry and the prefix of the names that belong to one test."""

    registry: mw.Registry
    name: str


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("served") / "registry"
    folder.mkdir()
    (folder / "registry.toml").write_text(SETTINGS)
    return folder


@pytest.fixture(scope="module")
def secret(folder) -> str:
    made = mw.Registry(folder).add_token("bob", scopes=["publish", "promote", "admin"])
    return made.secret


@pytest.fixture(scope="module")
def address(folder, secret) -> Iterator[str]:
    with served(folder) as url:
        yield url


@pytest.fixture(params=["folder", "server"])
def place(request, folder, secret) -> Place:
    """The same registry, asked through its folder and through its server; each test has a model of its own."""
    name = f"{request.node.originalname.removeprefix('test_').replace('_', '-')[:40].strip('-')}-{request.param}"
    if request.param == "folder":
        return Place(mw.Registry(folder), name)
    return Place(mw.Registry(request.getfixturevalue("address"), token=secret), name)


@pytest.fixture
def two(place, churn) -> Place:
    """A model of which two versions are published; the second is worse."""
    place.registry.publish(churn("1.0.0", name=place.name, accuracy=0.9))
    place.registry.publish(churn("1.1.0", name=place.name, accuracy=0.7, slope=3.0))
    return place


def test_publish_answers_what_became_of_each_file(place, churn):
    wheel = churn("1.0.0", name=place.name)
    (first,) = place.registry.publish(wheel).files
    assert (first.project, first.version, first.new) == (place.name, "1.0.0", True)
    assert first.file.sha256 == hashlib.sha256(wheel.read_bytes()).hexdigest()
    (again,) = place.registry.publish(wheel).files
    assert (again.new, again.file) == (False, first.file)


def test_folder_is_published_lowest_version_first(place, churn, tmp_path):
    for version, slope in (("1.10.0", 4.0), ("1.9.0", 3.0), ("1.0.0", 2.0)):
        wheel = churn(version, name=place.name, slope=slope)
        (tmp_path / wheel.name).write_bytes(wheel.read_bytes())
    done = place.registry.publish(tmp_path)
    assert [one.version for one in done.files] == ["1.0.0", "1.9.0", "1.10.0"]
    assert [one.verdict for one in done.files] == ["", "MINOR", "MINOR"]


def test_a_reason_that_is_no_text_is_refused_and_nothing_moves(two):
    two.registry.promote(two.name, "1.0.0", to="dev", reason="first")
    for reason in ("caf\udcff", "x" * 2001):
        with pytest.raises(RequestError):
            two.registry.promote(two.name, "1.1.0", to="dev", reason=reason)
    assert two.registry.project(two.name).current("dev").version == "1.0.0"
    assert two.registry.check_audit().holds


def test_other_bytes_under_a_taken_name_are_refused(place, churn):
    place.registry.publish(churn("1.0.0", name=place.name))
    with pytest.raises(TakenError, match="already there, with other bytes"):
        place.registry.publish(churn("1.0.0", name=place.name, slope=9.0))


def test_dishonest_version_is_refused_and_the_honest_one_named(place, churn):
    place.registry.publish(churn("1.0.0", name=place.name))
    with pytest.raises(VersionStepError) as refused:
        place.registry.publish(churn("1.0.1", name=place.name, slope=3.0))
    assert "1.1.0" in refused.value.why
    assert refused.value.problems


def test_altered_wheel_is_refused_with_every_problem(place, churn, tmp_path):
    wheel = churn("1.0.0", name=place.name)
    altered = tmp_path / wheel.name
    altered.write_bytes(wheel.read_bytes().replace(b"Who will leave, slope", b"Who will leave, sloop"))
    with pytest.raises(UploadError) as refused:
        place.registry.publish(altered)
    assert refused.value.problems
    with pytest.raises(UnknownReleaseError):
        place.registry.project(place.name)


def test_rehearsal_makes_every_check_and_stores_nothing(place, churn):
    (found,) = place.registry.rehearse(churn("1.0.0", name=place.name))
    assert found.new
    with pytest.raises(UnknownReleaseError):
        place.registry.project(place.name)
    place.registry.publish(churn("1.0.0", name=place.name))
    assert not place.registry.rehearse(churn("1.0.0", name=place.name))[0].new
    with pytest.raises(TakenError):
        place.registry.rehearse(churn("1.0.0", name=place.name, slope=9.0))
    with pytest.raises(VersionStepError):
        place.registry.rehearse(churn("1.0.1", name=place.name, slope=3.0))
    assert place.registry.rehearse(churn("1.1.0", name=place.name, slope=3.0))[0].verdict == "MINOR"
    assert [one.action for one in place.registry.history(place.name)] == ["publish"]


def test_nothing_to_publish_is_said(place, tmp_path):
    with pytest.raises(UnknownPackageError, match="no wheel"):
        place.registry.publish(tmp_path)
    (tmp_path / "model.whl").write_bytes(b"")
    with pytest.raises(UploadError, match="name of no wheel"):
        place.registry.publish(tmp_path / "model.whl")


def test_promotion_moves_a_stage_and_names_what_it_replaced(two):
    first = two.registry.promote(two.name, "1.0.0", to="dev", reason="to try")
    second = two.registry.promote(two.name, "1.1.0", to="dev")
    assert (first.replaced, second.replaced, second.placement.version) == ("", "1.0.0", "1.1.0")
    assert two.registry.find(f"{two.name}@dev")[1].version == "1.1.0"
    assert not two.registry.promote(two.name, "1.1", to="dev").changed


def test_gate_that_does_not_pass_refuses_and_lists_every_gate(two):
    with pytest.raises(GateError) as refused:
        two.registry.promote(two.name, "1.1.0", to="production")
    assert "0.7" in str(refused.value)
    assert "0.8" in str(refused.value)
    (gate,) = two.registry.gates(two.name, "1.1.0", to="production")
    assert not gate.passed
    denied = two.registry.history(two.name, selection=Selection(outcome="denied"))
    assert [(one.action, one.stage) for one in denied] == [("promote", "production")]


def test_glass_is_broken_with_a_reason_only_and_the_log_says_so(two):
    with pytest.raises(RequestError):
        two.registry.promote(two.name, "1.1.0", to="production", break_glass=True)
    done = two.registry.promote(two.name, "1.1.0", to="production", break_glass=True, reason="the old one is on fire")
    assert done.broke_glass
    assert two.registry.history(two.name)[-1].detail["broke_glass"] is True


def test_promotion_of_something_decided_about_an_older_state_is_stale(two):
    nothing = ""
    two.registry.promote(two.name, "1.0.0", to="dev", expected=nothing)
    with pytest.raises(StaleError, match="does not run what"):
        two.registry.promote(two.name, "1.1.0", to="dev", expected=nothing)


def test_rollback_returns_to_what_ran_before_and_then_there_is_nothing_left(two):
    two.registry.promote(two.name, "1.0.0", to="dev")
    two.registry.promote(two.name, "1.1.0", to="dev")
    done = two.registry.rollback(two.name, stage="dev", reason="worse")
    assert (done.replaced, done.placement.version) == ("1.1.0", "1.0.0")
    with pytest.raises(UnknownReleaseError, match="nothing that dev could return to"):
        two.registry.rollback(two.name, stage="dev", reason="once more")


def test_yank_is_taken_back_and_deletion_is_not(two):
    assert two.registry.yank(two.name, "1.1.0", reason="leaks").release("1.1.0").yanked == "leaks"
    assert two.registry.find(two.name)[1].version == "1.0.0"
    assert two.registry.unyank(two.name, "1.1.0").release("1.1.0").yanked is None
    gone = two.registry.delete(two.name, "1.1.0", reason="leaks")
    assert gone.release("1.1.0") is None
    assert len(gone.deleted) == 1
    for ask in (two.registry.find, two.registry.show):
        with pytest.raises(UnknownReleaseError, match="was deleted") as told:
            ask(f"{two.name}==1.1")
        assert f"modelwright history {two.name}==1.1" in told.value.hint


WITHDRAWN = withdrawn("errors", time="2026-10-01T12:00:00.25Z")
WORSE = WITHDRAWN.measures["errors"]


def test_rollout_is_written_down_once_and_moves_no_stage(two):
    two.registry.promote(two.name, "1.0.0", to="dev")
    first = two.registry.report_rollout(two.name, "1.1", event=WITHDRAWN, stage="dev", reason="errors 40 %")
    again = two.registry.report_rollout(two.name, "1.1.0", event=WITHDRAWN, stage="dev", reason="errors 40 %")
    event = replace(WITHDRAWN, time="2026-10-01T12:00:00.26Z")
    later = two.registry.report_rollout(two.name, "1.1.0", event=event, reason="")
    assert (again, later.sequence) == (first, first.sequence + 1)
    entries = two.registry.history(two.name, selection=Selection(action="rollout"))
    assert entries == (first, later)
    assert (first.version, first.stage, first.reason) == ("1.1.0", "dev", "errors 40 %")
    assert first.sha256 == two.registry.find(f"{two.name}==1.1.0")[1].digest
    assert msgspec.convert(first.detail, RolloutEvent) == WITHDRAWN
    assert two.registry.project(two.name).current("dev").version == "1.0.0"
    assert two.registry.check_audit().holds


def test_rollout_of_what_the_registry_does_not_have_is_refused(two):
    for version, stage in (("9.9.9", ""), ("1.1.0", "prodution")):
        with pytest.raises(UnknownReleaseError):
            two.registry.report_rollout(two.name, version, event=WITHDRAWN, stage=stage, reason="")
    with pytest.raises(EvidenceError, match=r"not the 1\.1\.0 that this registry has"):
        two.registry.report_rollout(two.name, "1.1.0", event=replace(WITHDRAWN, sha256="0" * 64), reason="")
    assert {one.outcome for one in two.registry.history(two.name, selection=Selection(action="rollout"))} == {"denied"}


@pytest.mark.parametrize(
    "change",
    [
        {"after": 1.5},
        {"before": -0.1},
        {"time": "yesterday"},
        {"sha256": "abc"},
        {"by": "a" * 201},
        {"control": "1.0\n7  promote"},
        {"measures": dict.fromkeys(map(str, range(MAX_MEASURES + 1)), WORSE)},
        {"measures": {"err\x1bors": WORSE}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_report_of_a_rollout_that_cannot_stand_in_the_log_is_refused(two, change):
    with pytest.raises(RequestError, match="no report of a rollout"):
        two.registry.report_rollout(two.name, "1.1.0", event=replace(WITHDRAWN, **change), reason="")


def test_names_versions_and_stages_that_are_nearly_right_are_suggested(two):
    with pytest.raises(UnknownReleaseError) as wrong_name:
        two.registry.show(f"{two.name}x")
    assert two.name in wrong_name.value.hint
    with pytest.raises(UnknownReleaseError) as wrong_version:
        two.registry.promote(two.name, "1.2.0", to="dev")
    assert "1.1.0" in wrong_version.value.hint
    with pytest.raises(UnknownReleaseError) as wrong_stage:
        two.registry.rollback(two.name, stage="prodution", reason="x")
    assert "'production'" in wrong_stage.value.hint


def test_show_tells_files_stages_evidence_and_lineage(two):
    two.registry.promote(two.name, "1.0.0", to="dev")
    shown = two.registry.show(f"{two.name}@dev")
    assert (shown.release.version, shown.others) == ("1.0.0", ("1.1.0",))
    assert [one.stage for one in shown.placements] == ["dev"]
    assert [one.kind for one in shown.evidence] == ["scan"]
    assert shown.owners == ("Ann <ann@example.org>",)
    assert shown.lineage is not None


def test_package_of_a_release_is_read_and_not_executed(two):
    package = two.registry.read(f"{two.name}==1.0.0")
    assert (package.manifest.name, package.manifest.version) == (two.name, "1.0.0")
    assert "Intended use" in package.card
    assert two.name.replace("-", "_") not in sys.modules
    report = mw.diff(package, two.registry.read(two.name))
    assert report.verdict.level == "MINOR"


def test_download_gives_the_bytes_that_were_published(two, churn, tmp_path):
    (path,) = two.registry.download(f"{two.name}==1.0.0", tmp_path)
    assert path.read_bytes() == churn("1.0.0", name=two.name, accuracy=0.9).read_bytes()


def test_weights_of_their_own_are_published_first_and_downloaded_along(place, tmp_path):
    document = {"name": place.name, "import_name": place.name.replace("-", "_")}
    environment = {"python": "3.11.7", "interpreters": ["cp311"], "portable": True, "dependencies": []}
    build(write_toy(tmp_path / "source", environment=environment, **document), tmp_path / "dist", weights=0)
    done = place.registry.publish(tmp_path / "dist")
    assert [one.project for one in done.files] == [f"{place.name}-weights", place.name]
    got = place.registry.download(place.name, tmp_path / "got")
    assert {path.name for path in got} == {path.name for path in (tmp_path / "dist").glob("*.whl")}
    assert mw.scan(place.registry.read(place.name)).worst != "danger"


def test_library_is_listed_but_has_no_model_and_no_stage(place, tmp_path):
    place.registry.publish(library_wheel(tmp_path, name=place.name))
    (listed,) = place.registry.list(place.name)
    assert (listed.kind, listed.latest, listed.stages) == ("library", "1.0", {})
    with pytest.raises(UnknownReleaseError, match="is no model"):
        place.registry.read(place.name)
    with pytest.raises(UnknownReleaseError, match="is no model"):
        place.registry.promote(place.name, "1.0", to="dev")


def test_evaluation_is_attached_as_evidence_and_counts(two, tmp_path):
    better = tmp_path / "measured.json"
    better.write_text(json.dumps([{"metric": "accuracy", "value": 0.95, "dataset": "test", "better": "higher"}]))
    done = two.registry.publish(two.registry.download(f"{two.name}==1.1.0", tmp_path / "dist")[0], evidence=[better])
    assert [one.kind for one in done.evidence] == ["evaluation"]
    assert two.registry.promote(two.name, "1.1.0", to="production").changed


def test_report_about_another_wheel_and_what_is_no_report_are_refused(two, churn, tmp_path):
    report = {"name": "x", "version": "1", "wheel": "x.whl", "sha256": "0" * 64, "size": 1, "passed": True}
    report |= {"created": "2026-01-01T00:00:00Z", "python": "3.11.1", "interpreter": "cp311", "platform": "any"}
    report |= {"installer": "uv", "distributions": {}, "scenarios": []}
    wheel = churn("1.0.0", name=two.name, accuracy=0.9)
    (tmp_path / "other.json").write_text(json.dumps(report))
    with pytest.raises(EvidenceError, match="about another wheel"):
        two.registry.publish(wheel, evidence=[tmp_path / "other.json"])
    for text in ("{}", "[]", "no JSON", '[{"metric": 1}]'):
        (tmp_path / "odd.json").write_text(text)
        with pytest.raises(EvidenceError):
            two.registry.publish(wheel, evidence=[tmp_path / "odd.json"])


def test_owners_status_and_approval_are_set(two):
    assert two.registry.set_owners(two.name, ["ann", "bob"]).owners == ("ann", "bob")
    assert two.registry.set_owners(two.name, ["Ann B", "jürgen"]).owners == ("Ann B", "jürgen")
    for owners in ([], [""], ["ann", "b\x1bb"], ["a" * 201]):
        with pytest.raises(RequestError):
            two.registry.set_owners(two.name, owners)
    assert two.registry.add_token("Ann B", scopes=["read"]).token.user == "Ann B"
    for user in ("", "a/b", "jürgen", "a" * 101):
        with pytest.raises(RequestError):
            two.registry.add_token(user, scopes=["read"])
    kept = two.registry.approve(two.name, "1.0.0", stage="production", reason="looked at it")
    assert [(one.kind, one.content["stage"]) for one in kept] == [("approval", "production")]
    assert two.registry.set_status(two.name, "archived", reason="replaced").status == "archived"
    with pytest.raises(UnknownReleaseError, match="archived"):
        two.registry.promote(two.name, "1.0.0", to="dev")


def test_archived_project_takes_no_files_and_a_rehearsal_says_so(two, churn):
    two.registry.set_status(two.name, "archived", reason="replaced")
    wheel = churn("1.2.0", name=two.name)
    for ask in (two.registry.rehearse, two.registry.publish):
        with pytest.raises(NotAllowedError, match="archived"):
            ask(wheel)


def test_token_is_made_listed_and_revoked(place):
    made = place.registry.add_token(place.name, scopes=["read"], projects=["Churn"], days=1, note="for a test")
    assert made.secret.startswith(f"mw_{made.token.id}_")
    assert (made.token.projects, bool(made.token.expires)) == (("churn",), True)
    assert made.token in place.registry.tokens()
    assert place.registry.revoke_token(made.token.id).revoked
    with pytest.raises(UnknownReleaseError):
        place.registry.revoke_token("0" * 12)


def test_log_is_read_in_both_directions_checked_and_compared_with_a_head(two):
    forwards = two.registry.history(two.name)
    backwards = two.registry.history(two.name, selection=Selection(newest_first=True))
    assert [one.action for one in forwards] == ["publish", "publish"]
    assert forwards == backwards[::-1]
    head = two.registry.head()
    report = two.registry.check_audit(head)
    assert report.holds
    assert report.head.sequence >= head.sequence
    forged = type(head)(sequence=head.sequence, hash="0" * 64)
    assert not two.registry.check_audit(forged).holds


def test_install_lines_name_this_index_and_never_a_second_one(two):
    two.registry.promote(two.name, "1.0.0", to="dev")
    lines = two.registry.install(f"{two.name}@dev")
    base = two.registry.url or two.registry.folder.resolve().as_uri()
    assert f'url = "{base}/dev/simple/"' in lines.uv
    assert "explicit = true" in lines.uv
    assert "extra-index-url" not in lines.uv + lines.pip + lines.uvx + lines.docker


def test_a_comparison_that_ran_both_models_is_evidence_about_the_new_one(two, tmp_path):
    old, new = (two.registry.download(f"{two.name}=={one}", tmp_path / "dist")[0] for one in ("1.0.0", "1.1.0"))
    report = diff(old, new, behaviour="run", cache=tmp_path / "environments").save(tmp_path / "diff.json")
    (kept,) = two.registry.publish(evidence=[report]).evidence
    assert (kept.kind, kept.sha256) == ("comparison", hashlib.sha256(new.read_bytes()).hexdigest())
    assert kept.content["old"]["where"] == old.name, "where it lies on this machine stays here"
    assert kept.content["behaviour"]["changed"] > 0
    with pytest.raises(EvidenceError, match="ran no model"):
        two.registry.publish(evidence=[diff(old, new).save(tmp_path / "read.json")])
    with pytest.raises(EvidenceError, match="about another wheel"):
        two.registry.publish(old, evidence=[report])
