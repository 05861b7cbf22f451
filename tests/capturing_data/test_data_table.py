"""Any sample becomes typed columns, and gives its rows back in its own container."""

from __future__ import annotations

import datetime as dt
import decimal
import time

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwright.capturing.encoding import encode, plain
from modelwright.capturing.table import Table
from modelwright.errors import SampleError

ROWS = [
    {"age": 41, "income": 1.5, "plan": "basic", "active": True},
    {"age": 35, "income": None, "plan": None, "active": False},
    {"age": 62, "income": float("inf"), "plan": "pro", "active": True},
]
COLUMNS = {name: [row[name] for row in ROWS] for name in ROWS[0]}
CONTAINERS = {
    "pandas": pd.DataFrame(COLUMNS),
    "polars": pl.DataFrame(COLUMNS),
    "pyarrow": pa.table(COLUMNS),
    "records": ROWS,
    "columns": COLUMNS,
}
ENCODED = [
    {"age": 41, "income": 1.5, "plan": "basic", "active": True},
    {"age": 35, "income": None, "plan": None, "active": False},
    {"age": 62, "income": "Infinity", "plan": "pro", "active": True},
]


@pytest.mark.parametrize("container", CONTAINERS)
def test_every_container_gives_the_same_columns_and_rows(container: str) -> None:
    table = Table.of(CONTAINERS[container])

    assert table.container == container
    assert table.n_rows == 3
    assert [column.datatype for column in table.columns] == ["int64", "float64", "string", "bool"]
    assert table.rows(range(3)) == ENCODED
    assert table.column("income").missing.tolist() == [False, True, False]


@pytest.mark.parametrize("container", CONTAINERS)
def test_taken_rows_are_in_the_samples_own_container(container: str) -> None:
    table = Table.of(CONTAINERS[container])
    taken = table.take([2, 0])

    assert type(taken) is type(CONTAINERS[container])
    assert Table.of(taken).rows([0, 1]) == [ENCODED[2], ENCODED[0]]


@pytest.mark.parametrize("container", CONTAINERS)
def test_mixed_rows_take_each_column_from_rows_of_its_own(container: str) -> None:
    table = Table.of(CONTAINERS[container])
    orders = {name: np.array([0, 1, 2]) for name in table.names} | {"age": np.array([2, 0, 1])}
    mixed = Table.of(table.mixed(orders))

    assert [row["age"] for row in mixed.rows(range(3))] == [62, 41, 35]
    assert [row["plan"] for row in mixed.rows(range(3))] == ["basic", None, "pro"]
    assert [column.native for column in mixed.columns] == [column.native for column in table.columns]


@pytest.mark.parametrize("container", CONTAINERS)
def test_one_value_is_replaced_and_the_sample_is_left_alone(container: str) -> None:
    table = Table.of(CONTAINERS[container])
    changed = Table.of(table.with_values(0, {"plan": "gold"}))

    assert changed.rows([0]) == [ENCODED[0] | {"plan": "gold"}]
    assert table.rows([0]) == [ENCODED[0]]


def test_an_array_has_one_column_per_position() -> None:
    table = Table.of(np.array([[1.0, np.nan], [3.0, 4.0]], dtype=np.float32))

    assert (table.container, table.names, table.array_dtype) == ("numpy", ("x0", "x1"), "float32")
    assert table.rows([0]) == [{"x0": 1.0, "x1": None}]
    assert table.mixed({"x0": np.array([1, 0]), "x1": np.array([0, 1])}).tolist()[1] == [1.0, 4.0]
    assert table.with_values(1, {"x1": 9}).tolist() == [[3.0, 9.0]]


def test_an_array_with_more_axes_is_one_tensor() -> None:
    table = Table.of(np.arange(24.0).reshape(2, 3, 4))

    assert table.columns[0].shape == (3, 4)
    assert table.rows([1])[0]["inputs"][0] == [12.0, 13.0, 14.0, 15.0]


def test_nan_beside_null_stays_nan_where_the_container_knows_the_difference() -> None:
    table = Table.of(pl.DataFrame({"x": [1.0, None, float("nan")]}))

    assert [row["x"] for row in table.rows(range(3))] == [1.0, None, "NaN"]
    assert table.column("x").missing.tolist() == [False, True, True]


