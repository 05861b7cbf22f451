"""Publishing: once and for ever, owned, remembered; and taking back."""

from __future__ import annotations

import shutil
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from registry_wheels import library_wheel, model_wheel

from modelwright.building.sdist import build_sdist
from modelwright.errors import (
    EvidenceError,
    LoginError,
    NotAllowedError,
    RequestError,
    TakenError,
    UnknownReleaseError,
    UploadError,
    VersionStepError,
)
from modelwright.registry.asking.rehearsing import rehearse
from modelwright.registry.operating.local import LocalService
from modelwright.registry.operating.opening import open_local
from modelwright.registry.people import Principal
from modelwright.registry.projects import ProjectSummary
from modelwright.registry.service import Selection
from modelwright.steps import ignore


def test_a_published_model_is_there_with_what_its_manifest_says(service: LocalService, churn) -> None:
    published = service.upload(churn("1.0.0"))
    assert (published.project, published.version, published.new) == ("churn", "1.0.0", True)
    project = service.project("Churn")
    assert (project.kind, project.owners) == ("model", ("ann",))
    assert project.releases[0].evaluations[0].value == 0.9
    with service.open_file(published.file.sha256) as stream:
        assert stream.read() == churn("1.0.0").read_bytes()
    (summary,) = service.projects("leave")
    assert isinstance(summary, ProjectSummary)
    assert (summary.name, summary.latest) == ("churn", "1.0.0")
    assert [one.kind for one in service.evidence(published.file.sha256)] == ["scan"]


def test_identical_bytes_again_are_no_error_and_no_news(service: LocalService, churn) -> None:
    service.upload(churn("1.0.0"))
    head = service.head()
    assert not service.upload(churn("1.0.0")).new
    assert service.head() == head


def test_a_file_name_never_comes_back_with_other_bytes(service: LocalService, churn) -> None:
    service.upload(churn("1.0.0"))
    with pytest.raises(TakenError, match="already there, with other bytes"):
        service.upload(churn("1.0.0", slope=9.0))
    service.delete("churn", "1.0.0", reason="by mistake")
    for again in (churn("1.0.0"), churn("1.0.0", slope=9.0)):
        with pytest.raises(TakenError, match="never comes back"):
            service.upload(again)
    assert service.project("churn").deleted == ("churn-1.0.0-py3-none-any.whl",)
    (tombstone,) = service.history(Selection(action="delete"))
    assert tombstone.detail["files"][0]["filename"] == "churn-1.0.0-py3-none-any.whl"
    assert service.names() == ()


def copied(source: Path, target: Path) -> Path:
    return Path(shutil.copyfile(source, target))


@pytest.mark.parametrize("spelled", ["teamtools-1.0.0-py3-none-any.whl", "TeamTools-1.0-py3-none-any.whl"])
def test_two_spellings_of_one_file_are_one_file(
    service: LocalService, teamtools: Path, tmp_path: Path, spelled: str
) -> None:
    service.upload(teamtools)
    with pytest.raises(TakenError, match="already there, under another name"):
        service.upload(copied(teamtools, tmp_path / spelled))
    (release,) = service.project("teamtools").releases
    assert [file.filename for file in release.files] == [teamtools.name]


def test_a_file_of_a_version_spelled_otherwise_belongs_to_its_release(
    service: LocalService, teamtools: Path, tmp_path: Path
) -> None:
    service.upload(teamtools)
    published = service.upload(copied(teamtools, tmp_path / "teamtools-1.0.0-7-py3-none-any.whl"))
    assert (published.new, published.version) == (True, "1.0")
    (release,) = service.project("teamtools").releases
    assert [file.filename for file in release.files] == [teamtools.name, "teamtools-1.0.0-7-py3-none-any.whl"]


@pytest.mark.parametrize(
    "again",
    ["teamtools-1.0-7-py3-none-any.whl", "teamtools-1.0.0-py3-none-any.whl", "teamtools-1.0.0-7-py3-none-any.whl"],
)
def test_a_deleted_version_never_comes_back(service: LocalService, teamtools: Path, tmp_path: Path, again: str) -> None:
    service.upload(teamtools)
    service.delete("teamtools", "1.0", reason="by mistake")
    with pytest.raises(TakenError, match=r"1\.0.* was deleted, and .* never comes back"):
        service.upload(copied(teamtools, tmp_path / again))


