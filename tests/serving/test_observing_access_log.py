"""One line per request, nothing personal in it, and a sink that blocks harms nobody."""

from __future__ import annotations

import io
import json
import os
import time
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.serving.inference import Event, Table, Values
from modelwright.serving.observing.access_log import AccessLog

EVENT = Event(
    time_s=1_795_000_000.25,
    request_id="r-1",
    transport="rest",
    model="churn",
    version="1.3.0",
    digest="ab" * 32,
    variant="control",
    rows=2,
    seconds=0.0042,
    queue_seconds=0.001,
    predict_seconds=0.002,
    unit="customer-17",
    client="10.0.0.7",
    table=Table(1, columns={"name": ["secret value"]}),
    outputs={"prediction": Values(["secret answer"])},
)


def lines(stream: io.BytesIO) -> list[dict]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def written(*events: Event, **settings) -> list[dict]:
    stream = io.BytesIO()
    log = AccessLog(stream, **settings)
    for event in events:
        log.observe(event)
    log.close()
    return lines(stream)


def test_a_request_is_one_line_of_json():
    (line,) = written(EVENT)
    assert line == {
        "time": "2026-11-18T11:06:40.250Z",
        "request_id": "r-1",
        "transport": "rest",
        "model": "churn",
        "status": 200,
        "rows": 2,
        "total_ms": 4.2,
        "queue_ms": 1.0,
        "predict_ms": 2.0,
        "client": "10.0.0.7",
        "version": "1.3.0",
        "variant": "control",
        "digest": "abababababab",
    }


def test_no_value_and_no_unit_is_in_it():
    text = json.dumps(written(EVENT))
    assert "secret" not in text
    assert "customer-17" not in text


def test_a_unit_is_hashed_where_there_is_a_salt():
    first, second, other = written(
        EVENT, EVENT, Event(time_s=0, request_id="", transport="v2", model="m", unit="x"), unit_salt="pepper"
    )
    assert first["unit"] == second["unit"] != other["unit"]
    assert "customer-17" not in first["unit"]


def test_an_answer_of_a_shadow_is_no_request():
    assert written(Event(time_s=0, request_id="r", transport="rest", model="churn", shadow=True)) == []


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 4_000_000_000, allow_nan=False))
def test_the_time_is_rfc_3339(seconds):
    (line,) = written(Event(time_s=seconds, request_id="r", transport="rest", model="churn"))
    assert 0 <= seconds - datetime.fromisoformat(line["time"]).timestamp() < 0.0011


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(codec=None), max_size=300), st.text(st.characters(codec=None), max_size=300))
def test_whatever_a_caller_sends_is_one_line(model, request_id):
    found = written(Event(time_s=0, request_id=request_id, transport="rest", model=model, error="MW1202", status=404))
    assert len(found) == 1
    assert len(found[0]["model"]) <= 200


def test_a_text_stream_will_do():
    stream = io.StringIO()
    log = AccessLog(stream)
    log.observe(EVENT)
    log.close()
    assert json.loads(stream.getvalue())["request_id"] == "r-1"


def test_a_reader_that_never_drains_stops_nobody_and_what_is_lost_is_counted():
    reader, writer = os.pipe()
    log = AccessLog(writer, limit_bytes=100_000)
    slowest = 0.0
    for number in range(20_000):
        begun = time.perf_counter()
        log.observe(EVENT)
        if number % 100 == 0:
            log.flush()
        slowest = max(slowest, time.perf_counter() - begun)
    assert log.dropped > 10_000
    assert slowest < 0.5
    assert log._held < 101_000
    log.close(timeout_s=0.05)
    dropped = log.dropped
    os.set_blocking(reader, False)
    got = b""
    while not got.endswith(b"}\n") or got.count(b"\n") + dropped < 20_000:
        try:
            got += os.read(reader, 65536)
        except BlockingIOError:
            time.sleep(0.01)
    assert all(json.loads(line)["request_id"] == "r-1" for line in got.splitlines())
    assert got.count(b"\n") + dropped == 20_000
    os.close(reader)
    os.close(writer)


def test_a_non_blocking_descriptor_gets_every_line():
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    log = AccessLog(writer)
    for _ in range(1000):
        log.observe(EVENT)
    log.flush()
    got = b""
    while got.count(b"\n") < 1000:
        got += os.read(reader, 65536)
    log.close()
    assert log.dropped == 0
    os.close(reader)
    os.close(writer)


def test_a_reader_that_went_away_is_counted():
    reader, writer = os.pipe()
    os.close(reader)
    log = AccessLog(writer)
    log.observe(EVENT)
    log.close()
    assert log.dropped == 1
    os.close(writer)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_counted():
    with open("/dev/full", "wb", buffering=0) as full:
        log = AccessLog(full)
        log.observe(EVENT)
        log.close()
    assert log.dropped == 1
