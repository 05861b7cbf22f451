"""Who may do what: users, scopes and tokens.

For: state (which keeps tokens, hashed), deciding (which answers whether something is allowed) and the application
(which turns a request's token into a :class:`Principal`). Frozen data, no input or output.
"""

from __future__ import annotations

from typing import Literal

from modelwright.spec.struct import Frozen

Scope = Literal["read", "publish", "promote", "admin"]
"""What a token is for. ``publish`` includes yanking; ``promote`` includes rolling back and approving; ``admin`` all."""

SCOPES: tuple[Scope, ...] = ("read", "publish", "promote", "admin")


class Token(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """A token, without its secret, of which only a hash is kept.

    Attributes:
        id: Public part, by which it is found and revoked.
        user: Whose it is; the actor in the log.
        scopes: What it is for; every scope includes ``read``.
        projects: Names it is for, normalised; empty: all.
        created: RFC 3339 UTC.
        expires: RFC 3339 UTC; empty: never.
        revoked: Whether it was revoked.
        note: What it is for, in words.
    """

    id: str
    user: str
    scopes: tuple[Scope, ...]
    projects: tuple[str, ...] = ()
    created: str
    expires: str = ""
    revoked: bool = False
    note: str = ""


class Principal(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """Who asks, once it is known.

    Attributes:
        user: Name of the user; empty: nobody said who.
        scopes: What they may do.
        projects: Names it is for, normalised; empty: all.
        token: Public part of the token; empty without one.
    """

    user: str = ""
    scopes: tuple[Scope, ...] = ()
    projects: tuple[str, ...] = ()
    token: str = ""


NOBODY = Principal()
"""Somebody without a token."""


def local_user(name: str) -> Principal:
    """Return who works on a folder directly: whoever may write into it may do everything.

    Args:
        name: Name of the operating system's user.
    """
    return Principal(user=name, scopes=SCOPES)
