"""Promotion and rollback: compare-and-swap, gates inside the transaction, a stack to go back on."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.building.build import build
from modelwright.building.sdist import build_sdist
from modelwright.errors import GateError, NotAllowedError, RequestError, StaleError, UnknownReleaseError
from modelwright.registry.operating.local import LocalService
from modelwright.registry.operating.opening import open_local
from modelwright.registry.operating.views import page_of
from modelwright.registry.projects import Placement, Project, Release, StoredFile
from modelwright.registry.service import Selection


def yanked(service: LocalService, stage: str) -> dict[str, str | None]:
    """What a stage's page says of each file."""
    page = service.page("churn", stage)
    return {file.filename.split("-")[1]: file.yanked for file in page.files} if page else {}


@pytest.fixture
def two(service: LocalService, churn) -> LocalService:
    """A registry with two releases of churn."""
    service.upload(churn("1.0.0"))
    service.upload(churn("1.1.0", slope=3.0))
    return service


def test_a_promoted_release_is_what_its_stage_shows(two: LocalService) -> None:
    assert two.page("churn", "production") is None
    moved = two.promote("churn", "1.0.0", to="production", reason="first")
    assert (moved.placement.version, moved.replaced, moved.changed) == ("1.0.0", "", True)
    assert yanked(two, "production") == {"1.0.0": None}
    assert two.page("churn", "staging") is None


def test_what_ran_before_stays_visible_as_yanked(two: LocalService) -> None:
    two.promote("churn", "1.0.0", to="production", reason="first")
    two.promote("churn", "1.1.0", to="production", reason="better")
    assert yanked(two, "production") == {"1.0.0": "superseded in production by 1.1.0", "1.1.0": None}
    assert yanked(two, "") == {"1.0.0": None, "1.1.0": None}


def test_rollback_returns_to_what_ran_before(two: LocalService) -> None:
    two.promote("churn", "1.0.0", to="production", reason="first")
    two.promote("churn", "1.1.0", to="production", reason="better")
    back = two.rollback("churn", stage="production", reason="worse after all")
    assert (back.placement.version, back.replaced) == ("1.0.0", "1.1.0")
    assert yanked(two, "production") == {"1.0.0": None, "1.1.0": "rolled back from production"}
    with pytest.raises(UnknownReleaseError, match="nothing that production could return to"):
        two.rollback("churn", stage="production", reason="again")


def test_rollback_goes_past_what_was_yanked_since(service: LocalService, churn) -> None:
    for version, slope in (("1.0.0", 2.0), ("1.1.0", 3.0), ("1.2.0", 4.0)):
        service.upload(churn(version, slope=slope))
        service.promote("churn", version, to="production", reason="next")
    service.yank("churn", "1.1.0", reason="wrong data")
    assert service.rollback("churn", stage="production", reason="slow").placement.version == "1.0.0"
    service.unyank("churn", "1.1.0")
    with pytest.raises(UnknownReleaseError, match="nothing that production could return to"):
        service.rollback("churn", stage="production", reason="not forward")


def test_a_stage_that_runs_what_was_yanked_offers_what_it_ran_before_once_it_is_rolled_back(two: LocalService) -> None:
    for version in ("1.0.0", "1.1.0"):
        two.promote("churn", version, to="production", reason="next")
    two.yank("churn", "1.1.0", reason="wrong data")
    assert yanked(two, "production") == {"1.0.0": "superseded in production by 1.1.0", "1.1.0": "wrong data"}
    two.rollback("churn", stage="production", reason="wrong data")
    assert yanked(two, "production") == {"1.0.0": None, "1.1.0": "wrong data"}


def test_a_reason_is_of_bounded_length_whether_it_is_needed_or_not(two: LocalService) -> None:
    with pytest.raises(RequestError, match="longer than 2,000"):
        two.promote("churn", "1.0.0", to="production", reason="x" * 2001)
    assert two.promote("churn", "1.0.0", to="production", reason="é" * 2000).changed
    (entry,) = two.history(Selection(action="promote", outcome="done"))
    assert entry.reason == "é" * 2000


def test_what_ran_in_a_stage_that_is_no_more_can_be_deleted_and_is_not_back_with_it(
    two: LocalService, registry_folder: Path
) -> None:
    for version in ("1.0.0", "1.1.0"):
        two.promote("churn", version, to="limited", reason="")
    two.close()
    settings = registry_folder / "registry.toml"
    settings.write_text('[[stages]]\nname = "dev"\n')
    service = open_local(registry_folder, user="ann")
    assert service.project("churn").placements == ()
    assert [one.stages for one in service.projects()] == [{}]
    service.delete("churn", "1.1.0", reason="personal data")
    service.close()
    settings.write_text('[[stages]]\nname = "limited"\n')
    service = open_local(registry_folder, user="ann")
    assert service.project("churn").current("limited") is None
    assert yanked(service, "limited") == {"1.0.0": "superseded in limited"}
    service.close()


