"""Records: every value in its type, in its column, in its row."""

from __future__ import annotations

import re
from array import array
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from recorded import DIGEST, contract, event, files, read, table

from modelwright.errors import RecordLogError
from modelwright.serving.deployment import RecordSettings
from modelwright.serving.inference import Table, Values
from modelwright.serving.observing.records.checking import check
from modelwright.serving.observing.records.log import RecordLog
from modelwright.spec.outcome import OUTCOME_COLUMNS
from modelwright.spec.record import EVERY_RECORD, NOTE, RecordSchema, hashed
from modelwright.spec.signature import Field, Output

TYPES = {
    "bool": ([True, None], pa.bool_()),
    "int8": ([-3, None], pa.int8()),
    "uint64": ([2**64 - 1, None], pa.uint64()),
    "float16": ([0.5, None], pa.float32()),
    "float32": ([0.5, None], pa.float32()),
    "float64": ([0.1, None], pa.float64()),
    "string": (["né\x00", None], pa.string()),
    "bytes": ([b"\x00\xff", None], pa.binary()),
    "date": ([date(2026, 11, 20), None], pa.date32()),
    "datetime": ([datetime(2026, 11, 20, 8, 30, 0, 7), None], pa.timestamp("us")),
}
BLOCK = [Field(name="age", datatype="float64"), Field(name="spent", datatype="float64")]


def logged(found, *events, **settings) -> RecordLog:
    log = RecordLog(RecordSettings(**settings))
    log.register("churn", found)
    for one in events:
        log.observe(one)
    assert log.close()
    return log


@pytest.mark.parametrize("datatype", TYPES)
def test_a_value_comes_back_in_its_type(datatype, tmp_path):
    values, kind = TYPES[datatype]
    found = contract([Field(name="x", datatype=datatype, nullable=True)])
    log = logged(found, event(table=Table(2, columns={"x": values})), folder=str(tmp_path))
    got = table(tmp_path)
    assert got.schema.field("input_x").type == kind
    assert got["input_x"].to_pylist() == values
    assert log.dropped == {"misfit": 0, "disk": 0, "unknown": 0, "queue": 0}


def test_a_time_with_a_zone_a_duration_json_and_tensors_come_back(tmp_path):
    moment = datetime(2026, 11, 20, 8, tzinfo=timezone(timedelta(hours=1)))
    found = contract(
        [
            Field(name="when", datatype="datetime", timezone="Europe/Berlin"),
            Field(name="wait", datatype="duration", nullable=True),
            Field(name="any", datatype="json"),
            Field(name="image", datatype="float32", shape=(2, -1)),
            Field(name="waits", datatype="duration", shape=(2,)),
        ]
    )
    columns = {
        "when": [moment],
        "wait": [timedelta(seconds=1.5)],
        "any": [{"a": [1, None]}],
        "image": [[[1.0], [2.0]]],
        "waits": [[timedelta(seconds=1), timedelta(0)]],
    }
    logged(found, event(table=Table(1, columns=columns)), folder=str(tmp_path))
    got = table(tmp_path)
    assert got.schema.field("input_when").type == pa.timestamp("us", tz="Europe/Berlin")
    (row,) = got.to_pylist()
    assert row["input_when"] == moment
    assert (row["input_wait"], row["input_any"]) == (1.5, '{"a":[1,null]}')
    assert row["input_image"] == [[1.0], [2.0]]
    assert row["input_waits"] == [1.0, 0.0]


