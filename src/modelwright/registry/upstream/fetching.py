"""Ask the upstream, and nobody else: every address is checked before a request leaves, redirects included.

For: :mod:`.upstream` and :mod:`.downloads`. Synchronous; the application runs it in threads.

What is allowed: the origin (scheme, host, port) of the configured index, and the hosts that the settings name for
files, by the same scheme. A redirect to anywhere else is an error. Credentials come from netrc, for the host that is
asked, and stand in no message.

Source: RFC 9110 (conditional requests, redirects); RFC 6454 section 4 (origin).
"""

from __future__ import annotations

import netrc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import SplitResult, urljoin, urlsplit

import httpx2

from modelwright.errors import SettingsError, UpstreamError
from modelwright.registry.settings import Upstream as Settings
from modelwright.registry.upstream.reading import ACCEPT

REDIRECTS = 5
"""Most redirects that are followed."""
LARGEST_PAGE = 64 * 2**20
"""Largest page that is read, bytes; the largest of PyPI have about 30 MB."""
PAGE_DEADLINE_S = 120.0
"""Longest time that one page may take altogether, seconds; the timeout of the settings is for silence."""
SETTLED_S = 2.0
"""How long a page must have been as it is for its date to identify it, seconds."""
_PORTS = {"http": 80, "https": 443}


class Answer(NamedTuple):
    """What the upstream answered about a page.

    Attributes:
        status: 200, 304 or 404.
        url: Where the page was in the end.
        content: Its bytes.
        content_type: What it calls them.
        etag: Entity tag; empty: none.
        modified: ``Last-Modified``; empty: none.
    """

    status: int
    url: str
    content: bytes = b""
    content_type: str = ""
    etag: str = ""
    modified: str = ""


class Fetcher:
    """A connection to one upstream.

    Args:
        settings: Which one.
        netrc_file: File with credentials; ``None``: the user's own.

    Raises:
        SettingsError: The URL is not one that can be asked, or carries credentials.
    """

    def __init__(self, settings: Settings, *, netrc_file: str | None = None) -> None:
        parts = _checked(settings.url)
        self._base = settings.url.rstrip("/") + "/"
        self._origins = {_origin(parts)}
        self._origins |= {_origin(_checked(f"{parts.scheme}://{host}/")) for host in settings.file_hosts}
        self._client = httpx2.Client(
            auth=_credentials(netrc_file),
            timeout=httpx2.Timeout(settings.timeout_s),
            follow_redirects=False,
            headers={"User-Agent": "modelwright-registry"},
        )

    @property
    def base(self) -> str:
        """Address of the index, ending in ``/``."""
        return self._base

    def allowed(self, url: str) -> bool:
        """Say whether something may be fetched from a URL."""
        try:
            parts = urlsplit(url)
            return "@" not in parts.netloc and _origin(parts) in self._origins
        except ValueError:
            return False

    def page(self, name: str, *, etag: str = "", modified: str = "") -> Answer:
        """Fetch a project's page, if it is not the one that is known.

        Args:
            name: Name of the project, normalised.
            etag: Entity tag of the page that is known.
            modified: ``Last-Modified`` of the page that is known.

        Raises:
            UpstreamError: No answer, or none that can be used.
        """
        known = {"If-None-Match": etag, "If-Modified-Since": modified if not etag else ""}
        headers = {"Accept": ACCEPT} | {key: text for key, text in known.items() if text}
        with self.stream(f"{self._base}{name}/", headers) as response:
            url = str(response.url)
            if response.status_code in (404, 410):
                return Answer(404, url)
            if response.status_code == 304 and (etag or modified):
                return Answer(304, url)
            self.expect_success(response)
            content = _whole(response)
            return Answer(
                200,
                url,
                content,
                response.headers.get("content-type", ""),
                response.headers.get("etag", ""),
                _modified(response.headers),
            )

    @contextmanager
    def stream(self, url: str, headers: dict[str, str]) -> Iterator[httpx2.Response]:
        """Ask for something, following redirects to allowed places only.

        Args:
            url: Address that the upstream announced.
            headers: Of the request.

        Raises:
            UpstreamError: No answer, or a redirect to somewhere else.
        """
        try:
            response = self._follow(url, headers)
            try:
                yield response
            finally:
                response.close()
        except httpx2.HTTPError as error:
            silence = UpstreamError(
                "The upstream index does not answer.", where=_shown(url), why=f"{type(error).__name__}: {error}"
            )
            silence.silent = True
            raise silence from error

    def expect_success(self, response: httpx2.Response) -> None:
        """Refuse an answer that is no success.

        Raises:
            UpstreamError: It is none.
        """
        if response.status_code != 200:
            refusal = UpstreamError(
                f"The upstream index answers {response.status_code} {response.reason_phrase}.",
                where=_shown(str(response.url)),
                hint="Are its credentials in netrc?" if response.status_code in (401, 403) else "",
            )
            refusal.silent = response.status_code == 429 or response.status_code >= 500
            raise refusal

    def close(self) -> None:
        """Close every connection."""
        self._client.close()

    def _follow(self, url: str, headers: dict[str, str]) -> httpx2.Response:
        for _ in range(REDIRECTS + 1):
            if not self.allowed(url):
                raise UpstreamError(
                    "The upstream leads to a place that is not allowed.",
                    where=_shown(url),
                    hint=f"If it may be trusted: file_hosts = [{_host(url)!r}]",
                )
            response = self._client.send(self._client.build_request("GET", url, headers=headers), stream=True)
            if not response.has_redirect_location:
                return response
            response.close()
            url = urljoin(url, response.headers["location"])
        raise UpstreamError("The upstream redirects in circles.", where=_shown(url))


def _modified(headers: httpx2.Headers) -> str:
    """Return ``Last-Modified`` if no change since can hide behind its whole seconds; else empty.

    Source: RFC 9110 section 8.8.2.2: strong if it "is at least one second earlier than the Date value".
    """
    try:
        sent, modified = (parsedate_to_datetime(headers.get(name, "")) for name in ("date", "last-modified"))
        return headers["last-modified"] if (sent - modified).total_seconds() > SETTLED_S else ""
    except (ValueError, TypeError):
        return ""


def _whole(response: httpx2.Response) -> bytes:
    """Read a page; a limit on what it is unpacked to, and on the time that it takes."""
    deadline, content = time.monotonic() + PAGE_DEADLINE_S, bytearray()
    for piece in response.iter_bytes():
        content += piece
        if len(content) > LARGEST_PAGE or time.monotonic() > deadline:
            raise UpstreamError("The upstream's page is too large or too slow.", where=_shown(str(response.url)))
    return bytes(content)


def _checked(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        sound = parts.scheme in _PORTS and parts.hostname and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise SettingsError(
            "The upstream is no address that can be asked.", where=_shown(url), why="http:// or https://"
        )
    if "@" in parts.netloc:
        raise SettingsError(
            "The upstream's address carries credentials, which would show up in logs.",
            where=_shown(url),
            hint="Put them into netrc: machine HOST login USER password …",
        )
    return parts


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)


def _credentials(file: str | None) -> httpx2.Auth | None:
    try:
        return httpx2.NetRCAuth(file)
    except FileNotFoundError:
        return None
    except netrc.NetrcParseError as error:
        raise SettingsError("The credentials in netrc cannot be read.", why=str(error.msg)) from error


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


def _shown(url: str) -> str:
    """Return a URL for a message, without user, password, query and fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address that is none"
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
