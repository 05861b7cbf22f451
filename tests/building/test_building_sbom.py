"""The bill of materials, judged by the schema of CycloneDX."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from building_models import write_model
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from modelwright.building.sbom import model_bom
from modelwright.errors import PackageError
from modelwright.package import open_folder

EPOCH = 1_790_000_000


def bom(package: Path) -> dict[str, Any]:
    text = model_bom(open_folder(package), epoch=EPOCH).decode()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    document: dict[str, Any] = json.loads(text)
    return document


def test_the_model_is_a_machine_learning_component_with_a_card(tmp_path: Path) -> None:
    model = bom(write_model(tmp_path))["metadata"]["component"]
    assert (model["type"], model["name"], model["version"]) == ("machine-learning-model", "churn", "1.3.0")
    card = model["modelCard"]
    assert card["modelParameters"]["task"] == "regression"
    assert card["modelParameters"]["approach"] == {"type": "supervised"}
    assert card["modelParameters"]["inputs"] == [{"format": "x: float64 or missing"}]
    assert card["modelParameters"]["outputs"] == [{"format": "y: float64[?][2]"}]
    assert card["modelParameters"]["datasets"][0]["contents"] == {"url": "s3://lake/churn.parquet"}
    assert card["quantitativeAnalysis"]["performanceMetrics"] == [
        {"type": "rmse", "value": "0.5", "slice": "test, x=1"}
    ]
    assert card["considerations"]["technicalLimitations"] == ["Runs only on the interpreters cp311."]


def test_every_locked_distribution_is_a_component_with_purl_and_digests(tmp_path: Path) -> None:
    components = {each["name"]: each for each in bom(write_model(tmp_path))["components"]}
    assert {each["purl"] for each in components.values()} == {"pkg:pypi/joblib@1.6.0", "pkg:pypi/threadpoolctl@3.6.0"}
    files = {file["url"]: file["hashes"] for file in components["joblib"]["externalReferences"]}
    assert files["https://files.example/joblib-1.6.0.tar.gz"] == [{"alg": "SHA-256", "content": "a" * 64}]
    assert files["https://files.example/joblib-1.6.0-py3-none-any.whl"] == [{"alg": "SHA-256", "content": "b" * 64}]


def test_the_dependency_graph_goes_as_far_as_the_lock_tells(tmp_path: Path) -> None:
    environment = {"python": "3.11.7", "interpreters": ["cp311"], "dependencies": ["joblib==1.6.0"]}
    graph = {
        each["ref"]: each.get("dependsOn", [])
        for each in bom(write_model(tmp_path, environment=environment))["dependencies"]
    }
    assert graph == {
        "pkg:pypi/churn@1.3.0": ["pkg:pypi/joblib@1.6.0"],
        "pkg:pypi/joblib@1.6.0": ["pkg:pypi/threadpoolctl@3.6.0"],
        "pkg:pypi/threadpoolctl@3.6.0": [],
    }


def test_a_model_that_names_no_requirement_depends_on_whatever_is_locked(tmp_path: Path) -> None:
    graph = {each["ref"]: each.get("dependsOn", []) for each in bom(write_model(tmp_path))["dependencies"]}
    assert graph["pkg:pypi/churn@1.3.0"] == ["pkg:pypi/joblib@1.6.0", "pkg:pypi/threadpoolctl@3.6.0"]


def test_a_model_whose_loading_executes_code_says_so(tmp_path: Path) -> None:
    storage = {"format": "joblib", "loader": "l", "model_type": "t", "executes_code": True}
    environment = {"python": "3.11.7", "interpreters": ["cp311"], "portable": True, "dependencies": []}
    model = bom(write_model(tmp_path, storage=storage, environment=environment))["metadata"]["component"]
    assert model["modelCard"]["considerations"]["technicalLimitations"] == [
        "Loading executes code that the artifact contains (format joblib)."
    ]


def test_a_model_without_libraries_has_a_bill_too(tmp_path: Path) -> None:
    package = write_model(tmp_path, lineage={}, evaluations=[], license="", summary="", task="function")
    (package / "model" / "pylock.toml").write_text('lock-version = "1.0"\ncreated-by = "uv"\n')
    document = bom(package)
    assert "components" not in document
    assert "approach" not in document["metadata"]["component"]["modelCard"]["modelParameters"]


def test_one_distribution_in_two_forms_is_one_component(tmp_path: Path) -> None:
    package = write_model(tmp_path)
    lock = package / "model" / "pylock.toml"
    again = '[[packages]]\nname = "Joblib"\nversion = "1.6.0"\nmarker = "sys_platform == \'win32\'"\n'
    lock.write_text(lock.read_text() + again)
    assert len(bom(package)["components"]) == 2


def test_the_same_package_gives_the_same_bytes_and_another_one_another_serial_number(tmp_path: Path) -> None:
    first = model_bom(open_folder(write_model(tmp_path / "a")), epoch=EPOCH)
    assert first == model_bom(open_folder(write_model(tmp_path / "b")), epoch=EPOCH)
    other = bom(write_model(tmp_path / "c", version="1.3.1"))
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f-]+", other["serialNumber"])
    assert other["serialNumber"] != json.loads(first)["serialNumber"]
    assert other["metadata"]["timestamp"] == "2026-09-21T14:13:20+00:00"


@pytest.mark.parametrize(
    "lock", ["packages = 3", "[[packages]]\nversion = '1'", "packages = ['x']", "not toml", "[[packages]]\nname = 3"]
)
def test_a_malformed_lock_is_refused(tmp_path: Path, lock: str) -> None:
    package = write_model(tmp_path)
    (package / "model" / "pylock.toml").write_text(lock)
    with pytest.raises(PackageError, match="lock is malformed"):
        model_bom(open_folder(package), epoch=EPOCH)
