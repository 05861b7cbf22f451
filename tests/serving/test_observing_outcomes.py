"""What happened later finds its prediction, once, and whoever sends nonsense is told everything that is wrong."""

from __future__ import annotations

import contextlib
import json
import time
from array import array
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded import contract, event, files, read, wait_for

from modelwright.errors import OutcomeError, OverloadedError
from modelwright.serving.deployment import RecordSettings
from modelwright.serving.inference import Table
from modelwright.serving.observing.joining import join
from modelwright.serving.observing.outcome_reading import read_outcomes
from modelwright.serving.observing.outcomes import Outcomes
from modelwright.serving.observing.records.log import RecordLog
from modelwright.serving.observing.remembering import Remembered
from modelwright.spec.outcome import OUTCOME_COLUMNS
from modelwright.spec.record import hashed
from modelwright.spec.signature import Field

NOON = "2026-11-20T12:00:00Z"


class Guard:
    """A rollout that writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, float]] = []

    def outcome(self, variant: str, name: str, value: float) -> None:
        self.told.append((variant, name, value))


@pytest.fixture
def guard() -> Guard:
    return Guard()


@pytest.fixture
def remembered() -> Remembered:
    made = Remembered()
    made.observe(event(request_id="r-1", unit="customer-17", variant="candidate"))
    made.observe(event(request_id="r-2"))
    made.observe(event(request_id="r-3", shadow=True, variant="shadow"))
    made.observe(event(request_id="r-4", status=500))
    return made


@pytest.fixture
def outcomes(remembered, guard, tmp_path):
    made = Outcomes(
        remembered, RecordSettings(folder=str(tmp_path)), guards=lambda model: guard if model == "churn" else None
    )
    yield made
    assert made.close()


def message(*outcomes: dict) -> bytes:
    return json.dumps({"outcomes": outcomes}).encode()


def test_an_outcome_finds_its_variant_and_the_rollout_is_told(outcomes, guard, tmp_path):
    receipt = outcomes.take(
        message(
            {"request_id": "r-1", "row": 0, "outcome": {"churned": True, "spent": 12, "why": "moved"}, "time": NOON},
            {"request_id": "r-9", "outcome": {"churned": False}},
        )
    )
    assert (receipt.accepted, receipt.matched, receipt.unknown_so_far, receipt.stored) == (2, 1, 1, True)
    assert guard.told == [("candidate", "churned", 1.0), ("candidate", "spent", 12.0)]
    outcomes.close()
    rows = read(tmp_path / "outcomes")
    assert [(row["name"], row["truth"], row["number"], row["text"]) for row in rows] == [
        ("churned", True, None, None),
        ("spent", None, 12.0, None),
        ("why", None, None, "moved"),
        ("churned", False, None, None),
    ]
    assert list(rows[0]) == [column.column for column in OUTCOME_COLUMNS]
    assert rows[0]["time"] == datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert [row["variant"] for row in rows] == ["candidate"] * 3 + [None]


def test_telling_it_twice_changes_nothing(outcomes, guard, tmp_path):
    told = message(
        {"request_id": "r-1", "outcome": {"churned": True}},
        {"unit": "customer-17", "time": NOON, "outcome": {"kept": 3}},
    )
    assert outcomes.take(told).accepted == 2
    again = outcomes.take(told)
    assert (again.accepted, again.repeated) == (0, 2)
    assert guard.told == [("candidate", "churned", 1.0), ("candidate", "kept", 3.0)]
    outcomes.close()
    assert len(read(tmp_path / "outcomes")) == 2


def test_a_correction_is_kept_but_a_rollout_does_not_hear_it(outcomes, guard, tmp_path):
    outcomes.take(message({"request_id": "r-1", "outcome": {"churned": True}}))
    receipt = outcomes.take(message({"request_id": "r-1", "outcome": {"churned": False, "late": 1}}))
    assert receipt.accepted == 1
    assert guard.told == [("candidate", "churned", 1.0), ("candidate", "late", 1.0)]
    outcomes.close()
    joined = join([{"request_id": "r-1", "row": 0, "model": "churn", "time": 0}], read(tmp_path / "outcomes"))
    assert joined.pairs[0][1] == {"churned": False, "late": 1.0}


def test_two_parts_of_one_outcome_in_one_message_are_both_kept(outcomes, guard):
    part = {"request_id": "r-1"}
    receipt = outcomes.take(
        message(part | {"outcome": {"a": 1}}, part | {"outcome": {"b": 2}}, part | {"outcome": {"a": 1}})
    )
    assert (receipt.accepted, receipt.repeated) == (2, 1)
    assert [name for _, name, _ in guard.told] == ["a", "b"]


def test_an_answer_that_nobody_saw_has_no_variant(outcomes):
    told = [{"request_id": name, "outcome": {"x": 1}} for name in ("r-3", "r-4")]
    assert outcomes.take(message(*told)).unknown_so_far == 2


def test_without_a_folder_rollouts_are_told_all_the_same(remembered, guard):
    made = Outcomes(remembered, RecordSettings(), guards=lambda model: guard)
    assert not made.take(message({"request_id": "r-1", "outcome": {"x": 1}})).stored
    assert guard.told
    assert made.close()


def test_a_unit_is_stored_as_records_store_it(remembered, tmp_path):
    settings = RecordSettings(folder=str(tmp_path), columns={"unit": "hash"}, salt="pepper")
    made = Outcomes(remembered, settings, guards=lambda model: None)
    made.take(message({"unit": "customer-17", "time": NOON, "outcome": {"x": 1}}))
    made.close()
    assert read(tmp_path)[0]["unit"] == hashed("customer-17", b"pepper")
    assert b"customer-17" not in files(tmp_path)[0].read_bytes()


def test_where_units_are_not_recorded_an_outcome_by_unit_is_refused(remembered, tmp_path):
    made = Outcomes(remembered, RecordSettings(folder=str(tmp_path), columns={"*": "drop"}), guards=lambda model: None)
    with pytest.raises(OutcomeError, match="name the request_id"):
        made.take(message({"unit": "customer-17", "time": NOON, "outcome": {"x": 1}}))
    made.close()


def test_more_than_can_wait_is_refused_and_may_be_sent_again(remembered, tmp_path, guard):
    made = Outcomes(remembered, RecordSettings(folder=str(tmp_path), queue_records=1), guards=lambda model: guard)
    told = message({"request_id": "r-1", "outcome": {"x": 1, "y": 2}})
    with pytest.raises(OverloadedError):
        made.take(told)
    assert guard.told == []
    assert made.take(message({"request_id": "r-1", "outcome": {"x": 1}})).accepted == 1
    made.close()


def test_what_is_lost_at_the_end_is_said(remembered, tmp_path, caplog):
    place = tmp_path / "a file"
    place.write_text("")
    settings = RecordSettings(folder=str(place / "log"), file_s=0.01)
    made = Outcomes(remembered, settings, guards=lambda model: None)
    made.take(message({"request_id": "r-1", "outcome": {"x": 1, "y": 2}}))
    until = time.monotonic() + 10
    while "is tried again" not in caplog.text:
        assert time.monotonic() < until
        time.sleep(0.01)
    assert made.close()
    assert "outcomes: the last 2 could not be written, and are lost" in caplog.text


def test_a_whole_number_is_one_however_it_is_written():
    (told,) = read_outcomes(b'{"outcomes": [{"request_id": "r", "row": 1.0, "outcome": {"x": 1}}]}')
    assert (told.row, type(told.row)) == (1, int)
    for row in ("1e400", "1e300", "-1.0", "0.5"):
        with pytest.raises(OutcomeError):
            read_outcomes(b'{"outcomes": [{"request_id": "r", "row": %b, "outcome": {"x": 1}}]}' % row.encode())


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        ({"outcome": {"x": 1}}, "either its request_id or its unit"),
        ({"request_id": "r", "unit": "u", "time": NOON, "outcome": {"x": 1}}, "either its request_id or its unit"),
        ({"request_id": 7, "outcome": {"x": 1}}, "no text"),
        ({"request_id": "", "outcome": {"x": 1}}, "no text"),
        ({"request_id": "\ud800", "outcome": {"x": 1}}, "no text"),
        ({"request_id": "r", "row": -1, "outcome": {"x": 1}}, "no number of a row"),
        ({"request_id": "r", "row": True, "outcome": {"x": 1}}, "no number of a row"),
        ({"request_id": "r", "row": 1.5, "outcome": {"x": 1}}, "no number of a row"),
        ({"unit": "u", "outcome": {"x": 1}}, "says when it happened"),
        ({"unit": "u", "row": 0, "time": NOON, "outcome": {"x": 1}}, "belongs to a request_id"),
        ({"unit": "u", "time": "2026-11-20T12:00:00", "outcome": {"x": 1}}, "no time with a zone"),
        ({"unit": "u", "time": 7, "outcome": {"x": 1}}, "no time with a zone"),
        ({"unit": "u", "time": "0001-01-01T00:00:00+14:00", "outcome": {"x": 1}}, "no time with a zone"),
        ({"request_id": "r"}, "no object with at least one value"),
        ({"request_id": "r", "outcome": {}}, "no object with at least one value"),
        ({"request_id": "r", "outcome": {"x": None}}, "no value that can be kept"),
        ({"request_id": "r", "outcome": {"x": [1]}}, "no value that can be kept"),
        ({"request_id": "r", "outcome": {"x": 2**60}}, "no value that can be kept"),
        ({"request_id": "r", "outcome": {"x": "y" * 2000}}, "no value that can be kept"),
        ({"request_id": "r", "outcom": {"x": 1}}, "did you mean 'outcome'"),
        (["r"], "no object"),
    ],
)
def test_what_is_malformed_is_refused_with_its_place(told, problem):
    with pytest.raises(OutcomeError) as caught:
        read_outcomes(message({"request_id": "r", "outcome": {"x": 1}}, told))
    assert problem in str(caught.value)
    assert all(one.row == 1 for one in caught.value.problems)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b'{"outcomes": []}',
        b'{"outcomes": {}}',
        b'{"outcomes": [{"request_id": "r", "outcome": {"x": NaN}}]}',
        b'{"outcomes": [{"request_id": "r", "outcome": {"x": 1, "x": 2}}]}',
        b'{"outcomes": [{"request_id": "r", "outcome": {"x": 1e999}}]}',
        b'{"outcomes": [{"request_id": "r", "outcome": {"x": ' + b"9" * 5000 + b"}}]}",
        b"[" * 100_000,
        message(*[{"request_id": "r", "outcome": {"x": 1}}] * 10_001),
    ],
    ids=lambda body: repr(body[:40]),
)
def test_a_body_that_is_none_is_refused(body):
    with pytest.raises(OutcomeError):
        read_outcomes(body)


def test_every_problem_is_listed_and_nothing_is_taken(outcomes, guard):
    with pytest.raises(OutcomeError) as caught:
        outcomes.take(message({"request_id": "r-1", "outcome": {"x": 1}}, {"row": -1, "outcome": {"x": None}}, 7))
    assert [problem.row for problem in caught.value.problems] == [1, 1, 1, 2]
    assert guard.told == []


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body):
    with contextlib.suppress(OutcomeError):
        assert read_outcomes(body)


def test_the_oldest_are_forgotten_first():
    made = Remembered(limit=100)
    for number in range(1000):
        made.observe(event(request_id=f"r-{number}", unit=f"u-{number % 150}"))
    assert made.request("r-900") is not None
    assert made.request("r-899") is None
    assert made.unit("u-99")
    assert not made.unit("u-100")


def record(request_id: str, when: int, **changes) -> dict:
    return {"request_id": request_id, "row": 0, "unit": "u", "model": "churn", "time": when, "shadow": False} | changes


def by_unit(when: int, value: float, received: int = 100) -> dict:
    every = {"request_id": None, "row": None, "unit": "u", "time": when, "received": received, "name": "x"}
    return every | {"number": value, "truth": None, "text": None}


def test_an_outcome_by_unit_belongs_to_the_last_request_before_it():
    records = [record("a", 1), record("b", 5), record("b", 5, row=1), record("c", 9), record("d", 2, model="other")]
    joined = join(records, [by_unit(6, 1.0), by_unit(0, 2.0)])
    assert [(row["request_id"], row["row"], values) for row, values in joined.pairs] == [
        ("b", 0, {"x": 1.0}),
        ("b", 1, {"x": 1.0}),
        ("d", 0, {"x": 1.0}),
    ]
    assert (joined.matched, joined.unmatched) == (1, 1)


@given(st.permutations(range(6)))
def test_the_order_of_files_does_not_matter(order):
    told = [
        by_unit(6, 1.0),
        by_unit(6, 2.0, received=101),
        by_unit(7, 3.0),
        by_unit(1, 4.0),
        by_unit(9, 5.0),
        by_unit(0, 6.0),
    ]
    joined = join([record("a", 1), record("b", 5)], [told[place] for place in order])
    assert [values for _, values in joined.pairs] == [{"x": 4.0}, {"x": 5.0}]
    assert (joined.matched, joined.unmatched) == (4, 1)


def test_what_the_server_wrote_is_joined(tmp_path):
    settings = RecordSettings(folder=str(tmp_path), file_s=0.05)
    log, remembered = RecordLog(settings), Remembered()
    made = Outcomes(remembered, settings, guards=lambda model: None)
    log.register("churn", contract([Field(name="age", datatype="float64")]))
    for number in range(20):
        told = event(request_id=f"r-{number}", table=Table(2, columns={"age": array("d", [number, -number])}))
        log.observe(told)
        remembered.observe(told)
    made.take(message(*[{"request_id": f"r-{number}", "row": 1, "outcome": {"x": number}} for number in range(10, 30)]))
    wait_for(lambda: files(tmp_path / "records") and files(tmp_path / "outcomes"))
    log.close()
    made.close()
    joined = join(read(tmp_path / "records"), read(tmp_path / "outcomes"))
    assert (joined.matched, joined.unmatched) == (10, 10)
    assert all(row["input_age"] == -values["x"] for row, values in joined.pairs)
