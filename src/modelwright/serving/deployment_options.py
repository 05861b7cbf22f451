"""A deployment from what the command line says: packages one by one, each a model of its own name.

For: ``modelwright serve churn@production`` and ``mw.serve``. A package that lies here is looked at for its name, and
nothing of it executed; several variants of one model need a file (:mod:`.deployment_file`).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from packaging.utils import canonicalize_name

from modelwright.errors import ModelwrightError
from modelwright.inspecting.read import read
from modelwright.registry.references import parse_reference
from modelwright.serving.deployment import (
    Deployment,
    Limits,
    ModelDeployment,
    RecordSettings,
    ServerSettings,
    Variant,
)
from modelwright.serving.deployment_file import FILE, Reading, check
from modelwright.serving.deployment_keys import CONTROL

SERVER, RECORDS, LIMITS = ServerSettings(), RecordSettings(), Limits()


def deployment_of(
    references: Sequence[str],
    *,
    folder: Path,
    server: ServerSettings = SERVER,
    records: RecordSettings = RECORDS,
    limits: Limits = LIMITS,
    registry: str = "",
    watch: bool = False,
    trust: tuple[str, ...] = (),
) -> Deployment:
    """Return the deployment of packages that are named one by one, each a model of its own name.

    Args:
        references: Wheels, folders, ``name==version``, ``name@stage``.
        folder: Paths are relative to this folder.
        server: The server itself.
        records: The record log.
        limits: How much of each model at once, and how long.
        registry: Folder or URL of the registry.
        watch: Whether each model follows the stage that its reference names.
        trust: Types in artifacts that the operator vouches for.

    Raises:
        DeploymentError: A reference names no package, or two name the same one; every problem is listed.

    Example:
        >>> deployment_of(["churn@production"], folder=Path()).models["churn"].variants["control"].reference
        'churn@production'
    """
    reading, models = Reading(folder, "this folder"), dict[str, ModelDeployment]()
    for said in references:
        reference = reading.reference(said, said)
        name = _name(reading, said, reference)
        if name in models:
            hint = f"give two versions in a {FILE}, or: modelwright rollout {said} --ab 50"
            reading.found(said, f"is a second version of {name}", hint)
        if watch and "@" not in reference:
            reading.found(said, "names no stage that could be followed", f"{name}@production")
        variants = {CONTROL: Variant(reference=reference)}
        models[name] = ModelDeployment(name=name, variants=variants, limits=limits, watch=watch, trust=trust)
    if not references:
        reading.found("", "names no model", "modelwright serve churn@production")
    check(reading.problems, "")
    return Deployment(models=models, server=server, records=records, registry=registry)


def _name(reading: Reading, item: str, reference: str) -> str:
    """Return the name of the package that a reference means; why there is none becomes a problem."""
    try:
        if "://" in reference or os.path.isabs(reference):  # noqa: PTH117
            return canonicalize_name(read(reference).manifest.name)
        return parse_reference(reference).name
    except ModelwrightError as error:
        if not any(problem.item == item for problem in reading.problems):
            reading.found(item, error.what, error.hint)
        return reference
