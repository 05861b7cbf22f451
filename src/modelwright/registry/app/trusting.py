"""Trusted publishing: a CI job shows an identity token of its provider and gets a token that lives for minutes.

Nothing is fetched: the provider's public keys lie beside ``registry.toml``. The paths below ``/_/oidc/`` are those that
PyPI has, so that ``uv publish`` and ``twine`` find them. Called by :mod:`.application`.

Source: PyPI documentation, "Trusted publishers: Internals and technical details"; OpenID Connect Core section 2.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import anyio.to_thread
import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from modelwright.errors import RequestError, SettingsError, UnknownReleaseError
from modelwright.registry.app.access import Access
from modelwright.registry.app.answers import as_json
from modelwright.registry.app.bodies import read_body
from modelwright.registry.deciding.oidc import key_set, principal_of
from modelwright.registry.operating.local import LocalService
from modelwright.registry.service import NewToken
from modelwright.spec.struct import Frozen

MINUTES = 15
"""How long a token from an identity token holds, minutes. Source: as on PyPI."""
MAX_BODY = 64 * 2**10


class IdentityToken(Frozen, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a CI job shows.

    Attributes:
        token: The identity token of its provider, a JWT.
    """

    token: str


class Trusting:
    """Trusted publishing of one registry.

    Args:
        access: Its door.

    Raises:
        SettingsError: The keys of a publisher are not there, or are none: before any job comes.
    """

    def __init__(self, access: Access) -> None:
        self.access = access
        known = _keys(access.service)
        for publisher in access.service.settings.trusted_publishers:
            key_set(publisher, known)

    def routes(self) -> list[Route]:
        """Return our own path, and those of PyPI."""
        return [
            Route("/api/v1/oidc/token", self.exchange, methods=["POST"]),
            Route("/_/oidc/audience", self.audience, methods=["GET"]),
            Route("/_/oidc/mint-token", self.mint, methods=["POST"]),
        ]

    def audience(self, request: Request) -> Response:
        """Say for whom an identity token has to be made."""
        del request
        audiences = sorted({one.audience for one in self.access.service.settings.trusted_publishers})
        if len(audiences) != 1:
            raise UnknownReleaseError(
                "This registry trusts no publishers." if not audiences else "This registry has several audiences.",
                hint="[[trusted_publishers]] in registry.toml",
            )
        return as_json({"audience": audiences[0]})

    async def exchange(self, request: Request) -> Response:
        """Give a token for an identity token."""
        return as_json(await self._minted(request))

    async def mint(self, request: Request) -> Response:
        """Give a token for an identity token, said as PyPI says it."""
        return as_json({"success": True, "token": (await self._minted(request)).secret})

    async def _minted(self, request: Request) -> NewToken:
        body = await read_body(request, most=MAX_BODY)
        try:
            shown = msgspec.json.decode(body, type=IdentityToken).token
        except msgspec.DecodeError as error:
            raise RequestError("The body of the request cannot be understood.", why=str(error)) from error
        make = partial(mint, self.access.service)
        return await anyio.to_thread.run_sync(self.access.guarded, request, shown, make)


def mint(service: LocalService, shown: str) -> NewToken:
    """Return a token for whoever an identity token says the CI job is.

    Raises:
        LoginError: It is none that a trusted publisher is known by.
    """
    desk = service.desk
    publishers = service.settings.trusted_publishers
    # Read anew: providers change their keys.
    principal = principal_of(shown, publishers, now=desk.state.clock(), keys=_keys(service))
    acting = service.acting_for(msgspec.structs.replace(principal, scopes=("admin",), projects=()))
    return acting.add_token(
        principal.user,
        scopes=principal.scopes,
        projects=principal.projects,
        days=MINUTES / (24 * 60),
        note="trusted publishing",
    )


def _keys(service: LocalService) -> dict[str, bytes]:
    return {one.jwks_file: _read(service.desk.root / one.jwks_file) for one in service.settings.trusted_publishers}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(
            "The keys of a trusted publisher cannot be read.", where=str(path), why=error.strerror or str(error)
        ) from error
