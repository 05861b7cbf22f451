"""The edge: what every request passes before anything else, and every answer on its way out.

Wrapped around the routes by :mod:`.application`. In: the host must be one of ours (DNS rebinding), the path is decoded
once and matched. Out: the headers that keep a browser from doing harm, one line in the access log, and an answer for
every error, never a traceback.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modelwright.errors import (
    ModelwrightError,
    NotAllowedError,
    RequestError,
    UnavailableError,
    UnknownReleaseError,
    UpstreamError,
)
from modelwright.registry.app.answers import SAFE, header, refused
from modelwright.registry.app.parameters import MAX_PATH, MAX_QUERY, decoded_path
from modelwright.registry.app.statuses import Refusal, status_of
from modelwright.registry.web.requests import CONTENT_SECURITY_POLICY, Site

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
MAX_HEADERS = 32 * 2**10
"""Largest sum of all headers, bytes; h11 bounds what it has to wait for, not what arrives at once."""
_HOST = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[a-z0-9.-]{1,253})(:[0-9]{1,5})?")
_NOTHING = "default-src 'none'; frame-ancestors 'none'"
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
"""Source: Fetch (nosniff, CORP), Referrer Policy, RFC 7034, HTML (COOP). CSP is added by what the answer is."""

access_log = logging.getLogger("modelwright.registry.access")
error_log = logging.getLogger("modelwright.registry.errors")


class Edge:
    """An ASGI application around another one.

    Args:
        inner: The routes.
        site: What pages share, for refusals that people see.
        hosts: Names that are answered to, beside the loopback ones.
    """

    def __init__(self, inner: ASGIApp, *, site: Site, hosts: Iterable[str]) -> None:
        self.inner = inner
        self.site = site
        self.hosts = frozenset((*LOOPBACK, *(f"[{host}]" if ":" in host else host.lower() for host in hosts)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; whatever goes wrong is answered, too."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.inner(scope, receive, send)
            return
        answer = _Answer(scope, send)
        try:
            self._admit(scope)
            await self.inner(scope, receive, answer.send)
        except Exception as error:
            if answer.status:  # too late to say anything: the connection is closed, so that nobody takes half for all
                _note_cut(error, scope)
                raise _CutError from None
            status, told, headers = _told(error, scope)
            response = refused(scope, status, told, site=self.site)
            response.headers.update(headers)
            await response(scope, receive, answer.send)
        finally:
            answer.log()

    def _admit(self, scope: Scope) -> None:
        raw, query = scope.get("raw_path") or scope["path"].encode(), scope["query_string"]
        scope["path"] = "/"  # until it is checked, for refusals
        scope["app"] = self
        if len(raw) > MAX_PATH or len(query) > MAX_QUERY:
            raise Refusal(414, RequestError(f"A path is at most {MAX_PATH} bytes, a query {MAX_QUERY}."))
        if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADERS:
            scope["headers"] = []
            raise Refusal(431, RequestError(f"The headers of a request are at most {MAX_HEADERS} bytes."))
        host = [value.decode("latin-1").lower() for key, value in scope["headers"] if key == b"host"]
        name = _HOST.fullmatch(host[0]) if len(host) == 1 else None
        if name is None or name.group(1) not in self.hosts:
            shown = host[0][:80] if host else ""
            # RFC 9110, 15.5.20 "421 Misdirected Request"
            raise Refusal(
                421,
                RequestError(
                    f"This registry does not answer to the name {shown!r}.", hint='registry.toml: hosts = ["…"]'
                ),
            )
        if scope["method"] not in SAFE:
            _check_origin(scope, host[0])
        scope["path"] = decoded_path(raw)
        scope["raw_path"] = raw


def _check_origin(scope: Scope, host: str) -> None:
    """Refuse what a browser says another site asks for: a second line behind the CSRF tokens of forms.

    It also covers credentials that browsers send by themselves (Basic). Programs send neither header.
    Source: Fetch Metadata (``Sec-Fetch-Site``); RFC 6454 section 7 (``Origin``).
    """
    site, origin = header(scope, b"sec-fetch-site"), header(scope, b"origin")
    if site not in ("", "same-origin", "none") or (origin and _authority(origin) != host):
        raise NotAllowedError("The request comes from another site.", why=f"Origin {origin[:100]!r}.")


def _authority(origin: str) -> str:
    """Return host and port of an origin; empty: it has none, which is no host of ours."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


