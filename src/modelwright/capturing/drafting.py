"""Write the manifest as far as it is known before the model has run anywhere else.

Called by capture, which completes it with what was measured and with the environment that was proved.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from modelwright import __version__
from modelwright.capturing.description import Description
from modelwright.capturing.lineage import hyperparameters
from modelwright.capturing.staging import Stage
from modelwright.capturing.storing import Stored
from modelwright.spec.acceleration import Acceleration
from modelwright.spec.environment import Environment
from modelwright.spec.lineage import Lineage
from modelwright.spec.manifest import FORMAT_VERSION, Manifest, Task


class About(NamedTuple):
    """What the user says about the package; see :func:`modelwright.capture`.

    Attributes:
        name: PEP 503 normal form.
        version: PEP 440 normal form.
        task: ``None``: what the model says of itself.
        created: ``None``: now.
    """

    name: str
    version: str
    summary: str
    task: Task | None
    owners: Sequence[str]
    license: str
    tags: Sequence[str]
    created: datetime | None
    lineage: Lineage


def draft_manifest(
    about: About,
    *,
    model: Any,
    described: Description,
    stored: Stored,
    stage: Stage,
    environment: Environment,
    accelerations: Sequence[Acceleration] = (),
) -> Manifest:
    """Return the manifest without evaluations, importance and dependencies.

    Args:
        about: What the user says.
        model: The live model, for its hyperparameters.
        described: Its signature and task.
        stored: How it is stored.
        stage: The staged package, artifacts and code written.
        environment: The environment, dependencies not yet known.
        accelerations: Faster forms that were tried.
    """
    created = (about.created or datetime.now(UTC)).astimezone(UTC)
    return Manifest(
        format_version=FORMAT_VERSION,
        name=about.name,
        version=about.version,
        import_name=stage.package,
        summary=about.summary,
        task=about.task or described.task,
        owners=tuple(about.owners),
        license=about.license,
        tags=tuple(about.tags),
        created=created.isoformat(timespec="seconds"),
        storage=stored.storage,
        accelerations=tuple(accelerations),
        artifacts=stage.artifact_files(),
        code=stage.code_files(),
        signature=described.signature,
        hyperparameters=hyperparameters(model),
        lineage=about.lineage,
        environment=environment,
        tool=f"modelwright {__version__}",
    )