def test_what_runs_is_not_deleted(service: LocalService, churn) -> None:
    service.upload(churn("1.0.0"))
    service.promote("churn", "1.0.0", to="staging", reason="try")
    with pytest.raises(NotAllowedError, match="is what staging runs"):
        service.delete("churn", "1.0.0", reason="tidy")


def test_a_version_that_hides_a_change_is_refused(service: LocalService, churn) -> None:
    service.upload(churn("1.0.0"))
    with pytest.raises(VersionStepError) as caught:
        service.upload(churn("1.0.1", slope=3.0))
    assert "1.1.0" in str(caught.value)
    assert [one.outcome for one in service.history(Selection(project="churn"))] == ["done", "denied"]


def proved_on(*interpreters: str) -> dict[str, Any]:
    environment = {"python": "3.11.7", "interpreters": interpreters, "portable": False, "dependencies": []}
    return {"environment": environment}


@pytest.mark.parametrize("changes", [{"slope": 3.0}, {"accuracy": 0.8}, {"hyperparameters": {"depth": 3}}])
def test_a_release_holds_one_model_in_wheels_for_several_interpreters(
    service: LocalService, churn, changes: dict[str, Any]
) -> None:
    service.upload(churn("1.0.0", **proved_on("cp311")))
    assert service.upload(churn("1.0.0", **proved_on("cp312"))).new
    other = churn("1.0.0", **proved_on("cp313"), **changes)
    for offer in (service.upload, lambda path: rehearse(service, path, listener=ignore)):
        with pytest.raises(VersionStepError, match="is there already, and this is another model"):
            offer(other)
    assert len(service.project("churn").releases[0].files) == 2


def test_a_release_without_a_wheel_hides_no_change(service: LocalService, churn, tmp_path: Path) -> None:
    service.upload(churn("1.0.0"))
    model_wheel(tmp_path, "1.0.1", slope=3.0)
    service.upload(build_sdist(next(tmp_path.glob("source-*")), tmp_path))
    with pytest.raises(VersionStepError, match=r"since 1\.0\.0 is MINOR"):
        service.upload(churn("1.0.2", slope=3.0))


def test_what_is_no_wheel_is_refused_and_logged(service: LocalService, tmp_path: Path) -> None:
    (fake := tmp_path / "churn-1.0.0-py3-none-any.whl").write_bytes(b"no zip")
    with pytest.raises(UploadError):
        service.upload(fake)
    (entry,) = service.history()
    assert (entry.action, entry.outcome) == ("publish", "denied")
    assert list(service.desk.incoming.iterdir()) == []


def test_only_owners_publish_and_the_first_publisher_owns(service: LocalService, churn) -> None:
    ann, eve = (service.acting_for(Principal(user=name, scopes=("publish",))) for name in ("ann", "eve"))
    ann.upload(churn("1.0.0"))
    with pytest.raises(NotAllowedError):
        eve.upload(churn("1.1.0", slope=3.0))
    with pytest.raises(NotAllowedError):
        ann.promote("churn", "1.0.0", to="production", reason="mine")
    service.set_owners("churn", ["ann", "eve"])
    assert eve.upload(churn("1.1.0", slope=3.0)).new


def test_a_name_of_one_kind_stays_of_that_kind(service: LocalService, churn, teamtools: Path) -> None:
    service.upload(teamtools)
    with pytest.raises(TakenError, match="is a library"):
        service.upload(churn("2.0.0", name="teamtools"))


def test_a_model_is_not_called_what_a_library_installs(service: LocalService, churn, tmp_path: Path) -> None:
    service.upload(library_wheel(tmp_path, name="teamtools", module="churn"))
    with pytest.raises(TakenError, match="installed by teamtools already"):
        service.upload(churn("1.0.0"))
    service.delete("teamtools", "1.0", reason="in the way")
    assert service.upload(churn("1.0.0")).new


def test_a_closed_project_takes_no_files(service: LocalService, churn) -> None:
    service.upload(churn("1.0.0"))
    service.set_status("churn", "archived", reason="replaced by churn-v2")
    with pytest.raises(NotAllowedError, match="archived"):
        service.upload(churn("1.1.0", slope=3.0))
    service.set_status("churn", "quarantined", reason="odd")
    assert service.page("churn").files == ()  # type: ignore[union-attr]


