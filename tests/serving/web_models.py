"""Contracts of models of every kind, for the documents and pages that are made from them."""

from __future__ import annotations

from typing import Any

import msgspec

from modelwright.serving.contract import Contract
from modelwright.spec.manifest import Manifest
from modelwright.spec.scenario import Scenario

CARD = """---
language: en
---
# churn 1.3.0

Who will leave. <script>document.title = "owned"</script> [mail](javascript:alert(1))

## Intended use

| Use | Fit |
| --- | --- |
| Call customers before they go | yes |

![chart](https://elsewhere.example/chart.png)
"""
DIGEST = "3f2a9c01d4e5b6a7" * 4
CHURN_INPUTS: list[dict[str, Any]] = [
    {"name": "age", "datatype": "int64", "unit": "years", "training_range": [18, 95], "on_out_of_range": "error"},
    {
        "name": "contract",
        "datatype": "string",
        "categories": ["monthly", "yearly", "two years"],
        "on_unknown": "error",
        "description": "How long the customer is bound",
    },
    {"name": "city", "datatype": "string", "categories": ["Bonn", "Köln"], "nullable": True},
    {"name": "charges", "datatype": "float64", "unit": "EUR", "nullable": True, "training_range": [0.5, 120.25]},
    {"name": "paperless", "datatype": "bool"},
    {"name": "since", "datatype": "date"},
]
CHURN_OUTPUTS: list[dict[str, Any]] = [
    {"name": "churn", "datatype": "string", "method": "predict"},
    {
        "name": "probability",
        "datatype": "float64",
        "shape": [2],
        "labels": ["no", "yes"],
        "method": "predict_proba",
        "rtol": 1e-9,
    },
]
CHURN_ROWS: list[dict[str, Any]] = [
    {"age": 42, "contract": "monthly", "city": "Köln", "charges": 70.35, "paperless": True, "since": "2024-02-29"},
    {"age": 18, "contract": "yearly", "city": None, "charges": "NaN", "paperless": False, "since": "2026-01-01"},
]
EVERYTHING_INPUTS: list[dict[str, Any]] = [
    {"name": "flag", "datatype": "bool", "nullable": True},
    {"name": "small", "datatype": "uint8"},
    {"name": "large", "datatype": "int64", "nullable": True},
    {"name": "level", "datatype": "int16", "categories": [1, 2, 5], "on_unknown": "error", "nullable": True},
    {"name": "number", "datatype": "float32"},
    {"name": "open end", "datatype": "float64", "nullable": True, "infinite": True},
    {
        "name": "share",
        "datatype": "float64",
        "infinite": True,
        "training_range": [0.0, 1.0],
        "on_out_of_range": "error",
    },
    {"name": "text", "datatype": "string", "nullable": True},
    {"name": "raw", "datatype": "bytes"},
    {"name": "day", "datatype": "date", "nullable": True},
    {"name": "moment", "datatype": "datetime"},
    {"name": "instant", "datatype": "datetime", "timezone": "UTC"},
    {"name": "wait", "datatype": "duration"},
    {"name": "free", "datatype": "json"},
    {"name": "vector", "datatype": "float64", "shape": [3], "infinite": True},
    {"name": "matrix", "datatype": "int32", "shape": [-1, 2], "nullable": True},
    {"name": "parts", "datatype": "json", "shape": [2]},
]
EVERYTHING_ROW: dict[str, Any] = {
    "flag": None,
    "small": 7,
    "large": -(2**63),
    "level": 5,
    "number": 1.5,
    "open end": "-Infinity",
    "share": 0.25,
    "text": "ä",
    "raw": "aGk=",
    "day": "2024-02-29",
    "moment": "2026-11-20T13:45:00.250000",
    "instant": "2026-11-20T13:45:00+00:00",
    "wait": 2.5,
    "free": {"a": [1, None]},
    "vector": [1.0, "Infinity", 3],
    "matrix": [[1, 2], [3, None]],
    "parts": [{"a": 1}, "b"],
}


def contract(
    name: str = "churn",
    *,
    inputs: list[dict[str, Any]] | None = None,
    outputs: list[dict[str, Any]] | None = None,
    scenarios: list[dict[str, Any]] | None = None,
    methods: tuple[str, ...] = ("predict",),
    version: str = "1.3.0",
) -> Contract:
    """Return the contract of a model without its files."""
    document = {
        "format_version": 1,
        "name": name,
        "version": version,
        "import_name": name.replace("-", "_"),
        "summary": "Who will leave",
        "task": "classification",
        "created": "2026-10-01T12:00:01Z",
        "storage": {"format": "toy", "loader": "toy_loader", "model_type": "toy.Line", "methods": list(methods)},
        "artifacts": [],
        "signature": {"inputs": inputs or [], "outputs": outputs or [], "container": "records"},
        "environment": {"python": "3.11.7", "interpreters": ["cp311"], "dependencies": []},
    }
    return Contract(
        msgspec.convert(document, Manifest),
        digest=DIGEST,
        scenarios=tuple(msgspec.convert(one, Scenario) for one in scenarios or []),
        card=CARD,
    )


def churn_contract(version: str = "1.3.0") -> Contract:
    """A classifier with two methods and a scenario."""
    scenario = {
        "kind": "example",
        "name": "typical",
        "inputs": CHURN_ROWS,
        "expected": {"churn": ["yes", "no"], "probability": [[0.25, 0.75], [0.9, 0.1]]},
    }
    return contract(
        inputs=CHURN_INPUTS,
        outputs=CHURN_OUTPUTS,
        scenarios=[scenario],
        methods=("predict", "predict_proba"),
        version=version,
    )


def everything_contract() -> Contract:
    """A model with a field of every type, and outputs of every kind."""
    outputs: list[dict[str, Any]] = [
        {"name": "score", "datatype": "float64", "nullable": True, "infinite": True},
        {"name": "position", "datatype": "float32", "shape": [2]},
        {"name": "tokens", "datatype": "int64", "shape": [-1]},
        {"name": "when", "datatype": "datetime"},
    ]
    expected = {"score": ["NaN"], "position": [[1.0, 2.0]], "tokens": [[1, 2, 3]], "when": ["2026-11-20T13:45:00"]}
    scenario = {"kind": "example", "name": "all", "inputs": [EVERYTHING_ROW], "expected": expected}
    return contract("every-thing", inputs=EVERYTHING_INPUTS, outputs=outputs, scenarios=[scenario])


def free_contract() -> Contract:
    """A function that takes and gives any JSON, without a scenario."""
    return contract("free", inputs=[{"name": "value", "datatype": "json"}])
