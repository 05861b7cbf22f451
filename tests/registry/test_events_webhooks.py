"""Webhooks: told once it is done, signed, tried again until it arrives, by one process at a time."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from modelwright.errors import GateError, SettingsError
from modelwright.registry.app.application import create_app
from modelwright.registry.events import webhooks
from modelwright.registry.events.schedule import ATTEMPTS, JITTER, LONGEST_S, wait_after
from modelwright.registry.events.webhooks import CLAIM_S, Deliverer, DeliveryReport, delivering, read_secrets
from modelwright.registry.operating.local import LocalService
from modelwright.registry.operating.opening import open_local
from modelwright.registry.settings import Webhook
from modelwright.registry.state.database import sqlite_url
from modelwright.registry.state.tables import outbox

SECRET = "a-secret-that-nobody-guesses"
Wheels = Callable[..., Path]


class Received(NamedTuple):
    """What arrived at the receiver."""

    path: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """A real HTTP server that answers what it is told to, and remembers what it got."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answers: list[int] = []
        self.slow_s = 0.0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append(Received(self.path, dict(self.headers), body))
                time.sleep(receiver.slow_s)
                self.send_response(receiver.answers.pop(0) if receiver.answers else 204)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_GET(self) -> None:
                self.do_POST()

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        self.thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    opened = Receiver()
    yield opened
    opened.close()


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def telling(
    request: pytest.FixtureRequest, tmp_path: Path, receiver: Receiver, clock: Clock, churn: Wheels
) -> Iterator[LocalService]:
    """A registry that tells the receiver, with one release; both databases."""
    url = sqlite_url(tmp_path / "s") if request.param == "sqlite" else request.getfixturevalue("postgresql")
    folder = tmp_path / "telling"
    folder.mkdir()
    (folder / "hook.secret").write_text(f"{SECRET}\n")
    (folder / "registry.toml").write_text(
        f'state = "{url}"\n[[stages]]\nname = "production"\n[[stages]]\nname = "guarded"\n'
        'gates = [{ gate = "metric", metric = "accuracy", dataset = "test", at_least = 0.99 }]\n'
        f'[[webhooks]]\nurl = "{receiver.url}"\nsecret_file = "hook.secret"\n'
    )
    opened = open_local(folder, user="ann", clock=clock)
    opened.upload(churn("1.0.0"))
    yield opened
    opened.close()


def deliverer_of(service: LocalService) -> Deliverer:
    return Deliverer(service.desk.state, settings=service.settings, root=service.desk.root, chance=lambda: 0.5)


def rows_of(service: LocalService) -> list[Any]:
    with service.desk.state.read() as connection:
        return list(connection.execute(select(outbox).order_by(outbox.c.id)))


def test_a_change_is_told_with_its_entry_of_the_log_and_signed(telling, receiver) -> None:
    assert deliverer_of(telling).deliver() == DeliveryReport(delivered=1, failed=0, given_up=0, waiting=0)
    (got,) = receiver.received
    (entry,) = telling.history()
    told = json.loads(got.body)
    assert (told["entry"]["action"], told["entry"]["hash"]) == ("publish", entry.hash)
    assert told["links"]["release"] == "/models/churn/1.0.0"
    assert got.path == "/hook"
    assert got.headers["X-Modelwright-Event"] == "publish"
    stamp = got.headers["X-Modelwright-Timestamp"]
    assert int(stamp) == telling.desk.state.clock().timestamp()
    expected = hmac.new(SECRET.encode(), stamp.encode() + b"." + got.body, hashlib.sha256).hexdigest()
    assert got.headers["X-Modelwright-Signature"] == f"sha256={expected}"
    assert deliverer_of(telling).deliver().delivered == 0, "told twice"


