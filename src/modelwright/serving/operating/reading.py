"""What a server is doing at the moment, as data: for metrics, the admin door and pages.

Called when somebody asks; it changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from modelwright.serving.operating.models import ServedModel
from modelwright.serving.operating.plane import Plane
from modelwright.serving.operating.variants import ServedVariant
from modelwright.spec.struct import Frozen


class VariantStatus(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """A variant at this moment.

    Attributes:
        name: Its name.
        version: Version of its package.
        digest: sha256 of its wheel.
        reference: What it was asked for as.
        role: ``live`` or ``shadow``.
        share: Share of the requests that it answers, 0 to 1; of a shadow, that are mirrored to it.
        state: ``starting``, ``ready``, ``draining``, ``stopped``.
        workers: Processes that are loaded.
        restarts: Processes that were replaced.
        queued_rows: Rows that wait.
        load_seconds: Time that loading took, seconds.
    """

    name: str
    version: str
    digest: str
    reference: str
    role: str
    share: float
    state: str
    workers: int
    restarts: int = 0
    queued_rows: int = 0
    load_seconds: float = 0.0


class ModelStatus(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """A model at this moment.

    Attributes:
        name: Its name.
        ready: Whether every variant can answer.
        control: Name of the control; empty: nothing is served yet.
        experiment: Name of the experiment that assignment is bound to.
        refused: Why nothing is served.
        variants: Its variants, control first.
    """

    name: str
    ready: bool
    control: str = ""
    experiment: str = ""
    refused: str = ""
    variants: tuple[VariantStatus, ...] = ()


class ServerStatus(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """A server at this moment.

    Attributes:
        ready: Whether every model is.
        stopping: Whether it is on its way down.
        models: The models, by name.
    """

    ready: bool
    stopping: bool = False
    models: tuple[ModelStatus, ...] = ()


def status_of(plane: Plane) -> ServerStatus:
    """Return what a server is doing."""
    models = tuple(model_status(plane.served[name]) for name in plane.models())
    return ServerStatus(ready=plane.ready(), stopping=plane.stopping, models=models)


def model_status(model: ServedModel) -> ModelStatus:
    """Return what a model is doing."""
    serving = model.serving
    if serving is None:
        return ModelStatus(name=model.name, ready=False, refused=model.refused)
    shares = {**serving.plan.shares, **serving.plan.shadows}
    ordered = sorted(serving.variants.values(), key=lambda one: (one.role, one.name != serving.plan.control))
    return ModelStatus(
        name=model.name,
        ready=model.ready,
        control=serving.plan.control,
        experiment=serving.plan.experiment,
        variants=tuple(_variant_status(one, shares.get(one.name, 0.0)) for one in ordered),
    )


def _variant_status(variant: ServedVariant, share: float) -> VariantStatus:
    pool = variant.pool
    return VariantStatus(
        name=variant.name,
        version=variant.version,
        digest=variant.contract.digest,
        reference=variant.reference,
        role=variant.role,
        share=share,
        state=variant.state,
        workers=pool.alive,
        restarts=pool.restarts,
        queued_rows=pool.queued_rows,
        load_seconds=pool.load_seconds,
    )


def variants_of(plane: Plane) -> Iterator[tuple[str, ServedVariant]]:
    """Give every variant that is served, with the name of its model."""
    for name, model in plane.served.items():
        for variant in model.serving.variants.values() if model.serving else ():
            yield name, variant


def queued_rows(plane: Plane) -> dict[tuple[str, str], int]:
    """Return the rows that wait, by model and version."""
    counted: Counter[tuple[str, str]] = Counter()
    for name, variant in variants_of(plane):
        counted[name, variant.version] += variant.pool.queued_rows
    return dict(counted)


def workers(plane: Plane) -> dict[tuple[str, str, str], int]:
    """Return the processes, by model, version and state."""
    counted: Counter[tuple[str, str, str]] = Counter()
    for name, variant in variants_of(plane):
        counted[name, variant.version, "ready"] += variant.pool.alive
        missing = variant.pool.limits.workers - variant.pool.alive
        if missing:
            counted[name, variant.version, "starting"] += missing
    return dict(counted)


def shares(plane: Plane) -> dict[tuple[str, str], float]:
    """Return the share of the requests that each live variant answers, by model and variant."""
    return {
        (name, variant): share
        for name, model in plane.served.items()
        if model.serving is not None
        for variant, share in model.serving.plan.shares.items()
    }
