"""Contracts and events for the tests of the record log."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from modelwright.serving.contract import Contract
from modelwright.serving.inference import Event
from modelwright.spec.environment import Environment
from modelwright.spec.manifest import Manifest, Storage
from modelwright.spec.signature import Field, Output, Signature

DIGEST = "ab" * 32


def contract(inputs: list[Field], outputs: list[Output] | None = None, **changes: Any) -> Contract:
    """A contract without a package."""
    methods = tuple(dict.fromkeys(output.method for output in outputs or [Output(name="", datatype="json")]))
    signature = Signature(
        inputs=tuple(inputs),
        outputs=tuple(outputs or [Output(name="prediction", datatype="float64")]),
        container=changes.pop("container", "records"),
        array_dtype=changes.pop("array_dtype", ""),
    )
    manifest = Manifest(
        format_version=1,
        name="churn",
        version=changes.pop("version", "1.3.0"),
        import_name="churn",
        task="classification",
        created="2026-11-20T08:00:00Z",
        storage=Storage(format="python", loader="python_loader", model_type="f", methods=methods),
        artifacts=(),
        signature=signature,
        environment=Environment(python="3.11.7", interpreters=("cp311",), dependencies=()),
    )
    return Contract(manifest, digest=changes.pop("digest", DIGEST), **changes)


def event(**fields: Any) -> Event:
    """An event of ``churn 1.3.0``."""
    known = {"time_s": 1_795_000_000.25, "request_id": "r-1", "transport": "rest", "model": "churn"}
    return Event(**known | {"version": "1.3.0", "digest": DIGEST, "variant": "control"} | fields)


def files(folder: Path) -> list[Path]:
    """The files that are complete."""
    return sorted(folder.rglob("*.parquet"))


def read(folder: Path) -> list[dict[str, Any]]:
    """All rows of all files below a folder."""
    return [row for path in files(folder) for row in pq.ParquetFile(path).read().to_pylist()]


def table(folder: Path) -> pa.Table:
    """The only file below a folder."""
    (path,) = files(folder)
    return pq.ParquetFile(path).read()


def wait_for(condition: Callable[[], Any], seconds: float = 10.0) -> None:
    """Wait until something holds."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.02)
