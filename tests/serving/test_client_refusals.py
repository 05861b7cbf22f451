"""What a server refuses is raised again as it was raised there; what never came is said clearly."""

from __future__ import annotations

import asyncio
import datetime
import json
import pickle
import socket
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from answering_server import Answering, listening
from hypothesis import given
from hypothesis import strategies as st

from modelwright.errors import (
    ContainerError,
    CredentialError,
    DeadlineError,
    MessageError,
    MissingExtraError,
    OutcomeError,
    OverloadedError,
    Problem,
    ServingError,
    SignatureError,
    TooLargeError,
    UnknownModelError,
    UnreachableError,
    WorkerError,
)
from modelwright.runtime import load
from modelwright.runtime.errors import ModelwrightError
from modelwright.serving.client import client as client_module
from modelwright.serving.client.async_client import AsyncClient
from modelwright.serving.client.client import Client
from modelwright.serving.client.refusals import refusal
from modelwright.serving.client.wire import Reply, wait_s
from modelwright.serving.http.errors import error_fields
from modelwright.serving.observing.outcome_reading import read_outcomes

GOLDEN = Path(__file__).parent.parent / "data" / "golden" / "format-1" / "twice-1.0.0"
ROWS = [{"x": 1.0}]
BUSY = (503, {"retry-after": "0"}, json.dumps({"error": "Too much is waiting.", "code": "MW1206"}).encode())


@pytest.fixture(scope="module")
def twice():
    sys.path.insert(0, str(GOLDEN))
    model = load(GOLDEN / "twice" / "model", package="twice")
    sys.path.remove(str(GOLDEN))
    return model


@pytest.fixture
def app(twice):
    return Answering(twice)


@pytest.fixture
def client(app):
    with listening(app) as url, Client(url) as one:
        one.model()
        yield one


def test_rows_that_do_not_fit_are_the_models_own_error(client, twice):
    rows = [{"x": 1.0}, {"x": "a"}, {"x": None}]
    with pytest.raises(SignatureError) as remote:
        client.predict(rows)
    with pytest.raises(SignatureError) as here:
        twice.predict(rows)
    assert remote.value.to_dict() == here.value.to_dict()
    assert remote.value.problems[0].row == 1
    assert "request " in remote.value.__notes__[0]


def test_a_wrong_column_is_named_by_the_server(client):
    with pytest.raises(SignatureError, match="did you mean 'x'"):
        client.predict({"xx": [1.0]})


def test_what_is_no_table_is_refused_before_it_is_sent(client, app):
    asked = len(app.seen)
    with pytest.raises(ContainerError, match="has 1 dimension;"):
        client.predict(np.zeros(3))
    with pytest.raises(ContainerError, match="cannot be read"):
        client.predict("rows")
    assert len(app.seen) == asked


def test_an_unknown_model_or_version_is_refused_with_the_nearest(client):
    with pytest.raises(UnknownModelError) as caught:
        client.predict(ROWS, model="twise")
    assert caught.value.hint == "Did you mean 'twice'?"
    with pytest.raises(UnknownModelError):
        client.predict(ROWS, version="9.9")


def test_several_models_are_listed_when_none_is_named(twice):
    other = load_as(twice, "other")
    with listening(Answering(twice, other)) as url, Client(url) as client:
        with pytest.raises(UnknownModelError) as caught:
            client.predict(ROWS)
        assert (caught.value.why, caught.value.hint) == ("They are twice, other.", "Say it: model='twice'.")
        assert client.predict(ROWS, model="other") == twice.predict(ROWS)


def load_as(model, name):
    return type(model)(model.native, model.manifest | {"name": name})


def test_nobody_listens():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with Client(url) as client, pytest.raises(UnreachableError, match="No server answers there") as caught:
        client.predict(ROWS)
    assert "modelwright serve" in caught.value.hint
    assert caught.value.where == url

    async def ask():
        async with AsyncClient(url) as other:
            await other.predict(ROWS)

    with pytest.raises(UnreachableError):
        asyncio.run(ask())


