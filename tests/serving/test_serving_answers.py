"""The whole way of a request, through the real gateway to a real process and back."""

from __future__ import annotations

import concurrent.futures
import json
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest
from behaving import some_objects, some_words
from running import ROWS, Running, deployment, serving

import modelwright as mw
from modelwright.serving.deployment import Limits


def test_answer_names_version_variant_and_request(served: Running) -> None:
    answer = served.ask({"x": 1.5, "what": "ok"}, {"x": 2, "what": "ok"}, X_Request_Id="r-17")

    assert answer.status_code == 200
    assert answer.json() == {
        "model": "behaving",
        "version": "1.0.0",
        "variant": "control",
        "request_id": "r-17",
        "predictions": [{"prediction": 3.0}, {"prediction": 4.0}],
    }
    assert answer.headers["x-request-id"] == "r-17"
    assert answer.headers["modelwright-version"] == "1.0.0"
    assert answer.headers["date"]


def test_version_is_asked_for_by_number(served: Running) -> None:
    row = {"x": 1.0, "what": "ok"}

    assert served.ask(row, path="/models/behaving/versions/1.0.0/predict").status_code == 200
    refused = served.ask(row, path="/models/behaving/versions/1.0.1/predict")
    assert refused.status_code == 404
    assert "Did you mean 1.0.0?" in refused.text


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/models/behavin/predict", 404, "Did you mean 'behaving'?"),
        ("/models/behaving/predct", 404, "Did you mean 'predict'?"),
        ("/models/behaving", 405, "POST"),
        ("/nowhere", 404, "GET /models lists the models"),
        ("/models/behaving/predict?timeout=never", 400, "timeout is a number of seconds"),
        ("/models/behaving/predict?timeot=1", 400, "timeot"),
    ],
)
def test_wrong_address_is_refused_with_the_right_one(served: Running, path: str, status: int, said: str) -> None:
    refused = served.ask({"x": 1.0, "what": "ok"}, path=path)

    assert refused.status_code == status
    told = refused.json()
    assert told["code"].startswith("MW")
    assert told["request_id"] == refused.headers["x-request-id"]
    assert said in refused.text or said in refused.headers.get("allow", "")


@pytest.mark.parametrize(
    ("what", "status", "code"),
    [
        ("raise", 500, "MW202"),
        ("nan", 500, "MW202"),
        ("short", 500, "MW202"),
        ("die", 502, "MW1208"),
        ("killed", 502, "MW1208"),
    ],
)
def test_model_that_misbehaves_is_told_of_without_traceback_or_path(
    served: Running, what: str, status: int, code: str
) -> None:
    refused = served.ask({"x": 1.0, "what": what})

    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert "secret" not in refused.text
    assert "Traceback" not in refused.text
    until = time.monotonic() + 10
    while served.ask({"x": 1.0, "what": "ok"}).status_code != 200:
        assert time.monotonic() < until, "the server was harmed"
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/models/behaving/predict", {"columns": {"x": [1.0], "what": ["raise"]}}),
        ("/invocations", {"dataframe_records": [{"x": 1.0, "what": "raise"}]}),
        ("/v1/models/behaving:predict", {"instances": [{"x": 1.0, "what": "raise"}]}),
        (
            "/v2/models/behaving/infer",
            {
                "inputs": [
                    {"name": "x", "datatype": "FP64", "shape": [1], "data": [1.0]},
                    {"name": "what", "datatype": "BYTES", "shape": [1], "data": ["raise"]},
                ]
            },
        ),
    ],
)
def test_no_door_tells_where_a_models_exception_says_its_files_are(
    served: Running, path: str, body: dict[str, object]
) -> None:
    refused = served.http.post(path, json=body)

    assert (refused.status_code, refused.json()["code"]) == (500, "MW202")
    assert "secret" not in refused.text
    assert "fault of the model" in refused.json()["hint"]


