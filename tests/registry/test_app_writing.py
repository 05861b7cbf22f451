"""Uploads as every client sends them, and as no client should."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from registry_wheels import library_wheel
from served import MAX_UPLOAD
from server import FIELDS, Answer, Server, form

Wheel = Callable[[str], Path]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Wheel:
    """Make a wheel of a library of a version of one's own."""
    folder = tmp_path_factory.mktemp("writing")
    return lambda version: library_wheel(folder, version, name="writing")


def _upload(server: Server, path: Path, *, first: bool = False, accept: str = "*/*", **fields: str) -> Answer:
    body, kind = form(FIELDS | fields, path.name, path.read_bytes(), first=first)
    return server.ask("POST", "/legacy/", role="admin", headers={"Content-Type": kind, "Accept": accept}, body=body)


def _incoming(server: Server) -> list[Path]:
    return list((server.folder / ".registry" / "incoming").iterdir())


def test_an_upload_is_published_and_identical_bytes_again_are_no_error(server: Server, wheel: Wheel) -> None:
    path = wheel("1.0")
    content = path.read_bytes()
    digests = {
        "sha256_digest": hashlib.sha256(content).hexdigest(),
        "md5_digest": hashlib.md5(content).hexdigest(),
        "blake2_256_digest": hashlib.blake2b(content, digest_size=32).hexdigest(),
        "name": "writing",
        "version": "1.0",
        "filetype": "bdist_wheel",
        "description": "# Writing\n" * 5000,
    }
    assert _upload(server, path, **digests).status == 200
    again = _upload(server, path, first=True, accept="application/json", **digests)
    assert (again.status, again.json["new"], again.json["project"]) == (200, False, "writing")
    assert not _incoming(server)


def test_attestations_that_come_with_a_file_are_served_beside_it(server: Server, wheel: Wheel) -> None:
    """PEP 740: the page names a "fully qualified URL", and what lies there has the digest's file as its subject."""
    path = wheel("1.1")
    subject = {"name": path.name, "digest": {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}}
    said = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [subject],
        "predicateType": "https://docs.pypi.org/attestations/publish/v1",
        "predicate": None,
    }
    attestation = {
        "version": 1,
        "verification_material": {"certificate": "MIIC", "transparency_entries": [{"logIndex": "1"}]},
        "envelope": {"statement": base64.b64encode(json.dumps(said).encode()).decode(), "signature": "MEUC"},
    }
    assert _upload(server, path, attestations=json.dumps([attestation])).status == 200
    page = server.get("/dev/simple/writing/", role="reader", Accept="application/vnd.pypi.simple.v1+json").json
    (file,) = (one for one in page["files"] if one["filename"] == path.name)
    assert file["provenance"].startswith(server.url)
    assert f'data-provenance="{file["provenance"]}"' in server.get("/simple/writing/", role="reader").text
    answer = server.get("/" + file["provenance"].removeprefix(server.url), role="reader")
    assert answer.headers["content-type"] == "application/vnd.pypi.integrity.v1+json"
    (bundle,) = answer.json["attestation_bundles"]
    assert bundle["attestations"] == [attestation]


def test_other_bytes_under_the_same_name_are_taken(server: Server, wheel: Wheel, tmp_path: Path) -> None:
    assert _upload(server, wheel("2.0")).status == 200
    other = library_wheel(tmp_path, "2.0", name="writing", requires="packaging")
    answer = _upload(server, other)
    assert answer.status == 409
    assert "already there" in answer.text
    assert not _incoming(server)


@pytest.mark.parametrize("field", ["sha256_digest", "md5_digest", "blake2_256_digest"])
@pytest.mark.parametrize("first", [True, False])
def test_a_digest_that_was_announced_must_be_that_of_the_file(
    server: Server, wheel: Wheel, field: str, first: bool
) -> None:
    answer = _upload(server, wheel("3.0"), first=first, **{field: "0" * 64})
    assert answer.status == 400
    assert field in answer.text
    assert not _incoming(server)


def test_name_and_version_of_the_form_must_be_those_of_the_file(server: Server, wheel: Wheel) -> None:
    assert _upload(server, wheel("3.1"), name="other").status == 400
    assert _upload(server, wheel("3.1"), version="9.9").status == 400