class _CutError(Exception):
    """The answer was cut off; what went wrong is in the log already."""


class _Answer:
    """Counts what is sent, and adds the headers that every answer has."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.scope, self._send = scope, send
        self.status, self.sent, self.begun = 0, 0, time.monotonic()
        self.method = scope["method"]

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = message["headers"]
            names = {name for name, _ in headers}
            added = [pair for pair in HEADERS if pair[0] not in names]
            if b"content-security-policy" not in names:
                page = any(name == b"content-type" and value.startswith(b"text/html") for name, value in headers)
                policy = CONTENT_SECURITY_POLICY if page else _NOTHING
                added.append((b"content-security-policy", policy.encode()))
            message = {**message, "headers": [*headers, *added]}
        else:
            self.sent += len(message.get("body", b""))
        await self._send(message)

    def log(self) -> None:
        """Write one line: who, what, how it ended. Never a query, a header or a body: secrets travel there."""
        if access_log.isEnabledFor(logging.INFO):
            client = self.scope.get("client") or ("-",)
            principal = self.scope.get("principal")
            access_log.info(
                '%s %s "%s %s" %d %d %.1fms',
                client[0],
                (principal and principal.user) or "-",
                self.method,
                self.scope["path"],
                self.status,
                self.sent,
                (time.monotonic() - self.begun) * 1000,
            )


def _told(error: Exception, scope: Scope) -> tuple[int, ModelwrightError, dict[str, str]]:
    """Return status, what is told, and further headers."""
    if isinstance(error, Refusal):
        return error.status, error.error, error.headers
    if isinstance(error, ModelwrightError):
        status = status_of(error)
        return status, _outward(error, scope) if status >= 500 else error, {}
    if isinstance(error, HTTPException):
        if error.status_code == 405:
            what: ModelwrightError = RequestError(f"{scope['method']} is not something to be done here.")
        elif error.status_code == 404:
            what = UnknownReleaseError("There is nothing here.", where=scope["path"])
        else:
            what = RequestError(error.detail)
        return error.status_code, what, dict(error.headers or {})
    number = _note(error, scope)
    told = UnavailableError("Something went wrong inside the registry.", where=f"log entry {number}")
    return 500, told, {}


def _note_cut(error: Exception, scope: Scope) -> None:
    """Write into the log why an answer was cut off; what is an error by design needs no line of code beside it."""
    if isinstance(error, ModelwrightError):
        error_log.error("%s %s was cut off: %s", scope["method"], scope["path"], error)
    else:
        _note(error, scope)


def _outward(error: ModelwrightError, scope: Scope) -> ModelwrightError:
    """Write an error that is ours into the log, and return what a client is told of it.

    Where a folder or a database is, and what it said, is nobody's business outside; that the disk is full is, and so is
    which upstream does not answer.
    """
    number = secrets.token_hex(4)
    error_log.error("%s: %s %s: %s", number, scope["method"], scope["path"], error)
    if isinstance(error, UpstreamError):
        return error
    why = error.why if status_of(error) == HTTPStatus.INSUFFICIENT_STORAGE else ""
    return type(error)(error.what, where=f"log entry {number}", why=why, hint=error.hint)


def _note(error: Exception, scope: Scope) -> str:
    """Write an error nobody designed into the log, with a number that the client is told."""
    number = secrets.token_hex(4)
    error_log.error("%s: %s %s", number, scope["method"], scope["path"], exc_info=error)
    return number
