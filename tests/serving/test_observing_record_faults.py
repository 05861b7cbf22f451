"""Whatever happens to the folder or the process: serving goes on, and files are whole."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from array import array
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from recorded import contract, event, files, read, wait_for

from modelwright.serving.deployment import RecordSettings
from modelwright.serving.inference import Table, Values
from modelwright.serving.observing.records import series
from modelwright.serving.observing.records.files import ABANDONED_S, sweep
from modelwright.serving.observing.records.log import RecordLog
from modelwright.spec.signature import Field

FIELDS = [Field(name="age", datatype="float64")]
TABLE = Table(1, columns={"age": array("d", [1.0])})


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Try again at once what could not be written."""
    monkeypatch.setattr(series, "RETRY_S", (0.05,))


def begun(folder: Path, **settings) -> RecordLog:
    log = RecordLog(RecordSettings(folder=str(folder), **settings))
    log.register("churn", contract(FIELDS))
    return log


def observed(log: RecordLog, count: int, prefix: str = "r") -> None:
    for number in range(count):
        log.observe(event(request_id=f"{prefix}-{number}", table=TABLE))


def test_a_file_is_rolled_by_rows_and_by_age(tmp_path):
    log = begun(tmp_path, file_rows=100, file_s=0.3)
    observed(log, 250)
    wait_for(lambda: log.written >= 250)
    assert len(files(tmp_path)) >= 2
    log.close()
    assert len(read(tmp_path)) == log.written == 250


def test_more_than_fits_is_dropped_at_once_and_counted(tmp_path):
    log = begun(tmp_path, queue_records=50)
    slowest = 0.0
    for _ in range(20):
        start = time.perf_counter()
        observed(log, 1000)
        slowest = max(slowest, time.perf_counter() - start)
    assert slowest < 1.0
    log.close()
    assert log.dropped["queue"] > 0
    assert log.written + log.dropped["queue"] == 20_000
    assert len(read(tmp_path)) == log.written


def test_a_folder_that_cannot_be_made_harms_nobody_and_is_tried_again(tmp_path, caplog):
    place = tmp_path / "folder"
    place.write_text("a file where the folder is to be")
    with caplog.at_level(logging.WARNING):
        log = begun(place, file_s=0.05)
        observed(log, 10)
        wait_for(lambda: caplog.records)
        time.sleep(0.3)
        assert len(caplog.records) == 1  # not a line for every attempt
        assert log.written == 0
        place.unlink()
        wait_for(lambda: log.written == 10)
    assert log.close()
    assert len(read(place)) == 10


def test_a_folder_that_vanished_is_made_again(tmp_path):
    log = begun(tmp_path / "records", file_s=0.05)
    observed(log, 10)
    wait_for(lambda: log.written == 10)
    shutil.rmtree(tmp_path / "records")
    observed(log, 5, "later")
    wait_for(lambda: log.written == 15)
    log.close()
    assert len(read(tmp_path)) == 5


def test_what_a_full_disk_keeps_back_is_bounded_counted_and_said(tmp_path, caplog):
    place = tmp_path / "folder"
    place.write_text("")
    log = begun(place, file_s=0.05, file_rows=100, queue_records=200)
    for number in range(20):
        observed(log, 50, f"r{number}")
        time.sleep(0.02)
    wait_for(lambda: log.dropped["disk"] > 0 or log.dropped["queue"] > 0)
    assert log.close()
    assert sum(log.dropped.values()) == 1000
    assert log.written == 0
    assert "records could not be written, and are lost" in caplog.text


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 256 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    options = ["-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    if not shutil.which("mount") or subprocess.run(["mount", *options], capture_output=True).returncode:
        pytest.skip("mounting a small disk is not allowed here")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_full_disk_leaves_whole_files_and_goes_on_when_there_is_room(small_disk):
    (small_disk / "fill").write_bytes(os.urandom(240 * 1024))
    log = begun(small_disk, file_s=0.05)
    for number in range(2000):
        log.observe(event(request_id=os.urandom(16).hex(), unit=str(number), table=TABLE))
    time.sleep(0.5)
    assert log.written == 0
    assert [path for path in small_disk.rglob("*") if path.is_file()] == [small_disk / "fill"]
    (small_disk / "fill").unlink()
    wait_for(lambda: log.written == 2000)
    assert log.close()
    assert len(read(small_disk)) == 2000


KILLED = """
import sys, time
sys.path.insert(0, {tests!r})
from array import array
from recorded import contract, event
from modelwright.serving.deployment import RecordSettings
from modelwright.serving.inference import Table
from modelwright.serving.observing.records.log import RecordLog
from modelwright.spec.signature import Field

log = RecordLog(RecordSettings(folder={folder!r}, file_rows=500))
log.register("churn", contract([Field(name="age", datatype="float64")]))
number = 0
while True:
    log.observe(event(request_id=str(number), table=Table(1, columns={{"age": array("d", [number])}})))
    number += 1
    if number % 100 == 0:
        time.sleep(0.002)
    if log.written > 2000:
        print("many", flush=True)
"""


def test_a_process_that_is_killed_leaves_whole_files_only(tmp_path):
    code = KILLED.format(tests=str(Path(__file__).parent), folder=str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"many\n"
        process.send_signal(signal.SIGKILL)
    found = files(tmp_path)
    assert len(found) >= 4
    rows = [row for path in found for row in pq.ParquetFile(path).read().to_pylist()]
    assert [int(row["request_id"]) for row in rows] == list(range(len(rows)))
    assert all(row["input_age"] == float(row["request_id"]) for row in rows)


def test_what_was_left_half_written_long_ago_is_swept(tmp_path):
    old, young = tmp_path / ".a.parquet.partial", tmp_path / ".b.parquet.partial"
    for path in (old, young):
        path.touch()
    then = time.time() - 2 * ABANDONED_S
    os.utime(old, (then, then))
    sweep(tmp_path)
    assert not old.exists()
    assert young.exists()


def test_one_large_request_is_taken_if_it_fits(tmp_path):
    log = begun(tmp_path, queue_records=100_000)
    ages = array("d", range(100_000))
    log.observe(event(table=Table(100_000, columns={"age": ages}), outputs={"prediction": Values(list(ages))}))
    assert log.close()
    assert log.written == 100_000