@pytest.mark.parametrize(
    "filename",
    [
        "../x-1-py3-none-any.whl",
        "x/y.whl",
        "",
        "..",
        "x\\y.whl",
        "x-1.tar.gz%00.whl",
        ".hidden.whl",
        "a" * 300,
        "C:\\x\\a-1-py3-none-any.whl",
        "\\\\host\\a-1-py3-none-any.whl",
        "模型-1.whl",
    ],
)
def test_file_names_are_names(server: Server, filename: str) -> None:
    body, kind = form(FIELDS, filename, b"PK")
    answer = server.ask("POST", "/legacy/", role="admin", headers={"Content-Type": kind}, body=body)
    assert answer.status == 400
    assert "MW1116: This is no filename" in answer.text
    assert not _incoming(server)


def test_what_is_no_upload_is_refused(server: Server, wheel: Wheel) -> None:
    path = wheel("3.2")
    body, kind = form(FIELDS, path.name, path.read_bytes())
    end = b"--0123456789abcdef--"
    twice = body[: body.rindex(end)] + body
    cases = [
        (twice, kind),
        (body, "multipart/form-data"),
        (body, "multipart/form-data; boundary=" + "x" * 500),
        (body, "application/json"),
        (body, "multipart/form-data; boundary=other"),
        (body[: len(body) // 2], kind),
        (body[:-6], kind),
        (b"", kind),
        (form({":action": "submit"}, path.name, path.read_bytes())[0], kind),
        (form({"protocol_version": "2"}, path.name, path.read_bytes())[0], kind),
        (form({f"field{number}": "" for number in range(5000)}, path.name, b"")[0], kind),
        (
            body.replace(
                b"--0123456789abcdef--", body[: body.rindex(b"--0123456789abcdef--")] + b"--0123456789abcdef--"
            ),
            kind,
        ),
    ]
    for number, (content, kind_) in enumerate(cases):
        answer = server.ask("POST", "/legacy/", role="admin", headers={"Content-Type": kind_}, body=content)
        assert answer.status in (400, 413), (number, answer.text)
        assert "Traceback" not in answer.text
    assert not _incoming(server)
    assert server.get("/simple/writing/", role="admin", Accept="text/html").text.count("3.2") == 0


def test_a_file_that_is_too_large_is_refused_before_and_while_it_arrives(server: Server) -> None:
    body, kind = form(FIELDS, "large-1-py3-none-any.whl", b"x" * (MAX_UPLOAD + 1))
    answer = server.ask("POST", "/legacy/", role="admin", headers={"Content-Type": kind}, body=body)
    assert answer.status == 413
    head = b"POST /legacy/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\n"
    head = head % (server.tokens["admin"].encode(), kind.encode())
    announced = server.raw(head + b"Content-Length: 99999999999\r\n\r\n")
    assert announced.startswith(b"HTTP/1.1 413 ")
    assert not _incoming(server)


def test_fields_are_bounded(server: Server) -> None:
    body, kind = form(FIELDS | {"description": "x" * (33 * 2**20)}, "a-1-py3-none-any.whl", b"")
    answer = server.ask("POST", "/legacy/", role="admin", headers={"Content-Type": kind}, body=body)
    assert answer.status == 413


def test_an_upload_that_is_cut_off_leaves_nothing_behind(server: Server, wheel: Wheel) -> None:
    path = wheel("3.3")
    body, kind = form(FIELDS, path.name, path.read_bytes())
    head = (
        f"POST /legacy/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.tokens['admin']}\r\n"
        f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(head + body[: len(body) // 2])
        time.sleep(0.2)
    deadline = time.monotonic() + 10
    while _incoming(server) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _incoming(server)


def test_a_client_may_wait_before_it_sends(server: Server, wheel: Wheel) -> None:
    path = wheel("3.4")
    body, kind = form(FIELDS, path.name, path.read_bytes())
    head = (
        f"POST / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.tokens['admin']}\r\nConnection: close\r\n"
        f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
    ).encode()
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(head)
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
        assert connection.recv(100).startswith(b"HTTP/1.1 200 ")


def test_who_may_not_publish_is_told_before_sending(server: Server) -> None:
    head = (
        f"POST /legacy/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.tokens['reader']}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n"
    ).encode()
    assert server.raw(head).startswith(b"HTTP/1.1 403 ")


def test_memory_stays_flat_while_a_large_file_comes_and_goes(server: Server, tmp_path: Path) -> None:
    """A file at the limit of this server; 1 GB is measured in benchmarks."""
    before = server.rss_kb()
    content = bytes(MAX_UPLOAD)
    for _ in range(10):
        body, kind = form(FIELDS, "large-1-py3-none-any.whl", content)
        assert server.ask("POST", "/legacy/", role="admin", headers={"Content-Type": kind}, body=body).status == 400
    assert server.rss_kb() - before < 64 * 1024