def test_big_integers_beside_nulls_keep_every_digit() -> None:
    big = 2**60 + 1
    for data in (pl.DataFrame({"n": [big, None]}), pa.table({"n": [big, None]}), [{"n": big}, {"n": None}]):
        assert Table.of(data).rows([0, 1]) == [{"n": big}, {"n": None}]
    assert Table.of(pd.DataFrame({"n": pd.array([big, None], dtype="Int64")})).rows([0]) == [{"n": big}]
    assert Table.of([{"n": 2**63}]).columns[0].datatype == "uint64"
    assert Table.of([{"n": 2**70}]).rows([0]) == [{"n": 2**70}]


def test_times_are_iso_text_and_zones_are_kept() -> None:
    moment = dt.datetime(2026, 1, 31, 12, 0, 0, 500)
    zoned = pd.Series([pd.Timestamp("2026-01-31 12:00", tz="Europe/Berlin"), pd.NaT])
    frame = pd.DataFrame({"at": zoned, "for": pd.to_timedelta([1.5, None], unit="s")})
    table = Table.of(frame)

    assert table.column("at").timezone == "Europe/Berlin"
    assert table.rows([0, 1]) == [
        {"at": "2026-01-31T11:00:00+00:00", "for": 1.5},
        {"at": None, "for": None},
    ]
    assert Table.of([{"at": moment, "on": moment.date()}]).rows([0]) == [
        {"at": "2026-01-31T12:00:00.0005", "on": "2026-01-31"}
    ]


def test_dates_and_times_mean_the_same_in_every_library() -> None:
    columns = {"on": [dt.date(2026, 1, 31), None], "at": [dt.datetime(2026, 1, 31, 8), None]}
    expected = [{"on": "2026-01-31", "at": "2026-01-31T08:00:00"}, {"on": None, "at": None}]
    for data in (pd.DataFrame(columns), pl.DataFrame(columns), pa.table(columns), columns):
        table = Table.of(data)
        assert [column.datatype for column in table.columns] == ["date", "datetime"]
        assert table.rows([0, 1]) == expected


def test_categorical_dtypes_bring_their_levels_in_their_own_order() -> None:
    pandas = pd.DataFrame(
        {
            "size": pd.Categorical(["s", None, "l"], categories=["s", "m", "l"], ordered=True),
            "zone": pd.Categorical([7, 2, 2], categories=[7, 2]),
        }
    )
    table = Table.of(pandas)
    assert (table.column("size").levels, table.column("size").ordered) == (("s", "m", "l"), True)
    assert (table.column("zone").levels, table.column("zone").datatype) == ((7, 2), "int64")
    assert table.rows([1]) == [{"size": None, "zone": 2}]

    polars = pl.DataFrame({"size": pl.Series(["l", "s"], dtype=pl.Enum(["s", "m", "l"]))})
    assert Table.of(polars).column("size").levels == ("s", "m", "l")
    arrow = pa.table({"size": pa.array(["l", None, "s"]).dictionary_encode()})
    assert Table.of(arrow).column("size").levels == ("l", "s")


def test_an_unknown_level_becomes_missing_where_the_dtype_has_no_place_for_it() -> None:
    frame = pd.DataFrame({"size": pd.Categorical(["s", "l"])})
    changed = Table.of(frame).with_values(0, {"size": "xxl"})
    assert changed["size"].isna().all()
    assert list(changed["size"].cat.categories) == ["l", "s"]


def test_a_frames_own_index_is_kept_for_the_model_and_ignored_otherwise() -> None:
    frame = pd.DataFrame({"x": [1, 2, 3]}, index=["c", "a", "c"])
    table = Table.of(frame)

    assert table.names == ("x",)
    assert table.take([2, 0]).index.tolist() == ["c", "c"]
    assert table.rows([2]) == [{"x": 3}]


def test_records_may_leave_keys_out_and_hold_nested_values() -> None:
    table = Table.of([{"a": 1}, {"b": {"deep": [1, 2]}, "c": "x"}, {"c": 1}])

    assert [column.datatype for column in table.columns] == ["int64", "json", "json"]
    assert table.rows([1]) == [{"a": None, "b": {"deep": [1, 2]}, "c": "x"}]


def test_integers_beside_floats_are_floats() -> None:
    assert Table.of([{"x": 1}, {"x": 0.5}]).columns[0].values.tolist() == [1.0, 0.5]


