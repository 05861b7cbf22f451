"""Requests that a fuzzer makes from the documents: what they allow is answered, all else refused as they say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fuzzing import fuzz
from web_server import CONTRACTS, serving

from modelwright.serving.web.openapi import openapi


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
    said = fuzz(
        document,
        server,
        *("--max-examples", "8", "--generation-database", "none"),
        folder=tmp_path,
        hooks="web_fuzz_hooks",
    )
    assert "No issues found" in said
