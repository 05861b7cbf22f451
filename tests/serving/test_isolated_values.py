"""``mw.load`` answers bit for bit what the package answers in this process, whatever the rows come in."""

from __future__ import annotations

import importlib
import sys
import zipfile
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from isolated_models import COLUMNS, describe, frame, pairs, words
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import modelwright as mw
from modelwright.errors import SignatureError
from modelwright.serving.isolated.model import IsolatedModel


class Both(NamedTuple):
    """A package in this process, and in its own."""

    here: Any
    there: IsolatedModel

    def agree(self, rows: Any, method: str = "predict") -> Any:
        """Check that both answer the same; return it."""
        expected, found = getattr(self.here, method)(rows), getattr(self.there, method)(rows)
        same(found, expected)
        return found

    def refuse(self, rows: Any) -> list[Any]:
        """Check that both refuse with the same words; return the problems."""
        with pytest.raises(Exception, match="signature") as here:
            self.here.predict(rows)
        with pytest.raises(SignatureError) as there:
            self.there.predict(rows)
        assert here.value.to_dict() == there.value.to_dict()
        return list(there.value.problems)


def same(found: Any, expected: Any) -> None:
    """Check that two answers are of one type, with the same values to the last bit, and datatypes."""
    assert type(found) is type(expected)
    if isinstance(expected, pd.DataFrame):
        pd.testing.assert_frame_equal(found, expected, check_exact=True, check_column_type=True)
    elif isinstance(expected, np.ndarray):
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
        assert (
            found.tolist() == expected.tolist() if expected.dtype == object else found.tobytes() == expected.tobytes()
        )
        found.flags.writeable = True
    elif isinstance(expected, pl.DataFrame | pa.Table):
        assert found.schema == expected.schema
        assert found.equals(expected)
    else:
        assert repr(found) == repr(expected)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Both]]:
    """What captures a model and loads it twice."""
    opened: list[IsolatedModel] = []

    def make(name: str, model: Any, *data: Any) -> Both:
        root = tmp_path_factory.mktemp(name)
        wheel = mw.build(mw.capture(model, *data, name=name, version="1.0.0", to=root / "model"), root)
        zipfile.ZipFile(wheel).extractall(root / "site")
        sys.path.insert(0, str(root / "site"))
        importlib.invalidate_caches()
        opened.append(mw.load(wheel))
        return Both(importlib.import_module(name).load(), opened[-1])

    before = list(sys.path)
    yield make
    sys.path[:] = before
    for one in opened:
        one.close()


@pytest.fixture(scope="module")
def tumour(both) -> Both:
    """A pipeline of numbers, trained on a frame."""
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    return both("iso_tumour", make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y), X, y)


@pytest.fixture(scope="module")
def numbers(both) -> Both:
    """The same, trained on an array."""
    X, y = load_breast_cancer(return_X_y=True)
    return both("iso_numbers", make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y), X, y)


@pytest.fixture(scope="module")
def everything(both) -> Both:
    """A function of a pandas frame that says what it got."""
    return both("iso_everything", describe, frame())


@pytest.fixture(scope="module")
def spoken(both) -> Both:
    """A function of records that says what it got."""
    return both("iso_spoken", words, pl.DataFrame(COLUMNS).to_dicts())


X = load_breast_cancer(as_frame=True).data
KINDS: dict[str, Callable[[pd.DataFrame], Any]] = {
    "pandas": lambda X: X,
    "pandas, row by row": lambda X: pd.DataFrame(np.ascontiguousarray(X.to_numpy()), columns=X.columns, copy=False),
    "pandas, column by column": lambda X: pd.DataFrame({name: X[name] for name in X}),
    "pandas, singles": lambda X: X.astype("float32"),
    "pandas, in another order": lambda X: X[X.columns[::-1]],
    "pandas, with an index": lambda X: X.set_index(pd.date_range("2026", periods=len(X), freq="h")),
    "pandas, every second": lambda X: X.iloc[::2],
    "pandas, one row": lambda X: X.head(1),
    "pandas, no rows": lambda X: X.head(0),
    "polars": pl.from_pandas,
    "polars, singles": lambda X: pl.from_pandas(X.astype("float32")),
    "pyarrow": lambda X: pa.Table.from_pandas(X, preserve_index=False),
    "pyarrow, a batch": lambda X: pa.RecordBatch.from_pandas(X, preserve_index=False),
    "numpy": lambda X: X.to_numpy(),
    "numpy, column by column": lambda X: np.asfortranarray(X.to_numpy()),
    "numpy, singles": lambda X: X.to_numpy("float32"),
    "numpy, halves": lambda X: (X.to_numpy() / 100).astype("float16"),
    "numpy, whole numbers": lambda X: X.to_numpy().astype("int32"),
    "numpy, the other byte order": lambda X: X.to_numpy().astype(">f8"),
    "numpy, every third": lambda X: X.to_numpy()[::3],
    "numpy, no rows": lambda X: X.to_numpy()[:0],
    "records": lambda X: X.head(20).to_dict("records"),
    "columns": lambda X: X.to_dict("list"),
    "columns of arrays": lambda X: {name: X[name].to_numpy() for name in X},
}


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_model_of_a_frame_answers_the_same(tumour: Both, kind: str, method: str) -> None:
    tumour.agree(KINDS[kind](X), method)


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_model_of_an_array_answers_the_same(numbers: Both, kind: str, method: str) -> None:
    rows = KINDS[kind](X.set_axis([field.name for field in numbers.there.manifest.signature.inputs], axis=1))
    numbers.agree(rows, method)


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow", "records", "columns"])
@pytest.mark.parametrize("who", ["everything", "spoken"])
def test_every_datatype_arrives_as_it_was(request: pytest.FixtureRequest, who: str, kind: str) -> None:
    asked: Both = request.getfixturevalue(who)
    made = {
        "pandas": frame,
        "polars": lambda: pl.DataFrame(COLUMNS),
        "pyarrow": lambda: pa.table(COLUMNS),
        "records": lambda: pl.DataFrame(COLUMNS).to_dicts(),
        "columns": lambda: COLUMNS,
    }[kind]()
    asked.agree(made)