def test_a_rollback_and_a_break_of_the_glass_need_a_reason(two: LocalService) -> None:
    two.promote("churn", "1.0.0", to="production", reason="")
    with pytest.raises(RequestError, match="needs a reason"):
        two.rollback("churn", stage="production", reason="  ")
    with pytest.raises(RequestError, match="needs a reason"):
        two.promote("churn", "1.1.0", to="production", reason="", break_glass=True)


def test_promotion_is_refused_when_the_stage_changed_meanwhile(two: LocalService) -> None:
    seen = ""
    two.promote("churn", "1.0.0", to="production", reason="faster", expected=seen)
    with pytest.raises(StaleError, match="does not run what it was thought to run"):
        two.promote("churn", "1.1.0", to="production", reason="slower", expected=seen)
    assert [(one.version, one.outcome) for one in two.history(Selection(action="promote"))] == [
        ("1.0.0", "done"),
        ("1.1.0", "denied"),
    ]


def test_promoting_what_runs_already_changes_nothing(two: LocalService) -> None:
    two.promote("churn", "1.0.0", to="production", reason="first")
    head = two.head()
    assert not two.promote("churn", "1.0.0", to="production", reason="again").changed
    assert two.head() == head


def test_a_refused_promotion_lists_every_gate_and_is_logged(registry_folder: Path, churn) -> None:
    gates = [
        '{ gate = "metric", metric = "accuracy", dataset = "test", at_least = 0.8 }',
        '{ gate = "metric", metric = "accuracy", dataset = "test", at_least = 0.95 }',
        '{ gate = "approved" }',
    ]
    (registry_folder / "registry.toml").write_text(
        f'[[stages]]\nname = "dev"\n[[stages]]\nname = "production"\ngates = [{", ".join(gates)}]\n'
    )
    service = open_local(registry_folder, user="ann")
    service.upload(churn("1.0.0"))
    with pytest.raises(GateError) as caught:
        service.promote("churn", "1.0.0", to="production", reason="go")
    assert len(caught.value.problems) == 3
    assert [problem.problem.startswith("passed") for problem in caught.value.problems] == [True, False, False]
    assert "0.9" in str(caught.value.problems[1])
    assert "0.95" in str(caught.value.problems[1])
    assert service.page("churn", "production") is None
    (denied,) = service.history(Selection(action="promote"))
    assert (denied.outcome, denied.detail["code"], denied.reason) == ("denied", "MW1106", "go")
    forced = service.promote("churn", "1.0.0", to="production", reason="customers wait", break_glass=True)
    assert forced.broke_glass
    *_, entry = service.history(Selection(action="promote", outcome="done"))
    assert entry.detail["broke_glass"] is True
    assert [gate["passed"] for gate in entry.detail["gates"]] == [True, False, False]
    service.close()


def test_a_wheel_added_later_is_not_in_the_stage_until_promoted_again(service: LocalService, churn) -> None:
    service.upload(churn("1.0.0"))
    service.promote("churn", "1.0.0", to="production", reason="first")
    narrow = {"python": "3.12.1", "interpreters": ["cp312"], "portable": False, "dependencies": []}
    service.upload(churn("1.0.0", environment=narrow))
    assert len(service.page("churn").files) == 2  # type: ignore[union-attr]
    assert len(service.page("churn", "production").files) == 1  # type: ignore[union-attr]
    assert service.promote("churn", "1.0.0", to="production", reason="both").changed
    assert len(service.page("churn", "production").files) == 2  # type: ignore[union-attr]


def test_a_library_has_no_stages_and_every_view_shows_it(service: LocalService, teamtools: Path) -> None:
    service.upload(teamtools)
    with pytest.raises(UnknownReleaseError, match="only models have stages"):
        service.promote("teamtools", "1.0", to="production", reason="why not")
    assert service.page("teamtools", "production") == service.page("teamtools")
    assert service.names("production") == ("teamtools",)


