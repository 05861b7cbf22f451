"""Requests as TensorFlow Serving's clients send them get what TensorFlow Serving answers."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from honest_plane import flower_model, honest_plane
from small_gateway import answer

from modelwright.serving.http.aliases.routes import match
from modelwright.serving.http.messages import Request

ROWS = [[0.5, -1.0, 2.0], [-3.0, 0.25, 0.0]]
COLUMNS = ["length", "width", "depth"]
RECORDS = [dict(zip(COLUMNS, row, strict=True)) for row in ROWS]
BY_COLUMN = {name: [row[place] for row in ROWS] for place, name in enumerate(COLUMNS)}
EXPECTED = flower_model().predict(ROWS).tolist()
PROBABILITIES = flower_model().predict_proba(ROWS).tolist()
PLANE = honest_plane()


def ask(method: str, path: str, body: Any = None) -> tuple[int, Any]:
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    reply = asyncio.run(answer(PLANE, Request(method, path, body=raw, request_id="id-1")))
    return reply.status, json.loads(reply.body)


def predict(body: Any, path: str = "/v1/models/flower:predict") -> tuple[int, Any]:
    return ask("POST", path, body)


@pytest.mark.parametrize(
    "instances", [ROWS, RECORDS, [{name: [value] for name, value in row.items()} for row in RECORDS]]
)
def test_rows_are_answered_by_row(instances: Any) -> None:
    assert predict({"instances": instances}) == (200, {"predictions": EXPECTED})


@pytest.mark.parametrize("inputs", [ROWS, BY_COLUMN, {name: [[one] for one in BY_COLUMN[name]] for name in COLUMNS}])
def test_columns_are_answered_by_column(inputs: Any) -> None:
    assert predict({"signature_name": "serving_default", "inputs": inputs}) == (200, {"outputs": EXPECTED})


def test_a_signature_is_a_method() -> None:
    body = {"signature_name": "predict_proba", "instances": ROWS}
    assert predict(body) == (200, {"predictions": PROBABILITIES})


def test_a_version_answers() -> None:
    old = flower_model(-1.0).predict(ROWS).tolist()
    path = "/v1/models/flower/versions/1.0.0:predict"
    assert predict({"instances": ROWS}, path) == (200, {"predictions": old})


def test_tensors_per_row() -> None:
    images = [[[0, 1, 2], [3, 4, 5]], [[6, 7, 8], [9, 10, 11]]]
    for body in ({"instances": images}, {"instances": [{"image": one} for one in images]}):
        assert predict(body, "/v1/models/pixels:predict") == (200, {"predictions": [2.5, 8.5]})
    assert predict({"inputs": images}, "/v1/models/pixels:predict") == (200, {"outputs": [2.5, 8.5]})


ROW = {
    "città": "Köln",
    "seats": None,
    "price": "NaN",
    "member": True,
    "since": "2026-11-20",
    "at": "2026-11-20T13:45:00",
    "took": 90,
    "token": {"b64": "AAEC"},
    "extra": {"a": [1]},
    "place": [1.0, 2.0],
}
ANSWER = {
    "text": "Köln",
    "seats_out": None,
    "price_out": "NaN",
    "member_out": True,
    "when": "2026-11-20T13:45:00",
    "took_out": 90.0,
    "token_out": {"b64": "AAEC"},
    "extra_out": {"a": [1]},
    "place_out": [1.0, 2.0],
}


def test_several_outputs_are_objects() -> None:
    path = "/v1/models/mixed:predict"
    assert predict({"instances": [ROW]}, path) == (200, {"predictions": [ANSWER]})
    columns = {name: [value] for name, value in ROW.items()}
    assert predict({"inputs": columns}, path) == (200, {"outputs": {name: [value] for name, value in ANSWER.items()}})


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "either instances or inputs"),
        ([], "either instances or inputs"),
        ({"instances": ROWS, "inputs": ROWS}, "either instances or inputs"),
        ({"instances": ROWS, "signature_name": "classify"}, "no signature 'classify'"),
        ({"instances": [{"length": 1, "width": 2, "dept": 3}]}, "did you mean 'depth'"),
        ({"instances": [{"length": [1], "width": [2], "dept": [3]}]}, "did you mean 'depth'"),
        ({"instances": [{"length": [1, 2], "width": [2], "depth": [3]}]}, "column 'length'"),
        ({"instances": [[1, 2, None]]}, "row 0, column 'depth': is missing"),
        ({"instances": [[{"b64": "?"}, 1, 2]]}, "is no base64"),
        ({"instances": []}, "no rows"),
        (b"{", "not JSON"),
    ],
)
def test_what_does_not_fit_is_refused(body: Any, message: str) -> None:
    status, told = predict(body)
    assert status == 400
    assert message in told["error"]
    assert told["code"].startswith("MW")


def test_status_names_every_version() -> None:
    status, told = ask("GET", "/v1/models/flower")
    assert status == 200
    assert told["model_version_status"][0] == {
        "version": "1.0.0",
        "state": "AVAILABLE",
        "status": {"error_code": "OK", "error_message": ""},
    }
    assert len(told["model_version_status"]) == 2
    assert len(ask("GET", "/v1/models/flower/versions/1.1.0")[1]["model_version_status"]) == 1
    assert ask("GET", "/v1/models/flour")[0] == 404
    assert ask("GET", "/v1/models/flower/versions/9")[0] == 404


def test_a_version_that_is_not_ready_is_loading() -> None:
    PLANE.versions_of["pixels"][0].ready = False
    try:
        assert ask("GET", "/v1/models/pixels")[1]["model_version_status"][0]["state"] == "LOADING"
        assert ask("GET", "/v1/models/pixels/metadata")[0] == 503
    finally:
        PLANE.versions_of["pixels"][0].ready = True


def test_metadata_has_a_signature_per_method() -> None:
    _, told = ask("GET", "/v1/models/flower/metadata")
    assert told["model_spec"] == {"name": "flower", "signature_name": "", "version": "1.1.0"}
    signatures = told["metadata"]["signature_def"]["signature_def"]
    assert set(signatures) == {"serving_default", "predict", "predict_proba"}
    assert signatures["serving_default"]["inputs"]["length"]["dtype"] == "DT_DOUBLE"
    assert [one["size"] for one in signatures["predict_proba"]["outputs"]["probability"]["tensor_shape"]["dim"]] == [
        "-1",
        "2",
    ]
    assert ask("GET", "/v1/models/flower/versions/1.0.0/metadata")[1]["model_spec"]["version"] == "1.0.0"


@pytest.mark.parametrize(
    "path",
    ["/v1/models/", "/v1/models/a:classify", "/v1/models/a/b", "/v1/models/:predict", "/v1/models/a/versions/:predict"],
)
def test_other_paths_lead_nowhere(path: str) -> None:
    assert match(path) is None