def test_every_record_says_which_request_version_and_variant_it_was(tmp_path):
    found = contract(BLOCK, container="numpy", array_dtype="float64")
    told = event(
        table=Table(2, block=array("d", [1, 2, 3, 4]).tobytes()),
        outputs={"prediction": Values(memoryview(array("d", [0.25, 0.5])), "float64")},
        unit="customer-17",
        seconds=0.004,
        queue_seconds=0.001,
        predict_seconds=0.002,
    )
    log = logged(found, told, folder=str(tmp_path))
    first, second = read(tmp_path)
    assert first == {
        "record_version": 1,
        "time": datetime(2026, 11, 18, 11, 6, 40, 250000, tzinfo=UTC),
        "request_id": "r-1",
        "row": 0,
        "model": "churn",
        "version": "1.3.0",
        "digest": DIGEST,
        "variant": "control",
        "shadow": False,
        "transport": "rest",
        "unit": "customer-17",
        "status": 200,
        "error": None,
        "seconds": 0.004,
        "queue_seconds": 0.001,
        "predict_seconds": 0.002,
        "input_age": 1.0,
        "input_spent": 2.0,
        "output_prediction": 0.25,
    }
    assert (second["row"], second["input_age"], second["input_spent"], second["output_prediction"]) == (1, 3, 4, 0.5)
    assert list(first)[: len(EVERY_RECORD)] == [column.column for column in EVERY_RECORD]
    assert log.written == 2


def test_rows_of_many_requests_of_every_form_keep_their_answers(tmp_path):
    found = contract(BLOCK, container="numpy", array_dtype="float64")
    events = []
    for number in range(500):
        size = number % 4
        rows = array("d", [number * 10 + place for place in range(2 * size)])
        answers = array("d", rows[0::2])
        values = Values(list(answers)) if number % 3 else Values(memoryview(answers), "float64")
        outputs = None if number % 7 == 0 else {"prediction": values}
        judged = None if number % 11 == 0 else Table(size, block=rows.tobytes())
        failed = outputs is None or judged is None
        events.append(
            event(
                request_id=f"r-{number}",
                table=judged,
                outputs=outputs if judged else None,
                status=500 if failed else 200,
            )
        )
    logged(found, *events, folder=str(tmp_path))
    rows = read(tmp_path)
    wanted = sum(1 if one.table is None else one.table.size for one in events)
    assert len(rows) == wanted
    for row in rows:
        number = int(row["request_id"][2:])
        if number % 11 == 0:
            assert row["row"] is row["input_age"] is row["output_prediction"] is None
            continue
        assert row["input_age"] == number * 10 + 2 * row["row"]
        assert row["input_spent"] == row["input_age"] + 1
        assert row["output_prediction"] == (None if number % 7 == 0 else row["input_age"])


def test_probabilities_are_lists_and_labels_stand_in_the_schema(tmp_path):
    outputs = [
        Output(name="prediction", datatype="string"),
        Output(name="probability", datatype="float64", shape=(2,), labels=("no", "yes"), method="predict_proba"),
    ]
    found = contract([Field(name="x", datatype="int64")], outputs)
    told = event(
        table=Table(2, columns={"x": array("q", [1, 2])}),
        outputs={
            "prediction": Values(["no", "yes"]),
            "probability": Values(memoryview(array("d", [0.9, 0.1, 0.2, 0.8])), "float64", (2,)),
        },
    )
    logged(found, told, folder=str(tmp_path))
    assert [row["output_probability"] for row in read(tmp_path)] == [[0.9, 0.1], [0.2, 0.8]]
    note = pq.read_metadata(files(tmp_path)[0]).metadata[NOTE.encode()]
    schema = msgspec.json.decode(note, type=RecordSchema)
    assert schema.kept[-1].labels == ("no", "yes")
    assert (schema.model, schema.version, schema.digest) == ("churn", "1.3.0", DIGEST)
    assert [column.column for column in schema.kept] == table(tmp_path).schema.names


def test_an_array_of_truth_values_or_float16_is_an_answer_too(tmp_path):
    outputs = [Output(name="flag", datatype="bool"), Output(name="half", datatype="float16")]
    found = contract([Field(name="x", datatype="int64")], outputs)
    halves = memoryview(bytes.fromhex("003800bc"))
    told = event(
        table=Table(2, columns={"x": [1, 2]}),
        outputs={"flag": Values(memoryview(b"\x00\x01"), "bool"), "half": Values(halves, "float16")},
    )
    logged(found, told, folder=str(tmp_path))
    assert [(row["output_flag"], row["output_half"]) for row in read(tmp_path)] == [(False, 0.5), (True, -1.0)]


