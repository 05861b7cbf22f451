"""Signatures of wheels: what holds, and everything that does not."""

from __future__ import annotations

import base64
import json
from copy import deepcopy
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from hypothesis import given
from hypothesis import strategies as st

from modelwright.errors import EvidenceError
from modelwright.registry.deciding.signing import check_envelope, new_key, preauthenticated, sign, verify_signature

SHA = "ab" * 32
WHEEL = "churn-1.3.0-py3-none-any.whl"
PRIVATE, PUBLIC = new_key()
OTHER_PRIVATE, OTHER = new_key()
ENVELOPE = sign(SHA, WHEEL, PRIVATE)


def test_a_signature_is_found_to_be_that_of_its_key() -> None:
    assert verify_signature(ENVELOPE, SHA, {"other.pem": OTHER, "ci.pem": PUBLIC}) == "ci.pem"


def test_what_is_signed_is_an_in_toto_statement_about_the_digest() -> None:
    statement = json.loads(base64.b64decode(ENVELOPE["payload"]))
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["subject"] == [{"name": WHEEL, "digest": {"sha256": SHA}}]
    assert statement["predicate"] == {"purl": "pkg:pypi/churn@1.3.0"}


def test_an_envelope_survives_json() -> None:
    assert verify_signature(json.loads(json.dumps(ENVELOPE)), SHA, {"ci": PUBLIC}) == "ci"


def test_a_signature_of_another_wheel_is_refused() -> None:
    with pytest.raises(EvidenceError, match="another file"):
        verify_signature(ENVELOPE, "cd" * 32, {"ci": PUBLIC})


@pytest.mark.parametrize("keys", [{}, {"other.pem": OTHER}])
def test_a_signature_by_a_key_that_is_not_listed_is_refused(keys: dict[str, bytes]) -> None:
    with pytest.raises(EvidenceError, match="None of the keys"):
        verify_signature(ENVELOPE, SHA, keys)


@given(st.data())
def test_no_bit_of_payload_or_signature_can_flip(data: st.DataObject) -> None:
    envelope = deepcopy(ENVELOPE)
    holder, field = data.draw(st.sampled_from([(envelope, "payload"), (envelope["signatures"][0], "sig")]))
    content = bytearray(base64.b64decode(holder[field]))
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    holder[field] = base64.b64encode(content).decode()
    with pytest.raises(EvidenceError):
        verify_signature(envelope, SHA, {"ci": PUBLIC})


def signed_payload(payload: bytes, *, kind: str = "application/vnd.in-toto+json") -> dict[str, Any]:
    """An envelope whose signature holds, whatever it says."""
    key = load_pem_private_key(PRIVATE, password=None)
    assert isinstance(key, Ed25519PrivateKey)
    signature = key.sign(preauthenticated(payload, kind))
    return {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": kind,
        "signatures": [{"sig": base64.b64encode(signature).decode()}],
    }


def statement(**changes: Any) -> bytes:
    said: dict[str, Any] = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": WHEEL, "digest": {"sha256": SHA}}],
        "predicateType": "https://in-toto.io/attestation/release/v0.2",
        "predicate": {},
    }
    return json.dumps(said | changes).encode()


def test_a_statement_by_hand_holds() -> None:
    assert verify_signature(signed_payload(statement()), SHA, {"ci": PUBLIC}) == "ci"


@pytest.mark.parametrize(
    "envelope",
    [
        None,
        [],
        "text",
        {},
        ENVELOPE | {"payload": "***"},
        ENVELOPE | {"payload": 3},
        ENVELOPE | {"signatures": []},
        ENVELOPE | {"signatures": ENVELOPE["signatures"] * 17},
        ENVELOPE | {"signatures": [{"sig": "é"}]},
        ENVELOPE | {"payloadType": "text/plain"},
        signed_payload(statement(), kind="application/json"),
        signed_payload(b"\xff"),
        signed_payload(b"[]"),
        signed_payload(statement(_type="https://in-toto.io/Statement/v0.1")),
        signed_payload(statement(predicateType="https://in-toto.io/attestation/test-result/v0.1")),
        signed_payload(statement(subject=[])),
        signed_payload(statement(subject=[{"name": WHEEL, "digest": {"sha512": SHA}}])),
    ],
)
def test_what_is_no_signature_of_the_wheel_is_refused(envelope: Any) -> None:
    with pytest.raises(EvidenceError):
        verify_signature(envelope, SHA, {"ci": PUBLIC})
    with pytest.raises(EvidenceError):
        check_envelope(envelope, SHA)


def test_keys_of_another_kind_are_refused() -> None:
    curve = generate_private_key(SECP256R1())
    private = curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = curve.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(EvidenceError, match="not an Ed25519 key"):
        sign(SHA, WHEEL, private)
    with pytest.raises(EvidenceError, match="not an Ed25519 key"):
        verify_signature(ENVELOPE, SHA, {"ci": public})


def test_a_key_that_cannot_be_read_is_refused_with_the_command_that_makes_one() -> None:
    key = load_pem_private_key(PRIVATE, password=None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    for pem in (b"", b"no key", PUBLIC, locked):
        with pytest.raises(EvidenceError, match="openssl genpkey"):
            sign(SHA, WHEEL, pem)
    with pytest.raises(EvidenceError, match="'ci' cannot be read"):
        verify_signature(ENVELOPE, SHA, {"ci": b"no key"})


@pytest.mark.parametrize("filename", ["churn.whl", "../churn-1.3.0-py3-none-any.whl/x", "churn-1.3.0.zip.exe"])
def test_only_distributions_are_signed(filename: str) -> None:
    with pytest.raises(EvidenceError, match="name of a wheel"):
        sign(SHA, filename, PRIVATE)