def test_what_fails_twice_arrives_the_third_time_and_not_before_it_is_due(telling, receiver, clock, caplog) -> None:
    receiver.answers = [500, 503]
    deliverer = deliverer_of(telling)
    failed = DeliveryReport(delivered=0, failed=1, given_up=0, waiting=1)
    assert deliverer.deliver() == failed
    assert deliverer.deliver() == DeliveryReport(delivered=0, failed=0, given_up=0, waiting=1)
    clock.forward(5)
    assert deliverer.deliver() == failed
    clock.forward(14)
    assert deliverer.deliver().failed == 0
    clock.forward(1)
    assert deliverer.deliver() == DeliveryReport(delivered=1, failed=0, given_up=0, waiting=0)
    assert [got.body for got in receiver.received] == [receiver.received[0].body] * 3
    assert len({got.headers["X-Modelwright-Delivery"] for got in receiver.received}) == 1
    assert len({got.headers["X-Modelwright-Signature"] for got in receiver.received}) == 3
    assert "answered 500; again in 5 s" in caplog.text
    assert "answered 503; again in 15 s" in caplog.text
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2


def test_a_receiver_that_is_away_for_a_day_is_given_up_and_that_is_logged(telling, receiver, clock, caplog) -> None:
    receiver.close()
    deliverer = deliverer_of(telling)
    begun = clock.now
    while (report := deliverer.deliver()).given_up == 0:
        assert report.failed == 1
        clock.forward(max(0.0, rows_of(telling)[0].due - clock.now.timestamp()) + 0.001)
    assert timedelta(hours=20) < clock.now - begun < timedelta(hours=28)
    (row,) = rows_of(telling)
    assert (row.done, row.attempts) == (True, ATTEMPTS)
    assert "ConnectError" in row.problem
    assert caplog.records[-1].levelno == logging.ERROR
    assert "gave up" in caplog.text
    clock.forward(10**6)
    assert deliverer.deliver().failed == 0


def test_a_redirect_is_not_followed(telling, receiver) -> None:
    receiver.answers = [307]
    assert deliverer_of(telling).deliver().failed == 1
    assert [got.path for got in receiver.received] == ["/hook"]
    assert rows_of(telling)[0].problem == "answered 307; not followed"


def test_no_proxy_of_the_environment_is_told_instead(telling, receiver, monkeypatch) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert deliverer_of(telling).deliver().delivered == 1
    assert [got.path for got in receiver.received] == ["/hook"]


def test_nothing_is_posted_to_a_url_that_was_taken_out_of_the_settings(telling, receiver, tmp_path, clock) -> None:
    toml = tmp_path / "telling" / "registry.toml"
    toml.write_text(toml.read_text().replace("/hook", "/other"))
    later = open_local(tmp_path / "telling", user="ann", clock=clock)
    assert deliverer_of(later).deliver() == DeliveryReport(delivered=0, failed=0, given_up=1, waiting=0)
    later.close()
    assert receiver.received == []


def test_only_what_was_done_is_told_and_only_what_was_asked_for(telling, receiver) -> None:
    with pytest.raises(GateError):
        telling.promote("churn", "1.0.0", to="guarded", reason="try")
    telling.promote("churn", "1.0.0", to="production", reason="first")
    telling.set_owners("churn", ["bob"])
    telling.yank("churn", "1.0.0", reason="wrong")
    deliverer_of(telling).deliver()
    told = [json.loads(got.body)["entry"] for got in receiver.received]
    assert [(one["action"], one["outcome"]) for one in told] == [
        ("publish", "done"),
        ("promote", "done"),
        ("yank", "done"),
    ]


def test_two_processes_that_deliver_at_once_tell_everything_once(telling, receiver, tmp_path, clock) -> None:
    telling.promote("churn", "1.0.0", to="production", reason="first")
    for number in range(4):
        telling.yank("churn", "1.0.0", reason=f"{number}")
        telling.unyank("churn", "1.0.0")
    receiver.slow_s = 0.05
    other = open_local(tmp_path / "telling", user="ann", clock=clock)
    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(lambda one: one.deliver(), map(deliverer_of, [telling, other, telling, other])))
    other.close()
    assert sum(report.delivered for report in reports) == len(receiver.received) == 6
    assert len({got.headers["X-Modelwright-Delivery"] for got in receiver.received}) == 6