@pytest.mark.parametrize(
    ("sample", "words"),
    [
        (pd.DataFrame({"a": []}), "no rows"),
        ([], "no rows"),
        (np.empty((0, 3)), "no rows"),
        (pd.DataFrame(index=[0, 1]), "no columns"),
        ([{}, {}], "no columns"),
        ({}, "no columns"),
        (np.empty((2, 0)), "no columns"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "occurs 2 times"),
        (pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]), "occurs 2 times"),
        (pd.DataFrame([[1, 2]]), "is a int, not text"),
        (pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])), "is a tuple, not text"),
        (pd.DataFrame({"a\x1b[31m": [1]}), "control characters"),
        (pd.DataFrame({"a\nb": [1]}), "control characters"),
        (pd.DataFrame({"abc\u202etxt": [1]}), "control characters"),
        (pd.DataFrame({"": [1]}), "empty name"),
        (np.array([1.0, 2.0]), "no named columns"),
        (pd.Series([1.0]), "no named columns"),
        (["text", "more"], "no named columns"),
        ("rows.csv", "no named columns"),
        (pl.LazyFrame({"a": [1]}), "no named columns"),
        ({"a": 1, "b": 2}, "is one row"),
        ({"a": [1, 2], "b": [1]}, "different lengths"),
        (np.ma.masked_array([[1.0]], mask=[[True]]), "masked"),
        (np.array([(1, 2.0)], dtype=[("a", int), ("b", float)]), "structured"),
        (np.array([[1j]]), "complex128"),
        (pd.DataFrame({"a": pd.Series([1, "x"], dtype=object)}), "mixes int and str"),
        (pd.DataFrame({"a": [decimal.Decimal("1.5")]}), "Decimal"),
        (pl.DataFrame({"a": [decimal.Decimal("1.5")]}), "Decimal"),
        (pl.DataFrame({"a": [dt.time(8, 30)]}), "Time"),
        (pd.DataFrame({"a": [object()]}), "object objects"),
        (pd.DataFrame({"a": pd.period_range("2026-01", periods=1, freq="M")}), "Period"),
    ],
)
def test_a_sample_that_can_describe_nothing_is_refused_with_a_hint(sample: object, words: str) -> None:
    with pytest.raises(SampleError) as refused:
        Table.of(sample)
    assert words in refused.value.what
    assert refused.value.hint


def test_the_hint_for_numbered_columns_can_be_pasted() -> None:
    with pytest.raises(SampleError) as refused:
        Table.of(pd.DataFrame([[1, 2]]))
    assert "df.columns = df.columns.astype(str)" in refused.value.hint


@pytest.mark.parametrize("name", ["größe", "年齢", "наименование", "emoji 🎈", "a b|c`d<e>"])
def test_any_visible_name_is_fine(name: str) -> None:
    assert Table.of(pd.DataFrame({name: [1]})).rows([0]) == [{name: 1}]


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow", "numpy"])
def test_ten_thousand_columns_take_seconds(library: str) -> None:
    values = np.random.default_rng(0).random((100, 10_000))
    names = [f"c{position}" for position in range(10_000)]
    frame = {
        "pandas": lambda: pd.DataFrame(values, columns=names),
        "polars": lambda: pl.DataFrame(values, schema=names),
        "pyarrow": lambda: pl.DataFrame(values, schema=names).to_arrow(),
        "numpy": lambda: values,
    }[library]()

    start = time.process_time()
    table = Table.of(frame)
    assert time.process_time() - start < 15
    assert len(table.columns) == 10_000
    assert table.columns[-1].values.tolist() == values[:, -1].tolist()


@given(st.floats())
def test_every_float_survives_json_and_back(number: float) -> None:
    encoded = encode(number, "float64")
    assert isinstance(encoded, str) == (not np.isfinite(number))
    assert np.array_equal(float(encoded), number, equal_nan=True)


@given(st.datetimes(min_value=dt.datetime(1700, 1, 1), max_value=dt.datetime(2200, 1, 1)))
def test_every_moment_survives_its_text(moment: dt.datetime) -> None:
    text = encode(np.datetime64(moment, "ns"), "datetime")
    assert dt.datetime.fromisoformat(text) == moment


@pytest.mark.parametrize("value", [{1: "a"}, {"a": float("nan")}, [object()], {"a": {1, 2}}])
def test_nested_values_that_json_cannot_hold_are_refused(value: object) -> None:
    with pytest.raises(SampleError):
        plain(value)


def test_a_cyclic_value_is_refused_and_does_not_hang() -> None:
    cycle: list[object] = []
    cycle.append(cycle)
    with pytest.raises(SampleError, match="nested deeper"):
        plain(cycle)
