"""What a served package promises, worked out once: how its rows are judged, and in which form its worker takes them.

Made when a version is loaded; read for every request by intake, batching, answering, OpenAPI and the Open Inference
Protocol. It executes nothing of the package.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import msgspec

from modelwright.package import Package
from modelwright.runtime.answers import Outputs
from modelwright.runtime.blocks import FloatBlock
from modelwright.runtime.validation import judges_of
from modelwright.runtime.values import FieldJudge
from modelwright.spec.manifest import Manifest
from modelwright.spec.scenario import Scenario


class Contract:
    """What one version of a model promises.

    Args:
        manifest: Its manifest.
        digest: sha256 of its wheel; empty for a folder that is no wheel.
        scenarios: Its scenarios; their rows are the examples that people see.
        card: Its model card, Markdown.

    Attributes:
        name: Name of the package.
        version: Its version.
        signature: The signature as plain data.
        fields: Names of the inputs, in order.
        methods: Methods that the model answers; the first is what is called when nobody says otherwise.
        blocked: Whether a table of it is one block of float64 rather than columns.
    """

    def __init__(
        self, manifest: Manifest, *, digest: str = "", scenarios: tuple[Scenario, ...] = (), card: str = ""
    ) -> None:
        self.manifest, self.digest, self.scenarios, self.card = manifest, digest, scenarios, card
        self.name, self.version = manifest.name, manifest.version
        self.title = f"{manifest.name} {manifest.version}"
        self.signature: dict[str, Any] = msgspec.to_builtins(manifest.signature)
        self.inputs: list[dict[str, Any]] = self.signature["inputs"]
        self.fields = tuple(field["name"] for field in self.inputs)
        self.methods: tuple[str, ...] = tuple(manifest.storage.methods)
        self.blocked = FloatBlock(self.signature).usable
        self.judges: tuple[FieldJudge, ...] = judges_of(self.inputs)
        self.outputs: dict[str, tuple[dict[str, Any], ...]] = {
            method: tuple(Outputs(method, self._of(method), self.title).fields) for method in self.methods
        }

    def _of(self, method: str) -> list[dict[str, Any]]:
        return [output for output in self.signature["outputs"] if output.get("method", "predict") == method]

    @cached_property
    def method_of(self) -> dict[str, str]:
        """Method that computes each output, by the output's name."""
        return {output["name"]: method for method, outputs in self.outputs.items() for output in outputs}

    @cached_property
    def example(self) -> list[dict[str, Any]]:
        """Rows of JSON values that surely fit: those of the first scenario with an expected answer; else none."""
        found = next((one for one in self.scenarios if one.inputs and getattr(one, "expected", None)), None)
        return [dict(row) for row in found.inputs] if found is not None else []


def contract_of(package: Package, *, digest: str = "") -> Contract:
    """Return the contract of a package.

    Raises:
        PackageError: A document of the package cannot be read.
    """
    return Contract(
        package.manifest, digest=digest, scenarios=tuple(package.scenarios), card=package.read("card.md").decode()
    )
