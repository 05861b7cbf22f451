"""A fuzzer reads ``/openapi.json`` of a real server and tries what it allows and forbids; the server never fails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from behaving import describe
from fuzzing import fuzz
from running import ANY, Running, deployment, serving
from sklearn.linear_model import LogisticRegression

import modelwright as mw
from modelwright.serving.deployment import Deployment, Limits, ModelDeployment, Variant

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance"
)
"""Whether what is allowed is accepted and the rest refused is tried against the documents of single models."""
VARIED: list[dict[str, Any]] = [
    {
        "age": 20 + number,
        "score": None if number == 2 else number / 4,
        "member": number % 2 == 0,
        "plan": ("basic", "plus")[number % 2],
        "since": date(2024, 1, 1 + number),
        "seen": datetime(2026, 1, 1 + number, 12, 30),
        "place": [float(number), 2.0],
    }
    for number in range(8)
]


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server of a function with fields of many kinds, in two versions, and of a scikit-learn model."""
    folder = tmp_path_factory.mktemp("fuzzed")
    numbers = np.random.default_rng(1).normal(size=(60, 3))
    classifier = LogisticRegression().fit(numbers, (numbers[:, 0] > 0).astype(int))
    wheels = {}
    for name, version, model, rows in (
        ("varied", "1.0.0", describe, VARIED),
        ("varied", "2.0.0", describe, VARIED),
        ("sorting", "1.0.0", classifier, numbers),
    ):
        into = folder / f"{name}-{version}"
        package = mw.capture(model, rows, name=name, version=version, to=into / "model")
        wheels[name, version] = str(mw.build(package, into))
    models = {
        "varied": ModelDeployment(
            name="varied",
            variants={
                "control": Variant(reference=wheels["varied", "1.0.0"]),
                "other": Variant(reference=wheels["varied", "2.0.0"]),
            },
        ),
        "sorting": ModelDeployment(name="sorting", variants={"only": Variant(reference=wheels["sorting", "1.0.0"])}),
    }
    with serving(Deployment(models=models, server=ANY)) as running:
        yield running


def test_no_request_that_a_fuzzer_makes_fails_the_server(fuzzed: Running, tmp_path: Path) -> None:
    document = httpx2.get(f"http://127.0.0.1:{fuzzed.port}/openapi.json").json()
    said = fuzz(
        document,
        f"http://127.0.0.1:{fuzzed.port}",
        *("--generation-deterministic", "--max-examples", "6", "--no-shrink", "--max-time", "20", "--checks", CHECKS),
        folder=tmp_path,
        hooks="patient_fuzz_hooks",
    )
    assert re.search(r"(\d{3,}) generated, \1 passed", said), said
    assert fuzzed.http.get("/v2/health/ready").status_code == 200
    for model in fuzzed.server.plane.served.values():
        assert [one.pool.restarts for one in model.now().variants.values()] == [0] * len(model.now().variants)


def test_documents_say_how_many_rows_each_model_takes(behaving: Path) -> None:
    with serving(deployment(behaving, limits=Limits(max_rows=7))) as running:
        for path in ("/openapi.json", "/models/behaving/openapi.json"):
            schemas = running.http.get(path).json()["components"]["schemas"]
            assert schemas["behaving.List"]["maxItems"] == 7
        assert running.ask(*[{"x": 1.0, "what": "ok"}] * 8).status_code == 413
