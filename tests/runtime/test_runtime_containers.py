"""Six kinds of container in, six kinds that a model may want: the same answers, in the caller's kind."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from modelwright.runtime import Model
from modelwright.runtime.errors import SignatureError

KINDS = ("pandas", "polars", "pyarrow", "numpy", "records", "columns")
NATIVE = {
    "pandas": {"a": "float64", "b": "int64", "t": "str", "c": "category", "o": "object"},
    "polars": {"a": "Float64", "b": "Int64", "t": "String", "c": "Categorical", "o": "String"},
    "pyarrow": {"a": "double", "b": "int64", "t": "string", "c": "dictionary<values=string>", "o": "string"},
}
TYPES = {"a": "float64", "b": "int64", "t": "string", "c": "string", "o": "string"}


def fields(container: str) -> list[dict[str, Any]]:
    described = []
    for name, datatype in TYPES.items():
        one: dict[str, Any] = {"name": name, "datatype": datatype, "nullable": name in "ato"}
        one["native"] = NATIVE.get(container, {}).get(name, "")
        described.append(one | ({"categories": ["x", "y"]} if name == "c" else {}))
    return described


def spell(value: Any) -> str:
    """Write a value down so that equal values of any library are equal text."""
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return "missing"
    return repr(float(value)) if isinstance(value, int | float | np.number) else str(value)


def answer_any(rows: Any) -> list[str]:
    """Write every row down, whatever it comes in: an answer that differs if a single value does."""
    if isinstance(rows, pd.DataFrame):
        table = {name: rows[name].astype(object).tolist() for name in rows}
    elif isinstance(rows, pl.DataFrame):
        table = rows.to_dict(as_series=False)
    elif isinstance(rows, pa.Table):
        table = rows.to_pydict()
    elif isinstance(rows, np.ndarray):
        table = {str(i): rows[:, i].tolist() for i in range(rows.shape[1])}
    else:
        table = rows if isinstance(rows, dict) else {name: [row[name] for row in rows] for name in TYPES}
    return ["|".join(map(spell, row)) for row in zip(*table.values(), strict=True)]


def describing_model(container: str) -> Model:
    signature = {
        "inputs": fields(container),
        "outputs": [{"name": "said", "datatype": "string"}],
        "container": container,
        "array_dtype": "object",
    }
    return Model(answer_any, {"name": "m", "version": "1", "storage": {}, "signature": signature})


def as_kind(records: list[dict[str, Any]], kind: str) -> Any:
    """Put records into a container, as a user of that library would hold them."""
    columns = {name: [row[name] for row in records] for name in TYPES}
    if kind == "pandas":
        frame = pd.DataFrame(columns).astype({"a": "float64", "b": "int64", "t": "str", "o": "object"})
        return frame.assign(c=pd.Categorical(columns["c"], categories=["x", "y"]))
    if kind == "polars":
        types = {"a": pl.Float64, "b": pl.Int64, "t": pl.String, "c": pl.String, "o": pl.String}
        return pl.DataFrame(columns, schema=types)
    if kind == "pyarrow":
        types = {"a": pa.float64(), "b": pa.int64(), "t": pa.string(), "c": pa.string(), "o": pa.string()}
        return pa.table(columns, schema=pa.schema(types.items()))
    if kind == "numpy":
        rows = np.empty((len(records), len(TYPES)), dtype=object)
        rows[:] = [[row[name] for name in TYPES] for row in records]
        return rows
    return columns if kind == "columns" else records


def as_list(answer: Any, kind: str) -> list[Any]:
    if kind == "records":
        return [row["said"] for row in answer]
    if kind == "numpy":
        return list(answer.tolist())
    said = answer["said"]
    return list(said) if kind in ("columns", "pandas") else said.to_pylist() if kind == "pyarrow" else said.to_list()


RECORD = st.fixed_dictionaries(
    {
        "a": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "b": st.integers(-(2**53), 2**53),
        "t": st.none() | st.text("abc é", max_size=4),
        "c": st.sampled_from(["x", "y"]),
        "o": st.none() | st.sampled_from(["p", "q"]),
    }
)


@pytest.mark.parametrize("container", KINDS)
@settings(max_examples=15, deadline=None)
@given(records=st.lists(RECORD, min_size=1, max_size=6))
def test_every_kind_of_rows_gives_the_same_answers(container: str, records: list[dict[str, Any]]) -> None:
    model, expected = describing_model(container), answer_any(records)
    for kind in KINDS:
        assert as_list(model.predict(as_kind(records, kind)), kind) == expected, kind


@pytest.fixture(scope="module")
def iris_like() -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({name: rng.normal(size=60) for name in "abc"})
    return frame, np.where(frame["a"] > 0, "yes", "no")


def classifier(iris_like: tuple[pd.DataFrame, np.ndarray], container: str) -> tuple[Any, Model]:
    frame, target = iris_like
    native = LogisticRegression().fit(frame if container == "pandas" else frame.to_numpy(), target)
    signature = {
        "inputs": [{"name": name, "datatype": "float64", "native": "float64"} for name in frame],
        "outputs": [
            {"name": "label", "datatype": "string"},
            {
                "name": "probability",
                "datatype": "float64",
                "shape": [2],
                "labels": ["no", "yes"],
                "method": "predict_proba",
            },
        ],
        "container": container,
        "array_dtype": "float64" if container == "numpy" else "",
    }
    storage = {"methods": ["predict", "predict_proba"]}
    return native, Model(native, {"name": "m", "version": "1", "storage": storage, "signature": signature})


@pytest.mark.parametrize("container", ["pandas", "numpy"])
def test_answers_are_bit_equal_to_the_bare_call(iris_like: Any, container: str) -> None:
    frame, _ = iris_like
    native, model = classifier(iris_like, container)
    array = np.ascontiguousarray(frame.to_numpy())
    bare = native.predict_proba(frame if container == "pandas" else array)
    assert model.predict_proba(array).tobytes() == bare.tobytes()
    assert model.predict_proba(frame).to_numpy().tobytes() == bare.tobytes()
    assert model.predict_proba(pl.DataFrame(frame.to_dict("list"))).to_numpy().tobytes() == bare.tobytes()
    for kind in (pa.table, dict):
        answer = model.predict_proba(kind(frame.to_dict("list")))
        assert list(answer["probability_yes"] if kind is dict else answer["probability_yes"].to_pylist()) == [
            *bare[:, 1]
        ]
    assert [row["probability"]["yes"] for row in model.predict_proba(frame.to_dict("records"))] == [*bare[:, 1]]


@pytest.mark.parametrize("container", ["pandas", "numpy"])
def test_a_pandas_answer_keeps_the_index_and_names_the_columns(iris_like: Any, container: str) -> None:
    frame, _ = iris_like
    _, model = classifier(iris_like, container)
    rows = frame.set_axis([f"customer {i}" for i in range(len(frame))])
    assert model.predict(rows).index.equals(rows.index)
    assert list(model.predict(rows).columns) == ["label"]
    assert list(model.predict_proba(rows).columns) == ["probability_no", "probability_yes"]


@pytest.mark.parametrize("container", ["pandas", "numpy"])
@pytest.mark.parametrize("change", ["reordered", "integers", "narrow", "blocks", "batch", "structured"])
def test_frames_that_are_nearly_right_give_the_same_answer(iris_like: Any, container: str, change: str) -> None:
    native, model = classifier(iris_like, container)
    frame = iris_like[0].round()
    rows: Any = {
        "reordered": frame[["c", "a", "b"]],
        "integers": frame.astype({"a": "int64", "b": "int8"}),
        "narrow": frame.astype("float32"),
        "blocks": pd.concat([frame[["a"]], frame[["b"]], frame[["c"]]], axis=1),
        "batch": pa.RecordBatch.from_pandas(frame),
        "structured": frame.to_records(index=False).view(np.ndarray),
    }[change]
    expected = native.predict(frame if container == "pandas" else frame.to_numpy())
    answer = model.predict(rows)
    found = answer["label"].to_pylist() if change == "batch" else answer if change == "structured" else answer["label"]
    assert list(found) == list(expected)


@pytest.mark.parametrize("container", ["pandas", "numpy", "polars", "pyarrow"])
@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow", "numpy", "records", "columns"])
@pytest.mark.parametrize("bad", [None, math.nan, math.inf])
def test_no_shortcut_lets_through_what_the_signature_refuses(container: str, kind: str, bad: float | None) -> None:
    signature: dict[str, Any] = {
        "inputs": [
            {"name": name, "datatype": "float64", "native": "float64" if container == "pandas" else ""} for name in "ab"
        ],
        "outputs": [{"name": "n", "datatype": "int64"}],
        "container": container,
    }
    model = Model(
        lambda rows: list(range(len(rows))), {"name": "m", "version": "1", "storage": {}, "signature": signature}
    )
    columns = {"a": [1.0, 2.0, 3.0], "b": [1.0, bad, 3.0]}
    rows: Any = {
        "pandas": lambda: pd.DataFrame(columns, dtype="float64"),
        "polars": lambda: pl.DataFrame(columns),
        "pyarrow": lambda: pa.table(columns),
        "numpy": lambda: np.array([*columns.values()], dtype="float64").T,
        "records": lambda: [{"a": a, "b": b} for a, b in zip(*columns.values(), strict=True)],
        "columns": lambda: columns,
    }[kind]()
    with pytest.raises(SignatureError) as caught:
        model.predict(rows)
    assert [(problem.row, problem.column) for problem in caught.value.problems] == [(1, "b")]


def nullable_frame_model() -> Model:
    signature = {
        "inputs": [
            {"name": "c", "datatype": "string", "native": "category", "categories": ["hi", "lo"], "ordered": True},
            {"name": "s", "datatype": "string", "native": "str"},
            {"name": "n", "datatype": "int64", "native": "Int64", "nullable": True},
            {
                "name": "z",
                "datatype": "datetime",
                "native": "datetime64[ns, Europe/Berlin]",
                "timezone": "Europe/Berlin",
            },
            {"name": "d", "datatype": "date", "native": "object"},
        ],
        "outputs": [{"name": "n", "datatype": "int64"}],
        "container": "pandas",
    }
    return Model(
        lambda rows: list(range(len(rows))), {"name": "m", "version": "1", "storage": {}, "signature": signature}
    )


def test_records_become_the_dtypes_that_the_model_was_trained_on() -> None:
    moment = datetime(2026, 11, 20, 12, tzinfo=UTC)
    fitted = nullable_frame_model().fit_rows([{"c": "hi", "s": "a", "n": None, "z": moment, "d": "2026-11-20"}]).rows
    assert fitted["c"].dtype == pd.CategoricalDtype(["hi", "lo"], ordered=True)
    assert list(map(str, fitted.dtypes)) == ["category", "str", "Int64", "datetime64[ns, Europe/Berlin]", "object"]
    assert fitted["z"][0] == pd.Timestamp(moment)
    assert fitted["d"][0] == date(2026, 11, 20)


def test_a_frame_of_the_right_dtypes_is_passed_as_it_is() -> None:
    signature = {
        "inputs": [
            {"name": "a", "datatype": "float64", "native": "float64"},
            {"name": "s", "datatype": "string", "native": "str"},
        ],
        "outputs": [],
        "container": "pandas",
    }
    model = Model(len, {"name": "m", "version": "1", "storage": {}, "signature": signature})
    frame = pd.DataFrame({"a": [1.0], "s": ["x"]})
    assert model.fit_rows(frame).rows is frame
    assert model.fit_rows(frame[["s", "a"]]).rows.equals(frame)


@pytest.mark.parametrize(("column", "bad"), [("c", None), ("s", None), ("z", pd.NaT), ("d", None)])
def test_missing_values_of_extension_columns_are_refused(column: str, bad: Any) -> None:
    model, moment = nullable_frame_model(), datetime(2026, 11, 20, 12, tzinfo=UTC)
    good = model.fit_rows([{"c": "hi", "s": "a", "n": 1, "z": moment, "d": date(2026, 11, 20)}] * 2).rows
    assert model.predict(good)["n"].tolist() == [0, 1]
    frame = good.copy()
    frame[column] = pd.Series([good[column][0], bad], dtype=good[column].dtype)
    with pytest.raises(SignatureError) as caught:
        model.predict(frame)
    assert [(problem.row, problem.column) for problem in caught.value.problems] == [(1, column)]


def test_an_unseen_level_of_a_category_is_missing_as_in_pandas() -> None:
    model = nullable_frame_model()
    row = {"c": "middle", "s": "a", "n": 1, "z": datetime(2026, 1, 1, tzinfo=UTC), "d": date(2026, 1, 1)}
    assert model.fit_rows([row]).rows["c"].isna().tolist() == [True]


@pytest.mark.parametrize("container", ["pandas", "numpy", "records"])
def test_no_rows_give_an_empty_answer_without_asking_the_model(container: str) -> None:
    def never(rows: Any) -> Any:
        raise AssertionError("asked")

    inputs = [{"name": "a", "datatype": "float64", "native": "float64" if container == "pandas" else ""}]
    outputs = [{"name": "p", "datatype": "float64", "shape": [2], "labels": ["no", "yes"]}]
    signature = {"inputs": inputs, "outputs": outputs, "container": container}
    model = Model(never, {"name": "m", "version": "1", "storage": {}, "signature": signature})
    frame = model.predict(pd.DataFrame({"a": []}, dtype="float64"))
    assert (list(frame.columns), len(frame)) == (["p_no", "p_yes"], 0)
    assert model.predict(np.empty((0, 1))).shape == (0, 2)
    assert model.predict([]) == []
    assert model.predict({"a": []}) == {"p_no": [], "p_yes": []}
    assert model.predict(pl.DataFrame({"a": []})).shape == (0, 2)
    assert model.predict(pa.table({"a": []})).num_rows == 0
    with pytest.raises(SignatureError, match="2 problems"):
        model.predict({"b": []})


def test_tensors_pass_unchanged_and_records_become_arrays() -> None:
    field = {"name": "image", "datatype": "float32", "shape": [2, -1]}
    signature = {
        "inputs": [field],
        "outputs": [{"name": "sum", "datatype": "float64"}],
        "container": "numpy",
        "array_dtype": "float32",
    }
    model = Model(
        lambda rows: rows.astype("float64").sum(axis=(1, 2)),
        {"name": "m", "version": "1", "storage": {}, "signature": signature},
    )
    images = np.arange(12, dtype="float32").reshape(2, 2, 3)
    assert model.fit_rows(images).rows is images
    assert model.predict(images).tolist() == [15.0, 51.0]
    assert model.predict([{"image": image.tolist()} for image in images]) == [{"sum": 15.0}, {"sum": 51.0}]
    with pytest.raises(SignatureError, match="1 elements where 2 are needed"):
        model.predict(images[:, :1])


def test_long_text_is_not_cut_to_the_width_of_the_training_array() -> None:
    signature = {
        "inputs": [{"name": "t", "datatype": "string"}],
        "outputs": [{"name": "n", "datatype": "int64"}],
        "container": "numpy",
        "array_dtype": "<U2",
    }
    model = Model(
        lambda rows: [len(row[0]) for row in rows], {"name": "m", "version": "1", "storage": {}, "signature": signature}
    )
    assert model.predict([{"t": "abcdef"}]) == [{"n": 6}]


def test_several_outputs_of_one_method_are_columns_of_their_own() -> None:
    outputs = [{"name": "low", "datatype": "float64"}, {"name": "high", "datatype": "float64"}]
    inputs = [{"name": "a", "datatype": "float64"}]
    signature = {"inputs": inputs, "outputs": outputs, "container": "numpy", "array_dtype": "float64"}
    manifest = {"name": "m", "version": "1", "storage": {}, "signature": signature}
    ways: list[Any] = [
        lambda rows: np.hstack([rows, rows + 1]),
        lambda rows: {"high": rows[:, 0] + 1, "low": rows[:, 0]},
        lambda rows: [{"low": row[0], "high": row[0] + 1} for row in rows.tolist()],
        lambda rows: pd.DataFrame({"high": rows[:, 0] + 1, "low": rows[:, 0]}),
        lambda rows: [rows[:, 0], rows[:, 0] + 1],
    ]
    for way in ways:
        model = Model(way, manifest)
        assert model.predict([{"a": 1}]) == [{"low": 1.0, "high": 2.0}]
        assert model.predict(np.array([[1.0]])).tolist() == [[1.0, 2.0]]
        assert model.predict(pd.DataFrame({"a": [1.0]})).to_dict("list") == {"low": [1.0], "high": [2.0]}


@pytest.mark.parametrize(("container", "module"), [("polars", pl), ("pyarrow", pa)])
def test_a_table_of_the_right_types_takes_the_shortcut(container: str, module: Any) -> None:
    inputs = [
        {"name": "a", "datatype": "float64", "nullable": True},
        {"name": "t", "datatype": "string"},
        {"name": "d", "datatype": "date"},
        {"name": "i", "datatype": "uint8"},
    ]
    signature = {"inputs": inputs, "outputs": [], "container": container}
    model = Model(len, {"name": "m", "version": "1", "storage": {}, "signature": signature})
    fitted = model.fit_rows(
        [{"a": None, "t": "x", "d": "2026-11-20", "i": 1}, {"a": 0.5, "t": "y", "d": "2026-11-21", "i": 2}]
    ).rows
    again = model.fit_rows(fitted).rows
    assert again is fitted if container == "polars" else again.equals(fitted)
    assert model.fit_rows(fitted.select(["i", "d", "t", "a"])).rows.equals(fitted)
