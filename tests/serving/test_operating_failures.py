"""Failing requests in the log of a server: a line each that says everything, and of many only how many."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import httpx2
import pytest
from running import Running, command

from modelwright.errors import NotReadyError, OutputError, Problem, SignatureError, WorkerError
from modelwright.serving.asking import Asked
from modelwright.serving.operating.failures import LISTED, MAX_KINDS, Failures, error_line

CANARY = Asked("1.3.0", "", "canary")
BROKEN = OutputError("predict of churn 1.3.0 failed.", why="KeyError: 'age'", hint="Report it.")


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "modelwright.serving.errors"]


def test_a_failing_request_is_one_line_with_everything(served: Running, caplog: pytest.LogCaptureFixture) -> None:
    answer = served.ask({"x": 1.0, "what": "raise"}, x_request_id="r-1")
    assert answer.status_code == 500
    (line,) = lines(caplog)
    assert line.startswith("behaving: 1.0.0 (control) failed at request r-1: MW202: predict of behaving 1.0.0 failed.")
    assert line.endswith(" ValueError: broken in /opt/secret/place")


def test_what_the_caller_did_wrong_is_not_in_it(served: Running, caplog: pytest.LogCaptureFixture) -> None:
    assert served.ask({"x": "no", "what": "ok"}).status_code == 400
    assert served.http.get("/models/none").status_code == 404
    assert lines(caplog) == []


def test_many_that_are_alike_are_listed_a_few_times_and_then_counted(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        failures = Failures("churn", period_s=0.05)
        for number in range(100):
            failures.say(BROKEN, CANARY, request_id=f"r{number}")
        failures.say(WorkerError("It ended."), CANARY, request_id="other")
        await asyncio.sleep(0.1)
        failures.say(BROKEN, CANARY, request_id="later")

    asyncio.run(fail())
    said = lines(caplog)
    assert len(said) == LISTED + 3
    assert said[LISTED - 1].endswith("KeyError: 'age' (more like it are counted, not listed)")
    assert "failed at request other: MW1208: It ended." in said[LISTED]
    assert said[LISTED + 1] == (
        "churn: 1.3.0 (canary) failed at 95 more requests like that within 0.05 s, the last at request r99: "
        "MW202, KeyError"
    )
    assert "at request later" in said[-1]


def test_what_was_counted_is_told_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        failures = Failures("churn")
        for _ in range(LISTED + 1):
            failures.say(BROKEN, CANARY, request_id="r")
        failures.close()

    asyncio.run(fail())
    assert "failed at 1 more requests" in lines(caplog)[-1]


def test_reasons_without_end_are_one_kind(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        failures = Failures("churn")
        for number in range(10 * MAX_KINDS):
            failures.say(OutputError("It failed.", why=f"reason {number}"), CANARY, request_id="r")
        failures.close()

    asyncio.run(fail())
    assert len(lines(caplog)) == MAX_KINDS + LISTED + 1


def test_what_was_not_begun_or_was_wrong_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    failures = Failures("churn")
    for error in (NotReadyError("It is stopped."), SignatureError("The rows do not fit.")):
        failures.say(error, CANARY, request_id="r")
    assert lines(caplog) == []


def test_a_line_is_one_line_whatever_is_in_it() -> None:
    problems = [Problem(row, "score", "is NaN") for row in range(5)]
    error = OutputError("It failed.\nFAKE: all is well", why="\x1b[2Jred " + "x" * 5000, problems=problems)
    line = error_line(error)
    assert line.isprintable()
    assert len(line) < 2100
    told = error_line(OutputError("It failed.", problems=problems))
    assert told.endswith("row 2, column 'score': is NaN; and 2 more")


def test_a_bad_version_does_not_fill_the_log(tmp_path: Path, behaving: Path) -> None:
    with (
        command(str(behaving), "--port", "0", folder=tmp_path) as (_, url),
        httpx2.Client(base_url=url) as http,
    ):
        logging.getLogger("httpx2").setLevel(logging.WARNING)
        for _ in range(50):
            http.post("/models/behaving/predict", json={"rows": [{"x": 1.0, "what": "raise"}]})
    said = [line for line in (tmp_path / "serve.log").read_text().splitlines() if "MW202" in line]
    assert len(said) == LISTED + 1
    assert "failed at 45 more requests" in said[-1]
