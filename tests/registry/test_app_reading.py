"""What installers read over HTTP: names, forms, conditions, ranges, views."""

from __future__ import annotations

import gzip
import hashlib
import time
from urllib.parse import quote

import pytest
from server import Server

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"


def _files(server: Server, path: str) -> dict[str, dict[str, object]]:
    page = server.get(path, role="reader", Accept=JSON)
    assert page.status == 200, page.text
    return {file["filename"]: file for file in page.json["files"]}


@pytest.mark.parametrize(
    ("asked", "location"),
    [
        ("/simple", "simple/"),
        ("/production/simple", "simple/"),
        ("/simple/churn", "churn/"),
        ("/simple/Churn/", "../churn/"),
        ("/simple/Team.Tools", "team-tools/"),
        ("/production/simple/CHURN/", "../churn/"),
    ],
)
def test_other_spellings_lead_to_the_normal_name(server: Server, asked: str, location: str) -> None:
    answer = server.get(asked, role="reader")
    assert (answer.status, answer.headers["location"]) == (301, location)
    formed = server.get(f"{asked}?format={quote(JSON)}&x=%0d", role="reader")
    assert (formed.status, formed.headers["location"]) == (301, f"{location}?format={quote(JSON, safe='')}")


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (JSON, JSON),
        ("application/vnd.pypi.simple.latest+json", JSON),
        (HTML, f"{HTML}; charset=utf-8"),
        ("text/html", "text/html; charset=utf-8"),
        ("*/*", "text/html; charset=utf-8"),
    ],
)
def test_a_client_gets_the_form_it_asks_for(server: Server, accept: str, kind: str) -> None:
    answer = server.get("/simple/churn/", role="reader", Accept=accept)
    assert answer.headers["content-type"] == kind
    assert "Accept" in answer.headers["vary"]


def test_a_form_that_no_index_has_is_not_acceptable(server: Server) -> None:
    assert server.get("/simple/churn/", role="reader", Accept="image/png").status == 406


def test_a_stage_shows_what_it_runs_and_what_it_ran(server: Server) -> None:
    files = _files(server, "/production/simple/churn/")
    yanked = {name: file.get("yanked", False) for name, file in files.items()}
    assert yanked == {
        "churn-1.0.0-py3-none-any.whl": "superseded in production by 1.1.0",
        "churn-1.1.0-py3-none-any.whl": False,
    }
    assert server.get("/staging/simple/churn/", role="reader").status == 404
    assert _files(server, "/staging/simple/teamtools/")
    assert server.get("/nostage/simple/churn/", role="reader").status == 404
    names = [
        project["name"] for project in server.get("/production/simple/", role="reader", Accept=JSON).json["projects"]
    ]
    assert {"churn", "teamtools"} <= set(names), "others may have published libraries to this server"
    assert "matrix" not in names


def test_a_token_for_one_project_lists_only_that(server: Server) -> None:
    page = server.get("/simple/", role="stranger", Accept=JSON)
    assert [project["name"] for project in page.json["projects"]] == ["teamtools"]


