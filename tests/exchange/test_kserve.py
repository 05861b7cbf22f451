"""What KServe is given, by structure; and what builds the image, step by step."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from toy_packages import manifest, write_toy

import modelwright as mw
from modelwright.adapters.exchange.kserve import object_name
from modelwright.building.build import build
from modelwright.errors import TargetError
from modelwright.inspecting.wheel import sha256_of
from modelwright.serving.deployment_file import read_deployment

NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
LABEL = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")


def documents(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    runtime, service = yaml.safe_load_all(path.read_text())
    assert (runtime["apiVersion"], runtime["kind"]) == ("serving.kserve.io/v1alpha1", "ServingRuntime")
    assert (service["apiVersion"], service["kind"]) == ("serving.kserve.io/v1beta1", "InferenceService")
    return runtime, service


def instructions(folder: Path) -> list[tuple[str, str]]:
    lines = (folder / "Containerfile").read_text().splitlines()
    found = [line.split(" ", 1) for line in lines if line and not line.startswith("#")]
    return [(word, rest) for word, rest in found]


@pytest.fixture(scope="module")
def exported(toy_wheels, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("kserve") / "out"
    mw.export(
        toy_wheels[0], out, to="kserve", canary=toy_wheels[1], image="models.internal/toy", namespace="ml", workers=2
    )
    return out


def test_the_service_names_runtime_format_and_protocol(exported, toy_wheels):
    runtime, service = documents(exported / "inferenceservice.yaml")
    model = service["spec"]["predictor"]["model"]
    assert model["runtime"] == runtime["metadata"]["name"]
    assert model["protocolVersion"] in runtime["spec"]["protocolVersions"] == ["v2"]
    assert model["modelFormat"]["name"] == runtime["spec"]["supportedModelFormats"][0]["name"]
    for document in (runtime, service):
        metadata = document["metadata"]
        assert metadata["namespace"] == "ml"
        assert metadata["annotations"]["modelwright/sha256"] == sha256_of(toy_wheels[0])
        assert metadata["annotations"]["modelwright/version"] == "1.0.0"
        assert NAME.fullmatch(metadata["name"])
        assert all(LABEL.fullmatch(value) for value in metadata["labels"].values())


def test_the_container_is_our_server_with_probes_and_without_rights(exported):
    runtime, service = documents(exported / "inferenceservice.yaml")
    (container,) = runtime["spec"]["containers"]
    assert container["name"] == "kserve-container"
    assert container["image"] == "models.internal/toy:1.0.0"
    port = container["ports"][0]["containerPort"]
    assert container["readinessProbe"]["httpGet"] == {"path": "/v2/health/ready", "port": port}
    assert container["livenessProbe"]["httpGet"] == {"path": "/v2/health/live", "port": port}
    assert container["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["resources"]["requests"]["cpu"] == "2"
    deployment = read_deployment(exported / "toy-line-1.0.0" / "deployment.toml")
    assert deployment.server.port == port
    assert service["spec"]["predictor"]["terminationGracePeriodSeconds"] > deployment.server.drain_s


def test_the_canary_is_the_same_service_with_a_share_and_a_runtime_of_its_own(exported):
    runtime, service = documents(exported / "inferenceservice.yaml")
    other, canary = documents(exported / "inferenceservice-canary.yaml")
    assert canary["metadata"]["name"] == service["metadata"]["name"]
    assert canary["spec"]["predictor"]["canaryTrafficPercent"] == 10
    assert "canaryTrafficPercent" not in service["spec"]["predictor"]
    assert other["metadata"]["name"] != runtime["metadata"]["name"]
    assert other["spec"]["containers"][0]["image"] == "models.internal/toy:1.1.0"


def test_the_image_serves_a_deployment_that_the_server_understands(exported):
    deployment = read_deployment(exported / "toy-line-1.1.0" / "deployment.toml")
    (model,) = deployment.models.values()
    assert (model.name, model.limits.workers) == ("toy-line", 2)
    (variant,) = model.variants.values()
    assert Path(variant.reference).is_file()


def test_the_image_is_built_from_what_is_there_and_started_as_process_one(exported):
    folder = exported / "toy-line-1.0.0"
    steps = instructions(folder)
    words = [word for word, _ in steps]
    assert set(words) <= {"ARG", "FROM", "ENV", "WORKDIR", "RUN", "COPY", "USER", "LABEL", "EXPOSE", "STOPSIGNAL"} | {
        "ENTRYPOINT"
    }
    entry = yaml.safe_load(dict(steps)["ENTRYPOINT"])
    assert entry == ["/srv/server/bin/modelwright", "serve", "deployment.toml", "--offline"]
    assert int(dict(steps)["USER"].split(":")[0]) > 0
    assert words.index("USER") < words.index("ENTRYPOINT")
    ignored = (folder / ".dockerignore").read_text().splitlines()
    for _, rest in (step for step in steps if step[0] == "COPY" and "--from" not in step[1]):
        for source in rest.split()[:-1]:
            assert (folder / source).exists()
            assert f"!{source}" in ignored
    assert ignored[0] == "*"


def test_the_build_checks_the_wheel_and_lets_the_model_answer(exported, tmp_path):
    folder = exported / "toy-line-1.0.0"
    runs = [rest for word, rest in instructions(folder) if word == "RUN"]
    (check,) = (step for step in runs if "sha256sum" in step)
    assert subprocess.run(["sh", "-c", check], cwd=folder, capture_output=True).returncode == 0
    altered = tmp_path / "wheels"
    altered.mkdir()
    for wheel in (folder / "wheels").iterdir():
        (altered / wheel.name).write_bytes(wheel.read_bytes() + b"x")
    assert subprocess.run(["sh", "-c", check], cwd=tmp_path, capture_output=True).returncode != 0
    assert any("modelwright predict wheels/" in step and "rows.jsonl" in step for step in runs)
    assert (folder / "rows.jsonl").read_text() == '{"x": 0.0}\n'


def test_wheels_from_an_index_are_pinned_by_hash_and_not_copied(toy_wheels, tmp_path):
    url = "https://models.internal/production/simple/"
    mw.export(toy_wheels[0], tmp_path / "out", to="kserve", index_url=url)
    folder = tmp_path / "out" / "toy-line-1.0.0"
    assert not (folder / "wheels").exists()
    assert (folder / "wheels.txt").read_text() == f"toy-line==1.0.0 --hash=sha256:{sha256_of(toy_wheels[0])}\n"
    assert url in (folder / "Containerfile").read_text()
    reference = tomllib.loads((folder / "deployment.toml").read_text())["models"]["toy-line"]["reference"]
    assert reference == f"wheels/{toy_wheels[0].name}"


def test_shared_libraries_are_installed_or_named_and_cannot_smuggle_in_a_step(tmp_path):
    environment = manifest()["environment"] | {"system_libraries": ["libgomp.so.1", "libodd.so.2\nRUN evil"]}
    wheel = build(write_toy(tmp_path / "toy", environment=environment), tmp_path)
    mw.export(wheel, tmp_path / "out", to="kserve")
    steps = instructions(tmp_path / "out" / "toy-line-1.0.0")
    assert any("libgomp1" in rest for word, rest in steps if word == "RUN")
    assert not any("evil" in rest for _, rest in steps)


def test_one_tag_cannot_name_two_images(toy_wheels, tmp_path):
    with pytest.raises(TargetError) as caught:
        mw.export(toy_wheels[0], tmp_path / "out", to="kserve", canary=toy_wheels[1], image="toy:latest")
    assert caught.value.problems[0].item == "--image"


def test_names_are_ones_that_kubernetes_takes():
    for text in ("churn", "Churn_2.0", "a" * 80, "x.y-", "churn-1!2.0.dev1"):
        assert NAME.fullmatch(object_name(text))
