"""The edge of the application: what never gets in, what every answer carries, and who may do what."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import re
from itertools import product
from pathlib import Path

import pytest
from served import ROLES
from server import FIELDS, Server, form
from starlette.routing import Match, Router

from modelwright.registry.app import serving
from modelwright.registry.app.application import create_app
from modelwright.registry.app.edge import Edge
from modelwright.registry.operating.local import LocalService
from modelwright.registry.web import routes as web

SHA = "0" * 64


# Who gets in at all.


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil", "", "[::1", "models.internal.evil"]
)
def test_a_request_for_another_host_is_refused(server: Server, host: str) -> None:
    answer = server.get("/simple/", role="reader", Host=host)
    assert answer.status in (400, 421)
    assert "churn" not in answer.text


@pytest.mark.parametrize("host", ["localhost:80", "127.0.0.1", "[::1]:9", "MODELS.internal"])
def test_loopback_names_and_configured_hosts_are_answered(server: Server, host: str) -> None:
    assert server.get("/health", Host=host).status == 200


def test_the_server_listens_on_loopback_by_default(server: Server) -> None:
    assert ipaddress.ip_address(serving.HOST).is_loopback
    assert server.url.startswith("http://127.0.0.1:")
    table = Path(f"/proc/{server.process.pid}/net/tcp").read_text()
    assert f"0100007F:{server.port:04X} 00000000:0000 0A" in table
    assert f"00000000:{server.port:04X}" not in table


@pytest.mark.parametrize(
    "path",
    [
        "/simple/%2e%2e/%2e%2e/etc/passwd",
        "/simple/../../etc/passwd",
        "/simple/..%2f..%2fetc/",
        "/simple/%252e%252e/",
        "/simple/%2563hurn/",
        "/simple/%c0%ae%c0%ae/",
        "/simple/churn%00/",
        "/simple/churn%5c..%5c/",
        "/simple/churn\\..\\/",
        "/simple//churn/",
        "/simple/.registry/",
        "/.registry/state.sqlite",
        "/registry.toml",
        "/simple/%ff%fe/",
        "/simple/churn;x/",
        "/simple/churn%0d%0aX-Injected:%201/",
        f"/files/00/{SHA}/..%2f..%2fregistry.toml",
        "/files/../.registry/session.key",
        "/static/..%2frequests.py",
        "/simple/http:%2f%2fevil.example/",
    ],
)
def test_paths_that_lead_elsewhere_lead_nowhere(server: Server, path: str) -> None:
    answer = server.ask("GET", path.encode("ascii", "replace").decode(), role="admin")
    assert answer.status in (400, 404)
    assert "x-injected" not in answer.headers
    assert b"root:" not in answer.body
    assert b"SQLite" not in answer.body


def test_overlong_paths_queries_and_heads_are_refused(server: Server) -> None:
    assert server.get("/simple/" + "a" * 3000 + "/", role="admin").status == 414
    assert server.get("/simple/?" + "a" * 5000, role="admin").status == 414
    head = b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 40_000 + b"\r\n\r\n"
    assert server.raw(head).startswith(b"HTTP/1.1 431 ")


def test_bodies_that_are_kept_in_memory_are_bounded(server: Server) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert server.ask("POST", "/login", headers=headers, body=b"token=" + b"a" * 2**16).status == 413
    reason = b'{"version": "1.0.0", "reason": "' + b"a" * 2**20 + b'"}'
    assert server.ask("POST", "/api/v1/projects/matrix/yank", role="admin", body=reason).status == 413
    token = b'{"token": "' + b"a" * 2**16 + b'"}'
    assert server.ask("POST", "/_/oidc/mint-token", body=token).status == 413


def test_two_lengths_are_no_request(server: Server) -> None:
    smuggled = (
        b"POST /legacy/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"0\r\n\r\nGET /simple/ HTTP/1.1\r\nHost: localhost\r\n\r\n"
    )
    answered = server.raw(smuggled)
    assert answered.count(b"HTTP/1.1 ") <= 2
    assert b"200 OK" not in answered
    two = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd"
    assert server.raw(two).startswith(b"HTTP/1.1 400 ")
    hosts = b"GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
    assert server.raw(hosts).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/simple/"),
        ("DELETE", "/simple/churn/"),
        ("POST", "/simple/churn/"),
        ("TRACE", "/"),
        ("GET", "/legacy/"),
    ],
)
def test_methods_that_a_path_does_not_have_are_refused(server: Server, method: str, path: str) -> None:
    answer = server.ask(method, path, role="admin")
    assert answer.status == 405
    assert answer.headers["allow"]


# What every answer carries.


@pytest.mark.parametrize("path", ["/health", "/simple/", "/nowhere", "/login", "/api/v1/projects"])
def test_every_answer_keeps_browsers_from_doing_harm(server: Server, path: str) -> None:
    answer = server.get(path, role="reader", Accept="text/html")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "server" not in answer.headers


def test_a_page_may_use_its_own_and_nothing_else(server: Server) -> None:
    """Source: Content Security Policy Level 3; what does not fall back to default-src has to be said."""
    policy = server.get("/login", Accept="text/html").headers["content-security-policy"]
    said = {words[0]: set(words[1:]) for words in (one.split() for one in policy.split(";")) if words}
    assert said["default-src"] == said["base-uri"] == said["frame-ancestors"] == {"'none'"}
    assert said["form-action"] == said["script-src"] == {"'self'"}
    assert said["img-src"] <= {"'self'", "data:"}
    assert set.union(*(sources for name, sources in said.items() if name != "img-src")) <= {"'none'", "'self'"}


def test_files_are_downloads(server: Server) -> None:
    project = server.get("/api/v1/projects/churn", role="reader").json
    file = project["releases"][0]["files"][0]
    answer = server.get(f"/files/{file['sha256'][:2]}/{file['sha256']}/{file['filename']}", role="reader")
    assert answer.headers["content-disposition"] == f'attachment; filename="{file["filename"]}"'
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_no_traceback_reaches_a_client(server: Server) -> None:
    for body in (b"{", b"[]", b'{"version": 7}', b"\xff\xfe", b'{"version": "1.0.0", "unknown": 1}'):
        answer = server.ask("POST", "/api/v1/projects/churn/yank", role="admin", body=body)
        assert answer.status == 400
        assert answer.json["code"] == "MW1116"
        assert b"Traceback" not in answer.body
    deep = b"[" * 100_000
    answer = server.ask("POST", "/api/v1/projects/churn/yank", role="admin", body=deep)
    assert answer.status == 400
    nested = b'{"kind": "evaluation", "content": ' + b"[" * 5000 + b"]" * 5000 + b"}"
    answer = server.ask("POST", f"/api/v1/files/{SHA}/evidence", role="admin", body=nested)
    assert (answer.status, answer.json["code"]) == (400, "MW1116")


@pytest.mark.parametrize(
    "field", [{"version": "1" * 5000}, {"attestations": '[{"a":' + "[" * 5000 + "]" * 5000 + "}]"}]
)
def test_a_field_of_a_form_that_no_parser_can_read_is_refused(
    server: Server, teamtools: Path, field: dict[str, str]
) -> None:
    body, kind = form(FIELDS | field, teamtools.name, teamtools.read_bytes())
    answer = server.ask("POST", "/legacy/", role="admin", headers={"Content-Type": kind}, body=body)
    assert answer.status == 400, answer.text


def test_a_head_that_is_made_to_be_slow_to_read_is_not(server: Server) -> None:
    """Of CPU time, so that it says the same on a busy machine; ``http.cookies`` needed more than a second."""
    before = _cpu_s(server)
    for name, value in {
        "Cookie": 'mw_session="' + "\\" * 30_000 + '"',
        "Accept": "text/html;q=0," * 2000,
        "If-None-Match": '"a",' * 7000,
        "Range": "bytes=" + "1" * 30_000,
        "Content-Type": "multipart/form-data; " + "a;" * 15_000,
    }.items():
        for method, path in (("GET", "/simple/"), ("GET", "/"), ("POST", "/legacy/")):
            assert server.ask(method, path, headers={name: value}).status < 500
    assert _cpu_s(server) - before < 0.5


def _cpu_s(server: Server) -> float:
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# Browsers: sessions and forms.


def _login(server: Server, role: str, **fields: str) -> tuple[int, str, str]:
    body = "&".join(f"{key}={value}" for key, value in {"token": server.tokens[role], **fields}.items()).encode()
    answer = server.ask(
        "POST",
        "/login",
        body=body,
        headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"},
    )
    return answer.status, answer.headers.get("set-cookie", ""), answer.headers.get("location", "")


def _session(server: Server, role: str) -> dict[str, str]:
    status, cookie, _ = _login(server, role)
    assert status == 303
    return {"Cookie": cookie.partition(";")[0], "Content-Type": "application/x-www-form-urlencoded"}


def test_a_session_cookie_is_out_of_reach_and_holds_no_secret(server: Server) -> None:
    status, cookie, location = _login(server, "reader", next="%2Fmodels%2Fchurn")
    assert (status, location) == (303, "/models/churn")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert server.tokens["reader"].rpartition("_")[2] not in cookie
    page = server.get("/", Cookie=cookie.partition(";")[0], Accept="text/html")
    assert page.status == 200
    assert "churn" in page.text


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_session_that_was_begun_in_secret_stays_secret(service: LocalService, scheme: str) -> None:
    secret = service.add_token("ann", scopes=("read",)).secret
    kind = (b"content-type", b"application/x-www-form-urlencoded")
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/login",
        "raw_path": b"/login",
        "query_string": b"",
        "scheme": scheme,
        "headers": [(b"host", b"localhost"), kind],
        "client": ("127.0.0.1", 1),
        "root_path": "",
    }
    sent = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": f"token={secret}".encode(), "more_body": False}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    asyncio.run(create_app(service)(scope, receive, send))  # type: ignore[arg-type]
    cookie = dict(sent[0]["headers"])[b"set-cookie"].decode()
    assert ("Secure" in cookie.split("; ")) == (scheme == "https")


@pytest.mark.parametrize(
    "target", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_login_leads_nowhere_else(server: Server, target: str) -> None:
    assert _login(server, "reader", next=target)[2] == "/"


def test_an_altered_session_is_none(server: Server) -> None:
    cookie = _session(server, "reader")["Cookie"]
    broken = cookie[:-1] + ("0" if cookie[-1] != "0" else "1")
    assert server.get("/", Cookie=broken, Accept="text/html").headers["location"].startswith("/login")


def _form_of(server: Server, session: dict[str, str], path: str) -> str:
    page = server.ask("GET", path, headers={**session, "Accept": "text/html"})
    assert page.status == 200, page.text
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', page.text)
    assert found, page.text
    return found.group(1)


def test_a_form_without_its_token_changes_nothing(server: Server) -> None:
    session = _session(server, "admin")
    csrf = _form_of(server, session, "/models/matrix/1.0.0/yank")
    before = server.get("/api/v1/projects/matrix", role="admin").json["serial"]
    for body in ("reason=x", f"reason=x&csrf={'0' * 64}", f"reason=x&csrf={csrf[:-1]}"):
        answer = server.ask("POST", "/models/matrix/1.0.0/yank", headers=session, body=body.encode())
        assert answer.status == 403
    assert server.get("/api/v1/projects/matrix", role="admin").json["serial"] == before


def test_the_csrf_token_of_another_session_is_none(server: Server) -> None:
    other = _form_of(server, _session(server, "promoter"), "/models/matrix/1.0.0/yank")
    answer = server.ask(
        "POST", "/models/matrix/1.0.0/yank", headers=_session(server, "admin"), body=f"reason=x&csrf={other}".encode()
    )
    assert answer.status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://[x"},
    ],
)
def test_another_site_changes_nothing_even_with_the_right_token(server: Server, headers: dict[str, str]) -> None:
    answer = server.ask(
        "POST", "/api/v1/projects/matrix/yank", role="admin", headers=headers, json={"version": "1.0.0", "reason": "x"}
    )
    assert answer.status == 403
    body, kind = form(FIELDS, "x-1-py3-none-any.whl", b"")
    answer = server.ask("POST", "/legacy/", role="admin", headers={**headers, "Content-Type": kind}, body=body)
    assert answer.status == 403


def test_the_api_asks_a_session_for_its_csrf_token(server: Server) -> None:
    session = {**_session(server, "admin"), "Content-Type": "application/json"}
    path, body = "/api/v1/projects/matrix/yank", b'{"version": "9.9.9", "reason": "x"}'
    assert server.ask("POST", path, headers=session, body=body).status == 403
    csrf = _form_of(server, session, "/models/matrix/1.0.0/yank")
    assert server.ask("POST", path, headers={**session, "X-CSRF-Token": csrf}, body=body).status == 404


def test_a_revoked_token_ends_its_sessions_at_once(server: Server) -> None:
    made = server.ask("POST", "/api/v1/tokens", role="admin", json={"user": "tom", "scopes": ["read"]}).json
    server.tokens["tom"] = made["secret"]
    session = _session(server, "tom")
    assert server.ask("GET", "/models/churn", headers=session).status == 200
    assert server.get("/simple/churn/", role="tom").status == 200
    assert server.ask("DELETE", f"/api/v1/tokens/{made['token']['id']}", role="admin").status == 200
    assert server.get("/simple/churn/", role="tom").status == 401
    assert server.ask("GET", "/models/churn", headers=session).headers["location"].startswith("/login")


# Who may do what: an independent table.

STALE = "f" * 64
DONE = {"version": "1.0.0", "reason": "matrix"}
MATRIX = {"file": ""}
EVERYONE = {*ROLES}
KNOWN = {"reader", "publisher", "stranger", "promoter", "admin"}
READS = KNOWN - {"stranger"}
"""Roles that may read ``matrix``; the stranger's token is for another project."""
BEGUN = {
    "step": "begun", "kind": "canary", "before": 0.0, "after": 0.1, "control": "1.0.0", "time": "2026-10-01T12:00:00Z",
}  # fmt: skip
TABLE: list[tuple[str, str, object, set[str]]] = [
    ("GET", "/health", None, EVERYONE),
    ("GET", "/static/nothing.css", None, EVERYONE),
    ("GET", "/_/oidc/audience", None, EVERYONE),
    ("GET", "/feed.atom", None, READS),
    ("GET", "/models/matrix/feed.atom", None, READS),
    ("GET", "/simple/", None, KNOWN),
    ("GET", "/production/simple/", None, KNOWN),
    ("GET", "/simple", None, EVERYONE),
    ("GET", "/production/simple", None, EVERYONE),
    ("GET", "/simple/matrix", None, EVERYONE),
    ("GET", "/dev/simple/matrix", None, EVERYONE),
    ("GET", "/simple/matrix/", None, READS),
    ("GET", "/dev/simple/matrix/", None, READS),
    ("GET", "{file}", None, READS),
    ("GET", "{file}.metadata", None, READS),
    ("GET", "/api/v1/whoami", None, KNOWN),
    ("GET", "/api/v1/projects", None, KNOWN),
    ("GET", "/api/v1/projects/matrix", None, READS),
    ("GET", "/api/v1/projects/matrix/gates?version=1.0.0&to=dev", None, READS),
    ("GET", "/api/v1/files/{sha256}", None, READS),
    ("GET", "/api/v1/files/{sha256}/known?filename=x.whl", None, READS),
    ("GET", "/api/v1/files/{sha256}/evidence", None, READS),
    ("GET", "/api/v1/tokens", None, {"admin"}),
    ("GET", "/api/v1/audit?project=matrix", None, READS),
    ("GET", "/api/v1/audit", None, READS),
    ("GET", "/api/v1/audit/head", None, READS),
    ("GET", "/api/v1/audit/check", None, READS),
    (
        "POST",
        "/api/v1/files/{sha256}/evidence",
        {"kind": "evaluation", "content": []},
        {"publisher", "promoter", "admin"},
    ),
    (
        "POST",
        "/api/v1/projects/matrix/approve",
        {"version": "1.0.0", "stage": "dev", "reason": "x"},
        {"promoter", "admin"},
    ),
    (
        "POST",
        "/api/v1/projects/matrix/promote",
        {"version": "1.0.0", "to": "staging", "reason": "x", "expected": STALE},
        {"promoter", "admin"},
    ),
    ("POST", "/api/v1/projects/matrix/rollback", {"stage": "dev", "reason": "x"}, {"promoter", "admin"}),
    ("POST", "/api/v1/projects/matrix/yank", {"version": "9.9.9", "reason": "x"}, {"publisher", "admin"}),
    ("POST", "/api/v1/projects/matrix/unyank", {"version": "9.9.9", "reason": "x"}, {"publisher", "admin"}),
    # dev runs this one, so it takes the scope of those who may move it as well.
    ("POST", "/api/v1/projects/matrix/yank", DONE, {"admin"}),
    ("POST", "/api/v1/projects/matrix/unyank", DONE, {"admin"}),
    ("POST", "/api/v1/projects/matrix/delete", {"version": "9.9.9", "reason": "x"}, {"admin"}),
    ("POST", "/api/v1/projects/matrix/rollout", {"version": "9.9.9", "event": BEGUN}, {"promoter", "admin"}),
    ("POST", "/api/v1/projects/matrix/rollout", {"version": "1.0.0", "event": BEGUN}, {"promoter", "admin"}),
    ("POST", "/api/v1/projects/matrix/status", {"status": "active", "reason": "x"}, {"admin"}),
    ("POST", "/api/v1/projects/matrix/owners", {"owners": ["ann", "pat"]}, {"admin"}),
    ("POST", "/api/v1/tokens", {"user": "zoe", "scopes": ["read"]}, {"admin"}),
    ("DELETE", "/api/v1/tokens/ffffffffffff", None, {"admin"}),
]


