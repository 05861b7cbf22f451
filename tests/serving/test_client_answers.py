"""A client's answers are the model's own: every kind of rows, each method, JSON and Arrow, one request or several."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from answering_server import Answering, described, listening, same
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from modelwright.runtime import load
from modelwright.serving.client import sending
from modelwright.serving.client.async_client import AsyncClient
from modelwright.serving.client.client import Client
from modelwright.serving.client.returning import Returning

GOLDEN = Path(__file__).parent.parent / "data" / "golden" / "format-1" / "twice-1.0.0"


def _people(rows: int) -> pd.DataFrame:
    random = np.random.default_rng(7)
    return pd.DataFrame(
        {
            "age": random.integers(18, 80, rows),
            "plan": random.choice(["basic", "plus"], rows),
            "income": random.normal(size=rows),
        }
    )


@pytest.fixture(scope="module")
def models():
    """Models by name: a pipeline on a mixed frame, a regression on an array, a function of records."""
    sys.path.insert(0, str(GOLDEN))
    people = _people(80)
    leaves = np.where(people.age + 9 * people.income > 50, "goes", "stays")
    columns = make_column_transformer((OneHotEncoder(), ["plan"]), remainder="passthrough")
    churn = make_pipeline(columns, LogisticRegression(max_iter=2000)).fit(people, leaves)
    points = np.random.default_rng(3).normal(size=(40, 3))
    lines = LinearRegression().fit(points, points @ np.array([[1.0, 2], [3, 4], [5, 6]]))
    narrow = LinearRegression().fit(points.astype("float32"), points[:, 0].astype("float32"))

    found = [
        described(churn, people, name="churn"),
        described(lines, points, name="lines"),
        described(narrow, points.astype("float32"), name="narrow"),
        load(GOLDEN / "twice" / "model", package="twice"),
    ]
    sys.path.remove(str(GOLDEN))
    return {model.manifest["name"]: model for model in found}


@pytest.fixture(scope="module")
def url(models):
    with listening(Answering(*models.values())) as address:
        yield address


@pytest.fixture
def client(url):
    with Client(url) as one:
        yield one


KINDS = {
    "pandas": lambda frame: frame.set_index(pd.Index(range(100, 100 + len(frame)))),
    "polars": pl.from_pandas,
    "pyarrow": lambda frame: pa.Table.from_pandas(frame, preserve_index=False),
    "records": lambda frame: frame.to_dict("records"),
    "columns": lambda frame: frame.to_dict("list"),
    "structured": lambda frame: frame.astype({"plan": object}).to_records(index=False),
}


@pytest.fixture(params=["arrow", "json"])
def wire(request, monkeypatch):
    """Frames go as Arrow, or as JSON where the library for Arrow is not installed."""
    if request.param == "json":
        monkeypatch.setattr(sending, "arrow", lambda: None)
    return request.param


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "structured"])
def test_an_answer_is_the_models_own(url, models, wire, kind, method):
    rows = KINDS[kind](_people(8))
    with Client(url, model="churn") as client:
        same(client.ask(method, rows).predictions, models["churn"].call(method, rows))


@pytest.mark.parametrize("name", ["lines", "narrow"])
def test_an_array_is_answered_with_an_array(url, models, wire, name):
    rows = np.random.default_rng(1).normal(size=(9, 3))
    with Client(url) as client:
        same(client.predict(rows, model=name), models[name].predict(rows))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "structured"])
def test_slices_come_back_as_one(models, wire, kind):
    rows, app = KINDS[kind](_people(8)), Answering(models["churn"])
    with listening(app) as url, Client(url, batch_rows=3) as client:
        said = client.ask("predict", rows, request_id="all")
    same(said.predictions, models["churn"].predict(rows))
    asked = [headers for verb, _, headers, _ in app.seen if verb == "POST"]
    assert [headers["x-request-id"] for headers in asked] == ["all-0", "all-1", "all-2"]


def test_slices_of_an_array_come_back_as_one(url, models, wire):
    rows = np.random.default_rng(1).normal(size=(9, 3))
    with Client(url, model="lines", batch_rows=4) as client:
        parts = [models["lines"].predict(rows[start : start + 4]) for start in (0, 4, 8)]
        same(client.predict(rows), np.concatenate(parts))


def test_a_structured_array_goes_by_its_names(client, models):
    rows = KINDS["structured"](_people(4))
    same(client.ask("predict_proba", rows, model="churn").predictions,
         models["churn"].call("predict_proba", rows))  # fmt: skip


@pytest.mark.parametrize("rows", [[{"x": 1.5}, {"x": -2.0}], {"x": [1, 2.5]}])
def test_a_package_without_libraries_is_answered(client, models, rows):
    same(client.predict(rows, model="twice"), models["twice"].predict(rows))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "structured"])
def test_no_rows_are_answered_without_asking(url, models, kind):
    rows = KINDS[kind](_people(3)[:0])
    with Client(url, model="churn") as client:
        same(client.predict(rows), models["churn"].predict(rows))


def test_methods_of_the_model_are_methods_of_the_client(url, models):
    rows = _people(3)
    with Client(url, model="churn") as client:
        same(client.predict_proba(rows), models["churn"].predict_proba(rows))
        assert "predict_proba" in dir(client)
        with pytest.raises(AttributeError, match="Did you mean 'predict_proba'"):
            client.predict_prob(rows)


def test_ask_says_who_answered(client):
    said = client.ask("predict", [{"x": 1.0}], model="twice", request_id="request-7", unit="customer-1")
    assert (said.model, said.version, said.variant, said.request_id) == ("twice", "1.0.0", "control", "request-7")
    assert len(client.ask("predict", [{"x": 1.0}], model="twice").request_id) == 32


def test_awaited_answers_are_the_same(url, models):
    async def ask():
        async with AsyncClient(url, model="churn") as client:
            rows = _people(5)
            whole, some = await asyncio.gather(client.predict(rows), client.predict_proba(rows[:2]))
            model, listed = await client.model(), await client.models()
            with pytest.raises(AttributeError, match="it has predict"):
                await client.transform(rows)
            return rows, whole, some, model, listed

    rows, whole, some, model, listed = asyncio.run(ask())
    same(whole, models["churn"].predict(rows))
    same(some, models["churn"].predict_proba(rows[:2]))
    assert (model.name, model.methods, len(listed)) == ("churn", ("predict", "predict_proba"), 4)


def test_a_server_that_takes_no_arrow_is_asked_in_json(models):
    app = Answering(models["churn"])
    app.arrow = False
    with listening(app) as url, Client(url) as client:
        same(client.predict(_people(3)), models["churn"].predict(_people(3)))
        client.predict(_people(3))
    types = [headers.get("content-type") for verb, _, headers, _ in app.seen if verb == "POST"]
    assert types == ["application/vnd.apache.arrow.stream", "application/json", "application/json"]


def test_each_model_is_known_anew_when_another_version_of_it_answers(models):
    points = np.random.default_rng(4).normal(size=(20, 3))
    app = Answering(models["lines"], models["narrow"])
    with listening(app) as url, Client(url) as client:
        for name in ("lines", "narrow"):
            client.ask("predict", points[:2], model=name)
        for name in ("lines", "narrow"):
            newer = described(LinearRegression().fit(points, points[:, 0] > 0), points, name=name, version="2.0.0")
            app.models[name] = newer
            for _ in range(2):
                same(client.ask("predict", points[:2], model=name).predictions, newer.predict(points[:2]))
    looked_at = [path for verb, path, _, _ in app.seen if verb == "GET"]
    assert sorted(looked_at) == sorted(["/models/lines", "/models/narrow"] * 2)


@pytest.mark.parametrize("kind", ["numpy", "pandas", "polars", "pyarrow", "columns"])
def test_text_that_is_longer_than_any_before_is_not_cut(kind):
    signature = {"outputs": [{"name": "plan", "datatype": "string", "native": "<U5"}]}
    returning = Returning("predict", signature, "churn 1.0.0")
    for sent in (["basic", "much longer"], np.array(["basic", "much longer"], dtype=object)):
        answer = returning.table([{"plan": sent}], kind, None)
        column = answer if kind == "numpy" else answer["plan"]
        assert (column.to_pylist() if kind == "pyarrow" else list(column)) == ["basic", "much longer"]
    assert returning.table([{"plan": ["a"]}], "numpy", None).dtype == "<U5"


def test_text_that_is_missing_is_not_the_word_none():
    signature = {"outputs": [{"name": "plan", "datatype": "string", "native": "<U5", "nullable": True}]}
    answer = Returning("predict", signature, "churn 1.0.0").table([{"plan": ["basic", None]}], "numpy", None)
    assert pd.isna(answer[1])