def test_times_finer_than_microseconds_keep_every_digit(everything: Both) -> None:
    rows = frame()
    rows["since"] = pd.to_datetime(["2024-01-02T03:04:05.123456789"] * 4)
    everything.agree(rows)


def test_durations_finer_than_microseconds_are_refused_rather_than_rounded(everything: Both) -> None:
    rows = frame()
    rows["wait"] = pd.to_timedelta([1, 2000, 3, 4], unit="ns")
    with pytest.raises(SignatureError) as caught:
        everything.there.predict(rows)
    assert [(one.row, one.column) for one in caught.value.problems] == [(0, "wait"), (2, "wait"), (3, "wait")]


def test_missing_is_missing_and_not_a_number_is_that(spoken: Both) -> None:
    rows = pl.DataFrame(COLUMNS).to_dicts()
    assert "'score': None" in spoken.agree(rows)[1]["said"]
    rows[1]["score"] = float("nan")
    assert "'score': nan" in spoken.agree(rows)[1]["said"]


def test_tensors_travel_as_arrays(both) -> None:
    images = np.random.default_rng(0).random((6, 4, 5), dtype="float32")
    seen = both("iso_pairs", pairs, images)
    for rows in (images, np.asfortranarray(images), images[::2], images.tolist(), {"image": list(images)}):
        if isinstance(rows, np.ndarray):
            seen.agree(rows)


def test_text_classes_and_a_mixed_frame_answer_the_same(both) -> None:
    rows = pd.concat([frame()[["city", "small"]]] * 10, ignore_index=True)
    rows["ratio"] = np.linspace(-1, 1, 40)
    steps = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["city"]), remainder="passthrough")
    model = make_pipeline(steps, StandardScaler(with_mean=False), LogisticRegression())
    mixed = both("iso_mixed", model.fit(rows, ["goes", "remains"] * 20), rows)
    for method in ("predict", "predict_proba"):
        for made in (rows, pl.from_pandas(rows), pa.Table.from_pandas(rows), rows.to_dict("records")):
            mixed.agree(made, method)
    assert mixed.there.predict(rows)["prediction"].tolist() == mixed.here.predict(rows)["prediction"].tolist()


def test_both_refuse_with_the_same_words(tumour: Both, everything: Both) -> None:
    assert [one.column for one in tumour.refuse(X.rename(columns={"mean radius": "mean radios"}))] == ["mean radios"]
    broken = X.head(4).copy()
    broken.iloc[2, 3] = np.nan
    assert [(one.row, one.column) for one in tumour.refuse(broken)] == [(2, X.columns[3])]
    assert tumour.refuse(broken.to_numpy())[0].row == 2
    assert tumour.refuse(pl.from_pandas(X).with_columns(pl.lit("x").alias("mean area")))
    rows = frame().astype({"visits": object, "small": "int64"})
    rows.loc[0, "visits"], rows.loc[3, "small"], rows.loc[2, "city"] = "many", 256, None
    assert [(one.row, one.column) for one in everything.refuse(rows)] == [(0, "visits"), (2, "city"), (3, "small")]
    assert everything.refuse(frame().set_axis([*frame().columns[:-1], "plan"], axis=1))


whole = st.integers(-(2**63), 2**63 - 1)
finite = st.floats(allow_nan=False, allow_infinity=False, width=64)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.one_of(st.none(), finite)), min_size=1, max_size=5)
)
def test_any_numbers_arrive_as_they_were(spoken: Both, values: list[tuple[int, float | None]]) -> None:
    row = pl.DataFrame(COLUMNS).to_dicts()[0]
    rows = [row | {"visits": visits, "score": score} for visits, score in values]
    spoken.agree(rows)
    spoken.agree({name: [one[name] for one in rows] for name in row})
