"""Identity tokens of CI: the one that is taken, and every way of being another one."""

from __future__ import annotations

import hmac
import json
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from modelwright.errors import LoginError, SettingsError
from modelwright.registry.deciding.oidc import LEEWAY_S, LONGEST, principal_of
from modelwright.registry.settings import TrustedPublisher

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
MOMENT = int(NOW.timestamp())
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SHORT = rsa.generate_private_key(public_exponent=65537, key_size=1024)
CURVE = ec.generate_private_key(ec.SECP256R1())
EDWARDS = ed25519.Ed25519PrivateKey.generate()
PUBLISHER = TrustedPublisher(
    issuer="https://ci.example.org",
    audience="models.internal",
    claims={"repository": "acme/churn", "ref": "refs/heads/main"},
    projects=("churn",),
    jwks_file="keys/ci.json",
    user="ci",
)


def jwk(key: Any, name: str, **more: str) -> dict[str, Any]:
    algorithm: Any = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": name, **more}


KEYS = {
    "keys/ci.json": json.dumps(
        {"keys": [jwk(RSA, "r1", use="sig"), jwk(CURVE, "e1"), jwk(SHORT, "short"), jwk(STRANGER, "enc", use="enc")]}
    ).encode()
}
CLAIMS: dict[str, Any] = {
    "iss": "https://ci.example.org",
    "aud": "models.internal",
    "repository": "acme/churn",
    "ref": "refs/heads/main",
    "iat": MOMENT - 5,
    "nbf": MOMENT - 5,
    "exp": MOMENT + 300,
}


def token(key: Any = RSA, algorithm: str = "RS256", *, kid: str | None = "r1", **changes: Any) -> str:
    said = {name: value for name, value in (CLAIMS | changes).items() if value is not None}
    return jwt.encode(said, key, algorithm=algorithm, headers={"kid": kid} if kid else {})


@pytest.mark.parametrize(("key", "algorithm", "kid"), [(RSA, "RS256", "r1"), (CURVE, "ES256", "e1")])
def test_a_job_of_a_trusted_publisher_may_publish_its_projects_and_nothing_else(
    key: Any, algorithm: str, kid: str
) -> None:
    principal = principal_of(token(key, algorithm, kid=kid), [PUBLISHER], now=NOW, keys=KEYS)
    assert (principal.user, principal.scopes, principal.projects) == ("ci", ("publish",), ("churn",))


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example.org"},
        {"iss": "https://ci.example.org/"},
        {"iss": None},
        {"aud": "pypi"},
        {"aud": ["models.internal", "pypi"]},
        {"aud": None},
        {"repository": "acme/churn-fork"},
        {"repository": ["acme/churn"]},
        {"repository": None},
        {"ref": "refs/heads/feature"},
        {"exp": MOMENT - LEEWAY_S},
        {"exp": None},
        {"exp": True},
        {"exp": float("inf")},
        {"exp": "tomorrow"},
        {"iat": MOMENT + LEEWAY_S + 1},
        {"iat": None},
        {"nbf": MOMENT + LEEWAY_S + 1},
        {"nbf": "later"},
    ],
)
def test_a_token_that_says_something_else_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(LoginError):
        principal_of(token(**changes), [PUBLISHER], now=NOW, keys=KEYS)


@pytest.mark.parametrize(
    "changes", [{"exp": MOMENT - LEEWAY_S + 1}, {"iat": MOMENT + LEEWAY_S}, {"nbf": None}, {"jti": "42", "sub": "x"}]
)
def test_clocks_may_differ_a_little_and_more_may_be_said(changes: dict[str, Any]) -> None:
    assert principal_of(token(**changes), [PUBLISHER], now=NOW, keys=KEYS).user == "ci"


def by_hand(algorithm: str, secret: bytes = b"") -> str:
    """A token as no library would write it: not signed, or signed with what everybody knows."""
    parts = [{"alg": algorithm, "typ": "JWT", "kid": "r1"}, CLAIMS]
    signed = b".".join(jwt.utils.base64url_encode(json.dumps(part).encode()) for part in parts)
    signature = hmac.digest(secret, signed, "sha256") if secret else b""
    return (signed + b"." + jwt.utils.base64url_encode(signature)).decode()


PUBLIC_PEM = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def tampered() -> str:
    head, _, tail = token().split(".")
    body = jwt.utils.base64url_encode(json.dumps(CLAIMS | {"repository": "acme/churn", "x": 1}).encode()).decode()
    return f"{head}.{body}.{tail}"


def brings_its_key() -> str:
    headers = {"kid": "mine", "jwk": jwk(STRANGER, "mine"), "jku": "https://evil.example.org/keys"}
    return jwt.encode(CLAIMS, STRANGER, algorithm="RS256", headers=headers)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.b.c",
        "é",
        "x" * (LONGEST + 1),
        by_hand("none"),
        by_hand("None"),
        by_hand("RS256"),
        by_hand("HS256", PUBLIC_PEM),
        tampered(),
        brings_its_key(),
        token(kid=None),
        token(kid="e1"),
        token(kid="unknown"),
        token(STRANGER),
        token(STRANGER, kid="enc"),
        token(RSA, "RS512"),
        token(RSA, "PS256"),
        token(EDWARDS, "EdDSA"),
        token(CURVE, "ES256"),
    ],
)
def test_a_token_that_no_trusted_provider_signed_is_refused(text: str) -> None:
    with pytest.raises(LoginError):
        principal_of(text, [PUBLISHER], now=NOW, keys=KEYS)


@pytest.mark.filterwarnings("ignore:The RSA key is 1024 bits:jwt.warnings.InsecureKeyLengthWarning")
def test_a_key_that_is_too_short_is_none() -> None:
    with pytest.raises(LoginError):
        principal_of(token(SHORT, kid="short"), [PUBLISHER], now=NOW, keys=KEYS)


def test_without_trusted_publishers_nobody_is_one() -> None:
    with pytest.raises(LoginError):
        principal_of(token(), [], now=NOW, keys=KEYS)


def test_another_publisher_of_the_same_provider_is_found_by_its_claims() -> None:
    other = TrustedPublisher(
        issuer=PUBLISHER.issuer,
        audience=PUBLISHER.audience,
        claims={"repository": "acme/fraud"},
        projects=("fraud",),
        jwks_file=PUBLISHER.jwks_file,
        user="fraud-ci",
    )
    principal = principal_of(token(repository="acme/fraud"), [PUBLISHER, other], now=NOW, keys=KEYS)
    assert principal.user == "fraud-ci"


@pytest.mark.parametrize("keys", [{}, {"keys/ci.json": b"no json"}, {"keys/ci.json": b"[]"}, {"keys/ci.json": b"{}"}])
def test_keys_that_are_not_there_or_cannot_be_read_are_an_error_of_the_settings(keys: dict[str, bytes]) -> None:
    with pytest.raises(SettingsError):
        principal_of(token(), [PUBLISHER], now=NOW, keys=keys)
