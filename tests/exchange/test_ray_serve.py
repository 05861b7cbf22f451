"""The exported application on a real local Ray: ``serve run``, two scikit-learn releases, a canary, bad input."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ray_peers import RunningApp, serve_run
from versioned_iris import POISON, iris_wheel, rows

import modelwright as mw
from modelwright.inspecting.predicting import predict_file
from modelwright.inspecting.wheel import sha256_of
from modelwright.serving.routing.assignment import bucket, choose

LIBRARIES = {"control": "1.8.0", "canary": "1.9.1"}
SHARE = 25


@pytest.fixture(scope="module")
def wheels(tmp_path_factory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("iris")
    old = iris_wheel(root, "1.0.0", LIBRARIES["control"], regularisation=1.0)
    return old, iris_wheel(root, "1.1.0", LIBRARIES["canary"], regularisation=0.1)


@pytest.fixture(scope="module")
def app(wheels, tmp_path_factory) -> Iterator[RunningApp]:
    root = tmp_path_factory.mktemp("ray")
    mw.export(wheels[0], root / "app", to="ray-serve", canary=wheels[1], canary_weight=SHARE)
    with serve_run(root / "app", root) as running:
        yield running


def test_predictions_are_those_of_modelwright_predict(app, wheels, tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows(150)))
    for version, wheel in zip(("1.0.0", "1.1.0"), wheels, strict=True):
        predict_file(wheel, file, tmp_path / f"{version}.jsonl")
        expected = [json.loads(line) for line in (tmp_path / f"{version}.jsonl").read_text().splitlines()]
        columns = {name: [row[name] for row in rows(150)] for name in rows(1)[0]}
        said = app.ask(f"/models/iris/versions/{version}/all", {"columns": columns}).content["columns"]
        assert [dict(zip(said, row, strict=True)) for row in zip(*said.values(), strict=True)] == expected


def test_two_releases_of_scikit_learn_answer_side_by_side_and_say_who_they_are(app, wheels):
    for (variant, library), version in zip(LIBRARIES.items(), ("1.0.0", "1.1.0"), strict=True):
        said = app.ask(f"/models/iris/versions/{version}/predict", rows(2), X_Request_Id="request-7")
        assert said.status == 200
        assert [row["library"] for row in said.content["predictions"]] == [library, library]
        facts = {"model": "iris", "version": version, "variant": variant, "request_id": "request-7"}
        assert {name: said.content[name] for name in facts} == facts
        assert said.headers["modelwright-version"] == version
    known = app.ask("/").content
    assert [one["digest"] for one in known["variants"]] == [sha256_of(wheel) for wheel in wheels]


def test_a_unit_keeps_its_variant_and_it_is_the_one_our_own_server_would_choose(app):
    units = [f"customer-{number}" for number in range(200)]
    weights = {"control": 100 - SHARE, "canary": SHARE}
    expected = {unit: choose(weights, bucket("", "iris", unit)) for unit in units}

    def variant(place: int) -> tuple[str, str]:
        unit = units[place % len(units)]
        in_body = place >= len(units)
        body = {"rows": rows(1), "unit": unit} if in_body else {"rows": rows(1)}
        said = app.ask("/models/iris/predict", body, **({} if in_body else {"Modelwright_Unit": unit}))
        return unit, said.content["variant"]

    with ThreadPoolExecutor(16) as pool:
        got = list(pool.map(variant, range(2 * len(units))))
    assert [(unit, name) for unit, name in got if expected[unit] != name] == []
    assert 0.15 < Counter(dict(got).values())["canary"] / len(units) < 0.35


def test_requests_without_a_unit_are_shared_as_weighted(app):
    with ThreadPoolExecutor(16) as pool:
        got = Counter(pool.map(lambda _: app.ask("/models/iris/predict", rows(1)).content["variant"], range(200)))
    assert 200 * SHARE / 100 * 0.5 < got["canary"] < 200 * SHARE / 100 * 1.5


def test_a_request_that_fails_harms_none_that_is_computed_with_it(app):
    def one(place: int) -> tuple[int, int, object]:
        row = dict(rows(place + 1)[-1])
        if place % 10 == 3:
            row["petal_width"] = 2 * POISON
        if place % 10 == 7:
            row["petal_width"] = None
        said = app.ask("/models/iris/versions/1.0.0/predict", [row])
        return place, said.status, said.content.get("predictions", [{}])[0].get("species")

    alone = app.ask("/models/iris/versions/1.0.0/predict", rows(150)).content["predictions"]
    with ThreadPoolExecutor(32) as pool:
        for place, status, species in pool.map(one, range(150)):
            wanted = {3: 500, 7: 400}.get(place % 10, 200)
            assert status == wanted
            assert wanted != 200 or species == alone[place]["species"]


GOOD = rows(1)[0]
BAD = {
    "null": ([{**GOOD, "petal_width": None}], 400, "MW201"),
    "missing": ([{"petal_width": 1}], 400, "MW201"),
    "extra": ([{**GOOD, "colour": "red"}], 400, "MW201"),
    "text": ([{**GOOD, "petal_width": "wide"}], 400, "MW201"),
    "no rows": ([], 400, "MW1203"),
    "no body": (b"", 400, "MW1203"),
    "neither": ({"data": []}, 400, "MW1203"),
    "key twice": (b'[{"petal_width": 1, "petal_width": 2}]', 400, "MW1203"),
    "nan": (b'[{"petal_width": NaN}]', 400, "MW1203"),
    "huge": (b'[{"petal_width": ' + b"9" * 5000 + b"}]", 400, "MW1203"),
    "deep": (b"[" * 100_000, 400, "MW1203"),
    "nested": (b"[" * 40 + b"]" * 40, 400, "MW1203"),
    "no UTF-8": (b'["\xff"]', 400, "MW1203"),
    "many": (b"[" + b"{}," * 100_000 + b"{}]", 413, "MW1205"),
    "large": (b"[" + b" " * (16 * 2**20) + b"]", 413, "MW1205"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_a_typed_error(case, app):
    body, status, code = BAD[case]
    said = app.ask("/models/iris/predict", body)
    assert (said.status, said.content["code"]) == (status, code)
    assert said.content["error"]
    assert said.content["request_id"] == said.headers["x-request-id"]


def test_problems_name_row_and_column_and_a_failing_model_tells_nothing_of_the_machine(app):
    said = app.ask("/models/iris/predict", [GOOD, {**GOOD, "petal_width": None}]).content
    assert [(one["row"], one["column"]) for one in said["details"]] == [(1, "petal_width")]
    said = app.ask("/models/iris/predict", [{**GOOD, "petal_width": 2 * POISON}])
    assert (said.status, said.content["code"]) == (500, "MW202")
    assert "/" not in json.dumps(said.content).replace("\\/", "/")


def test_unknown_addresses_methods_and_types_are_said(app):
    assert app.ask("/models/irs/predict", [GOOD]).status == 404
    assert app.ask("/models/iris/versions/9.9/predict", [GOOD]).status == 404
    assert app.ask("/models/iris/transform", [GOOD]).content["code"] == "MW1202"
    assert app.ask("/nothing").status == 404
    assert app.ask("/models/iris/predict").status == 405
    assert app.ask("/models/iris/predict", [GOOD], Content_Type="text/csv").content["code"] == "MW1204"


def test_the_open_inference_protocol_is_spoken(app):
    known = app.ask("/v2/models/iris").content
    assert known["versions"] == ["1.0.0", "1.1.0"]
    assert {one["name"]: one["datatype"] for one in known["outputs"]} == {
        "species": "INT64",
        "library": "BYTES",
        "probability": "FP64",
    }
    assert app.ask("/v2/health/live").status == app.ask("/v2/models/iris/versions/1.1.0/ready").status == 200
    values = [list(row.values()) for row in rows(3)]
    block = {"name": "x", "datatype": "FP64", "shape": [3, 4], "data": [one for row in values for one in row]}
    each = [
        {"name": name, "datatype": "FP64", "shape": [3], "data": [row[place] for row in values]}
        for place, name in enumerate(GOOD)
    ]
    path = "/v2/models/iris/versions/1.1.0/infer"
    one, other = (app.ask(path, {"id": "7", "inputs": inputs}).content for inputs in ([block], each))
    assert one == other
    assert (one["id"], one["model_version"]) == ("7", "1.1.0")
    assert [(tensor["name"], tensor["shape"]) for tensor in one["outputs"]] == [
        ("species", [3]),
        ("library", [3]),
        ("probability", [3, 3]),
    ]
    asked = app.ask(path, {"inputs": each, "outputs": [{"name": "probability"}]}).content["outputs"]
    assert asked == one["outputs"][2:]
    wrong = app.ask(path, {"inputs": [{**block, "shape": [2, 4]}]})
    assert (wrong.status, wrong.content["code"]) == (400, "MW1203")


def test_the_digest_of_the_configuration_is_in_the_metadata(app):
    folder = app.log.parent / "app"
    digest = hashlib.sha256((folder / "deployment.json").read_bytes()).hexdigest()
    assert app.ask("/v2").content["config_sha256"] == digest
