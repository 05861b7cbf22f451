"""What the client makes of servers that misbehave, and what it never gives away."""

from __future__ import annotations

import json
import socket
import time
import traceback
from pathlib import Path

import pytest
from client_server import answering, served, stranger
from hypothesis import given
from hypothesis import strategies as st

import modelwright as mw
from modelwright import errors
from modelwright.errors import (
    GateError,
    LoginError,
    ModelwrightError,
    NotAllowedError,
    Problem,
    RegistryError,
    RequestError,
    UnavailableError,
    UnknownReleaseError,
    UploadError,
)
from modelwright.registry import protocol
from modelwright.registry.client.refusals import rebuilt
from modelwright.registry.client.remote import RemoteService
from modelwright.registry.client.transfers import Transfer, WatchedFile
from modelwright.registry.service import Selection

SECRET = "mw_0123456789ab_" + "s3cret" * 7 + "x"


def kinds(base: type[ModelwrightError] = ModelwrightError) -> list[type[ModelwrightError]]:
    return [base, *(found for child in base.__subclasses__() for found in kinds(child))]


TEXTS = st.text(st.characters(categories=("L", "N", "P", "S"), include_characters=" \n"), max_size=50)
PROBLEMS = st.builds(Problem, st.none() | st.integers(0, 9), st.none() | TEXTS, TEXTS, TEXTS, TEXTS)


@given(
    kind=st.sampled_from(
        [getattr(errors, name) for name in errors.__all__ if name not in ("ModelwrightError", "Problem")]
    ),
    texts=st.tuples(TEXTS, TEXTS, TEXTS, TEXTS),
    problems=st.lists(PROBLEMS, max_size=3),
)
def test_error_survives_the_journey(kind, texts, problems):
    what, where, why, hint = texts
    sent = kind(what, where=where, why=why, hint=hint, problems=problems)
    received = rebuilt(json.dumps(sent.to_dict()).encode(), status=400, where="http://models.example")
    assert type(received) is kind
    assert received.to_dict() == sent.to_dict()


def test_every_error_has_a_code_of_its_own():
    codes = [kind.code for kind in kinds() if "code" in vars(kind) and kind.__module__.startswith("modelwright")]
    assert len(codes) == len(set(codes))


def test_error_of_a_newer_server_is_still_a_refusal_of_the_registry():
    received = rebuilt(b'{"error": "The moon is full.", "code": "MW1199"}', status=409, where="")
    assert type(received) is RegistryError
    assert received.what == "The moon is full."


def test_text_of_a_server_cannot_command_the_terminal():
    content = json.dumps({"error": "bad\x1b[2J\x07", "code": "MW1105", "why": "a\nb\u202e\x9b"}).encode()
    received = rebuilt(content, status=404, where="")
    assert (received.what, received.why) == ("bad[2J", "a\nb")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((400, RequestError), (401, LoginError), (403, NotAllowedError), (404, UnknownReleaseError)),
        *((413, UploadError), (418, RegistryError), (500, UnavailableError), (502, UnavailableError)),
    ],
)
def test_status_says_what_an_answer_does_not(status, kind):
    with stranger(answering(status, b"<html>proxy</html>")) as url, pytest.raises(kind) as refused:
        RemoteService(url).head()
    assert type(refused.value) is kind
    assert refused.value.where == url


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"sequence": "many"}', b'{"sequence": 1}', b"\xff"])
def test_answer_that_is_none_of_a_registry_is_said_to_be_none(body):
    with stranger(answering(200, body)) as url, pytest.raises(UnavailableError, match="not one of a registry"):
        RemoteService(url).head()


def test_redirect_is_not_followed_and_the_token_goes_nowhere_else():
    asked = []

    def remember(request):
        asked.append(request.headers.get("Authorization"))
        answering(200, b"{}")(request)

    with (
        stranger(remember) as other,
        stranger(answering(307, Location=f"{other}/api/v1/audit/head")) as url,
        pytest.raises(UnavailableError, match="elsewhere") as refused,
    ):
        RemoteService(url, SECRET).head()
    assert asked == []
    assert other in refused.value.why


def test_redirect_with_a_password_in_it_is_told_without():
    with (
        stranger(answering(302, Location="http://ann:hunter2@elsewhere.example/")) as url,
        pytest.raises(UnavailableError) as refused,
    ):
        RemoteService(url).head()
    assert "hunter2" not in str(refused.value)


def test_server_that_is_not_there_is_unavailable():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(UnavailableError, match="does not answer") as refused:
            mw.Registry(url).list()
    assert "is not known" not in refused.value.why


def test_change_whose_answer_was_lost_is_said_to_be_perhaps_done():
    def hang_up(request):
        request.rfile.read(int(request.headers.get("Content-Length", 0)))
        request.close_connection = True
        request.connection.shutdown(socket.SHUT_RDWR)

    with stranger(hang_up) as url:
        with pytest.raises(UnavailableError) as changing:
            RemoteService(url).rollback("churn", stage="production", reason="worse")
        with pytest.raises(UnavailableError) as reading:
            RemoteService(url).head()
    assert "is not known" in changing.value.why
    assert "is not known" not in reading.value.why


