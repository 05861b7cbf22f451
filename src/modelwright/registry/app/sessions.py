"""Sessions of people in a browser: a signed cookie that names a token and never contains its secret.

Called by :mod:`.access` and :mod:`.pages`. The token is looked up at every request, so that revoking it ends its
sessions, too. Nothing is kept on the server but the key that signs.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from pathlib import Path
from typing import NamedTuple

from modelwright.errors import UnavailableError

COOKIE = "mw_session"
KEY_FILE = "session.key"
LIFETIME_S = 12 * 3600
"""How long somebody stays logged in, seconds."""
_COOKIE = re.compile(r"([A-Za-z0-9]{1,64})\.([0-9]{1,12})\.([0-9a-f]{64})")


class Session(NamedTuple):
    """A session that is valid.

    Attributes:
        token: Public part of the token that was shown at login.
        value: The cookie.
    """

    token: str
    value: str


class Sessions:
    """Makes and checks cookies.

    Args:
        key: What signs them, 32 bytes.

    Example:
        >>> sessions = Sessions(b"k" * 32)
        >>> cookie = sessions.begin("abc", now=0)
        >>> sessions.find(cookie, now=60).token, sessions.find(cookie, now=LIFETIME_S + 1), sessions.find("x", now=0)
        ('abc', None, None)
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def begin(self, token: str, *, now: float) -> str:
        """Return the cookie of a new session; ``now`` is seconds since the epoch."""
        head = f"{token}.{int(now) + LIFETIME_S}"
        return f"{head}.{self._sign('session', head)}"

    def find(self, cookie: str, *, now: float) -> Session | None:
        """Return the session of a cookie, ``None`` if it is not ours or has ended."""
        matched = _COOKIE.fullmatch(cookie)
        if matched is None:
            return None
        token, ends, signature = matched.groups()
        if not hmac.compare_digest(signature, self._sign("session", f"{token}.{ends}")) or int(ends) < now:
            return None
        return Session(token, cookie)

    def csrf(self, session: Session) -> str:
        """Return what every form of a session must carry."""
        return self._sign("csrf", session.value)

    def is_csrf(self, session: Session, given: str) -> bool:
        """Say whether a form carries what it must, in constant time."""
        return hmac.compare_digest(given.encode(), self.csrf(session).encode())

    def _sign(self, purpose: str, text: str) -> str:
        return hmac.new(self._key, f"{purpose}:{text}".encode(), hashlib.sha256).hexdigest()


def cookie_of(header: str) -> str:
    """Return the session's cookie from a ``Cookie`` header; empty: it has none.

    Ours is never quoted, so nothing is unquoted: ``http.cookies`` needs seconds for a header full of backslashes.

    Source: RFC 6265 section 4.2.1.

    Example:
        >>> cookie_of("theme=dark; mw_session=a.1.b"), cookie_of("theme=dark")
        ('a.1.b', '')
    """
    pairs = (one.strip().partition("=") for one in header.split(";"))
    return next((value for name, _, value in pairs if name == COOKIE), "")


def session_key(folder: Path) -> bytes:
    """Return the key of a registry's sessions; it is made at first use, readable to its owner only.

    Args:
        folder: The registry's private folder.

    Raises:
        UnavailableError: It cannot be read or written.
    """
    path = folder / KEY_FILE
    try:
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft = folder / f"{KEY_FILE}.{secrets.token_hex(4)}"
            with open(draft, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as stream:
                stream.write(secrets.token_bytes(32))
                stream.flush()
                os.fsync(stream.fileno())
            try:
                os.link(draft, path)  # whoever is first decides, also between two processes
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        key = path.read_bytes()
    except OSError as error:
        raise UnavailableError(
            "The key that signs sessions cannot be read or written.", where=str(path), why=error.strerror or str(error)
        ) from error
    if len(key) < 32:
        raise UnavailableError("The key that signs sessions is damaged.", where=str(path), hint=f"rm {path}")
    return key