@pytest.mark.parametrize(
    ("name", "version", "stage", "said"),
    [
        ("chrun", "1.0.0", "production", "Did you mean 'churn'"),
        ("churn", "1.0.1", "production", "Did you mean '1.0.0'"),
        ("churn", "1.0.0", "prodution", "Did you mean 'production'"),
    ],
)
def test_a_slip_of_the_pen_is_asked_about(two: LocalService, name: str, version: str, stage: str, said: str) -> None:
    with pytest.raises(UnknownReleaseError) as caught:
        two.promote(name, version, to=stage, reason="x")
    assert said in str(caught.value)


def _project(moves: list[int]) -> Project:
    """A project whose production ran releases 0, 1, 2, … in this order."""
    digests = [f"{number:064x}" for number in range(4)]
    files = [
        StoredFile(
            filename=f"churn-1.{number}-py3-none-any.whl",
            sha256=digests[number],
            size=1,
            packagetype="bdist_wheel",
            uploaded="",
            publisher="ann",
        )
        for number in range(4)
    ]
    return Project(
        name="churn",
        kind="model",
        created="",
        serial=1,
        releases=tuple(
            Release(version=f"1.{number}", created="", publisher="ann", files=(files[number],)) for number in range(4)
        ),
        placements=tuple(
            Placement(
                stage="production",
                project="churn",
                version=f"1.{number}",
                digest=digests[number],
                files=(digests[number],),
                sequence=position,
                since="",
                actor="ann",
                current=position == len(moves) - 1,
            )
            for position, number in enumerate(moves)
        ),
    )


@given(st.lists(st.integers(0, 3), min_size=1, max_size=8))
@settings(max_examples=50)
def test_exactly_one_release_of_a_stage_is_not_yanked(moves: list[int]) -> None:
    page = page_of(_project(moves), "production")
    assert page is not None
    assert {file.filename for file in page.files} == {f"churn-1.{number}-py3-none-any.whl" for number in moves}
    assert [file.filename for file in page.files if file.yanked is None] == [f"churn-1.{moves[-1]}-py3-none-any.whl"]


def test_a_source_distribution_is_in_no_stage(service: LocalService, churn, tmp_path: Path) -> None:
    wheel = churn("1.0.0")
    sources = next(wheel.parent.glob("source-*"))
    sdist = build_sdist(sources, tmp_path)
    service.upload(sdist)
    with pytest.raises(UnknownReleaseError, match="has no wheel"):
        service.promote("churn", "1.0.0", to="production", reason="go")
    service.upload(wheel)
    service.promote("churn", "1.0.0", to="production", reason="go")
    assert [file.filename for file in service.page("churn", "production").files] == [wheel.name]  # type: ignore[union-attr]
    assert {file.filename for file in service.page("churn").files} == {wheel.name, sdist.name}  # type: ignore[union-attr]


def test_two_who_roll_back_at_once_go_back_once(service: LocalService, churn) -> None:
    for version, slope in (("1.0.0", 2.0), ("1.1.0", 3.0), ("1.2.0", 4.0)):
        service.upload(churn(version, slope=slope))
        service.promote("churn", version, to="production", reason="next")
    seen = service.project("churn").current("production").digest  # type: ignore[union-attr]
    assert service.rollback("churn", stage="production", reason="ann", expected=seen).placement.version == "1.1.0"
    with pytest.raises(StaleError):
        service.rollback("churn", stage="production", reason="bob", expected=seen)
    assert service.project("churn").current("production").version == "1.1.0"  # type: ignore[union-attr]


def test_a_release_without_its_weights_is_not_promoted(service: LocalService, churn, tmp_path: Path) -> None:
    sources = next(churn("1.0.0").parent.glob("source-*"))
    wheel = build(sources, tmp_path, weights=1)
    service.upload(wheel)
    with pytest.raises(UnknownReleaseError, match="are not in this registry") as caught:
        service.promote("churn", "1.0.0", to="production", reason="go")
    assert "churn-weights==1.0.0" in str(caught.value)
    service.upload(next(tmp_path.glob("churn_weights-*.whl")))
    assert service.promote("churn", "1.0.0", to="production", reason="go").changed
    with pytest.raises(NotAllowedError, match="consists of"):
        service.delete("churn-weights", "1.0.0", reason="room")


def test_weights_that_no_release_needs_any_more_can_be_deleted(service: LocalService, churn, tmp_path: Path) -> None:
    build(next(churn("1.0.0").parent.glob("source-*")), tmp_path, weights=1)
    for wheel in tmp_path.glob("*.whl"):
        service.upload(wheel)
    service.delete("churn", "1.0.0", reason="withdrawn")
    assert service.delete("churn-weights", "1.0.0", reason="withdrawn").deleted
