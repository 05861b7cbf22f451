"""Who asks: from the token of a request, or from the session of a browser, to the registry bound to that person.

Called by every route before anything else. It decides nothing about what they may do: the service does. Every function
here but one may block and runs in a thread.

Source: RFC 7617 (Basic), RFC 6750 section 2.1 (Bearer); user ``__token__`` as PyPI has it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Callable
from typing import TypeVar

from starlette.requests import Request

from modelwright.errors import LoginError, NotAllowedError, RequestError
from modelwright.registry.app.answers import SAFE, header
from modelwright.registry.app.sessions import Session, Sessions, cookie_of
from modelwright.registry.app.statuses import Refusal
from modelwright.registry.app.throttle import REMEMBERED, Throttle
from modelwright.registry.operating.local import LocalService
from modelwright.registry.people import NOBODY, Principal
from modelwright.registry.state.generation import Glance, generation

TOKEN_USER = "__token__"  # noqa: S105 - the name that stands for "the password is a token"
CSRF_HEADER = b"x-csrf-token"
T = TypeVar("T")
RECENT_S = 1.0
"""How long somebody who was recognised is not asked for again, seconds."""


class Recent:
    """Who was recognised a moment ago, so that it is not asked again for every file of an installation.

    It holds until anything changes in the registry (a token is revoked), and for a second at most, because tokens
    expire without a change.

    Args:
        clock: Seconds, never backwards.

    Example:
        >>> recent = Recent(clock=lambda: 0.0)
        >>> recent.keep("Bearer x", 7, NOBODY)
        >>> recent.get("Bearer x", 7) == NOBODY, recent.get("Bearer x", 8)
        (True, None)
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[bytes, tuple[int, float, Principal]] = {}

    def get(self, authorization: str, generation: int) -> Principal | None:
        """Return who it was, ``None`` if that has to be asked."""
        found = self._kept.get(_digest(authorization))
        if found is None or found[0] != generation or found[1] < self._clock():
            return None
        return found[2]

    def keep(self, authorization: str, generation: int, principal: Principal) -> None:
        """Keep who it was; ``generation`` was read before that was asked."""
        if len(self._kept) >= REMEMBERED:
            self._kept.clear()
        self._kept[_digest(authorization)] = (generation, self._clock() + RECENT_S, principal)


def _digest(authorization: str) -> bytes:
    return hashlib.sha256(authorization.encode("utf-8", "replace")).digest()


