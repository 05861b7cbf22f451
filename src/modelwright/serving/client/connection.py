"""Connections that carry plans out: one that waits, one that awaits.

For: the clients beside this module, over TCP or the Unix socket of a server's control door. Redirects are not
followed, because a token goes nowhere but to the address it was given for; the token is in no message and no ``repr``.

Source: RFC 6750 section 2.1 (bearer tokens).
"""

from __future__ import annotations

import socket
import ssl
import time
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import anyio
import httpx2

from modelwright.errors import DeadlineError, ModelwrightError, UnreachableError
from modelwright.inspecting.remote import without_credentials
from modelwright.serving.client.wire import Plan, Reply, Request, T, stranger

CONNECT_S = 10.0
"""Longest time until a connection is made, seconds."""
KEPT = httpx2.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=4.0)
"""Idle connections are given up before servers close them (uvicorn after 5 s), so that none is used that is closing."""


class Address(NamedTuple):
    """Where a server is, and how it is asked.

    Attributes:
        url: Its address.
        token: Secret of a token; empty: ask without one.
        socket: Unix socket to ask through; empty: by the address.
        certificate: PEM file with the certificates that are trusted; empty: those of the system.
    """

    url: str
    token: str = ""
    socket: str = ""
    certificate: str = ""

    def __repr__(self) -> str:
        """Show where it leads, and not with which token."""
        return f"Address({self.socket or self.url!r})"


def checked(url: str) -> str:
    """Return the address of a server without a final slash.

    Raises:
        UnreachableError: It is none, or holds a password.

    Example:
        >>> checked("http://127.0.0.1:8080/")
        'http://127.0.0.1:8080'
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # brackets that enclose no address; what stands before them may be a password
        raise UnreachableError("The address of the server cannot be read.", hint="http://HOST:PORT") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UnreachableError(f"{without_credentials(url)!r} is no address of a server.", hint="http://HOST:PORT")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UnreachableError(
            "The address of a server has no user, password, query or fragment.",
            where=without_credentials(url),
            hint="Give the token by itself: Client(url, token=…).",
        )
    return url.rstrip("/")


class Connection:
    """Carries plans out, waiting for the answers; threads may share it."""

    def __init__(self, address: Address) -> None:
        self._address = address
        transport = httpx2.HTTPTransport(uds=address.socket, limits=KEPT) if address.socket else None
        self._client = httpx2.Client(transport=transport, **_options(address))

    def run(self, plan: Plan[T]) -> T:
        """Carry a plan out, and return its result.

        Raises:
            UnreachableError: No server answers.
            DeadlineError: The answer did not come in time.
            ModelwrightError: What the server refuses, as it says it.
        """
        _check_door(self._address)
        try:
            request = next(plan)
            while True:
                time.sleep(request.after_s)
                request = plan.send(self._send(request))
        except StopIteration as done:
            result: T = done.value
            return result

    def _send(self, request: Request) -> Reply:
        try:
            return _reply(self._client.request(**_arguments(request)), self._address.url)
        except httpx2.HTTPError as error:
            raise unanswered(error, self._address, request.timeout_s) from error

    def close(self) -> None:
        """Close its connections."""
        self._client.close()


class AsyncConnection:
    """Carries plans out, awaiting the answers; asyncio and trio alike."""

    def __init__(self, address: Address) -> None:
        self._address = address
        transport = httpx2.AsyncHTTPTransport(uds=address.socket, limits=KEPT) if address.socket else None
        self._client = httpx2.AsyncClient(transport=transport, **_options(address))

    async def run(self, plan: Plan[T]) -> T:
        """Carry a plan out, and return its result.

        Raises:
            UnreachableError: No server answers.
            DeadlineError: The answer did not come in time.
            ModelwrightError: What the server refuses, as it says it.
        """
        _check_door(self._address)
        try:
            request = next(plan)
            while True:
                if request.after_s:
                    await anyio.sleep(request.after_s)
                request = plan.send(await self._send(request))
        except StopIteration as done:
            result: T = done.value
            return result

    async def _send(self, request: Request) -> Reply:
        try:
            return _reply(await self._client.request(**_arguments(request)), self._address.url)
        except httpx2.HTTPError as error:
            raise unanswered(error, self._address, request.timeout_s) from error

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose()


def _check_door(address: Address) -> None:
    """Refuse a Unix socket that nobody listens on; the HTTP library would leave its own socket open for it."""
    if not address.socket:
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(address.socket)
        except OSError as error:
            raise UnreachableError(
                "The server's control door is closed.",
                where=address.socket,
                why=error.strerror or str(error),
                hint="Has the server ended? modelwright serve starts it again.",
            ) from error


def _options(address: Address) -> dict[str, Any]:
    headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "modelwright"}
    if address.token:
        headers["Authorization"] = f"Bearer {address.token}"
    secure = address.url.startswith("https:")
    return {
        "base_url": address.url,
        "headers": headers,
        "follow_redirects": False,
        "limits": KEPT,
        "verify": _authorities(address.certificate) if secure else False,
    }


@cache
def _authorities(certificate: str) -> ssl.SSLContext:
    """Return whom we trust to vouch for servers; reading the list costs more than a request, so it is read once."""
    if not certificate:
        return httpx2.create_ssl_context()
    try:
        return ssl.create_default_context(cafile=Path(certificate))
    except OSError as error:
        raise UnreachableError("The certificate cannot be read.", where=certificate, why=str(error)) from error


def _arguments(request: Request) -> dict[str, Any]:
    return {
        "method": request.verb,
        "url": request.path,
        "content": request.content or None,
        "headers": request.headers,
        "timeout": httpx2.Timeout(request.timeout_s, connect=min(CONNECT_S, request.timeout_s)),
    }


def _reply(response: httpx2.Response, where: str) -> Reply:
    if response.is_redirect:
        raise stranger(where, "It sends us elsewhere; a token is only sent to the address it was given for.")
    return Reply(response.status_code, response.headers, response.content)


def unanswered(error: httpx2.HTTPError, address: Address, timeout_s: float) -> ModelwrightError:
    """Return the error for a request that had no answer."""
    where = address.socket or address.url
    if isinstance(error, httpx2.TimeoutException) and not isinstance(error, httpx2.ConnectTimeout):
        return DeadlineError(
            f"No answer came in {timeout_s:.3g} s.",
            where=where,
            hint="Give it longer: timeout_s=…; or send fewer rows at once: batch_rows=…",
        )
    refused = isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout)
    return UnreachableError(
        "No server answers there." if refused else "The connection broke before the answer came.",
        where=where,
        why=f"{type(error).__name__}: {error}",
        hint="Is it running (modelwright serve NAME), and is the address right?"
        if refused
        else "Whether it was computed is not known; a prediction changes nothing, so ask again.",
    )
