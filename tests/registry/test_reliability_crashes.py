"""Power cuts and kill -9 while a registry works: the old state or the new one, and nothing acknowledged is lost.

This tries a part of what ``benchmarks/registry_crash.py`` tries; every fsync and every change of a name is in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from powercut import verbs
from powercut.campaign import Campaign
from powercut.replay import LOST, NAMELESS, TORN, some
from powercut.running import Driver, build_shim
from registry_wheels import model_wheel

VERBS = ["publish", "promote", "rollback", "yank", "delete"]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with wheels, a registry to begin with and a folder with nothing in it."""
    scratch = tmp_path_factory.mktemp("crashes")
    (scratch / "wheels").mkdir()
    for version in verbs.VERSIONS:
        model_wheel(scratch / "wheels", version)
    verbs.prepare(scratch / "base")
    (scratch / "empty").mkdir()
    return scratch


@pytest.fixture(scope="module")
def driver(scratch: Path) -> Iterator[Driver]:
    driver = Driver(build_shim(scratch), scratch, *sorted((scratch / "wheels").iterdir())[:2])
    yield driver
    driver.close()


@pytest.mark.parametrize("verb", VERBS)
def test_a_power_cut_leaves_the_old_state_or_the_new_one(driver: Driver, scratch: Path, verb: str) -> None:
    tally = Campaign(driver, verb, scratch / "base", scratch, again=True).cut_everywhere(
        every=7, losses=[LOST, TORN, NAMELESS, some(1)]
    )
    assert tally.failures == []
    assert tally.old > 10
    assert tally.new > 0


def test_a_power_cut_while_a_registry_is_made_leaves_none_or_one(driver: Driver, scratch: Path) -> None:
    campaign = Campaign(driver, "create", scratch / "empty", scratch, inside="models/registry")
    assert campaign.cut_everywhere(every=20, losses=[LOST]).failures == []


def test_no_power_cut_loses_one_of_several_transactions_in_the_database_s_log(driver: Driver, scratch: Path) -> None:
    tally = Campaign(driver, "day", scratch / "base", scratch).cut_everywhere(every=20, losses=[LOST])
    assert tally.failures == []


@pytest.mark.parametrize("verb", VERBS)
def test_a_killed_process_leaves_the_old_state_or_the_new_one(driver: Driver, scratch: Path, verb: str) -> None:
    tally = Campaign(driver, verb, scratch / "base", scratch, again=True).kill_everywhere(every=7, half=True)
    assert tally.failures == []
    assert tally.new > 0
