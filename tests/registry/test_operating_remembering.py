"""The memory: what is asked of it finds what was tried, and what was done to it is found."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from modelwright.errors import NotAllowedError, RequestError
from modelwright.registry.operating.local import LocalService
from modelwright.registry.people import Principal
from modelwright.registry.service import Selection

Wheels = Callable[..., Path]
READER = Principal(user="bob", scopes=("read",), token="0123456789ab")


@pytest.fixture
def told(service: LocalService, churn: Wheels) -> LocalService:
    """A registry with five entries: two releases, of which one is rolled back."""
    for version, slope in (("1.0.0", 2.0), ("1.1.0", 3.0)):
        service.upload(churn(version, slope=slope))
        service.promote("churn", version, to="dev", reason=f"try {version}")
    service.rollback("churn", stage="dev", reason="slow")
    return service


def tamper(service: LocalService, *statements: str) -> None:
    """Do to the database what somebody who may write to its file can do."""
    connection = sqlite3.connect(str(service.desk.state.engine.url.database))
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    "attempt",
    [
        lambda bob, sha256: bob.promote("Churn", "v1.0", to="dev", reason="mine"),
        lambda bob, sha256: bob.yank("CHURN", "1.0", reason="mine"),
        lambda bob, sha256: bob.delete("Churn", "1", reason="mine"),
        lambda bob, sha256: bob.approve("churn", "1.0.0.0", stage="dev", reason="mine"),
        lambda bob, sha256: bob.attach(sha256, "evaluation", []),
    ],
    ids=["promote", "yank", "delete", "approve", "evidence"],
)
def test_what_was_denied_stands_in_the_history_of_the_release_however_it_was_spelled(
    told: LocalService, attempt: Callable[[LocalService, str], object]
) -> None:
    sha256 = told.project("churn").releases[0].files[0].sha256
    with pytest.raises(NotAllowedError):
        attempt(told.acting_for(READER), sha256)
    (entry,) = told.history(Selection(project="churn", version="1.0.0", outcome="denied"))
    assert (entry.actor, entry.detail["code"]) == ("bob", "MW1108")


def test_what_was_tried_with_what_is_not_there_is_logged_as_it_was_said(told: LocalService) -> None:
    for name, version in (("No.Such", "1"), ("churn", "9.9"), ("churn", "no version")):
        with pytest.raises(NotAllowedError):
            told.acting_for(READER).yank(name, version, reason="mine")
    denied = [(entry.project, entry.version) for entry in told.history(Selection(outcome="denied"))]
    assert denied == [("no-such", "1"), ("churn", "9.9"), ("churn", "no version")]


@pytest.mark.parametrize("version", ["1.1.0", "1.1", "v1.1.0.0"])
def test_one_version_has_one_history_however_it_is_spelled(told: LocalService, version: str) -> None:
    told.delete("churn", "1.1.0", reason="personal data")
    found = [entry.action for entry in told.history(Selection(project="churn", version=version))]
    assert found == ["publish", "promote", "delete"]


def test_an_action_that_there_is_not_is_asked_about(told: LocalService) -> None:
    with pytest.raises(RequestError, match="Did you mean 'promote'"):
        tuple(told.history(Selection(action="promoted")))


@pytest.mark.parametrize("detail", ["garbage", "[1]", ""])
def test_details_that_somebody_wrote_over_are_found_and_hide_no_other_entry(told: LocalService, detail: str) -> None:
    tamper(told, f"UPDATE entries SET detail = '{detail}' WHERE sequence = 2")
    report = told.check_audit()
    assert not report.holds
    assert [problem[:19] for problem in report.problems] == ["entry 2 was altered"]
    assert [entry.sequence for entry in told.history()] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("kept", [0, 4])
def test_a_log_that_ends_before_the_last_change_was_cut(told: LocalService, kept: int) -> None:
    assert told.check_audit().holds
    tamper(told, f"DELETE FROM entries WHERE sequence > {kept}")
    report = told.check_audit()
    assert not report.holds
    assert report.problems == (f"the log ends at entry {kept}; a project was changed by entry 5, so it was cut",)