def test_what_was_not_begun_is_sent_again(client, app):
    app.canned.extend([BUSY, BUSY])
    asked = len(app.seen)
    assert client.predict([{"x": 2.0}])[0]["doubled"] == 4.0
    assert len(app.seen) == asked + 3


def test_it_is_sent_again_as_often_as_was_said_and_no_more(client, app):
    app.canned.extend([BUSY] * 9)
    asked = len(app.seen)
    with pytest.raises(OverloadedError, match="Too much is waiting"):
        client.predict(ROWS)
    assert len(app.seen) == asked + 4


def test_it_is_never_sent_again_after_the_deadline(client, app):
    app.canned.append((503, {"retry-after": "60"}, BUSY[2]))
    began = time.monotonic()
    with pytest.raises(OverloadedError) as caught:
        client.predict(ROWS, timeout_s=1.0)
    assert time.monotonic() - began < 1.0
    assert caught.value.retry_after_s == 60.0


def test_what_may_have_been_begun_is_never_sent_again(client, app):
    app.canned.append((500, {"retry-after": "0"}, b'{"error": "The process ended.", "code": "MW1208"}'))
    asked = len(app.seen)
    with pytest.raises(WorkerError):
        client.predict(ROWS)
    assert len(app.seen) == asked + 1


def test_awaited_requests_are_sent_again_too(app):
    async def ask(url):
        async with AsyncClient(url) as client:
            await client.model()
            app.canned.append(BUSY)
            return await client.predict([{"x": 2.0}])

    with listening(app) as url:
        assert asyncio.run(ask(url))[0]["doubled"] == 4.0


def test_an_answer_that_does_not_come_is_a_deadline():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with Client(url, timeout_s=0.2) as client, pytest.raises(DeadlineError, match="No answer came"):
            client.models()


@pytest.mark.parametrize(
    ("status", "content", "kind"),
    [
        (200, b"<html>hello</html>", UnreachableError),
        (200, b'{"version": "1"}', UnreachableError),
        (200, b'{"predictions": [{"other": 1}]}', UnreachableError),
        (302, b"", UnreachableError),
        (401, b"<html>", CredentialError),
        (404, b"<html>", UnreachableError),
        (413, b"<html>", TooLargeError),
        (502, b"<html>", UnreachableError),
        (418, b'{"error": "New.", "code": "MW1299"}', ServingError),
        (401, b'{"error": "No token.", "code": "MW1212"}', CredentialError),
    ],
)
def test_whatever_answers_the_error_is_one_of_ours(client, app, status, content, kind):
    app.canned.append((status, {"location": "http://elsewhere.example/"}, content))
    with pytest.raises(kind):
        client.predict(ROWS)
    assert client.predict(ROWS)


def test_a_new_version_has_its_signature_asked_for(client, app):
    newer = {"version": "2.0.0", "variant": "control", "predictions": [{"doubled": 1.0, "positive": True}]}
    app.canned.append((200, {}, json.dumps(newer).encode()))
    asked = len(app.seen)
    assert client.ask("predict", ROWS).version == "2.0.0"
    assert [path for _, path, _, _ in app.seen[asked:]] == ["/models/twice/predict", "/models/twice"]


def test_the_token_is_sent_and_never_shown(app):
    with listening(app) as url, Client(url, "s3cret") as client:
        client.predict(ROWS)
        assert app.seen[-1][2]["authorization"] == "Bearer s3cret"
        assert "s3cret" not in repr(client) + repr(vars(client))


def test_unit_and_version_go_along(client, app):
    client.predict(ROWS, unit="customer-1", version="1.0.0")
    _, path, headers, body = app.seen[-1]
    assert path == "/models/twice/versions/1.0.0/predict"
    assert (headers["modelwright-unit"], json.loads(body)["unit"]) == ("customer-1", "customer-1")


@pytest.mark.parametrize("unit", ["a\nb", "käse", "x" * 300])
def test_a_unit_that_no_header_can_hold_is_refused(client, unit):
    with pytest.raises(MessageError):
        client.predict(ROWS, unit=unit)


