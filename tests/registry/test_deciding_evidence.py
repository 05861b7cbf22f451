"""Evidence that is attached to a stored wheel: what is about another file or nonsense never gets in."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelwright.errors import EvidenceError
from modelwright.registry.deciding.signing import new_key, sign
from modelwright.registry.operating.local import LocalService
from modelwright.registry.operating.opening import open_local

PRIVATE, PUBLIC = new_key()


@pytest.fixture
def sha256(service: LocalService, churn: Callable[..., Path]) -> str:
    """Digest of a wheel that the registry has."""
    return service.upload(churn("1.0.0")).file.sha256


def test_a_signature_of_the_wheel_is_kept_and_opens_the_gate(
    registry_folder: Path, churn: Callable[..., Path], service: LocalService, sha256: str
) -> None:
    (registry_folder / "keys").mkdir()
    (registry_folder / "keys" / "ci.pem").write_bytes(PUBLIC)
    (registry_folder / "registry.toml").write_text(
        '[[stages]]\nname = "live"\ngates = [{ gate = "signed", keys = ["keys/ci.pem"] }]\n'
    )
    service.close()
    again = open_local(registry_folder, user="ann")
    assert not again.gates("churn", "1.0.0", to="live")[0].passed
    again.attach(sha256, "signature", sign(sha256, churn("1.0.0").name, PRIVATE))
    assert again.promote("churn", "1.0.0", to="live", reason="signed").gates[0].passed
    again.close()


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("signature", {}),
        ("signature", sign(hashlib.sha256(b"another").hexdigest(), "churn-1.0.0-py3-none-any.whl", PRIVATE)),
        ("attestation", {"version": 1}),
        ("verification", {"passed": True}),
        ("evaluation", [{"metric": "roc_auc", "value": float("nan"), "dataset": "test"}]),
        ("evaluation", [{"metric": "roc_auc", "value": float("inf"), "dataset": "test"}]),
        ("evaluation", [{"metric": "roc_auc"}]),
        ("scan", {"where": "", "executes_code": False, "artifacts": []}),
        ("approval", {"stage": "production", "reason": "x"}),
    ],
)
def test_what_is_no_evidence_about_the_wheel_is_refused(
    service: LocalService, sha256: str, kind: Any, content: Any
) -> None:
    before = service.evidence(sha256)
    with pytest.raises(EvidenceError):
        service.attach(sha256, kind, content)
    assert service.evidence(sha256) == before
