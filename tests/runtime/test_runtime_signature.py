"""Rows are judged by the signature: what is fine, what is not, and how it is said."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwright.runtime import Model
from modelwright.runtime.errors import ContainerError, OutputError, SignatureError
from modelwright.runtime.values import FieldJudge


def model_of(*fields: dict[str, Any], container: str = "records", **signature: Any) -> Model:
    """Make a model that gives back the number of the row, so that only the inputs matter."""
    outputs = [{"name": "row", "datatype": "int64"}]
    signature = {"inputs": list(fields), "outputs": outputs, "container": container} | signature
    manifest = {"name": "churn", "version": "1.3.0", "storage": {}, "signature": signature}
    return Model(lambda rows: list(range(len(rows))), manifest)


def problems(model: Model, rows: Any) -> list[str]:
    with pytest.raises(SignatureError) as caught:
        model.predict(rows)
    return [str(problem) for problem in caught.value.problems]


def field(datatype: str, **settings: Any) -> dict[str, Any]:
    return {"name": "x", "datatype": datatype, **settings}


def test_all_problems_are_listed_at_once_with_row_and_column() -> None:
    model = model_of({"name": "contract", "datatype": "string"}, {"name": "age", "datatype": "int64"})
    found = problems(model, [{"contrct": "a", "age": 1}, {"contrct": "b", "age": "2"}, {"contrct": "c", "age": 2.5}])
    assert found == [
        "column 'contrct': is unexpected, and 'contract' is missing (you sent 'contrct'; did you mean 'contract'?)",
        "row 1, column 'age': '2' is text; a whole number is needed",
        "row 2, column 'age': 2.5 is a number; a whole number is needed",
    ]


def test_a_key_that_some_records_lack_is_named_with_its_row() -> None:
    model = model_of(field("float64", nullable=True), {"name": "y", "datatype": "float64"})
    assert problems(model, [{"x": 1, "y": 1}, {"y": 2}]) == [
        "row 1, column 'x': has no entry (write null where a value is missing)"
    ]


def test_a_repeated_column_is_refused() -> None:
    frame = pd.DataFrame([[1.0, 2.0]], columns=["x", "x"])
    assert "column 'x': appears more than once" in problems(model_of(field("float64")), frame)


def test_columns_of_unequal_length_are_refused() -> None:
    model = model_of(field("float64"), {"name": "y", "datatype": "float64"})
    assert problems(model, {"x": [1, 2], "y": [1]}) == ["column 'y': has 1 values where other columns have 2"]


def test_problems_are_capped() -> None:
    with pytest.raises(SignatureError, match="1000 problems or more") as caught:
        model_of(field("float64")).predict({"x": ["a"] * 5000})
    assert len(caught.value.problems) == 1000


def test_many_wrong_columns_are_compared_in_reasonable_time() -> None:
    fields = [{"name": f"column {i}", "datatype": "float64"} for i in range(3000)]
    found = problems(model_of(*fields), [{f"Column_{i}": 1.0 for i in range(3000)}])
    assert found[0].startswith("column 'Column_0': is unexpected, and 'column 0' is missing")


@given(st.integers())
def test_an_integer_is_always_fine_where_a_float_is_declared(number: int) -> None:
    try:
        expected = float(number)
    except OverflowError:
        return
    assert FieldJudge(field("float64")).judge([number], 10) == ([expected], [])


@pytest.mark.parametrize("number", [0, 1, -1, 2**53 + 1, 2**63, 10**300])
def test_big_integers_are_floats_too(number: int) -> None:
    values, found = FieldJudge(field("float64")).judge([number, 0.5], 10)
    assert (values, found) == ([float(number), 0.5], [])


@pytest.mark.parametrize(
    ("datatype", "value", "message"),
    [
        ("float64", "1", "'1' is text; a number is needed"),
        ("float64", True, "True is a truth value; a number is needed"),
        ("float64", None, "is missing; a value is needed"),
        ("float64", math.nan, "is missing; a value is needed"),
        ("float64", math.inf, "is infinite; a finite number is needed"),
        ("float64", 10**400, "is too large for float64"),
        ("int64", "1", "'1' is text; a whole number is needed"),
        ("int64", True, "True is a truth value; a whole number is needed"),
        ("int64", 1.5, "1.5 is a number; a whole number is needed"),
        ("int64", math.inf, "a whole number is needed"),
        ("int8", 128, "128 does not fit int8, -128 to 127"),
        ("uint8", -1, "-1 does not fit uint8, 0 to 255"),
        ("bool", 1, "1 is a number; true or false is needed"),
        ("string", 1, "1 is a number; text is needed"),
        ("string", None, "is missing; a value is needed"),
        ("string", pd.NA, "is missing; a value is needed"),
        ("bytes", "a", "'a' is text; bytes are needed"),
        ("date", "2026-13-01", "no ISO 8601 text"),
        ("date", datetime(2026, 1, 1, 5), "is a date with time; a date is needed"),
        ("datetime", 5, "5 is a number; a date with time is needed"),
        ("datetime", pd.NaT, "is missing"),
        ("datetime", datetime(2026, 1, 1, tzinfo=UTC), "has a time zone; none is needed"),
        ("duration", "1 day", "'1 day' is text; a duration"),
        ("duration", -1e14, "-100000000000000.0 seconds are no duration"),
        ("duration", 10**400, "seconds are no duration"),
        ("duration", float("inf"), "inf seconds are no duration"),
    ],
)
def test_wrong_values_are_refused(datatype: str, value: Any, message: str) -> None:
    _, found = FieldJudge(field(datatype)).judge([value], 10)
    assert [message in str(problem) for problem in found] == [True]


@pytest.mark.parametrize(
    ("datatype", "value", "expected"),
    [
        ("int64", 1.0, 1),
        ("int64", np.int32(7), 7),
        ("uint64", 2**64 - 1, 2**64 - 1),
        ("float32", np.float32(0.5), 0.5),
        ("bool", np.bool_(True), True),
        ("string", np.str_("a"), "a"),
        ("bytes", bytearray(b"a"), b"a"),
        ("date", "2026-11-20", date(2026, 11, 20)),
        ("date", pd.Timestamp("2026-11-20"), date(2026, 11, 20)),
        ("datetime", "2026-11-20T10:00:00", datetime(2026, 11, 20, 10)),
        ("datetime", date(2026, 11, 20), datetime(2026, 11, 20)),
        ("datetime", np.datetime64("2026-11-20T10", "ns"), datetime(2026, 11, 20, 10)),
        ("duration", 1.5, timedelta(seconds=1.5)),
        ("duration", np.timedelta64(2, "s"), timedelta(seconds=2)),
        ("json", {"any": ["thing", None]}, {"any": ["thing", None]}),
    ],
)
def test_right_values_come_in_normal_form(datatype: str, value: Any, expected: Any) -> None:
    assert FieldJudge(field(datatype)).judge([value], 10) == ([expected], [])


@pytest.mark.parametrize("datatype", ["float64", "int64", "bool", "string", "bytes", "date", "datetime", "duration"])
def test_null_is_right_exactly_where_the_field_is_nullable(datatype: str) -> None:
    nullable, strict = FieldJudge(field(datatype, nullable=True)), FieldJudge(field(datatype))
    for missing in (None, pd.NA, pd.NaT, math.nan):
        assert not nullable.judge([missing], 10)[1]
        assert len(strict.judge([missing], 10)[1]) == 1


def test_infinity_is_right_exactly_where_training_had_it() -> None:
    assert FieldJudge(field("float64", infinite=True)).judge([-math.inf], 10) == ([-math.inf], [])
    assert len(FieldJudge(field("float64", nullable=True)).judge([math.inf, math.nan], 10)[1]) == 1


def test_a_zoned_time_is_needed_where_training_had_zones() -> None:
    judge = FieldJudge(field("datetime", timezone="Europe/Berlin"))
    assert not judge.judge(["2026-11-20T10:00:00+00:00"], 10)[1]
    assert "has no time zone" in str(judge.judge(["2026-11-20T10:00:00"], 10)[1][0])


def test_an_unknown_level_is_refused_with_the_nearest_one_if_the_policy_says_so() -> None:
    levels = field("string", categories=["monthly", "yearly"], on_unknown="error")
    assert problems(model_of(levels), [{"x": "yearly"}, {"x": "montly"}]) == [
        "row 1, column 'x': 'montly' is a level that the model has never seen (did you mean 'monthly'?)"
    ]
    assert model_of(levels | {"on_unknown": "allow"}).predict([{"x": "montly"}]) == [{"row": 0}]


def test_a_value_out_of_range_is_refused_if_the_policy_says_so() -> None:
    ranged = field("float64", training_range=[0, 10], on_out_of_range="error")
    assert problems(model_of(ranged), {"x": [0, 10, 10.5]}) == [
        "row 2, column 'x': 10.5 is outside the range of the training data, 0.0 to 10.0"
    ]
    dated = field("date", training_range=["2026-01-01", "2026-12-31"], on_out_of_range="error")
    assert problems(model_of(dated), {"x": ["2026-05-05", "2027-01-01"]}) == [
        "row 1, column 'x': 2027-01-01 is outside the range of the training data, 2026-01-01 to 2026-12-31"
    ]
    assert model_of(ranged | {"on_out_of_range": "allow"}).predict({"x": [99]}) == {"row": [0]}


def test_tensors_are_judged_by_shape_and_element() -> None:
    tensor = model_of(field("float64", shape=[2, -1]))
    assert tensor.predict([{"x": [[1, 2, 3], [4, 5, 6]]}]) == [{"row": 0}]
    assert "1 elements where 2 are needed" in problems(tensor, [{"x": [[1]]}])[0]
    assert "'a' is text; a number is needed" in problems(tensor, [{"x": [["a"], [1]]}])[0]
    assert "is no list" in problems(tensor, [{"x": 5}])[0]


def test_bool_columns_of_a_frame_are_no_numbers() -> None:
    number = field("float64", native="float64")
    frame = pd.DataFrame({"x": [True, False]})
    assert "True is a truth value" in problems(model_of(number, container="pandas"), frame)[0]
    assert "True is a truth value" in problems(model_of(number, container="numpy", array_dtype="float64"), frame)[0]


@pytest.mark.parametrize(
    ("rows", "hint"),
    [
        ({"x": 1.0}, r"predict\(\[row\]\)"),
        (pd.Series([1.0], name="x"), "to_frame"),
        ([[1.0]], "numpy.array"),
        (np.array([1.0]), r"reshape\(1, -1\)"),
        ("rows.csv", "list of dicts"),
        (None, "list of dicts"),
        ({"x": "abc"}, r"predict\(\[row\]\)"),
    ],
)
def test_what_is_no_table_is_refused_with_a_hint(rows: Any, hint: str) -> None:
    with pytest.raises(ContainerError) as caught:
        model_of(field("float64")).predict(rows)
    assert re.search(hint, caught.value.hint)


def test_an_array_of_another_width_is_refused() -> None:
    model = model_of(field("float64"), {"name": "y", "datatype": "float64"}, container="numpy")
    with pytest.raises(SignatureError, match="3 columns; the model needs 2"):
        model.predict(np.zeros((2, 3)))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([1], "1 values for 2 rows"),
        ([1.0, math.nan], "row 1, column 'row': the answer is missing"),
        ([None, 1.0], "row 0, column 'row': the answer is missing"),
        (np.array([math.inf, 1.0]), "row 0, column 'row': the answer is infinite"),
        (5, "not one value per row"),
        ({"other": [1, 2]}, "without the output 'row'"),
    ],
)
def test_answers_that_the_signature_does_not_allow_are_refused(answer: Any, message: str) -> None:
    model = model_of(field("float64"))
    model.native = lambda rows: answer
    with pytest.raises(OutputError) as caught:
        model.predict({"x": [1, 2]})
    assert message in str(caught.value)


def test_what_the_model_raises_becomes_one_kind_of_error() -> None:
    model = model_of(field("float64"))
    model.native = lambda rows: 1 / 0
    with pytest.raises(OutputError, match=r"predict of churn 1\.3\.0 failed") as caught:
        model.predict({"x": [1]})
    assert caught.value.why == "ZeroDivisionError: division by zero"


def test_a_method_that_the_model_lacks_is_named() -> None:
    with pytest.raises(AttributeError, match="no 'predict_proba'; it has predict"):
        model_of(field("float64")).predict_proba([{"x": 1}])