def test_yanking_is_seen_in_every_view_and_can_be_undone(service: LocalService, churn) -> None:
    service.upload(churn("1.0.0"))
    service.promote("churn", "1.0.0", to="production", reason="go")
    service.yank("churn", "1.0.0", reason="wrong labels")
    for view in ("", "production"):
        assert [file.yanked for file in service.page("churn", view).files] == ["wrong labels"]  # type: ignore[union-attr]
    with pytest.raises(UnknownReleaseError, match="was yanked"):
        service.promote("churn", "1.0.0", to="staging", reason="go")
    service.unyank("churn", "1.0.0")
    assert service.page("churn").files[0].yanked is None  # type: ignore[union-attr]


def test_what_a_stage_runs_is_yanked_by_those_who_may_move_it_only(service: LocalService, churn) -> None:
    service.upload(churn("1.0.0"))
    publisher = service.acting_for(Principal(user="ann", scopes=("publish",)))
    assert publisher.yank("churn", "1.0.0", reason="typo").releases[0].yanked == "typo"
    publisher.unyank("churn", "1.0.0")
    service.promote("churn", "1.0.0", to="production", reason="go")
    with pytest.raises(NotAllowedError, match="may not yank what a stage runs of churn"):
        publisher.yank("churn", "1.0.0", reason="spite")
    assert service.page("churn", "production").files[0].yanked is None  # type: ignore[union-attr]
    both = service.acting_for(Principal(user="ann", scopes=("publish", "promote")))
    assert both.yank("churn", "1.0.0", reason="wrong labels").releases[0].yanked == "wrong labels"
    with pytest.raises(NotAllowedError, match="takes the scope 'promote'"):
        publisher.unyank("churn", "1.0.0")


def test_evidence_is_bound_to_the_wheel_it_is_about(service: LocalService, churn) -> None:
    sha256 = service.upload(churn("1.0.0")).file.sha256
    evaluation = [{"metric": "accuracy", "value": 0.7, "dataset": "march"}]
    kept = service.attach(sha256, "evaluation", evaluation)
    assert service.attach(sha256, "evaluation", evaluation) == kept
    with pytest.raises(EvidenceError, match="is no verification"):
        service.attach(sha256, "verification", {"passed": True})
    with pytest.raises(EvidenceError, match="cannot be attached"):
        service.attach(sha256, "approval", {"stage": "production"})
    with pytest.raises(UnknownReleaseError):
        service.attach("0" * 64, "evaluation", evaluation)


def test_a_token_is_known_until_it_expires_or_is_revoked(registry_folder: Path) -> None:
    now = [datetime(2026, 11, 20, tzinfo=UTC)]
    service = open_local(registry_folder, user="ann", clock=lambda: now[0])
    made = service.add_token("ci", scopes=["publish"], projects=["Churn"], days=1, note="pipeline")
    assert service.recognise(made.secret) == Principal(
        user="ci", scopes=("publish",), projects=("churn",), token=made.token.id
    )
    assert made.secret not in (registry_folder / ".registry" / "state.sqlite").read_bytes().decode("latin-1")
    for wrong in ("", "mw_", made.secret[:-1], made.secret[:-1] + "!", made.secret + "x"):
        with pytest.raises(LoginError):
            service.recognise(wrong)
    now[0] += timedelta(days=2)
    with pytest.raises(LoginError):
        service.recognise(made.secret)
    other = service.add_token("bob", scopes=["admin"])
    service.revoke_token(other.token.id)
    with pytest.raises(LoginError):
        service.recognise(other.secret)
    service.close()


def test_tokens_are_for_somebody_and_something(service: LocalService) -> None:
    with pytest.raises(RequestError, match="needs scopes"):
        service.add_token("ci", scopes=[])
    with pytest.raises(RequestError, match="name of a user"):
        service.add_token("", scopes=["read"])
    with pytest.raises(NotAllowedError):
        service.acting_for(Principal(user="eve", scopes=("promote",))).add_token("eve", scopes=["admin"])


def test_the_log_cannot_be_changed_unnoticed(registry_folder: Path, churn) -> None:
    service = open_local(registry_folder, user="ann")
    service.upload(churn("1.0.0"))
    service.promote("churn", "1.0.0", to="production", reason="go")
    head = service.head()
    assert service.check_audit(head).holds
    service.close()
    with sqlite3.connect(registry_folder / ".registry" / "state.sqlite") as database:
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            database.execute("UPDATE entries SET actor = 'eve'")
        database.execute("DROP TRIGGER entries_no_update")
        database.execute("UPDATE entries SET actor = 'eve' WHERE sequence = 1")
    database.close()
    reopened = open_local(registry_folder, user="ann")
    report = reopened.check_audit(head)
    assert not report.holds
    assert "entry 1 was altered" in report.problems[0]
    reopened.close()