def test_what_a_dead_process_had_taken_is_told_by_the_next(telling, receiver, clock) -> None:
    assert deliverer_of(telling)._claim() is not None  # and then it died
    clock.forward(CLAIM_S - 1)
    assert deliverer_of(telling).deliver().delivered == 0
    clock.forward(2)
    assert deliverer_of(telling).deliver().delivered == 1


def test_a_thread_delivers_while_the_server_runs(telling, receiver, clock, monkeypatch) -> None:
    monkeypatch.setattr(webhooks, "POLL_S", 0.02)
    with delivering(deliverer_of(telling)):
        deadline = time.monotonic() + 20
        while not receiver.received and time.monotonic() < deadline:
            time.sleep(0.01)
        telling.promote("churn", "1.0.0", to="production", reason="first")
        while len(receiver.received) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
    assert [got.headers["X-Modelwright-Event"] for got in receiver.received] == ["publish", "promote"]


def test_a_server_does_not_start_with_a_webhook_that_it_could_not_sign(telling) -> None:
    (telling.desk.root / "hook.secret").unlink()
    with pytest.raises(SettingsError, match="cannot be read"):
        create_app(telling)


ANOTHER_KIND = b"""-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEQDktA6uQKoBQqTCCRVjoU8jilgB7
5eswdSjYqmomWPTW1e1OKOtx6SI/gUDMbShxboLoSx5RuCCoJAcA+yX+EQ==
-----END PUBLIC KEY-----
"""


@pytest.mark.parametrize("content", [None, b"no key", ANOTHER_KIND], ids=["none", "text", "not Ed25519"])
@pytest.mark.parametrize(
    "text",
    [
        '[[stages]]\nname = "dev"\ngates = [{ gate = "signed", keys = ["key.pem"] }]',
        '[[trusted_publishers]]\nissuer="i"\naudience="a"\nclaims={sub="x"}\nprojects=["x"]\njwks_file="key.pem"\nuser="ci"',
    ],
    ids=["signed", "trusted publisher"],
)
def test_a_server_does_not_start_with_keys_that_are_none(
    registry_folder: Path, text: str, content: bytes | None
) -> None:
    (registry_folder / "registry.toml").write_text(text)
    if content is not None:
        (registry_folder / "key.pem").write_bytes(content)
    service = open_local(registry_folder, user="ann")
    with pytest.raises(SettingsError, match=r"cannot be read|no JSON Web Key Set"):
        create_app(service)
    service.close()


@given(st.integers(1, ATTEMPTS - 1), st.floats(0, 1, exclude_max=True))
def test_waits_grow_to_a_limit_and_two_seldom_wait_the_same(attempts: int, chance: float) -> None:
    wait, middle = wait_after(attempts, chance), wait_after(attempts, 0.5)
    assert wait is not None
    assert middle is not None
    assert abs(wait - middle) <= JITTER * middle
    assert middle <= LONGEST_S
    assert attempts == 1 or middle >= (wait_after(attempts - 1, 0.5) or 0)
    assert wait_after(ATTEMPTS, chance) is None


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("ftp://example.org/hook", SECRET),
        ("file:///etc/passwd", SECRET),
        ("https:///hook", SECRET),
        ("https://me:pw-of-mine@example.org/hook", SECRET),
        ("https://example.org/hook", "short"),
        ("https://example.org/hook", " " * 40),
        ("https://example.org/hook", None),
    ],
)
def test_a_webhook_that_cannot_be_signed_or_reached_is_an_error_before_anything_starts(tmp_path, url, secret) -> None:
    if secret is not None:
        (tmp_path / "hook.secret").write_text(secret)
    with pytest.raises(SettingsError) as caught:
        read_secrets((Webhook(url=url, secret_file="hook.secret"),), tmp_path)
    assert "pw-of-mine" not in str(caught.value)