@pytest.mark.parametrize(
    ("method", "path", "body", "allowed"),
    TABLE,
    ids=[f"{number}-{row[0]}-{row[1]}" for number, row in enumerate(TABLE)],
)
def test_every_role_may_do_what_the_table_says_and_nothing_else(
    server: Server, method: str, path: str, body: object, allowed: set[str]
) -> None:
    file = server.get("/api/v1/projects/matrix", role="admin").json["releases"][0]["files"][0]
    sha256 = file["sha256"]
    path = path.format(file=f"/files/{sha256[:2]}/{sha256}/{file['filename']}", sha256=sha256)
    found = {}
    for role in ROLES:
        answer = server.ask(method, path, role="" if role == "nobody" else role, json=body)
        found[role] = answer.status
        if role in ("nobody", "expired", "revoked") and role not in allowed:
            assert answer.status == 401, (role, answer.text)
            assert answer.headers["www-authenticate"].startswith("Basic ")
        elif role not in allowed:
            assert answer.status in (403, 404), (role, answer.text)
        else:
            assert answer.status not in (401, 403), (role, answer.text)
            assert answer.status < 500
    assert len(found) == len(ROLES)


def test_what_is_kept_for_one_is_not_shown_to_another(server: Server) -> None:
    """Each within a second of the last: who asks is remembered, and the page is, too."""
    for view in ("", "/dev"):
        assert server.get(f"{view}/simple/teamtools/", role="stranger").status == 200
        page = server.get(f"{view}/simple/matrix/", role="reader")
        assert page.status == 200
        for headers in ({}, {"If-None-Match": page.headers["etag"]}):
            assert server.get(f"{view}/simple/teamtools/", role="stranger").status == 200
            assert server.get(f"{view}/simple/matrix/", role="reader").status == 200
            assert server.get(f"{view}/simple/matrix/", role="stranger", **headers).status == 403
            assert server.get(f"{view}/simple/matrix/", **headers).status == 401