def test_versions_have_files_of_their_own(tmp_path):
    log = RecordLog(RecordSettings(folder=str(tmp_path)))
    log.register("churn", contract(BLOCK))
    log.register("churn", contract([Field(name="other", datatype="string")], version="1.4.0", digest="cd" * 32))
    log.observe(event(table=Table(1, columns={"age": [1.0], "spent": [2.0]})))
    log.observe(event(version="1.4.0", digest="cd" * 32, table=Table(1, columns={"other": ["x"]})))
    log.close()
    old, new = files(tmp_path)
    assert old.parent == tmp_path / "records" / "churn" / "1.3.0-abababababab"
    assert new.parent == tmp_path / "records" / "churn" / "1.4.0-cdcdcdcdcdcd"
    assert "input_other" in pq.read_schema(new).names
    assert "-churn-abababababab-" in old.name


def test_a_request_that_reached_no_version_is_no_record(tmp_path):
    log = logged(contract(BLOCK), event(version="", status=404), folder=str(tmp_path))
    assert files(tmp_path) == []
    assert sum(log.dropped.values()) == 0


def test_one_event_that_does_not_fit_takes_no_other_with_it(tmp_path):
    good = [event(request_id=f"g-{n}", table=Table(1, columns={"age": [1.0], "spent": [2.0]})) for n in range(5)]
    bad = [
        event(table=Table(1, columns={"age": ["old"], "spent": [2.0]})),
        event(table=Table(1, columns={"age": [1.0]})),
        event(table=Table(2, columns={"age": [1.0], "spent": [2.0]})),
        event(table=Table(1, block=b"12345678")),
        event(request_id="\ud800", table=Table(1, columns={"age": [1.0], "spent": [2.0]})),
    ]
    log = logged(contract(BLOCK), *[one for pair in zip(good, bad, strict=True) for one in pair], folder=str(tmp_path))
    assert [row["request_id"] for row in read(tmp_path)] == [one.request_id for one in good]
    assert log.dropped["misfit"] == 6


def test_a_version_that_nobody_registered_is_counted(tmp_path):
    log = logged(contract(BLOCK), event(version="9.9"), folder=str(tmp_path))
    assert log.dropped["unknown"] == 1


def test_settings_that_cannot_be_honoured_are_refused_with_every_problem():
    settings = RecordSettings(folder="x", columns={"agee": "hash", "*": "drop"}, sample=1.5)
    with pytest.raises(RecordLogError) as caught:
        check(settings, [contract(BLOCK)])
    assert len(caught.value.problems) == 3
    assert "did you mean 'age'?" in str(caught.value)


def test_the_unit_is_treated_by_its_name_or_by_the_star(tmp_path):
    told = event(unit="customer-17", table=Table(1, columns={"age": [1.0], "spent": [2.0]}))
    logged(contract(BLOCK), told, folder=str(tmp_path / "1"), columns={"*": "hash"}, salt="pepper")
    logged(contract(BLOCK), told, folder=str(tmp_path / "2"), columns={"*": "hash", "unit": "drop"}, salt="pepper")
    assert read(tmp_path / "1")[0]["unit"] == hashed("customer-17", b"pepper")
    assert "unit" not in read(tmp_path / "2")[0]


def test_the_documentation_lists_every_column():
    page = Path(__file__).parents[2] / "docs" / "reference" / "record-log.md"
    listed = re.findall(r"^\| `(\w+)` \| (\w+) \| (.+) \|$", page.read_text(encoding="utf-8"), re.MULTILINE)
    columns = (*EVERY_RECORD, *OUTCOME_COLUMNS)
    assert listed == [(one.column, one.datatype, one.description.replace("``", "`")) for one in columns]
