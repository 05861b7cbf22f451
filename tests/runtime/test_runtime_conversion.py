"""Every datatype reaches every library's own type, and comes through JSON unharmed."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from modelwright.runtime import Model
from modelwright.runtime.encoding import decode_rows, encode

MOMENT = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
NAIVE = datetime(2026, 11, 20, 12, 30)


def converted(container: str, value: Any, **field: Any) -> Any:
    """Return the container that a model of one field receives for one row."""
    signature = {"inputs": [{"name": "x", **field}], "outputs": [], "container": container}
    model = Model(len, {"name": "m", "version": "1", "storage": {}, "signature": signature})
    return model.fit_rows([{"x": value}, {"x": value}]).rows


@pytest.mark.parametrize(
    ("datatype", "native", "value", "expected"),
    [
        ("float32", "float32", 0.5, "float32"),
        ("int8", "int8", 5, "int8"),
        ("int64", "Int64", 5, "Int64"),
        ("bool", "bool", True, "bool"),
        ("bool", "boolean", True, "boolean"),
        ("string", "str", "a", "str"),
        ("string", "object", "a", "object"),
        ("string", "", "a", "str"),
        ("int64", "", 5, "int64"),
        ("bytes", "object", b"a", "object"),
        ("date", "object", date(2026, 1, 1), "object"),
        ("datetime", "datetime64[us]", NAIVE, "datetime64[us]"),
        ("datetime", "datetime64[ns]", "2026-11-20T12:30:00", "datetime64[ns]"),
        ("duration", "timedelta64[ns]", timedelta(hours=1), "timedelta64[ns]"),
        ("duration", "", 1.5, "timedelta64[us]"),
        ("json", "object", {"a": 1}, "object"),
    ],
)
def test_pandas_columns_have_their_native_dtype(datatype: str, native: str, value: Any, expected: str) -> None:
    frame = converted("pandas", value, datatype=datatype, native=native)
    assert str(frame["x"].dtype) == expected
    again = converted("pandas", frame["x"].tolist()[0], datatype=datatype, native=native)
    assert again.equals(frame)


def test_pandas_categories_of_numbers_keep_their_type() -> None:
    frame = converted("pandas", 2, datatype="float64", native="category", categories=[1.0, 2.0])
    assert frame["x"].cat.categories.dtype == "float64"
    assert frame["x"].tolist() == [2.0, 2.0]


def test_zoned_times_are_brought_to_the_zone_of_training() -> None:
    frame = converted("pandas", MOMENT, datatype="datetime", native="datetime64[us, Asia/Tokyo]", timezone="Asia/Tokyo")
    assert str(frame["x"].dtype) == "datetime64[us, Asia/Tokyo]"
    assert frame["x"][0] == pd.Timestamp(MOMENT)


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ({"datatype": "float32"}, 1, pl.Float32),
        ({"datatype": "uint16"}, 1, pl.UInt16),
        ({"datatype": "bool"}, True, pl.Boolean),
        ({"datatype": "bytes"}, b"a", pl.Binary),
        ({"datatype": "date"}, "2026-01-01", pl.Date),
        ({"datatype": "datetime", "native": "Datetime(time_unit='ns', time_zone=None)"}, NAIVE, pl.Datetime("ns")),
        ({"datatype": "datetime", "timezone": "UTC"}, MOMENT, pl.Datetime("us", "UTC")),
        ({"datatype": "duration"}, 2.0, pl.Duration("us")),
        ({"datatype": "string", "native": "Categorical"}, "a", pl.Categorical),
        (
            {"datatype": "string", "native": "Enum(categories=['a', 'b'])", "categories": ["a", "b"]},
            "b",
            pl.Enum(["a", "b"]),
        ),
        ({"datatype": "int64", "shape": [2]}, [1, 2], pl.List(pl.Int64)),
    ],
)
def test_polars_columns_have_their_native_datatype(field: dict[str, Any], value: Any, expected: Any) -> None:
    assert converted("polars", value, **field)["x"].dtype == expected


def test_an_unseen_level_of_a_polars_enum_is_missing() -> None:
    field = {"datatype": "string", "native": "Enum(categories=['a'])", "categories": ["a"]}
    assert converted("polars", "z", **field)["x"].to_list() == [None, None]


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ({"datatype": "float64"}, 1, pa.float64()),
        ({"datatype": "int32"}, 1.0, pa.int32()),
        ({"datatype": "bool"}, False, pa.bool_()),
        ({"datatype": "bytes"}, b"a", pa.binary()),
        ({"datatype": "date"}, date(2026, 1, 1), pa.date32()),
        ({"datatype": "datetime", "native": "timestamp[ns]"}, NAIVE, pa.timestamp("ns")),
        (
            {"datatype": "datetime", "native": "timestamp[ms, tz=UTC]", "timezone": "UTC"},
            MOMENT,
            pa.timestamp("ms", "UTC"),
        ),
        ({"datatype": "duration", "native": "duration[s]"}, 2, pa.duration("s")),
        ({"datatype": "string", "native": "large_string"}, "a", pa.large_string()),
        (
            {"datatype": "string", "native": "dictionary<values=string, indices=int32, ordered=0>"},
            "a",
            pa.dictionary(pa.int32(), pa.string()),
        ),
        ({"datatype": "float64", "shape": [2]}, [1, 2], pa.list_(pa.float64())),
    ],
)
def test_arrow_columns_have_their_native_type(field: dict[str, Any], value: Any, expected: Any) -> None:
    assert converted("pyarrow", value, **field).column("x").type == expected


def test_an_array_of_bytes_keeps_their_length() -> None:
    signature = {
        "inputs": [{"name": "x", "datatype": "bytes"}],
        "outputs": [],
        "container": "numpy",
        "array_dtype": "S2",
    }
    model = Model(len, {"name": "m", "version": "1", "storage": {}, "signature": signature})
    assert model.fit_rows([{"x": b"abcd"}]).rows.tolist() == [[b"abcd"]]


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (np.float32(0.5), 0.5),
        (np.array([1.5, np.inf, -np.inf]), [1.5, "Infinity", "-Infinity"]),
        (np.int64(3), 3),
        (MOMENT, "2026-11-20T12:30:00+00:00"),
        (timedelta(milliseconds=1500), 1.5),
        (bytearray(b"a"), "YQ=="),
        (pd.NA, None),
        (pd.NaT, None),
        ({1: (date(2026, 1, 1), True)}, {"1": ["2026-01-01", True]}),
        (1 + 2j, "(1+2j)"),
    ],
)
def test_any_answer_can_be_written_as_json(value: Any, encoded: Any) -> None:
    assert encode(value) == encoded
    assert json.loads(json.dumps(encode(value), allow_nan=False)) == encoded


def test_bytes_and_tensors_come_back_from_json() -> None:
    fields = [{"name": "b", "datatype": "bytes"}, {"name": "t", "datatype": "float64", "shape": [2]}]
    rows = decode_rows([{"b": "YQ==", "t": [1, "-Infinity"], "other": "NaN"}, {"b": "?", "t": None}], fields)
    assert rows == [{"b": b"a", "t": [1, float("-inf")], "other": "NaN"}, {"b": "?", "t": None}]
