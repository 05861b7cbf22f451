"""Arrow and Parquet bodies give the same tables as JSON; hostile ones are refused before they unfold."""

from __future__ import annotations

import io
import math
import struct
import tracemalloc
from array import array
from contextlib import suppress
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import ipc
from serving_contracts import contract_for, floats

from modelwright.errors import MediaTypeError, MessageError, MissingExtraError, SignatureError, TooLargeError
from modelwright.serving.inference import Table
from modelwright.serving.intake.reader import Reader
from modelwright.spec.signature import Field

STREAM = "application/vnd.apache.arrow.stream"
FILE = "application/vnd.apache.arrow.file"
PARQUET = "application/vnd.apache.parquet"


def stream(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    with ipc.new_stream(sink, table.schema, options=ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table)
    return sink.getvalue()


def file(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    with ipc.new_file(sink, table.schema, options=ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table)
    return sink.getvalue()


def parquet(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


WAYS = [
    (STREAM, stream, {}),
    (STREAM, stream, {"compression": "zstd"}),
    (FILE, file, {}),
    (FILE, file, {"compression": "lz4"}),
    (PARQUET, parquet, {}),
    (PARQUET, parquet, {"compression": "gzip", "data_page_version": "2.0"}),
    (PARQUET, parquet, {"use_dictionary": False, "row_group_size": 1, "data_page_size": 1}),
]
every_way = pytest.mark.parametrize(("kind", "write", "options"), WAYS)


@every_way
@settings(deadline=None, max_examples=20)
@given(rows=st.lists(st.tuples(st.floats(allow_nan=False, allow_infinity=False), st.integers(-9, 9)), min_size=1))
def test_numbers_become_the_block_that_json_gives(kind, write, options, rows):
    table = pa.table({"b": pa.array([b for _, b in rows], pa.int8()), "a": [a for a, _ in rows]})
    question = Reader(floats("a", "b")).read(write(table, **options), kind)
    assert question.table == Table(len(rows), block=b"".join(struct.pack("2d", a, b) for a, b in rows))
    assert question.form == ("parquet" if kind == PARQUET else "arrow")


@every_way
def test_values_of_every_type_come_back_as_python_has_them(kind, write, options):
    held = {
        "flag": [True, None],
        "text": ["é:", "é:"],
        "level": pa.array(["a", None]).dictionary_encode(),
        "raw": [b"\x00", b""],
        "day": [date(2026, 11, 20), date(1970, 1, 1)],
        "at": pa.array([1_763_000_000_123_456_789, 0], pa.timestamp("ns")),
        "zoned": pa.array([datetime(2026, 11, 20), datetime(2026, 11, 21)], pa.timestamp("us", "UTC")),
        "span": pa.array([timedelta(seconds=1), timedelta(0)], pa.duration("us")),
        "sure": pa.array([Decimal("1.50"), Decimal("2.00")]),
        "tensor": pa.array([[1.0, 2.0], [3.0, 4.0]], pa.list_(pa.float32(), 2)),
        "names": [["x", "y"], []],
        "loose": [{"k": [1, 2], "t": "x"}, None],
    }
    fields = (
        Field(name="flag", datatype="bool", nullable=True),
        Field(name="text", datatype="string"),
        Field(name="level", datatype="string", nullable=True),
        Field(name="raw", datatype="bytes"),
        Field(name="day", datatype="date"),
        Field(name="at", datatype="datetime"),
        Field(name="zoned", datatype="datetime", timezone="UTC"),
        Field(name="span", datatype="duration"),
        Field(name="sure", datatype="float64"),
        Field(name="tensor", datatype="float64", shape=(2,)),
        Field(name="names", datatype="string", shape=(-1,)),
        Field(name="loose", datatype="json"),
    )
    columns = dict(Reader(contract_for(*fields)).read(write(pa.table(held), **options), kind).table.columns or {})
    assert [value.isoformat() for value in columns.pop("zoned")] == [
        "2026-11-20T00:00:00+00:00",
        "2026-11-21T00:00:00+00:00",
    ]
    assert columns.pop("at")[0] == datetime(2025, 11, 13, 2, 13, 20, 123456)
    assert columns == {
        "flag": [True, None],
        "text": ["é:", "é:"],
        "level": ["a", None],
        "raw": [b"\x00", b""],
        "day": [date(2026, 11, 20), date(1970, 1, 1)],
        "span": [timedelta(seconds=1), timedelta(0)],
        "sure": [1.5, 2.0],
        "tensor": [[1.0, 2.0], [3.0, 4.0]],
        "names": [["x", "y"], []],
        "loose": [{"k": [1, 2], "t": "x"}, None],
    }


@every_way
def test_rows_that_do_not_fit_list_every_problem(kind, write, options):
    table = pa.table({"a": [1.0, None, float("inf")], "c": ["x", "y", "z"]})
    with pytest.raises(SignatureError) as caught:
        Reader(floats("a", "b")).read(write(table, **options), kind)
    said = [str(problem) for problem in caught.value.problems]
    assert "row 1, column 'a': is missing; a value is needed" in said
    assert "row 2, column 'a': is infinite; a finite number is needed" in said
    assert any("'b'" in one for one in said)
    assert any("'c'" in one for one in said)


def test_null_in_a_block_is_nan_where_it_may_be():
    for nan in (None, float("nan")):
        table = pa.table({"a": pa.array([1.0, nan], pa.float64())})
        block = Reader(floats("a", nullable=True)).read(stream(table), STREAM).table.block
        assert [value == value for value in struct.unpack("2d", block or b"")] == [True, False]


@pytest.mark.parametrize("write", [stream, parquet])
def test_numbers_of_a_mixed_table_stay_as_they_are_unless_one_must_be_looked_at(write):
    said = Field(name="said", datatype="string", native="object")
    whole = Field(name="whole", datatype="int8", native="int8")
    part = Field(name="part", datatype="float64", native="float64", nullable=True)
    own = Field(name="own", datatype="float64", nullable=True)
    contract = contract_for(said, whole, part, own)

    def columns(**sent: Any) -> Any:
        table = pa.table({"said": ["a", "b"], "whole": [1, -2], "part": [0.5, None], "own": [None, 1.5]} | sent)
        kind = "application/vnd.apache.arrow.stream" if write is stream else "application/vnd.apache.parquet"
        return Reader(contract).read(write(table), kind).table.columns

    found = columns()
    assert found["said"] == ["a", "b"]
    assert found["whole"] == array("q", [1, -2])
    assert isinstance(found["part"], array)
    assert found["part"][0] == 0.5
    assert math.isnan(found["part"][1]), "as it reaches a column of NumPy's floats"
    assert found["own"] == [None, 1.5], "a model that takes no frame is given null"
    assert columns(part=pa.array([1, 2], pa.uint8()))["part"] == array("d", [1.0, 2.0])

    for unfit, problem in (
        ({"whole": [1, 300]}, "whole"),
        ({"whole": pa.array([None, 1], pa.int8())}, "whole"),
        ({"whole": [0.5, 1.0]}, "whole"),
        ({"part": [0.5, math.inf]}, "part"),
        ({"said": [1, 2]}, "said"),
    ):
        with pytest.raises(SignatureError) as refused:
            columns(**unfit)
        assert {one.column for one in refused.value.problems} == {problem}


@every_way
def test_too_many_rows_and_none_are_refused(kind, write, options):
    options = {**options, "row_group_size": 100_000} if "row_group_size" in options else options
    with pytest.raises(TooLargeError, match="at most 100000"):
        Reader(floats("a")).read(write(pa.table({"a": pa.array(range(100_001), pa.int32())}), **options), kind)
    with pytest.raises(MessageError, match="holds no rows"):
        Reader(floats("a")).read(write(pa.table({"a": pa.array([], pa.float64())}), **options), kind)


@pytest.mark.parametrize("kind", [STREAM, FILE, PARQUET])
@pytest.mark.parametrize(
    "body", [b"", b"{}", b"ARROW1\0\0", b"PAR1PAR1", b"\xff\xff\xff\xff\xff\xff\xff\x7f", bytes(99)]
)
def test_what_is_no_such_body_is_refused(kind, body):
    with pytest.raises(MessageError) as caught:
        Reader(floats("a")).read(body, kind)
    assert "/" not in caught.value.why.replace("and/or", "")


@every_way
def test_a_damaged_body_is_refused_or_read_but_never_more(kind, write, options):
    table = pa.table({"a": [1.0, 2.0, 3.0], "s": ["x", "yy", "zzz"]})
    body = write(table, **options)
    reader = Reader(contract_for(Field(name="a", datatype="float64"), Field(name="s", datatype="string")))
    for place in range(len(body)):
        for altered in (body[:place], body[:place] + bytes([body[place] ^ 0xFF]) + body[place + 1 :]):
            with suppress(MessageError, SignatureError, TooLargeError):
                assert reader.read(altered, kind).table.size <= 100_000


def test_columns_of_one_name_and_types_that_no_field_has_are_refused():
    twice = pa.Table.from_arrays([pa.array([1.0]), pa.array([2.0])], names=["a", "a"])
    with pytest.raises(MessageError, match="'a' more than once"):
        Reader(floats("a")).read(stream(twice), STREAM)
    for odd in (
        pa.array(["x"], pa.string_view()),
        pa.array([1], pa.time64("us")),
        pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int8())),
    ):
        with pytest.raises(MessageError, match="which no field has"):
            Reader(floats("a")).read(stream(pa.table({"a": odd})), STREAM)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (STREAM, stream(pa.table({"a": pa.array([bytes(20_000_000)])}), compression="zstd")),
        (FILE, file(pa.table({"a": pa.array([bytes(20_000_000)])}), compression="lz4")),
        (PARQUET, parquet(pa.table({"a": pa.array([bytes(20_000_000)])}), compression="zstd")),
        (STREAM, stream(pa.table({"a": pa.array([bytes(20_000_000)]).dictionary_encode()}), compression="zstd")),
        (STREAM, stream(pa.table({"a": pa.array([[None] * 20_000_000], pa.list_(pa.null()))}))),
        (PARQUET, parquet(pa.table({"a": pa.array([[1.0] * 20_000_000])}))),
    ],
    ids=["zstd stream", "lz4 file", "zstd parquet", "dictionary", "nulls", "repeated"],
)
def test_a_bomb_is_refused_before_it_unfolds(kind, body):
    assert len(body) < 1_000_000
    reader = Reader(contract_for(Field(name="a", datatype="json")))
    before = pa.total_allocated_bytes()
    tracemalloc.start()
    with pytest.raises(TooLargeError, match="would unpack to more than 16777216"):
        reader.read(body, kind)
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()
    assert pa.total_allocated_bytes() - before < 1_000_000


