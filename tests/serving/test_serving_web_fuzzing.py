"""Requests that a fuzzer makes from the documents: what they allow is answered, all else refused as they say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from web_server import CONTRACTS, serving

from modelwright.serving.web.openapi import openapi

SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with serving() as address:
        yield address


@pytest.mark.parametrize(
    ("name", "path"),
    [("churn", "/models/churn/predict_proba"), ("every-thing", "/models/every-thing/versions/{version}/predict")],
)
def test_what_the_document_allows_is_answered_and_all_else_refused(
    server: str, tmp_path: Path, name: str, path: str
) -> None:
    document = openapi(CONTRACTS[name], name=name, versions=("1.3.0",))
    document["paths"] = {path: document["paths"][path]}
    for item in document["paths"].values():  # text and bytes have no schema that says which are rows
        content = item["post"]["requestBody"]["content"]
        item["post"]["requestBody"]["content"] = {"application/json": content["application/json"]}
    (tmp_path / "openapi.json").write_text(json.dumps(document), encoding="utf-8")
    done = subprocess.run(
        [
            *(str(SCHEMATHESIS), "run", "openapi.json", "--url", server, "--no-color", "--seed", "1"),
            *("--max-examples", "8", "--phases", "examples,coverage,fuzzing", "--generation-database", "none"),
        ],
        cwd=tmp_path,
        env=os.environ | {"SCHEMATHESIS_HOOKS": "web_fuzz_hooks", "PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
    assert "No issues found" in done.stdout
