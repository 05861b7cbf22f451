"""The tools of the reliability tests themselves: a power cut must find what is wrong, and only that."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from powercut.replay import KEPT, LOSSES, MARK, SYNC, WRITE, Disk, Image, some, write_image
from powercut.running import Driver, build_shim, fresh_copy

Done = Callable[[], None]


def careful(folder: Path, done: Done) -> None:
    """Replace a file as it should be done."""
    temporary = folder / "new"
    with temporary.open("wb") as stream:
        stream.write(b"new state")
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(folder / "state")
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
    done()


def careless(folder: Path, done: Done) -> None:
    """Replace a file without a single fsync."""
    temporary = folder / "new"
    temporary.write_bytes(b"new state")
    temporary.replace(folder / "state")
    done()


def in_place(folder: Path, done: Done) -> None:
    """Overwrite a file."""
    (folder / "state").write_bytes(b"new state")
    done()


def database(folder: Path, done: Done) -> None:
    """Write two rows in one transaction through SQLite's own code."""
    connection = sqlite3.connect(folder / "rows.sqlite", isolation_level=None)
    connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO rows VALUES (1, zeroblob(5000))")
    connection.execute("INSERT INTO rows VALUES (2, zeroblob(5000))")
    connection.execute("COMMIT")
    done()


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    scratch = tmp_path_factory.mktemp("powercut")
    driver = Driver(build_shim(scratch), scratch)
    yield driver
    driver.close()


@pytest.fixture
def base(tmp_path: Path) -> Path:
    base = tmp_path / "base"
    base.mkdir()
    (base / "state").write_bytes(b"old state")
    return base


def images(driver: Driver, call: str, base: Path) -> Iterator[tuple[bool, Image]]:
    """Whether the operation had returned, and what is on the disk, for a cut after each of its changes."""
    run = driver.run(f"test_reliability_powercut:{call}", fresh_copy(base, base.parent / "live"))
    assert not run.error
    assert run.acknowledged
    disk, done = Disk(fresh_copy(base, base.parent / "live")), False
    for record in run.records:
        disk.follow(record)
        done = done or record.kind == MARK
        for loss in (*LOSSES, some(1), some(2)):
            yield done, disk.image(loss)


def test_a_careful_replacement_survives_every_power_cut(driver: Driver, base: Path) -> None:
    seen = list(images(driver, "careful", base))
    assert {image["state"] for _, image in seen} == {b"old state", b"new state"}
    assert {image["state"] for done, image in seen if done} == {b"new state"}


def test_a_replacement_without_fsync_is_found_out(driver: Driver, base: Path) -> None:
    seen = list(images(driver, "careless", base))
    assert b"" in {image["state"] for _, image in seen}
    assert b"old state" in {image["state"] for done, image in seen if done}


def test_overwriting_is_found_out(driver: Driver, base: Path) -> None:
    assert {b"", b"new ", b"new state"} <= {image["state"] for _, image in images(driver, "in_place", base)}


@pytest.mark.parametrize("call", ["careful", "in_place"])
def test_what_is_replayed_whole_is_what_the_process_left(driver: Driver, base: Path, call: str, tmp_path: Path) -> None:
    live = fresh_copy(base, tmp_path / "live")
    run = driver.run(f"test_reliability_powercut:{call}", live)
    left = {path.name: path.read_bytes() for path in live.iterdir()}
    disk = Disk(fresh_copy(base, live))
    for record in run.records:
        disk.follow(record)
    write_image(disk.image(KEPT), tmp_path / "replayed", modes=base)
    assert {path.name: path.read_bytes() for path in (tmp_path / "replayed").iterdir()} == left


def test_writes_of_sqlite_are_seen_and_its_transactions_survive(driver: Driver, base: Path, tmp_path: Path) -> None:
    with sqlite3.connect(base / "rows.sqlite") as connection:
        connection.execute("CREATE TABLE rows (number INTEGER, content BLOB)")
    connection.close()
    kinds = [
        record.kind
        for record in driver.run("test_reliability_powercut:database", fresh_copy(base, tmp_path / "x")).records
    ]
    assert kinds.count(WRITE) > 4
    assert kinds.count(SYNC) > 1
    counts = set()
    for number, (done, image) in enumerate(images(driver, "database", base)):
        write_image(image, tmp_path / str(number), modes=base)
        opened = sqlite3.connect(tmp_path / str(number) / "rows.sqlite")
        (rows,) = opened.execute("SELECT count(*) FROM rows").fetchone()
        assert opened.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        opened.close()
        counts.add((done, rows))
    assert {(False, 0), (False, 2), (True, 2)} == counts


def test_a_process_is_killed_before_each_of_its_changes(driver: Driver, base: Path, tmp_path: Path) -> None:
    left = []
    for number in range(1, 20):
        live = fresh_copy(base, tmp_path / "live")
        run = driver.run("test_reliability_powercut:in_place", live, kill=number, half=True)
        left.append((run.killed, bool(run.acknowledged), (live / "state").read_bytes()))
        if run.acknowledged:
            break
    assert left == [(True, False, b"old state"), (True, False, b"new "), (False, True, b"new state")]