@pytest.mark.parametrize(
    "url", ["http://", "http://:80", "http://ann:pw@models.example", "https://models.example/?token=x", "http://x/#y"]
)
def test_address_that_is_none_or_holds_a_secret_is_refused_at_once(url):
    with pytest.raises(RequestError) as refused:
        mw.Registry(url)
    assert "pw" not in str(refused.value)


def test_token_is_sent_as_bearer_and_shown_nowhere(tmp_path):
    asked = []

    def refuse(request):
        asked.append(request.headers.get("Authorization"))
        answering(401)(request)

    with stranger(refuse) as url:
        registry = mw.Registry(url, token=SECRET)
        with pytest.raises(LoginError) as refused:
            registry.list()
    assert asked == [f"Bearer {SECRET}"]
    shown = "".join(traceback.format_exception(refused.value))
    shown += f"{registry!r} {registry.service!r} {registry.service.connection!r}"
    assert "s3cret" not in shown


def test_names_are_encoded_so_that_none_leads_elsewhere():
    asked = []

    def remember(request):
        asked.append(request.path)
        answering(404)(request)

    with stranger(remember) as url, pytest.raises(UnknownReleaseError):
        RemoteService(url).project("../../tokens?x=1#y")
    assert asked == ["/api/v1/projects/..%2F..%2Ftokens%3Fx%3D1%23y"]


def test_upload_is_read_in_pieces_and_watched(tmp_path):
    (tmp_path / "big.bin").write_bytes(b"x" * 300_000)
    seen: list[Transfer] = []
    with WatchedFile(tmp_path / "big.bin", seen.append) as stream:
        while stream.read(65_536):
            pass
    assert [one.done for one in seen] == [65_536, 131_072, 196_608, 262_144, 300_000]
    assert {one.total for one in seen} == {300_000}
    assert Transfer("x", done=0, total=9, seconds=0.0).remaining_s is None


def test_server_is_asked_for_no_bytes_that_are_not_needed_and_sent_none_that_it_has(tmp_path, churn):
    """A model with 3 MB of weights: its upload is watched, its second is none, its manifest costs a hundredth."""
    folder = tmp_path / "registry"
    secret = mw.Registry(folder).add_token("bob", scopes=["publish"]).secret
    weights = {"weights.bin": bytes(range(256)) * 12_000}
    wheel = churn("1.0.0", artifacts=weights)
    seen: list[Transfer] = []
    with served(folder) as url:
        registry = mw.Registry(url, token=secret, watcher=seen.append)
        registry.publish(wheel)
        assert seen[-1].done == seen[-1].total == wheel.stat().st_size
        seen.clear()
        assert not registry.publish(wheel).files[0].new
        assert seen == []
        package = registry.read("churn")
        assert package.manifest.version == "1.0.0"
        moved = package.files.archive.fp._file.moved
        assert moved < wheel.stat().st_size / 10
        assert registry.service.whoami().principal.user == "bob"
        with pytest.raises(NotAllowedError):
            registry.promote("churn", "1.0.0", to="dev")
        with pytest.raises(LoginError):
            mw.Registry(url).list()


def test_log_longer_than_a_page_is_read_whole_in_both_directions(service, monkeypatch):
    for number in range(7):
        service.add_token(f"user{number}", scopes=["read"])
    entries = list(service.history())
    pages = []

    def page(request):
        said = dict(part.split("=") for part in request.path.partition("?")[2].split("&"))
        selection = Selection(
            after=int(said.get("after", 0)),
            before=int(said.get("before", 0)),
            limit=int(said["limit"]),
            newest_first=said.get("newest_first") == "true",
        )
        import msgspec

        found = list(service.history(selection))
        pages.append(len(found))
        answering(200, msgspec.json.encode(found))(request)

    monkeypatch.setattr(protocol, "PAGE", 3)
    with stranger(page) as url:
        remote = RemoteService(url)
        assert list(remote.history()) == entries
        assert pages == [3, 3, 1]
        assert list(remote.history(Selection(newest_first=True, limit=5))) == entries[:1:-1]


def test_refusals_are_found_by_their_code_in_no_time():
    content = json.dumps(GateError("no", problems=[Problem(None, None, "x")] * 5000).to_dict()).encode()
    start = time.perf_counter()
    assert len(rebuilt(content, status=409, where="").problems) == 1000
    assert time.perf_counter() - start < 2


def test_folder_without_a_registry_says_how_to_make_one(tmp_path):
    with pytest.raises(UnavailableError, match="no registry here") as refused:
        mw.Registry(tmp_path).list()
    assert "modelwright publish" in refused.value.hint
    assert list(tmp_path.iterdir()) == []


def test_file_url_is_the_folder(tmp_path):
    assert mw.Registry(tmp_path.as_uri()).folder == Path(tmp_path)


def test_advice_to_log_in_names_the_registry_that_was_asked():
    content = b'{"error": "It takes a token.", "code": "MW1109", "hint": "modelwright login URL"}'
    error = rebuilt(content, status=401, where="https://models.internal")
    assert error.hint == "modelwright login https://models.internal"