def test_a_list_that_is_kept_for_one_is_not_shown_to_another(server: Server) -> None:
    for role in ("reader", "stranger", "reader", "stranger"):
        assert ("matrix" in server.get("/simple/", role=role, Accept="text/html").text) == (role == "reader")


@pytest.mark.parametrize("path", ["/feed.atom", "/models/matrix/feed.atom", "/simple/matrix/", "{file}"])
def test_nobody_learns_from_an_entity_tag_whether_something_changed(server: Server, path: str) -> None:
    file = server.get("/api/v1/projects/matrix", role="admin").json["releases"][0]["files"][0]
    path = path.format(file=f"/files/{file['sha256'][:2]}/{file['sha256']}/{file['filename']}")
    seen = server.get(path, role="reader")
    tag = seen.headers["etag"]
    assert server.get(path, role="reader", If_None_Match=tag).status == 304
    assert "public" not in seen.headers["cache-control"]
    for tag in (server.get(path, role="reader").headers["etag"], "*"):
        assert server.get(path, If_None_Match=tag).status == 401
        assert server.get(path, role="stranger", If_None_Match=tag).status in (403, 404)


UPLOADS = ("/legacy/", "/legacy", "/")
OPEN = {("POST", "/login"), ("POST", "/logout"), ("POST", "/_/oidc/mint-token"), ("POST", "/api/v1/oidc/token")}
"""Where somebody says who they are: what is asked for is the token itself."""