class Access:
    """The door of one registry.

    Args:
        service: The registry.
        sessions: Cookies of people.
        throttle: How often an address may be wrong.
    """

    def __init__(self, service: LocalService, *, sessions: Sessions, throttle: Throttle) -> None:
        self.service = service
        self.sessions = sessions
        self.throttle = throttle
        self.glance = Glance(service.desk.state.engine)
        self._recent = Recent()

    def enter(self, request: Request) -> LocalService:
        """Return the registry, asked by whoever sent a token.

        Raises:
            LoginError: The token is malformed, unknown, expired or revoked.
            Refusal: Too many wrong tokens came from this address (429).
        """
        now = self._look(request)
        given = header(request.scope, b"authorization")
        if not given:
            return self._acting(request, NOBODY)
        found = self._recent.get(given, now)
        if found is None:
            found = self.recognise(request, secret_of(given))
            self._recent.keep(given, now, found)
        return self._acting(request, found)

    def at_once(self, request: Request) -> LocalService | None:
        """Return the registry, asked by somebody who is known already, without waiting for anything.

        The only function here that an event loop may call. What it cannot tell, :meth:`enter_browsing` can.
        """
        now = None if header(request.scope, b"cookie") else self.glance.number()
        if now is None:
            return None
        given = header(request.scope, b"authorization")
        found = self._recent.get(given, now) if given else NOBODY
        if found is None:
            return None
        request.scope["generation"] = now
        return self._acting(request, found)

    def enter_browsing(self, request: Request) -> LocalService:
        """Return the registry, asked by whoever sent a token or has a session.

        Raises:
            LoginError: As :meth:`enter`.
            NotAllowedError: Something is to be changed, and the request does not prove that a page of ours asked.
        """
        session = None if header(request.scope, b"authorization") else self.session(request)
        if session is None:
            return self.enter(request)
        try:
            service = self.resume(request, session)
        except LoginError:
            return self._acting(request, NOBODY)
        if request.method not in SAFE:
            self.check_form(session, header(request.scope, CSRF_HEADER))
        return service

    def resume(self, request: Request, session: Session) -> LocalService:
        """Return the registry, asked by whoever holds the token that a session was begun with.

        Raises:
            LoginError: The token does not hold any more.
        """
        self._look(request)
        return self._acting(request, self.service.recognise_id(session.token))

    def session(self, request: Request) -> Session | None:
        """Return the session that a request's cookie names, ``None`` if there is none."""
        return self.sessions.find(cookie_of(header(request.scope, b"cookie")), now=time.time())

    def recognise(self, request: Request, secret: str) -> Principal:
        """Return who a secret belongs to; a wrong one is logged and counted.

        Raises:
            LoginError: It belongs to nobody.
            Refusal: Too many wrong tokens came from this address (429).
        """
        return self.guarded(request, secret, self.service.recognise)

    def guarded(self, request: Request, secret: str, look: Callable[[str], T]) -> T:
        """Return what a secret stands for; a wrong one is logged and counted.

        Args:
            request: Where the secret came from.
            secret: What was shown.
            look: What tells whether it is right.

        Raises:
            LoginError: It is wrong.
            Refusal: Too many wrong ones came from this address (429).
        """
        address = request.client.host if request.client else ""
        digest = hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
        wait = self.throttle.wait(address, digest)
        if wait:
            raise Refusal(
                429,
                RequestError("Too many wrong tokens came from this address.", hint=f"Wait {wait} seconds."),
                headers={"Retry-After": str(wait)},
            )
        try:
            found = look(secret)
        except LoginError as error:
            self.throttle.wrong(address)
            desk = self.service.acting_for(NOBODY).desk
            desk.deny(desk.entry("login", detail={"address": address}), error)
            raise
        self.throttle.right(digest)
        return found

    def check_form(self, session: Session, given: str) -> None:
        """Refuse a form that does not carry its session's token.

        Raises:
            NotAllowedError: It does not.
        """
        if not self.sessions.is_csrf(session, given):
            raise NotAllowedError(
                "The form was not made for this session, or the session is another one now.",
                why="CSRF.",
                hint="Load the page again.",
            )

    def _look(self, request: Request) -> int:
        """Return the number of the last change there is, and remember it with the request."""
        now = request.scope["generation"] = generation(self.service.desk.state.engine)
        return now

    def _acting(self, request: Request, principal: Principal) -> LocalService:
        request.scope["principal"] = principal
        return self.service.acting_for(principal)


def secret_of(authorization: str) -> str:
    """Return the token in an ``Authorization`` header.

    Raises:
        LoginError: There is none in it.

    Example:
        >>> secret_of("Bearer mw_1_x"), secret_of("Basic " + base64.b64encode(b"__token__:mw_1_x").decode())
        ('mw_1_x', 'mw_1_x')
    """
    scheme, _, rest = authorization[:4096].partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(rest.strip(), validate=True).decode("utf-8").partition(":")
        except (binascii.Error, UnicodeDecodeError):
            user, password = "", ""
        if hmac.compare_digest(user.encode(), TOKEN_USER.encode()):
            return password.strip()
    raise LoginError(
        "The request says who asks in a way that is not understood.",
        why=f"The user is {TOKEN_USER}, the password a token; or Authorization: Bearer TOKEN.",
        hint="modelwright registry token add USER --scope publish",
    )
