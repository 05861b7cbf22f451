"""One served registry for all tests of the application: people of every role, a model in stages, a library."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from registry_wheels import library_wheel, model_wheel
from server import Server, serving

from modelwright.registry.operating.opening import open_local

MAX_UPLOAD = 3_000_000
SETTINGS = f"""
hosts = ["models.internal"]
max_upload = {MAX_UPLOAD}

[[trusted_publishers]]
issuer = "https://ci.example"
audience = "models.internal"
claims = {{ repository = "acme/trusted" }}
projects = ["trusted", "trusted-two"]
jwks_file = "ci.json"
user = "ci"
"""
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
"""What the CI provider of these tests signs with."""


def identity_token(**claims: object) -> str:
    """Return an identity token as a CI provider makes it for a job."""
    now = int(time.time())
    common = {"iss": "https://ci.example", "aud": "models.internal", "iat": now, "nbf": now, "exp": now + 300}
    return jwt.encode(common | {"repository": "acme/trusted"} | claims, KEY, algorithm="RS256", headers={"kid": "1"})


ROLES = ("nobody", "reader", "publisher", "stranger", "promoter", "admin", "expired", "revoked")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve ``churn`` 1.0.0 and 1.1.0 (production runs 1.1.0), ``matrix`` 1.0.0 in dev, and ``teamtools`` 1.0."""
    base = tmp_path_factory.mktemp("served")
    folder, wheels = base / "registry", base / "wheels"
    folder.mkdir()
    wheels.mkdir()
    (folder / "registry.toml").write_text(SETTINGS)
    public = jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
    (folder / "ci.json").write_text(json.dumps({"keys": [public | {"kid": "1", "use": "sig"}]}))
    tokens = _fill(folder, wheels)
    with serving(folder) as running:
        running.tokens = tokens
        yield running


def _fill(folder: Path, wheels: Path) -> dict[str, str]:
    service = open_local(folder, user="ann")
    service.upload(model_wheel(wheels, "1.0.0"))
    service.upload(model_wheel(wheels, "1.1.0", slope=3.0, accuracy=0.95))
    service.upload(model_wheel(wheels, "1.0.0", name="matrix"))
    service.upload(library_wheel(wheels))
    for version in ("1.0.0", "1.1.0"):
        service.promote("churn", version, to="production", reason="first")
    service.promote("matrix", "1.0.0", to="dev", reason="first")
    service.set_owners("matrix", ("ann", "pat"))
    tokens = {
        "reader": service.add_token("rita", scopes=("read",)).secret,
        "publisher": service.add_token("pat", scopes=("publish",)).secret,
        "stranger": service.add_token("sam", scopes=("publish",), projects=("teamtools",)).secret,
        "promoter": service.add_token("prue", scopes=("promote",)).secret,
        "admin": service.add_token("root", scopes=("admin",)).secret,
    }
    revoked = service.add_token("rex", scopes=("admin",))
    service.revoke_token(revoked.token.id)
    service.close()
    earlier = open_local(folder, user="ann", clock=lambda: datetime.now(UTC) - timedelta(days=2))
    expired = earlier.add_token("eve", scopes=("admin",), days=1)
    earlier.close()
    return tokens | {"revoked": revoked.secret, "expired": expired.secret}
