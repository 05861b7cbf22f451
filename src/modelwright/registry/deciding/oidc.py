"""Find out which trusted publisher an identity token is from: CI publishes without a stored secret. Pure.

Called by the application when a job shows the token of its provider. Keys come from a configured file; nothing is
fetched, and nothing that the token itself says about keys (``jku``, ``jwk``, ``x5u``) is looked at.

Source: OpenID Connect Core 1.0, section 3.1.3.7 (ID token validation); RFC 7519 (JWT); RFC 7517 (JWK); RFC 8725 (best
current practice: algorithms are fixed, never the token's choice); PyPI's trusted publishers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from modelwright.errors import LoginError, SettingsError
from modelwright.registry.people import Principal
from modelwright.registry.settings import TrustedPublisher

LONGEST = 16 * 1024
"""Characters of a token; those of CI providers have about 2,000."""
LEEWAY_S = 30
"""How far the provider's clock may be from ours, seconds."""
SMALLEST_RSA = 2048
"""Bits of an RSA key; source: RFC 7518, section 3.3."""
_ALGORITHMS = {"RS256": RSAPublicKey, "ES256": EllipticCurvePublicKey}


def principal_of(
    token: str, publishers: Iterable[TrustedPublisher], *, now: datetime, keys: Mapping[str, bytes]
) -> Principal:
    """Return who somebody with an identity token is: the first trusted publisher that it fits.

    Args:
        token: The token, as it came.
        publishers: Who is trusted.
        now: What time it is, with a time zone.
        keys: Content of every publisher's ``jwks_file``, by its name in the settings.

    Returns:
        A principal that may publish the publisher's projects, and nothing else.

    Raises:
        LoginError: The token is malformed, expired, not signed by a provider that is trusted, or fits nobody.
        SettingsError: A publisher's keys are not there, or are no JSON Web Key Set.
    """
    algorithm, key_id = _header(token)
    why = "No trusted publisher is configured."
    for publisher in publishers:
        key = _key(publisher, keys, algorithm, key_id)
        if key is None:
            why = "It is signed with a key that no trusted publisher's provider has."
            continue
        claims = _claims(token, key, algorithm)
        why = _mismatch(claims, publisher) or _untimely(claims, now.timestamp())
        if not why:
            return Principal(user=publisher.user, scopes=("publish",), projects=publisher.projects)
    raise _refused(why)


def _header(token: str) -> tuple[str, str]:
    """Return algorithm and name of the key, both among what is allowed, neither believed yet."""
    if len(token) > LONGEST or not token.isascii():
        raise _refused("It is no JSON Web Token.")
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError as error:
        raise _refused("It is no JSON Web Token.") from error
    algorithm, key_id = header.get("alg"), header.get("kid")
    if algorithm not in _ALGORITHMS:
        raise _refused(f"It is not signed by {' or '.join(_ALGORITHMS)}.")
    if not isinstance(key_id, str) or not key_id:
        raise _refused("It does not say with which key it is signed.")
    return str(algorithm), key_id


def key_set(publisher: TrustedPublisher, keys: Mapping[str, bytes]) -> jwt.PyJWKSet:
    """Return the keys of a publisher's provider.

    Args:
        publisher: Whose.
        keys: As for :func:`principal_of`.

    Raises:
        SettingsError: They are not there, or are no JSON Web Key Set.
    """
    try:
        document = json.loads(keys[publisher.jwks_file])
        return jwt.PyJWKSet.from_dict(document)
    except KeyError as error:
        raise SettingsError(
            f"The keys of the trusted publisher {publisher.user!r} are not there.", where=publisher.jwks_file
        ) from error
    except (ValueError, AttributeError, TypeError, jwt.PyJWTError) as error:
        raise SettingsError(
            f"The keys of the trusted publisher {publisher.user!r} are no JSON Web Key Set.",
            where=publisher.jwks_file,
            why=str(error),
        ) from error


def _key(publisher: TrustedPublisher, keys: Mapping[str, bytes], algorithm: str, key_id: str) -> Any:
    """Return the provider's key of a name, if it is one for the algorithm; else ``None``."""
    for candidate in key_set(publisher, keys).keys:
        if candidate.key_id == key_id and candidate.public_key_use in (None, "sig"):
            key = candidate.key
            if not isinstance(key, _ALGORITHMS[algorithm]):
                return None
            return None if isinstance(key, RSAPublicKey) and key.key_size < SMALLEST_RSA else key
    return None


def _claims(token: str, key: Any, algorithm: str) -> dict[str, Any]:
    """Return what the token says, once its signature holds; times and names are compared by us, with our clock."""
    unchecked: dict[str, Any] = dict.fromkeys(
        ("verify_exp", "verify_nbf", "verify_iat", "verify_aud", "verify_iss", "verify_sub", "verify_jti"), False
    )
    try:
        claims: dict[str, Any] = jwt.decode(token, key, algorithms=[algorithm], options=unchecked)  # type: ignore[arg-type]
    except jwt.PyJWTError as error:
        raise _refused("Its signature does not hold.") from error
    return claims


def _mismatch(claims: dict[str, Any], publisher: TrustedPublisher) -> str:
    """Say in what a token is not from a publisher; empty: it is."""
    if claims.get("iss") != publisher.issuer:
        return "Its issuer is not that of a trusted publisher."
    # One audience only: a token that is good elsewhere, too, could have been shown to us by whoever got it there.
    if claims.get("aud") != publisher.audience:
        return f"Its audience is not {publisher.audience!r}."
    for name, value in publisher.claims.items():
        if claims.get(name) != value:
            return f"Its claim {name!r} is not that of a trusted publisher."
    return ""


def _untimely(claims: dict[str, Any], now: float) -> str:
    """Say why a token does not hold at a time; empty: it does."""
    for name in ("exp", "iat"):
        if not _is_time(claims.get(name)):
            return f"It has no valid {name!r}."
    if not _is_time(claims.get("nbf", 0)):
        return "It has no valid 'nbf'."
    if now >= claims["exp"] + LEEWAY_S:
        return "It has expired."
    if now < max(claims["iat"], claims.get("nbf", 0)) - LEEWAY_S:
        return "It does not hold yet."
    return ""


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**53


def _refused(why: str) -> LoginError:
    return LoginError(
        "The identity token is not accepted.",
        why=why,
        hint="Compare the job's token with [[trusted_publishers]] in registry.toml.",
    )
