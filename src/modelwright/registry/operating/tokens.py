"""Make, revoke and recognise tokens. Of a secret only its sha256 is kept.

Called by :class:`~.local.LocalService` and by the application, which asks who a secret belongs to. A secret has 256
bits of randomness, so a plain hash cannot be searched backwards.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from datetime import timedelta

from msgspec.structs import replace
from sqlalchemy import select, update

from modelwright.errors import LoginError, RequestError, UnknownReleaseError
from modelwright.registry.operating.desk import Desk, normal_name
from modelwright.registry.people import SCOPES, Principal, Scope, Token
from modelwright.registry.service import NewToken
from modelwright.registry.state.database import State, stamp
from modelwright.registry.state.queries import load_tokens, token_of
from modelwright.registry.state.tables import tokens as table

PREFIX = "mw"
_SECRET = re.compile(r"mw_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._@+-]{0,99}")


def list_tokens(desk: Desk) -> tuple[Token, ...]:
    """List every token, without secrets."""
    desk.allow("token", "")
    with desk.state.read() as connection:
        return load_tokens(connection)


def add_token(
    desk: Desk, user: str, *, scopes: Iterable[Scope], projects: Iterable[str], days: float | None, note: str
) -> NewToken:
    """Make a token; its secret is returned this once."""
    identity, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    attempt = desk.entry("token", detail={"token": identity, "user": user[:100]})
    with desk.judged(attempt):
        desk.allow("token", "")
        chosen = tuple(scope for scope in SCOPES if scope in set(scopes))
        if not _USER.fullmatch(user):
            raise RequestError(f"{user[:100]!r} is not the name of a user.", why="Letters, digits, '._@+-', spaces.")
        if not chosen or set(scopes) - set(SCOPES):
            raise RequestError("A token needs scopes.", why=f"They are {', '.join(SCOPES)}.")
        if days is not None and not 0 < days <= 36_500:
            raise RequestError("A token holds for more than 0 days and at most a century.")
        with desk.state.write() as transaction:
            expires = stamp(transaction.moment + timedelta(days=days)) if days is not None else ""
            token = Token(
                id=identity,
                user=user,
                scopes=chosen,
                projects=tuple(sorted({normal_name(name) for name in projects})),
                created=transaction.now,
                expires=expires,
                note=note[:500],
            )
            row = {name: getattr(token, name) for name in Token.__struct_fields__ if name != "user"}
            row |= {"owner": user, "scopes": list(chosen), "projects": list(token.projects)}
            row["secret_sha256"] = hashlib.sha256(secret.encode()).hexdigest()
            transaction.connection.execute(table.insert().values(row))
            known = {"token": identity, "user": user, "scopes": chosen, "projects": token.projects, "expires": expires}
            desk.record(transaction, replace(attempt, detail=known))
    return NewToken(token=token, secret=f"{PREFIX}_{identity}_{secret}")


def revoke_token(desk: Desk, identity: str) -> Token:
    """Revoke a token at once."""
    attempt = desk.entry("revoke", detail={"token": identity[:40]})
    with desk.judged(attempt), desk.state.write() as transaction:
        row = transaction.connection.execute(select(table).where(table.c.id == identity)).one_or_none()
        if row is None or row.owner != desk.principal.user:
            desk.allow("token", "")  # one's own token can be revoked by anyone who has it
        if row is None:
            raise UnknownReleaseError(f"There is no token {identity[:40]!r}.", hint="modelwright registry token list")
        transaction.connection.execute(update(table).where(table.c.id == identity).values(revoked=True))
        desk.record(transaction, replace(attempt, detail={"token": identity, "user": row.owner}))
        return replace(token_of(row), revoked=True)


def principal_of(state: State, secret: str) -> Principal:
    """Return who a secret belongs to.

    Raises:
        LoginError: Malformed, unknown, expired or revoked; which of these is not told.
    """
    match = _SECRET.fullmatch(secret)
    with state.read() as connection:
        row = (
            connection.execute(select(table).where(table.c.id == match[1])).one_or_none() if match is not None else None
        )
    digest = hashlib.sha256(match[2].encode()).hexdigest() if match is not None else ""
    known = row is not None and hmac.compare_digest(row.secret_sha256, digest)
    if row is None or not known:
        raise _refused()
    return holder(state, token_of(row))


def holder(state: State, token: Token) -> Principal:
    """Return who holds a token that was recognised.

    Raises:
        LoginError: It is expired or revoked.
    """
    if token.revoked or (token.expires and token.expires <= stamp(state.clock())):
        raise _refused()
    return Principal(user=token.user, scopes=token.scopes, projects=token.projects, token=token.id)


def principal_by_id(state: State, identity: str) -> Principal:
    """Return who holds the token with a public part, for a session that was opened with it.

    Raises:
        LoginError: There is none any more.
    """
    with state.read() as connection:
        row = connection.execute(select(table).where(table.c.id == identity)).one_or_none()
    if row is None:
        raise _refused()
    return holder(state, token_of(row))


def _refused() -> LoginError:
    return LoginError(
        "The token is not one that this registry knows, or it does not hold any more.",
        hint="modelwright login URL",
    )
