"""Who may ask: whoever carries one of the server's tokens. Used by every door.

Tokens are compared by digest, in constant time; none is kept in clear.

Source: RFC 6750 section 2.1 (``Bearer``); RFC 7617 (``Basic``), for browsers, whose users type the token as a password.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable

from modelwright.errors import CredentialError


class Tokens:
    """The tokens of a server.

    Args:
        tokens: The tokens; none: nobody needs one.
    """

    def __init__(self, tokens: Iterable[str] = ()) -> None:
        self._digests = [hashlib.sha256(token.encode()).digest() for token in tokens]

    def __bool__(self) -> bool:
        """Say whether a token is needed."""
        return bool(self._digests)

    def admit(self, authorization: str) -> None:
        """Let a caller pass who carries a token.

        Args:
            authorization: The header of that name.

        Raises:
            CredentialError: It holds no token, or not one that is known.
        """
        if not self._digests:
            return
        digest = hashlib.sha256(_token(authorization)).digest()
        known = [hmac.compare_digest(digest, one) for one in self._digests]
        if not any(known):
            raise CredentialError(
                "This server needs a token.",
                why="The request has none, or not one that is known.",
                hint="Send the header Authorization: Bearer TOKEN.",
            )


EVERYONE = Tokens()
"""Nobody needs a token."""


class Closed(Tokens):
    """Stands for the tokens of a door that asks for one, where none was given to the server: nobody passes."""

    def __bool__(self) -> bool:
        return True

    def admit(self, authorization: str) -> None:  # noqa: ARG002 - nothing opens it
        """Let nobody pass.

        Raises:
            CredentialError: Always.
        """
        raise CredentialError(
            "The admin port is closed: the server was given no token for it.",
            why="Only its metrics need none.",
            hint="Start the server with --admin-token-file FILE, or $MODELWRIGHT_ADMIN_TOKEN.",
        )


def _token(authorization: str) -> bytes:
    scheme, _, said = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(said, validate=True).partition(b":")[2]
        except ValueError:
            return b""
    return said.strip().encode() if scheme.lower() == "bearer" else b""