def test_pages_are_asked_for_again_and_cost_nothing_then(server: Server) -> None:
    first = server.get("/simple/churn/", role="reader", Accept=JSON)
    assert first.headers["cache-control"] == "max-age=0, must-revalidate"
    again = server.get("/simple/churn/", role="reader", Accept=JSON, If_None_Match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    other = server.get("/simple/churn/", role="reader", Accept=HTML, If_None_Match=first.headers["etag"])
    assert other.status == 200


def test_pages_are_compressed_for_those_who_can_read_it(server: Server) -> None:
    plain = server.get("/simple/churn/", role="reader", Accept=JSON)
    zipped = server.get("/simple/churn/", role="reader", Accept=JSON, Accept_Encoding="gzip, deflate")
    assert zipped.headers["content-encoding"] == "gzip"
    assert gzip.decompress(zipped.body) == plain.body
    assert len(zipped.body) < len(plain.body)
    for refusing in ("gzip;q=0", "identity", "br, GZIP; q=0.0, *", "identity;q=0.5, *;q=0"):
        answer = server.get("/simple/churn/", role="reader", Accept=JSON, Accept_Encoding=refusing)
        assert answer.body == plain.body, refusing
        assert "content-encoding" not in answer.headers


def test_a_compressed_page_has_an_entity_tag_of_its_own(server: Server) -> None:
    """RFC 9110 section 8.8.3.3: a cache between us must not take one form for the other."""
    for path in ("/simple/churn/", _asset(server)):
        plain = server.get(path, role="reader")
        zipped = server.get(path, role="reader", Accept_Encoding="gzip")
        assert zipped.headers["content-encoding"] == "gzip"
        assert zipped.headers["etag"] != plain.headers["etag"]
        for coding, known, status in (("gzip", zipped, 304), ("gzip", plain, 200), ("identity", plain, 304)):
            again = server.get(path, role="reader", Accept_Encoding=coding, If_None_Match=known.headers["etag"])
            assert again.status == status, (path, coding)


def _asset(server: Server) -> str:
    page = server.get("/login", Accept="text/html").text
    return "/static/" + page.partition("/static/")[2].partition('"')[0]


def test_a_rollback_is_seen_in_the_next_answer_of_every_view(server: Server) -> None:
    body = {"version": "1.0.0", "to": "limited", "reason": "try"}
    for version in ("1.0.0", "1.1.0"):
        done = server.ask("POST", "/api/v1/projects/churn/promote", role="admin", json={**body, "version": version})
        assert done.status == 200, done.text
    etag = server.get("/limited/simple/churn/", role="reader", Accept=JSON).headers["etag"]
    begun = time.monotonic()
    back = server.ask(
        "POST", "/api/v1/projects/churn/rollback", role="admin", json={"stage": "limited", "reason": "bad"}
    )
    assert back.json["placement"]["version"] == "1.0.0"
    page = server.get("/limited/simple/churn/", role="reader", Accept=JSON, If_None_Match=etag)
    assert page.status == 200
    yanked = {file["filename"]: file.get("yanked", False) for file in page.json["files"]}
    assert yanked == {
        "churn-1.0.0-py3-none-any.whl": False,
        "churn-1.1.0-py3-none-any.whl": "rolled back from limited",
    }
    static = (server.folder / "limited" / "simple" / "churn" / "index.html").read_text()
    assert "rolled back from limited" in static
    assert time.monotonic() - begun < 2.0


# Files.


@pytest.fixture
def wheel(server: Server) -> tuple[str, str, int]:
    """Path, digest and size of a stored wheel."""
    file = _files(server, "/simple/churn/")["churn-1.1.0-py3-none-any.whl"]
    digest = file["hashes"]["sha256"]  # type: ignore[index]
    return f"/files/{digest[:2]}/{digest}/{file['filename']}", digest, int(str(file["size"]))


def test_a_file_is_what_its_address_says(server: Server, wheel: tuple[str, str, int]) -> None:
    path, digest, size = wheel
    answer = server.get(path, role="reader")
    assert hashlib.sha256(answer.body).hexdigest() == digest
    assert answer.headers["content-length"] == str(size)
    assert answer.headers["etag"] == f'"{digest}"'
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert answer.headers["accept-ranges"] == "bytes"
    head = server.ask("HEAD", path, role="reader")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(size))
    assert server.get(path, role="reader", If_None_Match=f'"{digest}"').status == 304


def test_metadata_is_served_beside_the_file(server: Server, wheel: tuple[str, str, int]) -> None:
    path, _, _ = wheel
    page = _files(server, "/simple/churn/")["churn-1.1.0-py3-none-any.whl"]
    answer = server.get(path + ".metadata", role="reader")
    assert hashlib.sha256(answer.body).hexdigest() == page["core-metadata"]["sha256"]  # type: ignore[index]
    assert b"Name: churn" in answer.body
    assert server.get(path + ".provenance", role="reader").status == 404


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=5-99", 5, 100),
        ("bytes=-7", -7, None),
        ("bytes=100-", 100, None),
        ("bytes=0-99999999", 0, None),
        ("Bytes=0-4", 0, 5),
    ],
)
def test_a_range_is_answered_with_these_bytes(
    server: Server, wheel: tuple[str, str, int], asked: str, start: int, stop: int | None
) -> None:
    path, _, size = wheel
    whole = server.get(path, role="reader").body
    answer = server.get(path, role="reader", Range=asked)
    assert answer.status == 206
    assert answer.body == whole[start:stop]
    first = start % size
    assert answer.headers["content-range"] == f"bytes {first}-{first + len(answer.body) - 1}/{size}"


