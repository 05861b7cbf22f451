"""Where the runtime finds weights that are a distribution of their own."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from modelwright.errors import IntegrityError
from modelwright.runtime.integrity import check_artifacts
from modelwright.runtime.weights import artifacts_folder

MANIFEST: dict[str, Any] = {"name": "credit-risk", "version": "1.3.0", "weights": "1.2.0", "artifacts": []}
MODULE = "credit_risk_weights"


def weights(root: Path, version: str = "1.2.0", name: str = MODULE) -> Path:
    """Write weights below ``root`` and return their artifacts folder."""
    (root / name / "artifacts").mkdir(parents=True)
    (root / name / "weights.json").write_text(json.dumps({"version": version}))
    (root / name / "__init__.py").write_text("raise SystemExit('imported')\n")
    return root / name / "artifacts"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model folder without artifacts."""
    (folder := tmp_path / "site" / "credit_risk" / "model").mkdir(parents=True)
    return folder


def test_without_a_word_the_artifacts_are_in_the_package(folder: Path) -> None:
    assert artifacts_folder(folder, MANIFEST | {"weights": ""}) == folder / "artifacts"


def test_weights_beside_the_package_come_first(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights(tmp_path / "path")
    monkeypatch.syspath_prepend(tmp_path / "path")
    expected = weights(tmp_path / "site")
    assert artifacts_folder(folder, MANIFEST) == expected


def test_weights_elsewhere_on_the_path_are_found_and_not_imported(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = weights(tmp_path / "path")
    monkeypatch.syspath_prepend(tmp_path / "path")
    assert check_artifacts(folder, MANIFEST) == expected
    assert MODULE not in sys.modules


def test_another_version_beside_is_passed_over_for_the_right_one(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights(tmp_path / "site", "1.1.0")
    expected = weights(tmp_path / "path")
    monkeypatch.syspath_prepend(tmp_path / "path")
    assert artifacts_folder(folder, MANIFEST) == expected


def test_another_version_is_refused_with_both_versions_and_the_fix(folder: Path, tmp_path: Path) -> None:
    weights(tmp_path / "site", "1.1.0")
    with pytest.raises(IntegrityError, match=r"in version 1\.2\.0; 1\.1\.0 is installed") as caught:
        artifacts_folder(folder, MANIFEST)
    assert caught.value.hint == "pip install credit-risk-weights==1.2.0"


@pytest.mark.parametrize("document", ["", "[]", "{}", "{not json"])
def test_weights_that_do_not_say_their_version_are_none(folder: Path, tmp_path: Path, document: str) -> None:
    (weights(tmp_path / "site").parent / "weights.json").write_text(document)
    with pytest.raises(IntegrityError, match="are not installed"):
        artifacts_folder(folder, MANIFEST)


def test_artifacts_in_the_package_do_not_stand_in_for_weights(folder: Path) -> None:
    (folder / "artifacts").mkdir()
    with pytest.raises(IntegrityError, match="are not installed"):
        check_artifacts(folder, MANIFEST)


def test_a_file_beside_the_weights_that_was_not_captured_is_refused(folder: Path, tmp_path: Path) -> None:
    (weights(tmp_path / "site") / "more.bin").write_bytes(b"x")
    with pytest.raises(IntegrityError) as caught:
        check_artifacts(folder, MANIFEST)
    assert [(problem.item, problem.problem) for problem in caught.value.problems] == [
        ("more.bin", "is not a file of this package")
    ]
    assert caught.value.hint.endswith("credit-risk-weights==1.2.0")
