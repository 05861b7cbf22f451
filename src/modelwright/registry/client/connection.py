"""One connection to a registry: requests with the token, answers or errors back.

For: the remote service beside this module. Redirects are not followed, because a token goes nowhere but to the
address it was given for; certificates are always checked; the token is in no message and no ``repr``.

Source: RFC 6750 section 2.1 (bearer tokens).
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx2
import msgspec

from modelwright.errors import RequestError, UnavailableError
from modelwright.inspecting.remote import without_credentials
from modelwright.registry.client.refusals import rebuilt

T = TypeVar("T")

TIMEOUT = httpx2.Timeout(60.0, connect=10.0)
ADMISSION_TIMEOUT = httpx2.Timeout(900.0, connect=10.0)
"""After the last byte of a large upload the server still checks every file in it, seconds."""


class Connection:
    """Requests to one registry.

    Args:
        url: Address of the registry, ``http:`` or ``https:``.
        token: Secret of a token; empty: ask without one.

    Raises:
        RequestError: The address is none, or holds a password.
    """

    def __init__(self, url: str, token: str = "") -> None:
        self.url = _checked(url)
        self._token = token

    def __repr__(self) -> str:
        """Show where it leads, and not with which token."""
        return f"<Connection to {self.url}>"

    def client(self) -> httpx2.Client:
        """Return a client of its own; whoever asks for it closes it."""
        headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "modelwright"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        return httpx2.Client(
            base_url=self.url, headers=headers, timeout=TIMEOUT, follow_redirects=False, verify=_authorities()
        )

    def ask(
        self, method: str, path: str, kind: type[T], *, query: Mapping[str, str] | None = None, body: Any = None
    ) -> T:
        """Send a request and return the answer.

        Args:
            method: HTTP method.
            path: Path below the registry's address.
            kind: Type of the answer.
            query: Query parameters.
            body: A struct, sent as JSON; ``None``: no body.

        Raises:
            UnavailableError: No answer, or none that a registry gives.
            ModelwrightError: What the registry refuses, as it says it.
        """
        content, headers = None, {}
        if body is not None:
            content, headers = _encoded(body), {"Content-Type": "application/json"}
        with self.client() as client:
            try:
                response = client.request(method, path, params=query, content=content, headers=headers)
            except httpx2.HTTPError as error:
                raise self.unreachable(error, changing=method != "GET") from error
        return self.answer(response, kind)

    def answer(self, response: httpx2.Response, kind: type[T]) -> T:
        """Return what a response says.

        Raises:
            UnavailableError: It is not an answer of a registry.
            ModelwrightError: What the registry refuses, as it says it.
        """
        self.check(response)
        try:
            return msgspec.json.decode(response.content, type=kind)
        except msgspec.DecodeError as error:
            raise UnavailableError(
                "The answer is not one of a registry.",
                where=self.url,
                why=str(error),
                hint="Is this the address of a modelwright registry, of this version?",
            ) from error

    def check(self, response: httpx2.Response) -> None:
        """Refuse a response that is not a success.

        Raises:
            UnavailableError: A redirect, or a failure of the server.
            ModelwrightError: What the registry refuses, as it says it.
        """
        if response.is_redirect:
            target = without_credentials(str(response.next_request.url)) if response.next_request else "nowhere"
            raise UnavailableError(
                "The registry sends us elsewhere.",
                where=self.url,
                why=f"To {target}; a token is only sent to the address it was given for.",
                hint="If you trust that address, use it as the registry.",
            )
        if not response.is_success:
            raise rebuilt(response.read(), status=response.status_code, where=self.url)

    def unreachable(self, error: httpx2.HTTPError, *, changing: bool) -> UnavailableError:
        """Return the error for a request that had no answer."""
        sent = changing and not isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout)
        return UnavailableError(
            "The registry does not answer.",
            where=self.url,
            why=f"{type(error).__name__}: {error}"
            + ("\n  Whether it was done is not known; modelwright history NAME tells." if sent else ""),
            hint="Is it running (modelwright registry), and is the address right?",
        )


@cache
def _authorities() -> ssl.SSLContext:
    """Return whom we trust to vouch for servers; reading the list costs more than a request, so it is read once."""
    return httpx2.create_ssl_context()


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise RequestError(f"{without_credentials(url)!r} is no address of a registry.", hint="http://HOST:PORT")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise RequestError(
            "The address of a registry has no user, password, query or fragment.",
            where=without_credentials(url),
            why="It would stand in messages, logs and histories.",
            hint=f"modelwright login {without_credentials(url)}",
        )
    return url.rstrip("/")


def _encoded(body: Any) -> bytes:
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError as error:
        raise RequestError("What is asked is no text.", why="It has bytes in it that are no UTF-8.") from error