def test_bad_row_neither_fails_nor_changes_those_of_others(served: Running) -> None:
    """Many at once, so that they share batches; every tenth row makes the model raise or answer NaN."""

    def ask(number: int) -> tuple[int, int, object]:
        what = {0: "raise", 5: "nan"}.get(number % 10, "ok")
        answer = served.ask({"x": float(number), "what": what})
        return number, answer.status_code, answer.json().get("predictions")

    with concurrent.futures.ThreadPoolExecutor(24) as threads:
        answers = list(threads.map(ask, range(400)))

    for number, status, predictions in answers:
        if number % 5 == 0:
            assert (status, predictions) == (500, None)
        else:
            assert (status, predictions) == (200, [{"prediction": 2.0 * number}])


def test_requests_that_wait_together_are_answered_together(behaving: Path) -> None:
    """One worker is kept busy; what comes meanwhile becomes one batch."""
    with serving(deployment(behaving)) as running, concurrent.futures.ThreadPoolExecutor(40) as threads:
        seen = []

        class Watching:
            def observe(self, event: object) -> None:
                seen.append(event)

        running.server.plane.observers.append(Watching())
        busy = threads.submit(running.ask, {"x": 1.5, "what": "sleep"})
        time.sleep(0.2)
        waiting = [threads.submit(running.ask, {"x": float(n), "what": "ok"}) for n in range(30)]
        assert busy.result().status_code == 200
        assert [one.result().json()["predictions"][0]["prediction"] for one in waiting] == [2.0 * n for n in range(30)]
        batches = {event.batch_rows for event in seen}  # type: ignore[attr-defined]
        assert max(batches) > 3  # how many come meanwhile depends on the machine


def test_deadline_passes_and_the_stuck_worker_is_replaced(behaving: Path) -> None:
    with serving(deployment(behaving, limits=Limits(deadline_s=0.5))) as running:
        begun = time.monotonic()
        late = running.ask({"x": 1.0, "what": "hang"})

        assert (late.status_code, late.json()["code"]) == (504, "MW1207")
        assert time.monotonic() - begun < 3
        until = time.monotonic() + 10
        while running.ask({"x": 1.0, "what": "ok"}).status_code != 200:
            assert time.monotonic() < until
        metrics, _ = running.server.parts.observers.metrics.render()
        assert b'modelwright_worker_restarts_total{model="behaving",reason="deadline",version="1.0.0"} 1.0' in metrics


def test_caller_may_wait_for_less_than_the_model_allows(served: Running) -> None:
    late = served.ask({"x": 0.6, "what": "sleep"}, path="/models/behaving/predict?timeout=0.1")

    assert (late.status_code, late.json()["code"]) == (504, "MW1207")


def test_full_queue_is_refused_at_once_with_when_to_try_again(behaving: Path) -> None:
    limits = Limits(queue_rows=4, batch_rows=1)
    with serving(deployment(behaving, limits=limits)) as running, concurrent.futures.ThreadPoolExecutor(20) as threads:
        answers = [
            one.result() for one in [threads.submit(running.ask, {"x": 0.1, "what": "sleep"}) for _ in range(20)]
        ]

    refused = [answer for answer in answers if answer.status_code == 503]
    assert refused
    assert len(refused) < 20
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
    assert {answer.json()["code"] for answer in refused} == {"MW1206"}


def test_while_the_queue_is_full_no_body_is_read_and_afterwards_every_one(behaving: Path) -> None:
    limits = Limits(queue_rows=4, batch_rows=1)
    unfit = {"x": "no number", "what": "ok"}
    with serving(deployment(behaving, limits=limits)) as running, concurrent.futures.ThreadPoolExecutor(20) as threads:
        slow = [threads.submit(running.ask, {"x": 0.3, "what": "sleep"}) for _ in range(20)]
        while not any(one.done() and one.result().status_code == 503 for one in slow):
            time.sleep(0.005)
        assert running.ask(unfit).status_code == 503
        concurrent.futures.wait(slow)
        assert running.ask(unfit).status_code == 400


def test_request_that_is_larger_than_the_queue_is_answered_when_nothing_waits(behaving: Path) -> None:
    with serving(deployment(behaving, limits=Limits(queue_rows=10, batch_rows=5))) as running:
        answer = running.ask(*[{"x": float(n), "what": "ok"} for n in range(100)])

    assert [one["prediction"] for one in answer.json()["predictions"]] == [2.0 * n for n in range(100)]