def test_no_route_is_without_a_row(service: LocalService) -> None:
    app = create_app(service)
    assert isinstance(app, Edge)
    assert isinstance(app.inner, Router)
    known = {("POST", path) for path in UPLOADS} | OPEN | {(page.method, page.path) for page in web.ROUTES}
    for method, path, _, _ in TABLE:
        asked = path.partition("?")[0].format(file=f"/files/00/{SHA}/x.whl", sha256=SHA)
        scope = {"type": "http", "method": method, "path": asked}
        known.add((method, next(one.path for one in app.inner.routes if one.matches(scope)[0] is Match.FULL)))
    there = {(method, one.path) for one in app.inner.routes for method in one.methods - {"HEAD"}}
    assert there == known


@pytest.mark.parametrize("path", [page.path for page in web.ROUTES if page.method == "GET" and page.path != "/login"])
def test_pages_show_nothing_to_those_who_may_not(server: Server, path: str) -> None:
    asked = path.format(name="matrix", version="1.0.0")
    for role in ROLES:
        answer = server.ask("GET", asked, role="" if role == "nobody" else role, headers={"Accept": "text/html"})
        if role == "nobody":
            assert (answer.status, answer.body) == (303, b"")
            assert answer.headers["location"].startswith("/login")
        elif role in READS or (role in KNOWN and path == "/"):
            assert answer.status in (200, 400, 403, 404), (role, answer.text)
        else:
            assert answer.status in (401, 403, 404), (role, answer.text)
            assert "Who will leave" not in answer.text
        assert "cookie" in answer.headers.get("vary", "").lower() or answer.headers["cache-control"] == "no-store"
        assert "public" not in answer.headers["cache-control"]


