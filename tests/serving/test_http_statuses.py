"""Every error that serving may raise has a status, and clients are told no more than they may know."""

from __future__ import annotations

import inspect

import pytest

import modelwright.errors as errors
from modelwright.errors import (
    CredentialError,
    DataError,
    MessageError,
    ModelwrightError,
    OutputError,
    OverloadedError,
    ServingError,
    SignatureError,
    UnknownModelError,
)
from modelwright.runtime.errors import Problem
from modelwright.serving.grpc import statuses
from modelwright.serving.http.errors import error_fields, sentence_of
from modelwright.serving.http.statuses import STATUSES, headers_of, status_of

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, ServingError | DataError)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_of_serving_and_of_data_has_a_status_of_its_own(kind: type[ModelwrightError]) -> None:
    assert kind in STATUSES
    assert 400 <= status_of(kind("x")) < 600


def test_every_status_has_one_in_grpc() -> None:
    assert {*STATUSES.values()} == {*statuses.CODES}


def test_an_error_nobody_designed_is_the_servers_fault_and_tells_nothing() -> None:
    error = ValueError("secret /srv/models/churn")
    assert status_of(error) == 500
    assert "secret" not in str(error_fields(error)) + sentence_of(error)


def test_neither_a_place_nor_the_words_of_the_models_own_code_are_told() -> None:
    error = OutputError("predict failed.", where="/srv/models", why="OSError: /srv/secret", hint="Report it.")
    assert "/srv" not in str(error_fields(error)) + sentence_of(error)


def test_every_problem_is_told_with_its_place() -> None:
    problems = [Problem(0, "age", "is missing", "send it"), Problem(None, "plan", "is unexpected")]
    assert error_fields(SignatureError("No fit.", problems=problems)) == {
        "error": "No fit.",
        "code": "MW201",
        "details": [
            {"row": 0, "column": "age", "problem": "is missing", "hint": "send it"},
            {"row": None, "column": "plan", "problem": "is unexpected", "hint": ""},
        ],
    }


def test_reason_advice_and_item_are_told_beside_the_problems() -> None:
    problem = Problem(None, None, "has 2 elements, not 3", "send 3", "age")
    error = MessageError("The tensors do not fit.", where="inputs", why="1 problem", hint="Ask v2.", problems=[problem])
    assert error_fields(error) == {
        "error": "The tensors do not fit.",
        "code": "MW1203",
        "where": "inputs",
        "why": "1 problem",
        "hint": "Ask v2.",
        "details": [problem._asdict()],
    }


def test_a_place_in_the_message_is_told() -> None:
    error = MessageError("The body is not JSON.", where="line 3, column 5", hint="Send JSON.")
    told = error_fields(error)
    assert (told["where"], told["hint"], told["details"]) == ("line 3, column 5", "Send JSON.", [])
    assert sentence_of(error) == "The body is not JSON (line 3, column 5). Send JSON."


def test_what_may_be_tried_again_says_when() -> None:
    error = OverloadedError("Too much is waiting.")
    error.retry_after_s = 2.2
    assert headers_of(error) == ((b"retry-after", b"3"),)
    assert headers_of(CredentialError("No token.")) == ((b"www-authenticate", b"Bearer"),)
    assert headers_of(UnknownModelError("No such model.")) == ()
