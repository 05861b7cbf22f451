"""What is dropped cannot be found in a file's bytes; what is hashed can only be recognised by who has the salt."""

from __future__ import annotations

import hashlib
import hmac
import tempfile
from datetime import datetime
from pathlib import Path

import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import contract, event, files

from modelwright.serving.deployment import RecordSettings
from modelwright.serving.inference import Table, Values
from modelwright.serving.observing.records.log import RecordLog
from modelwright.spec.record import hashed, is_sampled, schema_of, treatment
from modelwright.spec.signature import Field, Output

texts = st.text(st.characters(codec="utf-8"), min_size=8, max_size=40).filter(lambda text: len(set(text)) > 4)
FIELDS = [
    Field(name="kept", datatype="int64"),
    Field(name="dropped", datatype="string", categories=("CATEGORY-OF-DROPPED",), training_range=("LOWEST", "HIGHEST")),
    Field(name="masked", datatype="string"),
]
OUTPUTS = [
    Output(name="prediction", datatype="float64"),
    Output(name="note", datatype="string", labels=("LABEL-OF-DROPPED",)),
]
COLUMNS = {"dropped": "drop", "note": "drop", "masked": "hash", "unit": "hash"}


def bytes_of(rows: list[tuple[str, str, str, str]]) -> tuple[bytes, dict[str, list]]:
    """The file of records with a dropped, a hashed, a dropped output and a unit each; whole bytes, and as columns."""
    with tempfile.TemporaryDirectory() as folder:
        log = RecordLog(RecordSettings(folder=folder, columns=COLUMNS, salt="pepper"))
        log.register("churn", contract(FIELDS, OUTPUTS))
        for number, (dropped, masked, note, unit) in enumerate(rows):
            table = Table(1, columns={"kept": [number], "dropped": [dropped], "masked": [masked]})
            outputs = {"prediction": Values([0.5]), "note": Values([note])}
            log.observe(event(request_id="", table=table, outputs=outputs, unit=unit))
        assert log.close()
        (path,) = files(Path(folder))
        return path.read_bytes(), pq.ParquetFile(path).read().to_pydict()


@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(texts, texts, texts, texts), min_size=1, max_size=4))
def test_no_value_that_is_dropped_or_hashed_is_in_the_bytes(rows):
    raw, columns = bytes_of(rows)
    for row in rows:
        for value in row:
            assert value.encode() not in raw
    assert b"OF-DROPPED" not in raw
    assert b"LOWEST" not in raw
    assert columns["input_masked"] == [hashed(row[1], b"pepper") for row in rows]
    assert columns["unit"] == [hashed(row[3], b"pepper") for row in rows]
    assert "input_dropped" not in columns
    assert "output_note" not in columns


@given(texts, st.binary(min_size=1, max_size=64))
def test_a_hash_is_the_hmac_of_the_text(value, salt):
    assert hashed(value, salt) == hmac.new(salt, value.encode(), hashlib.sha256).hexdigest()[:32]


@given(st.one_of(st.integers(), st.text(), st.booleans(), st.floats(allow_nan=False)), st.binary(min_size=1))
def test_equal_values_have_equal_hashes_and_another_salt_another(value, salt):
    assert hashed(value, salt) == hashed(value, salt) != hashed(value, salt + b"x")


def test_what_other_types_are_hashed_as_is_fixed():
    salt = b"pepper"
    assert hashed(17, salt) == hashed("17", salt)
    assert hashed(1.0, salt) == hashed("1.0", salt)
    assert hashed(True, salt) == hashed("true", salt)
    assert hashed([1, "ä"], salt) == hashed('[1,"ä"]', salt)
    assert hashed(datetime(2026, 11, 20), salt) == hashed("2026-11-20T00:00:00", salt)
    assert hashed(float("nan"), salt) is None


@given(st.text(), st.floats(0, 1))
def test_sampling_is_the_same_every_time_and_grows_with_the_share(request_id, share):
    assert is_sampled(request_id, share) == is_sampled(request_id, share)
    assert is_sampled(request_id, 1.0)
    assert not is_sampled(request_id, 0.0)
    if is_sampled(request_id, share):
        assert is_sampled(request_id, min(1.0, share * 1.5))


def test_a_sample_is_as_large_as_it_says():
    share = sum(is_sampled(f"r-{number}", 0.2) for number in range(20_000)) / 20_000
    assert 0.19 < share < 0.21


@given(st.dictionaries(st.text(), st.sampled_from(["keep", "hash", "drop"])), st.text())
def test_a_name_is_treated_by_its_own_setting_then_by_the_star_then_kept(columns, name):
    assert treatment(columns, name) == columns.get(name, columns.get("*", "keep"))


def test_the_schema_names_what_was_dropped_and_nothing_of_its_values():
    found = contract(FIELDS, OUTPUTS)
    signature = found.manifest.signature
    schema = schema_of(signature, COLUMNS, model="churn", version="1", methods=("predict",))
    dropped = [column for column in schema.columns if column not in schema.kept]
    assert [column.name for column in dropped] == ["dropped", "note"]
    assert all(column.labels is None for column in dropped)
    assert next(column for column in schema.kept if column.name == "masked").datatype == "string"
