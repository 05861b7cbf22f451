"""Tensors become the same table whichever way they come, and what may be missing may be missing."""

from __future__ import annotations

import math
from typing import Any

import numpy
import pytest
from honest_plane import FLOWER, flower_model, served
from hypothesis import given
from hypothesis import strategies as st

from modelwright.errors import SignatureError
from modelwright.runtime.validation import LIMIT
from modelwright.serving.contract import Contract
from modelwright.serving.intake.judging import table_of
from modelwright.serving.tensors.datatypes import DATATYPES
from modelwright.serving.tensors.elements import FlawedTensor, read_tensor
from modelwright.serving.tensors.reading import read_table
from modelwright.serving.tensors.tensor import SentTensor, Tensor
from modelwright.serving.tensors.text import decode_text

NAMES = ("length", "width", "depth")
LOOSE = {
    **FLOWER,
    "inputs": [
        {"name": "length", "datatype": "float64"},
        {"name": "width", "datatype": "float64", "nullable": True},
        {"name": "depth", "datatype": "float64", "nullable": True, "infinite": True},
    ],
}
"""The first may be neither missing nor infinite, the second missing, the third both."""


def contract_of(signature: dict[str, Any]) -> Contract:
    contract = served(flower_model(), signature, name="loose", version="1.0", methods=["predict"]).contract
    assert contract.blocked
    return contract


CONTRACT = contract_of(LOOSE)
ODD = st.floats(-1e3, 1e3) | st.sampled_from([math.nan, math.inf, -math.inf, 1e308])
ROWS = st.lists(st.tuples(ODD, ODD, ODD), min_size=1, max_size=4)


def raw(name: str, array: Any) -> SentTensor:
    return SentTensor(name, "FP64", array.shape, raw=memoryview(numpy.ascontiguousarray(array).tobytes()))


@given(ROWS)
def test_every_way_leads_to_the_same_table_or_the_same_refusal(rows: list[tuple[float, float, float]]) -> None:
    array = numpy.array(rows)
    columns = [raw(name, array[:, place]) for place, name in enumerate(NAMES)]
    ways = [
        lambda: read_table(CONTRACT, [raw("x", array)], max_rows=9),
        lambda: read_table(CONTRACT, columns, max_rows=9),
        lambda: table_of(CONTRACT, {name: array[:, place].tolist() for place, name in enumerate(NAMES)}, len(rows)),
    ]
    found = []
    for way in ways:
        try:
            found.append(way())
        except SignatureError as error:
            found.append(error.problems)
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_smaller_floats_keep_their_value(dtype: str) -> None:
    array = numpy.array([[0.1, 0.2, math.inf]], dtype=dtype)
    name = {"float16": "FP16", "float32": "FP32"}[dtype]
    sent = SentTensor("x", name, (1, 3), raw=memoryview(array.tobytes()))
    assert read_table(CONTRACT, [sent], max_rows=9).block == array.astype("float64").tobytes()


def test_null_is_missing_where_it_may_be() -> None:
    table = read_table(CONTRACT, [SentTensor("x", "FP64", (1, 3), data=[1, None, None])], max_rows=9)
    assert numpy.array_equal(numpy.frombuffer(table.block or b""), [1, math.nan, math.nan], equal_nan=True)


@pytest.mark.parametrize(
    ("field", "element", "told"),
    [
        ({"datatype": "string"}, b"\xff", "is no UTF-8"),
        ({"datatype": "json"}, b"{", "is no JSON"),
        ({"datatype": "json"}, b"[" * 100_000, "is no JSON"),
    ],
    ids=["text", "half", "deep"],
)
def test_so_many_elements_that_stand_for_nothing_are_told_and_no_more(
    field: dict[str, Any], element: bytes, told: str
) -> None:
    tensor = Tensor("x", DATATYPES["BYTES"], (LIMIT + 1,), [element] * (LIMIT + 1))
    with pytest.raises(FlawedTensor) as flawed:
        decode_text(field, tensor)
    assert len(flawed.value.problems) == LIMIT
    assert told in flawed.value.problems[0].problem


@pytest.mark.parametrize("element", [300, "no number"])
def test_so_many_numbers_that_are_none_are_told_and_no_more(element: Any) -> None:
    with pytest.raises(FlawedTensor) as flawed:
        read_tensor(SentTensor("x", "UINT8", (LIMIT + 1,), data=[element] * (LIMIT + 1)))
    assert len(flawed.value.problems) == LIMIT