def test_pages_change_nothing_for_those_who_may_not(server: Server) -> None:
    before = server.get("/api/v1/projects/matrix", role="admin").json["serial"]
    body = b"version=1.0.0&to=staging&stage=dev&reason=x&expected=&confirm=matrix&name=matrix&typed=matrix"
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
    posts = [route.path for route in web.ROUTES if route.method == "POST"]
    assert len(posts) >= 5
    for path in posts:
        for role in ("nobody", "reader", "stranger", "expired"):
            asked = path.format(name="matrix", version="1.0.0")
            answer = server.ask("POST", asked, role="" if role == "nobody" else role, headers=headers, body=body)
            assert answer.status in (400, 401, 403), (asked, role, answer.status)
    assert server.get("/api/v1/projects/matrix", role="admin").json["serial"] == before


def test_uploads_obey_the_same_table(server: Server, churn, teamtools) -> None:  # type: ignore[no-untyped-def]
    wheel = churn("1.0.0")
    body, kind = form(FIELDS, wheel.name, wheel.read_bytes())
    for role, path in product(ROLES, UPLOADS):
        answer = server.ask(
            "POST", path, role="" if role == "nobody" else role, headers={"Content-Type": kind}, body=body
        )
        expected = {"nobody": 401, "expired": 401, "revoked": 401, "admin": 200}.get(role, 403)
        assert answer.status == expected, (role, answer.text)