def test_outcomes_are_sent_as_the_server_reads_them(client, app):
    with pytest.raises(OutcomeError):
        client.outcome("request-1", {"churned": np.bool_(True), "spent": 3.5}, row=2)
    (told,) = read_outcomes(app.seen[-1][3])
    assert (told.request_id, told.row, told.values) == ("request-1", 2, {"churned": True, "spent": 3.5})
    when = datetime.datetime(2026, 11, 29, tzinfo=datetime.UTC)
    with pytest.raises(OutcomeError):
        client.outcomes([{"unit": "customer-1", "time": when, "outcome": {"churned": False}}])
    assert read_outcomes(app.seen[-1][3])[0].time == when


@pytest.mark.parametrize(
    "url", ["models.internal", "ftp://x", "http://user:pw@host", "http://host?x=1", "http://", "http://me:pw@[::1"]
)
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(UnreachableError) as caught:
        Client(url)
    assert "pw@" not in str(caught.value)


def test_an_answer_that_is_nested_without_end_is_none(app, client):
    app.canned.append((200, {"content-type": "application/json"}, b'{"predictions": [{"x": ' + b"[" * 100_000))
    with pytest.raises(UnreachableError, match="no modelwright server"):
        client.predict(ROWS)


def test_the_extra_is_one_line_away(monkeypatch):
    def missing(extra, *modules):
        raise MissingExtraError("not installed", hint=f'pip install "modelwright[{extra}]"')

    monkeypatch.setattr(client_module, "need", missing)
    with pytest.raises(MissingExtraError) as caught:
        Client("http://127.0.0.1:1")
    assert "[remote]" in caught.value.hint


def test_attributes_that_python_looks_for_ask_nobody(client, app):
    asked = len(app.seen)
    assert not hasattr(client, "_repr_html_")
    assert not hasattr(client, "__array__")
    assert len(app.seen) == asked


def _classes(kind):
    yield kind
    for child in kind.__subclasses__():
        yield from _classes(child)


OURS = sorted(
    {
        kind
        for kind in _classes(ModelwrightError)
        if kind is not ModelwrightError and kind.__module__.startswith("modelwright.")
    },
    key=lambda k: k.code,
)
TEXT = st.text(st.characters(categories=["L", "N", "P"]), max_size=30)


@given(
    st.sampled_from(OURS), TEXT, TEXT, TEXT, st.lists(st.tuples(st.none() | st.integers(0, 9), st.none() | TEXT, TEXT))
)
def test_every_error_crosses_the_wire_unharmed(kind, what, why, hint, problems):
    error = kind.__new__(kind)
    listed = [Problem(row, column, problem, hint) for row, column, problem in problems]
    ModelwrightError.__init__(error, what, why=why, hint=hint, problems=listed)
    rebuilt = refusal(json.dumps(error.to_dict()).encode(), {}, status=422, where="http://127.0.0.1:1")
    assert type(rebuilt).code == kind.code
    assert rebuilt.to_dict() == error.to_dict()
    assert pickle.loads(pickle.dumps(rebuilt)).to_dict() == rebuilt.to_dict()


@pytest.mark.parametrize(
    "error",
    [
        UnknownModelError("There is no model 'chrn'.", why="It has churn.", hint="Did you mean 'churn'?"),
        UnknownModelError("There is no model 'chrn'.", hint="Did you mean 'churn'?"),
        CredentialError("No token."),
        MessageError("The body is not JSON.", where="line 1, column 2", why="A comma is missing.", hint="Send JSON."),
        SignatureError("The rows do not fit: 1 problem.", problems=[Problem(None, None, "has no rows", "send some")]),
        SignatureError("No fit.", why="It is 1.2.0.", hint="Ask it.", problems=[Problem(3, "age", "is null", "", "a")]),
    ],
)
def test_reason_and_advice_come_back_from_what_our_servers_tell(error):
    content = json.dumps(error_fields(error)).encode()
    assert refusal(content, {}, status=422, where="http://127.0.0.1:1").to_dict() == error.to_dict()


@given(st.integers(0, 12), st.integers(0, 10**6))
def test_it_never_waits_for_less_than_was_asked(attempt, asked):
    assert (wait_s(Reply(503, {"retry-after": str(asked)}, b""), attempt) or 0.0) >= asked
