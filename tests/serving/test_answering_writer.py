"""Answers are written in the form that was sent, with the values that the package itself gives."""

from __future__ import annotations

import csv
import io
import json
import math
from array import array
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import ipc
from serving_contracts import contract_for

from modelwright.errors import MissingExtraError, OutputError
from modelwright.runtime.encoding import encode
from modelwright.runtime.model import Model
from modelwright.serving.answering.outputs import columns, lists, records
from modelwright.serving.answering.writer import Writer
from modelwright.serving.contract import Contract
from modelwright.serving.inference import Answer, Values
from modelwright.spec.signature import Field, Output

PREDICTION = Output(name="churn", datatype="string")
PROBABILITY = Output(name="probability", datatype="float64", shape=(2,), labels=("no", "yes"), method="predict_proba")
CONTRACT = contract_for(Field(name="x", datatype="float64"), outputs=(PREDICTION, PROBABILITY))
BOTH = ("predict", "predict_proba")


def floats(*numbers: float) -> memoryview:
    return memoryview(array("d", numbers))


def answer(size: int = 2, **outputs: Values) -> Answer:
    return Answer(
        request_id="r-1",
        model="churn",
        version="1.3.0",
        digest="d" * 64,
        variant="main",
        size=size,
        outputs=outputs,
    )


ANSWER = answer(churn=Values(["yes", "no"]), probability=Values(floats(0.1, 0.9, 0.75, 0.25), "float64", (2,)))
ABOUT = {"model": "churn", "version": "1.3.0", "variant": "main", "request_id": "r-1"}


def written(form: str, methods: tuple[str, ...] = BOTH, given: Answer = ANSWER, by: Contract = CONTRACT) -> bytes:
    body, kind = Writer(by).write(given, methods, form)
    assert (
        kind.partition(";")[0]
        == {
            "rows": "application/json",
            "columns": "application/json",
            "csv": "text/csv",
            "arrow": "application/vnd.apache.arrow.stream",
            "parquet": "application/vnd.apache.parquet",
        }[form]
    )
    return body


def test_rows_are_answered_with_records():
    assert json.loads(written("rows")) == ABOUT | {
        "predictions": [
            {"churn": "yes", "probability": {"no": 0.1, "yes": 0.9}},
            {"churn": "no", "probability": {"no": 0.75, "yes": 0.25}},
        ]
    }
    assert json.loads(written("rows", ("predict",)))["predictions"] == [{"churn": "yes"}, {"churn": "no"}]


def test_columns_are_answered_with_columns_named_like_those_of_a_frame():
    flat = {"churn": ["yes", "no"], "probability_no": [0.1, 0.75], "probability_yes": [0.9, 0.25]}
    assert json.loads(written("columns")) == ABOUT | {"columns": flat}
    assert list(csv.reader(io.StringIO(written("csv").decode()))) == [
        ["churn", "probability_no", "probability_yes"],
        ["yes", "0.1", "0.9"],
        ["no", "0.75", "0.25"],
    ]
    for table in (ipc.open_stream(written("arrow")).read_all(), pq.read_table(pa.BufferReader(written("parquet")))):
        assert table.to_pydict() == flat
        assert table.schema.types == [pa.string(), pa.float64(), pa.float64()]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_floats_come_back_to_the_last_bit(numbers):
    contract = contract_for(Field(name="x", datatype="float64"))
    given = answer(len(numbers), prediction=Values(floats(*numbers), "float64"))
    expected = [repr(number) for number in numbers]
    read = json.loads(written("rows", ("predict",), given, contract))["predictions"]
    assert [repr(row["prediction"]) for row in read] == expected
    table = ipc.open_stream(written("arrow", ("predict",), given, contract)).read_all()
    assert [repr(value) for value in table["prediction"].to_pylist()] == expected
    assert written("csv", ("predict",), given, contract).decode().split() == ["prediction", *expected]


def test_values_that_are_not_finite_are_text_in_json_and_themselves_in_arrow():
    output = Output(name="y", datatype="float64", nullable=True, infinite=True)
    contract = contract_for(Field(name="x", datatype="float64"), outputs=(output,))
    for values in (
        Values(floats(1.5, math.nan, math.inf, -math.inf), "float64"),
        Values([1.5, math.nan, "Infinity", -math.inf]),
    ):
        given = answer(4, y=values)
        assert json.loads(written("columns", ("predict",), given, contract))["columns"] == {
            "y": [1.5, "NaN", "Infinity", "-Infinity"]
        }
        table = ipc.open_stream(written("arrow", ("predict",), given, contract)).read_all()
        assert repr(table["y"].to_pylist()) == "[1.5, nan, inf, -inf]"
    missing = answer(1, y=Values([None]))
    assert json.loads(written("rows", ("predict",), missing, contract))["predictions"] == [{"y": None}]
    assert written("csv", ("predict",), missing, contract) == b'y\n""\n'