def test_a_log_whose_end_was_cut_off_is_noticed_by_an_exported_head(registry_folder: Path, churn) -> None:
    service = open_local(registry_folder, user="ann")
    service.upload(churn("1.0.0"))
    service.promote("churn", "1.0.0", to="production", reason="go")
    head = service.head()
    service.close()
    with sqlite3.connect(registry_folder / ".registry" / "state.sqlite") as database:
        database.execute("DROP TRIGGER entries_no_delete")
        database.execute("DELETE FROM entries WHERE sequence = 2")
        database.execute("UPDATE projects SET serial = 1")  # which would tell of the entry that is gone
    database.close()
    reopened = open_local(registry_folder, user="ann")
    assert reopened.check_audit().holds
    assert "was cut" in reopened.check_audit(head).problems[0]
    reopened.close()


def test_order_is_by_sequence_when_the_clock_goes_back(registry_folder: Path, churn) -> None:
    now = [datetime(2026, 11, 20, tzinfo=UTC)]
    service = open_local(registry_folder, user="ann", clock=lambda: now[0])
    service.upload(churn("1.0.0"))
    service.upload(churn("1.1.0", slope=3.0))
    service.promote("churn", "1.0.0", to="production", reason="first")
    now[0] -= timedelta(days=400)
    service.promote("churn", "1.1.0", to="production", reason="second")
    assert service.project("churn").current("production").version == "1.1.0"  # type: ignore[union-attr]
    assert service.rollback("churn", stage="production", reason="back").placement.version == "1.0.0"
    assert [one.sequence for one in service.history()] == [1, 2, 3, 4, 5]
    assert service.check_audit().holds
    service.close()


def test_check_finds_what_is_not_what_was_published(service: LocalService, churn) -> None:
    published = service.upload(churn("1.0.0"))
    assert service.check().sound
    path = service.desk.root / "files" / published.file.sha256[:2] / published.file.sha256 / published.file.filename
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)
    report = service.check()
    assert not report.sound
    assert published.file.filename in report.problems[0]
    path.unlink()
    assert "churn-1.0.0" in service.check().problems[0]


def test_check_looks_at_what_resolvers_read(service: LocalService, churn) -> None:
    file = service.upload(churn("1.0.0")).file
    path = service.desk.root / "files" / file.sha256[:2] / file.sha256 / f"{file.filename}.metadata"
    path.write_bytes(path.read_bytes() + b"Requires-Dist: evil\n")
    assert "churn-1.0.0-py3-none-any.whl.metadata: has sha256" in service.check().problems[0]


@pytest.mark.parametrize(
    "page", ["simple/churn/index.html", "dev/simple/churn/index.v1_json", "dev/simple/index.html", "dev/simple/evil/x"]
)
def test_check_finds_a_static_page_that_somebody_altered(service: LocalService, churn, page: str) -> None:
    service.upload(churn("1.0.0"))
    service.promote("churn", "1.0.0", to="dev", reason="go")
    assert service.check().sound
    (file := service.desk.root / page).parent.mkdir(exist_ok=True)
    with file.open("ab") as stream:
        stream.write(b'<a href="https://evil.example/churn-9-py3-none-any.whl">churn</a>')
    report = service.check()
    assert not report.sound
    assert report.problems == (f"{page.removesuffix('/x')}: is not what the registry wrote",)
    if page.endswith("/x"):
        file.unlink()
    service.repair()
    assert service.check().sound


def test_repair_removes_what_belongs_to_no_release(service: LocalService, churn) -> None:
    file = service.upload(churn("1.0.0")).file
    (stray := service.desk.root / "files" / "ab" / ("ab" * 32)).mkdir(parents=True)
    (stray / "left-1.0-py3-none-any.whl").write_bytes(b"x")
    beside = service.desk.root / "files" / file.sha256[:2] / file.sha256 / "churn-9.9.9-py3-none-any.whl"
    beside.write_bytes(b"x")
    assert len(service.check().orphans) == 2
    assert service.repair().sound
    assert service.check().orphans == ()
