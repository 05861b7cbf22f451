"""Outputs become tensors: every form of values, every datatype, nothing lost on the way."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwright.errors import OutputError
from modelwright.serving.inference import Values
from modelwright.serving.tensors.datatypes import DATATYPES, datatype_of, takes
from modelwright.serving.tensors.elements import read_tensor
from modelwright.serving.tensors.tensor import SentTensor
from modelwright.serving.tensors.writing import OutTensor, tensor_of

NUMBERS = [
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64",
]  # fmt: skip


def array_values(array: Any) -> Values:
    return Values(memoryview(numpy.ascontiguousarray(array)).cast("B"), array.dtype.name, array.shape[1:])


def written(array: Any, datatype: str, **field: Any) -> OutTensor:
    return tensor_of({"name": "y", "datatype": datatype, **field}, array_values(array), len(array))


@pytest.mark.parametrize("datatype", NUMBERS)
def test_an_array_of_its_own_datatype_is_its_bytes(datatype: str) -> None:
    array = numpy.array([[0, 1], [1, 0]], dtype=datatype)
    tensor = written(array, datatype, shape=[2])
    assert tensor.shape == (2, 2)
    assert tensor.binary() == array.tobytes()
    assert tensor.listed() == array.ravel().tolist()


@pytest.mark.parametrize("promised", [name for name in NUMBERS if name != "bool"])
@pytest.mark.parametrize("given_as", NUMBERS)
def test_another_datatype_becomes_the_promised_one(promised: str, given_as: str) -> None:
    array = numpy.array([0, 1, 1], dtype=given_as)
    assert written(array, promised).binary() == array.astype(promised).tobytes()


def test_what_does_not_fit_the_promised_datatype_is_refused() -> None:
    for array, datatype in (
        (numpy.array([1.5]), "int64"),
        (numpy.array([300]), "uint8"),
        (numpy.array([1e9]), "float16"),
    ):
        with pytest.raises(OutputError, match="do not fit"):
            written(array, datatype).binary()


def test_not_a_number_is_missing_where_whole_numbers_are_promised() -> None:
    tensor = written(numpy.array([1.0, numpy.nan]), "int64", nullable=True)
    assert tensor.listed() == [1, None]
    with pytest.raises(OutputError, match="no word"):
        tensor.binary()


def test_floats_that_are_not_finite_are_text_in_json_and_themselves_in_binary() -> None:
    array = numpy.array([1.0, numpy.nan, numpy.inf, -numpy.inf])
    for datatype in ("float64", "float32", "float16"):
        tensor = written(array.astype(datatype), datatype)
        assert tensor.listed() == [1.0, "NaN", "Infinity", "-Infinity"]
        assert numpy.array_equal(numpy.frombuffer(tensor.binary(), datatype), array, equal_nan=True)
    listed = tensor_of({"name": "y", "datatype": "float64"}, Values([1.0, None, "NaN", "-Infinity"]), 4)
    assert listed.listed() == [1.0, None, "NaN", "-Infinity"]
    assert [math.isnan(value) for value in numpy.frombuffer(listed.binary())] == [False, True, True, False]


def test_anything_is_json_text() -> None:
    field = {"name": "y", "datatype": "json"}
    rows: list[Any] = [{"a": 1}, None, [1, 2], "x"]
    tensor = tensor_of(field, Values(rows), 4)
    assert tensor.shape == (4,)
    assert [json.loads(text) for text in tensor.listed()] == rows
    array = written(numpy.array([[True, False], [True, True]]), "json")
    assert array.listed() == ["[true,false]", "[true,true]"]


def test_numbers_where_text_is_promised_are_text() -> None:
    assert written(numpy.array([1, 2]), "string").listed() == ["1", "2"]


def test_rows_that_differ_in_length_are_no_tensor() -> None:
    with pytest.raises(OutputError, match="differ in length"):
        tensor_of({"name": "y", "datatype": "float64", "shape": [-1]}, Values([[1.0], [1.0, 2.0]]), 2)


@given(st.lists(st.text(), min_size=1))
def test_text_comes_back_from_binary_data(texts: list[str]) -> None:
    tensor = tensor_of({"name": "y", "datatype": "string"}, Values(texts), len(texts))
    sent = SentTensor("y", "BYTES", (len(texts),), raw=memoryview(tensor.binary()))
    assert [element.decode() for element in read_tensor(sent).elements] == texts


@given(st.sampled_from(NUMBERS), st.lists(st.integers(0, 1), min_size=1), st.booleans())
def test_numbers_come_back_from_binary_data_and_json(datatype: str, numbers: list[int], binary: bool) -> None:
    array = numpy.array(numbers, dtype=datatype)
    tensor = written(array, datatype)
    raw = memoryview(tensor.binary()) if binary else None
    sent = SentTensor("y", tensor.datatype.name, tensor.shape, None if binary else tensor.listed(), raw)
    assert list(read_tensor(sent).elements) == array.tolist()


def test_every_datatype_of_fields_takes_its_own_tensors() -> None:
    for name in (*NUMBERS, "string", "bytes", "date", "datetime", "duration", "json"):
        assert takes({"datatype": name}, datatype_of({"datatype": name}))
    assert not takes({"datatype": "bool"}, DATATYPES["INT8"])