def test_one_long_text_in_every_row_is_held_once():
    indices = pa.array([0] * 50_000, pa.int32())
    table = pa.table({"a": pa.DictionaryArray.from_arrays(indices, pa.array(["x" * 1_000_000]))})
    reader = Reader(contract_for(Field(name="a", datatype="string")))
    for kind, body in ((STREAM, stream(table)), (PARQUET, parquet(table))):
        tracemalloc.start()
        columns = reader.read(body, kind).table.columns or {}
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert len(columns["a"]) == 50_000
        assert len({id(value) for value in columns["a"]}) == 1
        assert peak < 20_000_000


def test_an_encoding_whose_size_cannot_be_known_is_refused():
    table = pa.table({"a": ["x" * 1000 + str(row) for row in range(1000)]})
    body = parquet(table, use_dictionary=False, column_encoding={"a": "DELTA_BYTE_ARRAY"})
    with pytest.raises(MessageError) as caught:
        Reader(contract_for(Field(name="a", datatype="string"))).read(body, PARQUET)
    assert "DELTA_BYTE_ARRAY" in caught.value.why


def test_without_the_library_one_line_installs_it(monkeypatch):
    monkeypatch.setattr("modelwright.plugins.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError) as caught:
        Reader(floats("a")).read(b"x", STREAM)
    assert caught.value.hint == 'pip install "modelwright[serve]"'


def test_a_reader_says_what_it_has_to_import_first():
    reader = Reader(floats("a"))
    assert reader.knows("application/json")
    assert not reader.knows(STREAM)
    reader.read(stream(pa.table({"a": [1.0]})), STREAM)
    assert reader.knows(STREAM)
    with pytest.raises(MediaTypeError):
        Reader(floats("a")).knows("image/png")