def test_a_range_behind_the_end_is_refused_and_an_odd_one_ignored(server: Server, wheel: tuple[str, str, int]) -> None:
    path, digest, size = wheel
    behind = server.get(path, role="reader", Range=f"bytes={size}-")
    assert (behind.status, behind.headers["content-range"]) == (416, f"bytes */{size}")
    for odd in ("bytes=0-1,4-5", "lines=1-2", "bytes=9-3", "bytes=-", "bytes=" + "9" * 100):
        assert server.get(path, role="reader", Range=odd).status == 200
    assert server.get(path, role="reader", Range="bytes=0-1", If_Range=f'"{digest}"').status == 206
    assert server.get(path, role="reader", Range="bytes=0-1", If_Range='"other"').status == 200


def test_files_have_no_other_addresses(server: Server, wheel: tuple[str, str, int]) -> None:
    path, digest, _ = wheel
    name = path.rpartition("/")[2]
    for wrong in (
        f"/files/ff/{digest}/{name}",
        f"/files/{digest[:2]}/{digest}/other-1.0-py3-none-any.whl",
        f"/files/{digest[:2]}/{digest.upper()}/{name}",
        f"/files/{digest[:2]}/{digest}/{name}.metadata.metadata",
        f"/files/{digest[:2]}/{digest}",
        f"/files/00/{'0' * 64}/{name}",
    ):
        assert server.get(wrong, role="admin").status in (400, 404), wrong


def test_the_json_api_sends_files_with_ranges_too(server: Server, wheel: tuple[str, str, int]) -> None:
    path, digest, _ = wheel
    whole = server.get(path, role="reader").body
    answer = server.get(f"/api/v1/files/{digest}", role="reader", Range="bytes=10-19")
    assert (answer.status, answer.body) == (206, whole[10:20])


# What the JSON API says.


def test_the_api_answers_with_the_nouns_of_the_service(server: Server) -> None:
    welcome = server.get("/api/v1/whoami", role="publisher").json
    assert welcome["principal"]["user"] == "pat"
    assert welcome["stages"] == ["dev", "staging", "limited", "production"]
    found = server.get("/api/v1/projects?search=Who", role="reader").json
    assert "churn" in [one["name"] for one in found]
    entries = server.get("/api/v1/audit?project=churn&action=promote&limit=2", role="reader").json
    assert [entry["action"] for entry in entries] == ["promote", "promote"]
    head = server.get("/api/v1/audit/head", role="reader").json
    report = server.get(f"/api/v1/audit/check?sequence={head['sequence']}&hash={head['hash']}", role="reader").json
    assert report["holds"] is True


@pytest.mark.parametrize(
    "query",
    [
        "limit=1001",
        "limit=-1",
        "limit=x",
        "after=1e9",
        "unknown=1",
        "project=../x",
        "stage=A",
        "action=%27",
        "outcome=maybe",
    ],
)
def test_queries_are_bounded(server: Server, query: str) -> None:
    answer = server.get(f"/api/v1/audit?{query}", role="reader")
    assert (answer.status, answer.json["code"]) == (400, "MW1116")


def test_every_error_of_the_api_has_its_code_and_status(server: Server) -> None:
    missing = server.get("/api/v1/projects/nothing", role="reader")
    assert (missing.status, missing.json["code"]) == (404, "MW1105")
    stale = {"version": "1.0.0", "to": "dev", "reason": "x", "expected": "f" * 64}
    answer = server.ask("POST", "/api/v1/projects/churn/promote", role="admin", json=stale)
    assert (answer.status, answer.json["code"]) == (412, "MW1107")
    assert server.get("/api/v1/nothing", role="reader").json["code"] == "MW1105"


def test_health_says_what_works_and_nothing_else(server: Server) -> None:
    answer = server.get("/health")
    assert answer.json == {"status": "ok", "database": True, "files": True, "uploads": True}


def test_the_server_starts_fast_and_small(server: Server) -> None:
    assert server.ready_s < 10  # three seconds on a quiet machine; benchmarks/ measures it
    assert server.rss_kb() < 120 * 1024