def test_two_workers_answer_side_by_side(behaving: Path) -> None:
    with serving(deployment(behaving, limits=Limits(workers=2))) as running:
        with concurrent.futures.ThreadPoolExecutor(2) as threads:
            begun = time.monotonic()
            list(threads.map(lambda _: running.ask({"x": 0.5, "what": "sleep"}), range(2)))
            assert time.monotonic() - begun < 0.9
        status = running.server.plane.served["behaving"].now().control.pool
        assert status.alive == 2


def test_worker_has_next_to_no_variables_and_none_of_ours(
    behaving: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MODELWRIGHT_SECRET", "hidden")
    with serving(deployment(behaving)) as running:
        pool = running.server.plane.served["behaving"].now().control.pool
        process = pool._seats[0].worker._process  # type: ignore[union-attr]
        variables = Path(f"/proc/{process.pid}/environ").read_bytes()
        loaded = Path(f"/proc/{process.pid}/maps").read_text()

    assert b"MODELWRIGHT_SECRET" not in variables
    assert "msgspec" not in loaded


def test_metadata_lists_what_is_served(served: Running) -> None:
    (model,) = served.http.get("/models").json()["models"]
    one = served.http.get("/models/behaving").json()

    assert (model["name"], model["version"], model["methods"], model["ready"]) == (
        "behaving",
        "1.0.0",
        ["predict"],
        True,
    )
    assert len(model["digest"]) == 64
    assert one["example"]
    assert [field["name"] for field in one["signature"]["inputs"]] == ["x", "what"]
    assert served.http.get("/models/other").status_code == 404


def test_client_that_goes_away_harms_nobody(served: Running) -> None:
    for _ in range(20):
        with httpx2.Client() as impatient, pytest.raises(httpx2.TimeoutException):
            impatient.post(
                f"http://127.0.0.1:{served.port}/models/behaving/predict",
                json={"rows": [{"x": 0.2, "what": "sleep"}]},
                timeout=0.02,
            )
    answer = served.ask({"x": 4.0, "what": "ok"})
    assert answer.json()["predictions"] == [{"prediction": 8.0}]
    assert served.server.parts.gateway.in_flight <= 20


def test_server_stops_when_a_model_cannot_be_served(tmp_path: Path) -> None:
    missing = deployment(tmp_path / "gone-1.0-py3-none-any.whl")
    with pytest.raises(Exception, match=r"There is no such file|no package"), serving(missing):
        pass


def test_request_id_of_any_characters_is_no_header_injection(served: Running) -> None:
    body = {
        "id": "a\r\nset-cookie: x=1",
        "inputs": [
            {"name": "x", "shape": [1], "datatype": "FP64", "data": [1.0]},
            {"name": "what", "shape": [1], "datatype": "BYTES", "data": ["ok"]},
        ],
    }
    answer = served.http.post("/v2/models/behaving/infer", content=json.dumps(body))

    assert answer.status_code in (200, 400)
    assert "set-cookie" not in answer.headers


WORDS = [{"prediction": "ok"}, {"prediction": "fine"}, {"prediction": None}]
OBJECTS = [{"held": {"x": [1.0]}}, {"held": {"x": [2.5]}}, {"held": {"x": [None, "Infinity"]}}]


@pytest.mark.parametrize(("model", "sample", "answers"), [(some_words, ROWS, WORDS), (some_objects, ROWS[:2], OBJECTS)])
def test_what_is_missing_in_text_or_objects_is_null(
    tmp_path: Path, model: Any, sample: list[Any], answers: list[Any]
) -> None:
    wheel = mw.build(mw.capture(model, sample, name="missing", version="1.0.0", to=tmp_path / "model"), tmp_path)
    with serving(deployment(wheel, name="missing")) as running:
        assert running.ask(*ROWS, path="/models/missing/predict").json()["predictions"] == answers
        columns = {"columns": {"x": [row["x"] for row in ROWS], "what": [row["what"] for row in ROWS]}}
        across = running.http.post("/models/missing/predict", json=columns).json()["columns"]
        (name,) = across
        assert across[name] == [answer[name] for answer in answers]