@pytest.mark.parametrize("dtype", ["bool", "int8", "int64", "uint8", "uint64", "float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 2)])
@pytest.mark.parametrize("size", [0, 1, 4])
def test_arrays_become_what_numpy_says(dtype, shape, size):
    made = (np.arange(size * math.prod(shape)) % 3 * 0.7).astype(dtype).reshape((size, *shape))
    assert lists(Values(memoryview(made.tobytes()), dtype, shape)) == made.tolist()


OUTPUTS = [
    (Output(name="y", datatype="float64"), [1.5, 2.0]),
    (Output(name="y", datatype="int64"), [1, 2]),
    (Output(name="y", datatype="float64", shape=(2,), labels=(0, 1)), [[0.5, 0.5], [0.25, 0.75]]),
    (Output(name="y", datatype="float64", shape=(2,), labels=(False, True)), [[0.5, 0.5], [0.25, 0.75]]),
    (Output(name="y", datatype="float32", shape=(2,)), [[0.5, 0.5], [0.25, 0.75]]),
    (Output(name="y", datatype="float64", shape=(2, 2)), [[[1.0, 2.0], [3.0, 4.0]]] * 2),
    (Output(name="y", datatype="json"), [{"top": ["a", None]}, {"top": [], "score": math.inf}]),
    (Output(name="y", datatype="date"), [date(2026, 11, 20), date(2026, 1, 1)]),
    (Output(name="y", datatype="datetime"), [datetime(2026, 11, 20, 13, 45), datetime(2026, 1, 1)]),
    (Output(name="y", datatype="duration"), [timedelta(seconds=1.5), timedelta(0)]),
    (Output(name="y", datatype="bytes"), [b"\x00", b"hi"]),
    (Output(name="y", datatype="bool", nullable=True), [True, None]),
]


@pytest.mark.parametrize(("output", "values"), OUTPUTS)
def test_records_and_columns_are_those_of_the_package(output, values):
    """The oracle is the runtime: a model that answers these values, asked as a library."""
    contract = contract_for(Field(name="x", datatype="float64"), outputs=(output,))
    manifest = {"name": "m", "version": "1.0", "storage": {}, "signature": contract.signature}
    model = Model(lambda rows: values, manifest)
    given = answer(2, y=Values([encode(value) for value in values]))
    assert records(contract, given, ("predict",)) == encode(model.predict([{"x": 1.0}, {"x": 2.0}]))
    assert columns(contract, given, ("predict",)) == encode(model.predict({"x": [1.0, 2.0]}))


@pytest.mark.parametrize(("output", "values"), OUTPUTS)
@pytest.mark.parametrize("form", ["rows", "columns", "csv", "arrow", "parquet"])
def test_every_kind_of_output_can_be_written_in_every_form(output, values, form):
    contract = contract_for(Field(name="x", datatype="float64"), outputs=(output,))
    given = answer(2, y=Values([encode(value) for value in values]))
    body = written(form, ("predict",), given, contract)
    assert body
    if form == "arrow" and output.datatype != "json":
        table: dict[str, Any] = ipc.open_stream(body).read_all().to_pydict()
        whole = values if len(table) == 1 else [list(row) for row in zip(*table.values(), strict=True)]
        assert (table["y"] if len(table) == 1 else whole) == values


@pytest.mark.parametrize("form", ["arrow", "parquet"])
def test_values_of_another_type_than_declared_are_no_failure_of_the_server(form):
    contract = contract_for(Field(name="x", datatype="float64"), outputs=(Output(name="y", datatype="int8"),))
    with pytest.raises(OutputError, match="values that are no int8"):
        written(form, ("predict",), answer(2, y=Values([1, "x"])), contract)
    with pytest.raises(OutputError, match="values that are no int8"):
        written(form, ("predict",), answer(1, y=Values([1000])), contract)


def test_json_is_text_in_arrow_so_that_a_column_has_one_type():
    contract = contract_for(Field(name="x", datatype="float64"), outputs=(Output(name="y", datatype="json"),))
    table = ipc.open_stream(
        written("arrow", ("predict",), answer(3, y=Values([1, {"a": []}, None])), contract)
    ).read_all()
    assert table.to_pydict() == {"y": ["1", '{"a":[]}', None]}


def test_a_method_without_outputs_in_the_signature_answers_what_it_likes():
    contract = contract_for(Field(name="x", datatype="float64"), outputs=(PREDICTION,))
    contract.outputs["transform"] = ({"name": "transform", "datatype": "json"},)
    given = answer(1, transform=Values([[1, {"a": math.nan}]]))
    assert json.loads(written("rows", ("transform",), given, contract))["predictions"] == [
        {"transform": [1, {"a": "NaN"}]}
    ]


def test_without_the_library_one_line_installs_it(monkeypatch):
    monkeypatch.setattr("modelwright.plugins.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError) as caught:
        Writer(CONTRACT).write(ANSWER, BOTH, "arrow")
    assert caught.value.hint == 'pip install "modelwright[serve]"'
