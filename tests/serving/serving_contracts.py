"""Contracts to serve by, without a package around them."""

from __future__ import annotations

from typing import Any

from modelwright.serving.contract import Contract
from modelwright.spec.environment import Environment
from modelwright.spec.manifest import Manifest, Storage
from modelwright.spec.signature import Field, Output, Signature

OUTPUT = Output(name="prediction", datatype="float64")
BLOCKED: dict[str, Any] = {"container": "numpy", "array_dtype": "float64"}


def contract_for(*inputs: Field, outputs: tuple[Output, ...] = (OUTPUT,), container: Any = "records") -> Contract:
    methods = tuple(dict.fromkeys(output.method for output in outputs))
    signature = Signature(
        inputs=inputs,
        outputs=outputs,
        container=container,
        array_dtype="float64" if container == "numpy" else "",
    )
    manifest = Manifest(
        format_version=1,
        name="churn",
        version="1.3.0",
        import_name="churn",
        task="function",
        created="2026-11-20T12:00:00Z",
        storage=Storage(format="python", loader="python_loader", model_type="f", methods=methods),
        artifacts=(),
        signature=signature,
        environment=Environment(python="3.11.7", interpreters=("cp311",), dependencies=()),
    )
    return Contract(manifest)


def floats(*names: str, **settings: Any) -> Contract:
    """A contract of nothing but floats, whose tables are blocks."""
    return contract_for(*(Field(name=name, datatype="float64", **settings) for name in names), container="numpy")
