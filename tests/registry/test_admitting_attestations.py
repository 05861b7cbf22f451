"""The form of attestations that come with a file: what is taken, and everything that is not."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from modelwright.errors import EvidenceError
from modelwright.registry.admitting.attestations import check_attestations

SHA = "ab" * 32
WHEEL = "churn-1.3.0-py3-none-any.whl"


def statement(predicate: str = "https://docs.pypi.org/attestations/publish/v1", **changes: Any) -> str:
    said: dict[str, Any] = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": WHEEL, "digest": {"sha256": SHA}}],
        "predicateType": predicate,
        "predicate": None,
    }
    return base64.b64encode(json.dumps(said | changes).encode()).decode()


def attestation(**changes: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "verification_material": {"certificate": "MIIC", "transparency_entries": [{"logIndex": "1"}]},
        "envelope": {"statement": statement(**changes), "signature": "MEUC"},
    }


def altered(*path: str, to: Any) -> dict[str, Any]:
    changed = attestation()
    place = changed
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = to
    return changed


def test_an_attestation_about_the_file_is_taken() -> None:
    check_attestations([attestation()], filename=WHEEL, sha256=SHA)


@pytest.mark.parametrize(
    "attestations",
    [
        [None],
        [altered("version", to=2)],
        [altered("version", to="1")],
        [altered("verification_material", to={})],
        [altered("verification_material", "certificate", to="***")],
        [altered("verification_material", "transparency_entries", to=[])],
        [altered("envelope", "statement", to="e30=")],
        [altered("envelope", "signature", to="***")],
        [attestation(subject=[{"name": "other.whl", "digest": {"sha256": SHA}}])],
        [attestation(subject=[{"name": WHEEL, "digest": {"sha256": "cd" * 32}}])],
        [attestation(subject=[{"name": WHEEL, "digest": {"sha256": SHA}}] * 2)],
        [attestation(), attestation()],
        [attestation() for _ in range(9)],
        [altered("envelope", "statement", to=statement("https://in-toto.io/attestation/release/v0.2"))],
    ],
)
def test_an_attestation_that_is_malformed_or_about_another_file_is_refused(attestations: list[Any]) -> None:
    with pytest.raises(EvidenceError):
        check_attestations(attestations, filename=WHEEL, sha256=SHA)
