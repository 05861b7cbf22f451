"""The static index follows the database: what changed is written, what did not is left alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from modelwright.registry.operating.local import LocalService
from modelwright.registry.operating.opening import open_local

Wheels = Callable[..., Path]


def test_a_list_of_names_is_written_when_a_name_comes_or_goes_and_only_then(
    service: LocalService, registry_folder: Path, churn: Wheels
) -> None:
    listed = registry_folder / "production" / "simple" / "index.html"
    for version in ("1.0.0", "1.1.0"):
        service.upload(churn(version))
    assert "churn" not in listed.read_text()
    service.promote("churn", "1.0.0", to="production", reason="first")
    assert "churn" in listed.read_text()
    listed.write_text("untouched")
    service.promote("churn", "1.1.0", to="production", reason="next")
    assert listed.read_text() == "untouched"
    service.set_status("churn", "quarantined", reason="stolen data")
    assert "churn" not in listed.read_text()
    service.set_status("churn", "active", reason="returned")
    assert "churn" in listed.read_text()
    assert (listed.parent / "churn" / "index.html").is_file()


def test_a_list_that_a_dead_process_did_not_come_to_is_written_by_the_next_one(
    service: LocalService, registry_folder: Path, churn: Wheels
) -> None:
    service.upload(churn())
    for page in (registry_folder / "simple").glob("index.*"):
        page.unlink()
    service.close()
    open_local(registry_folder, user="ann").close()
    assert "churn" in (registry_folder / "simple" / "index.html").read_text()


def test_a_stage_that_is_new_in_the_settings_gets_its_pages(
    registry_folder: Path, service: LocalService, teamtools: Path
) -> None:
    service.upload(teamtools)
    service.close()
    (registry_folder / "registry.toml").write_text('[[stages]]\nname = "canary"\n')
    open_local(registry_folder, user="ann").close()
    assert "teamtools-1.0" in (registry_folder / "canary" / "simple" / "teamtools" / "index.html").read_text()
    assert not (registry_folder / "production").exists()


def test_a_stage_that_is_no_more_loses_its_pages_before_anything_changes(
    registry_folder: Path, service: LocalService, churn: Wheels
) -> None:
    service.upload(churn())
    service.promote("churn", "1.0.0", to="limited", reason="")
    service.close()
    (registry_folder / "registry.toml").write_text('[[stages]]\nname = "production"\n')
    open_local(registry_folder, user="ann").close()
    assert not (registry_folder / "limited").exists()
    assert (registry_folder / "production" / "simple" / "index.html").is_file()


def test_an_index_that_carries_the_same_project_is_named_where_the_settings_say_so_and_in_no_stage(
    registry_folder: Path, churn: Wheels
) -> None:
    """Source: PEP 708, "Alternate Locations"."""
    (registry_folder / "registry.toml").write_text(
        '[alternate_locations]\nchurn = ["https://models.eu.example/simple/churn/"]\n'
    )
    service = open_local(registry_folder, user="ann")
    service.upload(churn())
    service.promote("churn", "1.0.0", to="dev", reason="")
    named = '"pypi:alternate-locations" content="https://models.eu.example/simple/churn/"'
    assert named in (registry_folder / "simple" / "churn" / "index.html").read_text()
    assert "alternate" not in (registry_folder / "dev" / "simple" / "churn" / "index.html").read_text()
    assert service.page("churn").alternate_locations == ("https://models.eu.example/simple/churn/",)  # type: ignore[union-attr]
    service.close()
