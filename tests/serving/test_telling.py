"""Callers are told what they can use, and nothing of the machine, wherever a model's own words come in."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwright.errors import (
    DeploymentError,
    LoaderError,
    MessageError,
    ModelwrightError,
    OutputError,
    OverloadedError,
    PinError,
    Problem,
    SelftestError,
    SignatureError,
    UnknownModelError,
)
from modelwright.serving.grpc import statuses
from modelwright.serving.http.aliases import mlflow, tfserving
from modelwright.serving.http.errors import error_fields, sentence_of
from modelwright.serving.http.rest import written_error
from modelwright.serving.http.v2 import answering
from modelwright.serving.telling import LEFT_OUT, pathless, told_of
from modelwright.serving.workers.refusals import raised

PATHS = [
    *("/srv/secret/churn.onnx", "/secret", "~/secret/x", "~root/secret", "file:///srv/secret/x"),
    *("/srv/my secret/x.npy", "C:\\Users\\secret\\x", "\\\\host\\secret\\x", "/tmp/a-secret_1.2+b/@x"),
]
WRITERS = [mlflow.write_error, tfserving.write_error, written_error, answering.write_error]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("said", ["No such file: '{}'", 'in "{}", line 3', "[Errno 2] '{}'"])
def test_no_path_is_told_in_quotes(path: str, said: str) -> None:
    assert pathless(said.format(path)) == said.format(LEFT_OUT)


@pytest.mark.parametrize("path", [path for path in PATHS if " " not in path])
@pytest.mark.parametrize("said", ["cannot open {}", "x={}, y=1", "({})", "error:{}", "{}", "a\n{}\nb", "`{}`, and"])
def test_no_path_is_told_without_quotes(path: str, said: str) -> None:
    assert "secret" not in pathless(said.format(path))


@pytest.mark.parametrize(
    "text",
    [
        "Send application/json and/or CSV.",
        "See https://models.example/docs/churn?x=1 or http://127.0.0.1:8080/docs.",
        "3/4 of 1.5 rows/s",
        "'~' and \\n are fine",
        "modelwright verify churn==1.3.0",
        "churn/features.py is the package's own file",
    ],
)
def test_what_is_no_path_stays(text: str) -> None:
    assert pathless(text) == text


@given(st.text())
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert pathless(pathless(text)) == pathless(text)


@pytest.mark.parametrize("kind", [OutputError, LoaderError, SelftestError, PinError, DeploymentError])
@pytest.mark.parametrize("path", PATHS)
def test_no_door_tells_a_path_wherever_it_stands(kind: type[ModelwrightError], path: str) -> None:
    said = f"No such file: '{path}'"
    error = kind(said, where=path, why=said, hint=said, problems=[Problem(0, said, said, said, said)])
    alone = kind(said, where=path, why=said, hint=said)
    for one in (error, alone):
        texts = [writer(one, "r-1").body.decode() for writer in WRITERS]
        texts += [statuses.text_of(one), repr(statuses.metadata_of(one)), sentence_of(one)]
        assert [text for text in texts if "secret" in text] == []


def test_a_model_cannot_tell_a_path_with_an_error_of_the_request() -> None:
    told = SignatureError("at /srv/secret", where="/srv/secret", problems=[Problem(0, "x", "in /srv/secret")]).to_dict()
    error = raised(told, model="churn 1.3.0")
    assert isinstance(error, SignatureError)
    assert "secret" not in str(error)


def test_the_reason_of_the_models_own_code_is_for_the_log() -> None:
    error = OutputError("predict of churn 1.3.0 failed.", why="KeyError: 'plan'", hint="Report it.")
    assert told_of(error).why == ""
    assert told_of(error).hint == "Report it."
    assert "KeyError" in str(error)


def test_what_the_server_designed_is_told_with_its_reason() -> None:
    error = OverloadedError("12 rows wait already.", why="At most 12 may.", hint="Send it again later.")
    assert error_fields(error)["why"] == "At most 12 may."


def test_what_the_caller_sent_comes_back_word_for_word() -> None:
    error = UnknownModelError("There is nothing at '/modles/churn'.", hint="POST /models/NAME/predict")
    assert error_fields(error)["error"] == error.what
    assert error_fields(error)["hint"] == error.hint
    value = SignatureError("No fit.", problems=[Problem(0, "folder", "'/home' is no number")])
    assert error_fields(value)["details"][0]["problem"] == "'/home' is no number"


@pytest.mark.parametrize("writer", WRITERS)
def test_every_door_over_http_tells_the_same(writer: object) -> None:
    problem = Problem(None, "plan", "is unexpected", "leave it out", "tensor 'plan'")
    error = MessageError("No fit.", where="line 2", why="1 problem.", hint="Ask v2.", problems=[problem])
    told = json.loads(writer(error, "r-1").body)  # type: ignore[operator]
    assert {key: told[key] for key in ("code", "where", "why", "hint")} == {
        "code": "MW1203",
        "where": "line 2",
        "why": "1 problem.",
        "hint": "Ask v2.",
    }
    assert told["details"] == [problem._asdict()]
    assert "r-1" in (told.get("request_id"), told.get("id"))
