"""What no client may do to a server: be slow, be large, lie about lengths, speak no HTTP. Each is answered."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from certificates import self_signed
from running import Running, deployment, serving

from modelwright.serving.deployment import ServerSettings
from modelwright.serving.server import Server
from modelwright.serving.surroundings import Surroundings

SETTINGS = ServerSettings(port=0, head_s=0.4, body_s=0.4, max_body_bytes=20_000, max_connections=20, drain_s=5)
PATH = "/models/behaving/predict"
BODY = json.dumps({"rows": [{"x": 1.0, "what": "ok"}]}).encode()


@pytest.fixture(scope="module")
def strict(behaving: Path) -> Iterator[Running]:
    with serving(deployment(behaving, server=SETTINGS)) as running:
        yield running


@pytest.fixture(autouse=True)
def _unharmed(strict: Running) -> Iterator[None]:
    """Whatever a test did, the server goes on answering."""
    yield
    assert strict.ask({"x": 21.0, "what": "ok"}).json()["predictions"] == [{"prediction": 42.0}]


def talk(running: Running, *parts: bytes | float, wait_s: float = 3.0) -> bytes:
    """Send bytes, pausing where a number stands, and return everything that comes back."""
    with socket.create_connection(("127.0.0.1", running.port), timeout=wait_s) as connection:
        for part in parts:
            if isinstance(part, bytes):
                try:
                    connection.sendall(part)
                except (ConnectionError, TimeoutError):
                    break
            else:
                time.sleep(part)
        received = b""
        try:
            while chunk := connection.recv(65536):
                received += chunk
        except (TimeoutError, ConnectionError):
            pass
        return received


def head(*lines: str, method: str = "POST", path: str = PATH) -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", *lines, "", ""]).encode()


def test_slow_head_is_given_up_on(strict: Running) -> None:
    begun = time.monotonic()
    answer = talk(strict, b"POST /models HTTP/1.1\r\nHo", 0.2, b"st: x\r\n", 0.2, b"X-A: 1\r\n", 0.3)

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"MW1213"' in answer
    assert time.monotonic() - begun < 2


def test_connection_that_says_nothing_is_closed(strict: Running) -> None:
    assert talk(strict, wait_s=2.0) == b""


def test_slow_body_is_given_up_on(strict: Running) -> None:
    answer = talk(strict, head("Content-Type: application/json", f"Content-Length: {len(BODY)}"), BODY[:10], 0.8)

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"did not arrive within 0.4 s" in answer


def test_length_that_promises_more_than_comes_is_given_up_on(strict: Running) -> None:
    answer = talk(strict, head("Content-Type: application/json", "Content-Length: 5000"), BODY, 0.6)

    assert answer.startswith(b"HTTP/1.1 408 ")


def test_what_comes_after_the_length_is_no_second_request(strict: Running) -> None:
    answer = talk(strict, head("Content-Type: application/json", f"Content-Length: {len(BODY)}"), BODY + b"garbage")

    assert answer.count(b"HTTP/1.1 200") <= 1
    assert b"HTTP/1.1 400 " in answer


@pytest.mark.parametrize("length", ["x", "-1", "1e3", "99999999999999999999999"])
def test_length_that_is_no_number_is_refused(strict: Running, length: str) -> None:
    answer = talk(strict, head(f"Content-Length: {length}"))

    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 413 "))
    assert b'"code":"MW12' in answer


def test_length_beside_chunks_is_refused(strict: Running) -> None:
    answer = talk(strict, head("Content-Length: 4", "Transfer-Encoding: chunked"), b"0\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 400 ")


def test_body_that_says_it_is_too_large_is_refused_before_it_comes(strict: Running) -> None:
    answer = talk(strict, head("Content-Type: application/json", "Content-Length: 20001"))

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer
    assert b'"code":"MW1205"' in answer


def test_chunks_that_add_up_to_too_much_are_refused(strict: Running) -> None:
    chunk = b"1000\r\n" + b" " * 4096 + b"\r\n"
    answer = talk(strict, head("Content-Type: application/json", "Transfer-Encoding: chunked"), chunk * 8)

    assert answer.startswith(b"HTTP/1.1 413 ")


def test_bomb_is_refused_before_it_explodes(strict: Running) -> None:
    small = gzip.compress(b" " * 10_000_000)
    assert len(small) < 20_000
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    answer = strict.http.post(PATH, content=small, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (413, "MW1205")


def test_compressed_body_is_read(strict: Running) -> None:
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    answer = strict.http.post(PATH, content=gzip.compress(BODY), headers=headers)

    assert answer.json()["predictions"] == [{"prediction": 2.0}]


def test_unknown_encoding_is_refused(strict: Running) -> None:
    headers = {"content-type": "application/json", "content-encoding": "br"}
    answer = strict.http.post(PATH, content=BODY, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (415, "MW1204")


def test_head_that_never_ends_is_refused(strict: Running) -> None:
    answer = talk(strict, b"POST / HTTP/1.1\r\n", *[b"X-%d: %s\r\n" % (n, b"a" * 1000) for n in range(100)], 0.1)

    assert answer.startswith((b"HTTP/1.1 431 ", b"HTTP/1.1 400 "))


@pytest.mark.parametrize(
    "spoken", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"HELO mail\r\n\r\n", b"GET\r\n\r\n"]
)
def test_what_is_no_http_is_refused(strict: Running, spoken: bytes) -> None:
    answer = talk(strict, spoken, 0.1)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"Traceback" not in answer


def test_too_many_connections_are_refused_with_when_to_try_again(strict: Running) -> None:
    held = [socket.create_connection(("127.0.0.1", strict.port)) for _ in range(30)]
    try:
        time.sleep(0.1)
        answer = talk(strict, head("Content-Length: 0"), wait_s=1.0)
    finally:
        for connection in held:
            connection.close()

    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: 1" in answer
    time.sleep(0.1)


def test_several_requests_on_one_connection_are_answered_in_order(strict: Running) -> None:
    def request(number: int) -> bytes:
        body = json.dumps({"rows": [{"x": float(number), "what": "ok"}]}).encode()
        return head("Content-Type: application/json", f"Content-Length: {len(body)}") + body

    answer = talk(strict, b"".join(map(request, range(5))), wait_s=1.0)

    assert answer.count(b"HTTP/1.1 200") == 5
    places = [answer.index(b'"prediction":%.1f}' % (2.0 * number)) for number in range(5)]
    assert places == sorted(places)


def test_nonsense_behind_a_request_is_refused_and_leaves_no_trace(
    strict: Running, caplog: pytest.LogCaptureFixture
) -> None:
    slow = json.dumps({"rows": [{"x": 0.2, "what": "sleep"}]}).encode()
    request = head("content-type: application/json", f"content-length: {len(slow)}") + slow
    assert talk(strict, request + b"\x00 nonsense\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    assert talk(strict, request * 2 + b"\x00 nonsense\r\n\r\n") == b"", "several wait, and it would be the first's"
    time.sleep(0.5)
    assert [one.getMessage() for one in caplog.records if one.levelname == "ERROR"] == []


def test_half_a_head_behind_a_slow_request_does_not_take_its_answer(strict: Running) -> None:
    slow = json.dumps({"rows": [{"x": 1.0, "what": "sleep"}]}).encode()
    request = head("content-type: application/json", f"content-length: {len(slow)}") + slow
    answer = talk(strict, request + b"POST /mod", wait_s=4)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.count(b"HTTP/1.1 ") == 2
    assert b"HTTP/1.1 408 " in answer


def test_body_that_is_waited_for_is_asked_for(strict: Running) -> None:
    lines = ("Content-Type: application/json", f"Content-Length: {len(BODY)}", "Expect: 100-continue")
    answer = talk(strict, head(*lines), 0.2, BODY, wait_s=1.0)

    assert answer.startswith(b"HTTP/1.1 100 Continue")
    assert b"HTTP/1.1 200 " in answer


def test_old_http_is_answered_and_closed(strict: Running) -> None:
    answer = talk(strict, b"GET /v2/health/live HTTP/1.0\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"connection: close" in answer


def test_head_of_an_answer_has_no_body(strict: Running) -> None:
    answer = strict.http.head("/v2/health/ready")

    assert answer.status_code == 200
    assert answer.content == b""


def test_token_is_needed_everywhere_but_for_probes(behaving: Path) -> None:
    with serving(deployment(behaving), tokens=["s3cret", "other"]) as running:
        row = {"x": 1.0, "what": "ok"}
        assert running.ask(row).status_code == 401
        assert running.ask(row, Authorization="Bearer wrong").json()["code"] == "MW1212"
        assert running.ask(row, Authorization="Bearer s3cret").status_code == 200
        assert running.ask(row, Authorization="Bearer other").status_code == 200
        assert running.http.get("/", headers={"accept": "text/html"}).headers["www-authenticate"].startswith("Basic")
        assert running.http.get("/", auth=("any", "s3cret")).status_code == 200
        assert running.http.get("/v2/health/ready").status_code == 200
        for path in ("/models", "/models/behaving", "/openapi.json", "/docs", "/v2/models/behaving"):
            assert running.http.get(path).status_code == 401, path
        for path in ("/openapi.json", "/models/behaving/openapi.json"):
            document = running.http.get(path, headers={"Authorization": "Bearer s3cret"}).json()
            assert document["security"] == [{"token": []}]
        for path in ("/invocations", "/v2/models/behaving/infer", "/v1/models/behaving:predict", "/outcomes"):
            assert running.http.post(path, json={}).status_code == 401, path


def test_without_tokens_documents_ask_for_none(served: Running) -> None:
    for path in ("/openapi.json", "/models/behaving/openapi.json"):
        assert "security" not in served.http.get(path).text


def test_tls_is_spoken_where_a_certificate_is_given(behaving: Path, tmp_path: Path) -> None:
    pem, secret = self_signed(tmp_path)
    settings = ServerSettings(port=0, tls_certificate=str(pem), tls_key=str(secret))
    server = Running(Server(deployment(behaving, server=settings), Surroundings()))
    try:
        until = time.monotonic() + 30
        with httpx2.Client(verify=ssl.create_default_context(cafile=pem)) as client:
            while time.monotonic() < until:
                try:
                    if client.get(f"https://127.0.0.1:{server.port}/v2/health/ready").status_code == 200:
                        break
                except httpx2.TransportError:
                    time.sleep(0.05)
            answer = client.post(f"https://127.0.0.1:{server.port}{PATH}", json={"rows": [{"x": 1, "what": "ok"}]})
        assert answer.json()["predictions"] == [{"prediction": 2.0}]
        assert server.server.url.startswith("https://")
    finally:
        server.stop()