def test_what_was_denied_is_in_the_log(server: Server) -> None:
    server.ask(
        "POST",
        "/api/v1/projects/churn/promote",
        role="reader",
        json={"version": "1.0.0", "to": "dev", "reason": "mine"},
    )
    server.get("/simple/", Authorization="Bearer mw_ffffffffffff_" + "x" * 43)
    body, kind = form(FIELDS, "x-1-py3-none-any.whl", b"")
    server.ask("POST", "/legacy/", role="reader", headers={"Content-Type": kind}, body=body)
    entries = server.get("/api/v1/audit?outcome=denied&newest_first=true&limit=50", role="admin").json
    assert ("promote", "rita", "churn") in {(one["action"], one["actor"], one.get("project", "")) for one in entries}
    assert ("publish", "rita") in {(one["action"], one["actor"]) for one in entries}
    assert "login" in {one["action"] for one in entries}
    assert "x" * 43 not in str(entries)


def test_a_token_is_worth_nothing_without_all_of_its_secret(server: Server) -> None:
    known, secret = server.tokens["admin"][:16], server.tokens["admin"][16:]
    assert known.count("_") == 2
    assert server.get("/simple/", Authorization=f"Bearer {known}{secret}").status == 200
    for other in ("A" * 43, secret[::-1], secret[:-1], secret + "A", "", secret.swapcase()):
        assert server.get("/simple/", Authorization=f"Bearer {known}{other}").status == 401, other


def test_secrets_are_in_no_log(server: Server) -> None:
    server.get("/simple/?token=s3cret", role="reader")
    log = (server.folder.parent / "server.log").read_text()
    assert 'rita "GET /simple/" 200' in log
    assert "s3cret" not in log
    for secret in server.tokens.values():
        assert secret.rpartition("_")[2] not in log


def test_private_files_are_private(server: Server) -> None:
    private = server.folder / ".registry"
    assert private.stat().st_mode & 0o777 == 0o700
    assert (private / "session.key").stat().st_mode & 0o777 == 0o600
    assert not list((private / "incoming").iterdir())


def test_wrong_tokens_are_slowed_down_and_right_ones_are_not(server: Server) -> None:
    assert server.get("/simple/", role="reader").status == 200
    here = "127.9.9.9"
    assert server.ask("GET", "/simple/", role="reader", address=here).status == 200
    secrets = (f"Bearer mw_{number:012x}_{'y' * 43}" for number in range(20))
    wrong = [
        server.ask("GET", "/simple/", headers={"Authorization": secret}, address=here).status for secret in secrets
    ]
    assert wrong[:10] == [401] * 10
    assert wrong[-1] == 429
    assert server.ask("GET", "/simple/", role="reader", address=here).status == 200
