"""Requests as MLflow's clients send them get what MLflow's scoring server answers."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.request import Request as Call
from urllib.request import urlopen

import pytest
from honest_plane import HonestPlane, flower_model, honest_plane, served
from small_gateway import answer, serving

import modelwright
from modelwright.errors import OverloadedError
from modelwright.serving.http.messages import Reply, Request

ROWS = [[0.5, -1.0, 2.0], [-3.0, 0.25, 0.0]]
COLUMNS = ["length", "width", "depth"]
RECORDS = [dict(zip(COLUMNS, row, strict=True)) for row in ROWS]
EXPECTED = flower_model().predict(ROWS).tolist()
PLANE = honest_plane()
JSON = b"application/json"


def only(name: str) -> HonestPlane:
    return HonestPlane({name: PLANE.versions_of[name]})


def post(body: Any, *, plane: HonestPlane | None = None, kind: bytes = JSON, query: bytes = b"") -> Reply:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {b"content-type": kind} if kind else {}
    request = Request("POST", "/invocations", query, headers, raw, "id-1")
    return asyncio.run(answer(plane or only("flower"), request))


def invoke(body: Any, **options: Any) -> tuple[int, Any]:
    reply = post(body, **options)
    return reply.status, json.loads(reply.body)


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": {"columns": COLUMNS, "data": ROWS}},
        {"dataframe_split": {"columns": COLUMNS, "data": ROWS, "index": [7, 8]}},
        {"dataframe_split": {"columns": COLUMNS[::-1], "data": [row[::-1] for row in ROWS]}},
        {"dataframe_split": {"data": ROWS}},
        {"dataframe_records": RECORDS},
        {"instances": ROWS},
        {"instances": RECORDS},
        {"inputs": ROWS},
        {"inputs": RECORDS},
        {"inputs": {name: [row[place] for row in ROWS] for place, name in enumerate(COLUMNS)}},
        {"dataframe_records": RECORDS, "params": {}, "client_request_id": "x"},
    ],
)
def test_every_form_gets_the_values_of_the_only_output(body: Any) -> None:
    assert invoke(body) == (200, {"predictions": EXPECTED})


def test_one_row_may_come_as_plain_values() -> None:
    assert invoke({"inputs": RECORDS[0]}) == (200, {"predictions": EXPECTED[:1]})


@pytest.mark.parametrize("kind", [b"text/csv", b"text/csv; charset=utf-8"])
def test_comma_separated_values(kind: bytes) -> None:
    text = "length,width,depth\n0.5,-1.0,2.0\n-3.0,0.25,0.0\n"
    assert invoke(text.encode(), kind=kind) == (200, {"predictions": EXPECTED})


def test_the_index_that_pandas_writes_is_left_alone() -> None:
    text = ",length,width,depth\n0,0.5,-1.0,2.0\n1,-3.0,0.25,0.0\n"
    assert invoke(text.encode(), kind=b"text/csv") == (200, {"predictions": EXPECTED})


def test_several_outputs_are_objects_as_of_a_data_frame() -> None:
    signature = {
        "inputs": [{"name": "x", "datatype": "float64"}],
        "outputs": [{"name": "doubled", "datatype": "float64"}, {"name": "positive", "datatype": "bool"}],
        "container": "records",
    }

    def twice(rows: list[dict[str, float]]) -> list[dict[str, Any]]:
        return [{"doubled": 2 * row["x"], "positive": row["x"] > 0} for row in rows]

    plane = HonestPlane({"twice": [served(twice, signature, name="twice", version="1.0", methods=["predict"])]})
    expected = {"predictions": [{"doubled": 3.0, "positive": True}]}
    assert invoke({"instances": [1.5]}, plane=plane) == (200, expected)
    assert invoke({"instances": [[1.5]]}, plane=plane) == (200, expected)
    assert invoke({"inputs": {"x": [1.5]}}, plane=plane) == (200, expected)


def test_a_model_is_named_where_there_are_several() -> None:
    status, body = invoke({"instances": ROWS}, plane=PLANE)
    assert status == 404
    assert "which of 3 models" in body["message"]
    assert invoke({"instances": ROWS}, plane=PLANE, query=b"model=flower")[1] == {"predictions": EXPECTED}
    old = flower_model(-1.0).predict(ROWS).tolist()
    assert invoke({"instances": ROWS}, plane=PLANE, query=b"model=flower&version=1.0.0")[1] == {"predictions": old}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"datafram_split": {}}, "exactly one of"),
        ({"datafram_split": {}}, "Did you mean 'dataframe_split'?"),
        ({"instances": ROWS, "inputs": ROWS}, "exactly one of"),
        ([1, 2], "no JSON object"),
        ({"dataframe_split": {"columns": COLUMNS}}, "no object with columns and data"),
        ({"dataframe_split": {"columns": [1], "data": [[1]]}}, "no object with columns and data"),
        ({"dataframe_split": {"columns": COLUMNS, "data": [[1, 2, 3], [1]]}}, "row 1: has 1 values"),
        ({"dataframe_split": {"columns": ["length", "length", "depth"], "data": ROWS}}, "appears more than once"),
        ({"dataframe_split": {"columns": ["length", "width", "dept"], "data": ROWS}}, "did you mean 'depth'"),
        ({"dataframe_records": {}}, "no list of objects"),
        ({"dataframe_records": [{"length": 1}, 3]}, "row 1: is no object"),
        ({"dataframe_records": []}, "no rows"),
        ({"instances": "x"}, "no list of rows"),
        ({"instances": [1, 2]}, "row 0: is neither an object nor a list"),
        ({"instances": [[1, 2]]}, "row 0: has 2 values"),
        ({"inputs": {"length": [1], "width": 2, "depth": [3]}}, "is no list of values"),
        ({"inputs": {}}, "holds no columns"),
        ({"instances": ROWS, "params": {"a": 1}}, "takes no params"),
        ({"instances": [[1, 2, "x"]]}, "row 0, column 'depth': 'x' is text"),
        (b'{"instances": [[1, 2, NaN]]}', "NaN"),
        (b"{", "not JSON"),
    ],
)
def test_what_does_not_fit_is_a_bad_request(body: Any, message: str) -> None:
    status, told = invoke(body)
    assert status == 400
    assert told["error_code"] == "BAD_REQUEST"
    assert message in told["message"] + json.dumps(told["details"])
    assert told["error"]
    assert told["code"].startswith("MW")
    assert "Traceback" not in json.dumps(told)


@pytest.mark.parametrize("kind", [b"", b"text/plain", b"application/vnd.apache.parquet", b"text/csv; charset=latin-1"])
def test_other_types_are_not_understood(kind: bytes) -> None:
    assert invoke({"instances": ROWS}, kind=kind)[0] == 415


def test_more_rows_than_the_model_takes_are_refused() -> None:
    plane = honest_plane()
    plane.versions_of["flower"][-1].max_rows = 1
    forms = [
        {"dataframe_split": {"data": ROWS}},
        {"dataframe_records": RECORDS},
        {"instances": ROWS},
        {"inputs": {name: [1.0, 2.0] for name in COLUMNS}},
    ]
    for form in forms:
        status, told = invoke(form, plane=plane, query=b"model=flower")
        assert (status, told["error_code"], told["code"]) == (413, "RESOURCE_EXHAUSTED", "MW1205")
    text = b"length,width,depth\n1,2,3\n1,2,3\n"
    assert invoke(text, plane=plane, kind=b"text/csv", query=b"model=flower")[0] == 413


def test_overload_is_told_with_when_to_try_again() -> None:
    def fail() -> None:
        raise OverloadedError("Too much is waiting.")

    plane = only("flower")
    plane.failing = fail
    reply = post({"instances": ROWS}, plane=plane)
    assert reply.status == 503
    assert (b"retry-after", b"1") in reply.headers
    assert json.loads(reply.body)["error_code"] == "TEMPORARILY_UNAVAILABLE"


def test_health_and_version_over_a_socket() -> None:
    plane = only("flower")
    with serving(plane) as port:
        for path in ("ping", "health"):
            with urlopen(f"http://127.0.0.1:{port}/{path}") as reply:
                assert (reply.status, reply.read()) == (200, b"\n")
        with urlopen(f"http://127.0.0.1:{port}/version") as reply:
            assert reply.read().decode() == modelwright.__version__
        body = json.dumps({"dataframe_split": {"columns": COLUMNS, "data": ROWS}}).encode()
        call = Call(f"http://127.0.0.1:{port}/invocations", body, {"Content-Type": "application/json; charset=utf-8"})
        with urlopen(call) as reply:
            assert json.load(reply) == {"predictions": EXPECTED}
    assert plane.events[-1].transport == "invocations"


def test_a_server_that_is_not_ready_fails_its_ping() -> None:
    plane = only("pixels")
    plane.versions_of["pixels"][0].ready = False
    try:
        assert asyncio.run(answer(plane, Request("GET", "/ping"))).status == 503
    finally:
        plane.versions_of["pixels"][0].ready = True
