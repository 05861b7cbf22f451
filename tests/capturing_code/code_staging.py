"""Stage a package by hand, with the real runtime, so that traces and inference have something to run."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from modelwright.capturing.code import Collected, collect
from modelwright.capturing.formats import Format
from modelwright.capturing.opening import Given
from modelwright.capturing.staging import Stage
from modelwright.capturing.storing import store
from modelwright.spec.environment import Environment
from modelwright.spec.manifest import Manifest
from modelwright.spec.signature import Field, Output, Signature


def stage(
    root: Path, model: Any, *, form: str, fields: Iterable[Field], container: str = "records"
) -> tuple[Collected, Format]:
    """Write a complete package of a model below ``root``."""
    staged, collected = Stage(root, "churn"), collect(model, package="churn")
    collected.write(staged.package_folder)
    with collected.rehomed():
        stored = store(Given(model, model, None), staged.artifacts, package="churn", methods=("predict",), choice=form)
    staged.write_static(*stored.loaders)
    version = ".".join(map(str, sys.version_info[:3]))
    staged.write_manifest(
        Manifest(
            format_version=1,
            name="churn",
            version="1.0",
            import_name="churn",
            task="function",
            created="2026-01-01T00:00:00Z",
            storage=stored.storage,
            artifacts=staged.artifact_files(),
            signature=Signature(
                inputs=tuple(fields),
                outputs=(Output(name="prediction", datatype="float64"),),
                container=container,  # type: ignore[arg-type]
            ),
            environment=Environment(
                python=version, interpreters=(f"cp{sys.version_info[0]}{sys.version_info[1]}",), dependencies=()
            ),
        )
    )
    return collected, stored.formats[0]


def stage_module(root: Path, folder: Path, name: str, source: str) -> tuple[Collected, Format]:
    """Stage a module with ``predict(rows)``, written into ``folder``, which must be on the path."""
    (folder / f"{name}.py").write_text(source)
    importlib.invalidate_caches()
    module = importlib.import_module(name)
    return stage(root, module, form="python", fields=[Field(name="a", datatype="float64")])
