"""A data plane that does what it says, in this process: real contracts, real models, the real runtime."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy
from sklearn.linear_model import LogisticRegression

from modelwright.errors import NotReadyError, UnknownModelError
from modelwright.runtime.encoding import encode
from modelwright.runtime.model import Model
from modelwright.serving.contract import Contract
from modelwright.serving.inference import Answer, Event, Table, Values
from modelwright.spec.manifest import Manifest


@dataclass
class Served:
    """One version of a model."""

    name: str
    contract: Contract
    model: Model
    ready: bool = True
    max_rows: int = 100_000

    def check_room(self) -> None:
        """There always is."""


def served(native: Any, signature: dict[str, Any], *, name: str, version: str, methods: list[str]) -> Served:
    """Return a version of a model, as if it came from a package."""
    manifest = {
        "format_version": 1,
        "name": name,
        "version": version,
        "import_name": name,
        "task": "function",
        "created": "2026-01-01T00:00:00Z",
        "storage": {
            "format": "skops",
            "loader": "skops_loader",
            "model_type": f"{type(native).__module__}.{type(native).__qualname__}",
            "methods": methods,
        },
        "artifacts": [],
        "signature": signature,
        "environment": {"python": "3.11.9", "implementation": "cpython", "interpreters": ["cp311"], "dependencies": []},
    }
    return Served(name, Contract(msgspec.convert(manifest, Manifest), digest="d1" * 32), Model(native, manifest))


@dataclass
class HonestPlane:
    """A data plane without batching or processes; the last version of a model is the one that stands for it."""

    versions_of: dict[str, list[Served]]
    is_live: bool = True
    failing: Callable[[], None] = lambda: None
    slow_s: float = 0.0
    asked: list[dict[str, Any]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    asking: Any = None

    def live(self) -> bool:
        return self.is_live

    def ready(self) -> bool:
        return all(one.ready for versions in self.versions_of.values() for one in versions)

    def models(self) -> tuple[str, ...]:
        return tuple(sorted(self.versions_of))

    def versions(self, model: str) -> tuple[str, ...]:
        if model not in self.versions_of:
            raise UnknownModelError(f"There is no model {model!r}.", hint=f"There are: {', '.join(self.models())}.")
        return tuple(one.contract.version for one in self.versions_of[model])

    def endpoint(self, model: str, version: str = "") -> Served:
        self.versions(model)
        for one in reversed(self.versions_of[model]):
            if version in ("", one.contract.version):
                if not one.ready:
                    raise NotReadyError(f"{model} is not ready.")
                return one
        raise UnknownModelError(f"There is no version {version!r} of {model!r}.")

    async def infer(
        self,
        endpoint: Any,
        table: Table,
        *,
        methods: tuple[str, ...],
        request_id: str,
        unit: str = "",
        timeout_s: float | None = None,
    ) -> Answer:
        self.asked.append({"methods": methods, "unit": unit, "timeout_s": timeout_s, "table": table})
        self.failing()
        if self.slow_s:
            await asyncio.sleep(self.slow_s)
        outputs: dict[str, Values] = {}
        for method in methods:
            outputs |= _values(endpoint, method, table)
        version = endpoint.contract.version
        return Answer(
            request_id=request_id,
            model=endpoint.name,
            version=version,
            digest=endpoint.contract.digest,
            variant="control",
            size=table.size,
            outputs=outputs,
        )

    def submit(self, endpoint: Any, table: Table, receiver: Any, **how: Any) -> None:
        async def ask() -> None:
            try:
                receiver.set_result(await self.infer(endpoint, table, **how))
            except Exception as error:
                receiver.set_exception(error)

        self.asking = asyncio.get_running_loop().create_task(ask())

    def told(self, event: Event) -> None:
        self.events.append(event)


def _values(endpoint: Served, method: str, table: Table) -> dict[str, Values]:
    fields = endpoint.contract.outputs[method]
    if table.block is not None:
        rows = numpy.frombuffer(table.block).reshape(table.size, -1)
        array = numpy.ascontiguousarray(endpoint.model.call(method, rows))
        if len(fields) == 1 and array.dtype.kind in "fiub":
            return {fields[0]["name"]: Values(memoryview(array).cast("B"), array.dtype.name, array.shape[1:])}
        return {fields[0]["name"]: Values(array.tolist())}
    answers = endpoint.model.answer_lists(table.columns)
    return {one["name"]: Values(encode(answers[one["name"]])) for one in fields}


FLOWER = {
    "inputs": [{"name": name, "datatype": "float64", "native": "float64"} for name in ("length", "width", "depth")],
    "outputs": [
        {"name": "prediction", "datatype": "int64"},
        {
            "name": "probability",
            "datatype": "float64",
            "shape": [2],
            "method": "predict_proba",
            "labels": [0, 1],
        },
    ],
    "container": "numpy",
    "array_dtype": "float64",
}
"""A model of three floats with two methods."""

MIXED = {
    "inputs": [
        {"name": "città", "datatype": "string", "nullable": True},
        {"name": "seats", "datatype": "int64", "nullable": True},
        {"name": "price", "datatype": "float32", "nullable": True},
        {"name": "member", "datatype": "bool"},
        {"name": "since", "datatype": "date"},
        {"name": "at", "datatype": "datetime"},
        {"name": "took", "datatype": "duration", "unit": "s"},
        {"name": "token", "datatype": "bytes"},
        {"name": "extra", "datatype": "json"},
        {"name": "place", "datatype": "float64", "shape": [2]},
    ],
    "outputs": [
        {"name": "text", "datatype": "string", "nullable": True},
        {"name": "seats_out", "datatype": "int64", "nullable": True},
        {"name": "price_out", "datatype": "float32", "nullable": True},
        {"name": "member_out", "datatype": "bool"},
        {"name": "when", "datatype": "datetime"},
        {"name": "took_out", "datatype": "duration"},
        {"name": "token_out", "datatype": "bytes"},
        {"name": "extra_out", "datatype": "json"},
        {"name": "place_out", "datatype": "float64", "shape": [2]},
    ],
    "container": "records",
}
"""A function of one field of every kind, which gives back what it got."""

PIXELS = {
    "inputs": [{"name": "image", "datatype": "float32", "shape": [2, 3]}],
    "outputs": [{"name": "brightness", "datatype": "float32"}],
    "container": "numpy",
    "array_dtype": "float32",
}
"""A model of one tensor per row."""


def _echo(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    pairs = {
        "text": "città",
        "seats_out": "seats",
        "price_out": "price",
        "member_out": "member",
        "when": "at",
        "took_out": "took",
        "token_out": "token",
        "extra_out": "extra",
        "place_out": "place",
    }
    return [{output: row[name] for output, name in pairs.items()} for row in rows]


def flower_model(turn: float = 1.0) -> LogisticRegression:
    """Return a real model of three features."""
    rows = numpy.random.default_rng(0).normal(size=(80, 3))
    return LogisticRegression().fit(rows, (turn * rows[:, 0] + rows[:, 1] > 0).astype(int))


def honest_plane() -> HonestPlane:
    """Return a plane with a model of floats in two versions, one of every kind of field, and one of a tensor."""
    both = ["predict", "predict_proba"]
    flowers = [
        served(flower_model(turn), FLOWER, name="flower", version=version, methods=both)
        for version, turn in (("1.0.0", -1.0), ("1.1.0", 1.0))
    ]
    mixed = served(_echo, MIXED, name="mixed", version="1.0.0", methods=["predict"])
    pixels = served(
        lambda images: images.mean(axis=(1, 2)), PIXELS, name="pixels", version="2.0.0", methods=["predict"]
    )
    return HonestPlane({"flower": flowers, "mixed": [mixed], "pixels": [pixels]})
