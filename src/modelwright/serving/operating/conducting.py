"""Bring a server from what it serves to what it should serve, without a request noticing.

One rule for everything (start, promotion, rollback, canary, A/B, shadow): what is new is prepared, started, checked and
warmed first; then the pointer is swapped; then what is not needed any more is drained. Whatever fails before the swap
changes nothing.

Called by the server, by watching and by rollouts, on the event loop; changes of one model happen one after another.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from modelwright.errors import DeploymentError, ModelwrightError
from modelwright.package import Package
from modelwright.registry.registry import Registry
from modelwright.serving.contract import Contract
from modelwright.serving.deployment import Deployment, Limits, ModelDeployment, Role
from modelwright.serving.operating.compatible import check_stands_in
from modelwright.serving.operating.finding import find
from modelwright.serving.operating.models import ServedModel, Serving, Shadowed
from modelwright.serving.operating.plane import Plane
from modelwright.serving.operating.preparing import AS_USUAL, Prepared, Preparing, prepare, prepare_here
from modelwright.serving.operating.variants import ServedVariant, prepared
from modelwright.serving.routing.plan import Plan, plan_of
from modelwright.steps import Step

log = logging.getLogger("modelwright.serving")
STANDBY_S = 300.0
"""The control that was replaced stays loaded for so long, so that going back takes no loading, seconds."""


class Wanted(NamedTuple):
    """A variant that should be served.

    Attributes:
        reference: What it is asked for as.
        role: ``live`` or ``shadow``.
        package: The package itself, if it was found already.
        variant: The variant itself, if it runs already; it is served under another name from now on, if it has one.
        tried: Whether a rollout tries it.
    """

    reference: str
    role: Role = "live"
    package: Package | None = None
    variant: ServedVariant | None = None
    tried: bool = False


class Swapped(NamedTuple):
    """What a change did.

    Attributes:
        model: Name of the model.
        before: Version of the control before; empty: there was none.
        after: Version of the control now.
        seconds: How long it took, seconds.
    """

    model: str
    before: str
    after: str
    seconds: float


class Conductor:
    """Changes what a server serves.

    Args:
        plane: The data plane.
        deployment: What is configured.
        registry: Where releases are looked for.
        how: How versions are prepared.
        in_process: Whether the one version there is runs in this process.
        told: Told of every change.
        lost: Told of workers that were lost: model, variant, why.

    Attributes:
        shadowed: Told of what shadows answered: the model's name, and what.
        batched: Told of every batch that was answered: model, version, rows.
        retired: Told of versions that are not served any more: model, version.
    """

    def __init__(
        self,
        plane: Plane,
        deployment: Deployment,
        *,
        registry: Registry | None = None,
        how: Preparing = AS_USUAL,
        in_process: bool = False,
        told: Callable[[Swapped], None] = lambda _swapped: None,
        lost: Callable[[str, ServedVariant, str], None] = lambda _model, _variant, _why: None,
    ) -> None:
        self.plane, self.deployment, self.registry = plane, deployment, registry
        self._how, self._in_process = how, in_process
        self._told, self._lost = told, lost
        self.shadowed: Callable[[str, Shadowed], None] = lambda _model, _shadowed: None
        self.batched: Callable[[str, str, int], None] = lambda _model, _version, _rows: None
        self.retired: Callable[[str, str], None] = lambda _model, _version: None
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._retiring: set[asyncio.Task[None]] = set()
        self._standby: dict[str, dict[str, ServedVariant]] = defaultdict(dict)
        for name in deployment.models:
            plane.served[name] = ServedModel(name, tell=partial(self._shadowed, name))

    def _shadowed(self, model: str, shadowed: Shadowed) -> None:
        self.shadowed(model, shadowed)

    async def start(self) -> None:
        """Start every model that is configured, side by side.

        Raises:
            ModelwrightError: One of them cannot be served.
        """
        await asyncio.gather(*(self._start(model) for model in self.deployment.models.values()))

    async def _start(self, model: ModelDeployment) -> None:
        wanted = {name: Wanted(one.reference, one.role) for name, one in model.variants.items()}
        await self.change(model.name, wanted, self.planned(model.name))

    def planned(self, name: str) -> Callable[[Plan | None], Plan]:
        """Return what gives the plan that is configured for a model."""
        model = self.deployment.models[name]
        return lambda _plan: plan_of(model)

    async def change(
        self,
        name: str,
        wanted: Mapping[str, Wanted],
        plan: Callable[[Plan | None], Plan],
    ) -> Swapped:
        """Serve these variants of a model from now on, by this plan.

        Args:
            name: Name of the model.
            wanted: Every variant; one that is served already under that name and reference goes on.
            plan: Given the plan of the moment, returns the new one.

        Raises:
            ModelwrightError: A version cannot be prepared, does not hold its scenarios, or cannot stand in for the
                control; what was served goes on.
        """
        async with self._locks[name]:
            begun, model = time.perf_counter(), self.plane.served[name]
            limits = self.deployment.models[name].limits
            fresh: list[ServedVariant] = []
            try:
                variants: dict[str, ServedVariant] = {}
                for label, one in wanted.items():
                    variants[label] = await self._variant(model, label, one, limits, fresh)
                new = plan(model.serving.plan if model.serving else None)
                control = variants[new.control].contract
                for variant in variants.values():
                    check_stands_in(variant.contract, control)
            except BaseException as error:
                if model.serving is None and isinstance(error, ModelwrightError):
                    model.refused = error.what
                for variant in fresh:
                    await variant.stop(drain_s=0)
                raise
            before = model.swap(Serving(new, variants))
            self._retire(name, before, variants)
            swapped = Swapped(
                name, before.control.version if before else "", control.version, time.perf_counter() - begun
            )
        self._told(swapped)
        return swapped

    async def _variant(
        self, model: ServedModel, name: str, wanted: Wanted, limits: Limits, fresh: list[ServedVariant]
    ) -> ServedVariant:
        """Return a variant that runs: the one there is, one that stands by, or a new one."""
        if wanted.variant is not None:
            wanted.variant.name, wanted.variant.role, wanted.variant.tried = name, wanted.role, wanted.tried
            return wanted.variant
        there = model.serving.variants.get(name) if model.serving else None
        if there and there.reference == wanted.reference and there.role == wanted.role and wanted.package is None:
            return there
        trust = self.deployment.models[model.name].trust
        package = wanted.package
        if package is None:
            package = await asyncio.to_thread(find, wanted.reference, self.registry)
        standby = self._standby[model.name].pop(package.sha256, None) if package.sha256 else None
        if standby is not None and standby.ready:
            standby.name, standby.reference, standby.role = name, wanted.reference, wanted.role
            standby.tried = wanted.tried
            return standby
        made = await prepared(lambda: self._prepare(package, trust, limits))
        variant = ServedVariant(
            name,
            wanted.reference,
            made,
            limits=limits,
            role=wanted.role,
            note=lambda variant, why: self._lost(model.name, variant, why),
            batched=lambda variant, rows: self.batched(model.name, variant.version, rows),
        )
        variant.tried = wanted.tried
        begun = time.perf_counter()
        await variant.start()
        fresh.append(variant)
        loaded = f"{variant.contract.title}, {limits.workers} worker{'s' * (limits.workers > 1)}, scenarios hold"
        self._how.listener(Step("load", loaded, time.perf_counter() - begun))
        return variant

    def _prepare(self, package: Package, trust: tuple[str, ...], limits: Limits) -> Prepared:
        if self._in_process:
            return prepare_here(package, trust=trust)
        return prepare(package, trust=trust, how=self._how._replace(threads=threads_of(limits)))

    def _retire(self, name: str, before: Serving | None, now: Mapping[str, ServedVariant]) -> None:
        """Drain what is not served any more; the control that was replaced stands by for a while."""
        staying = {id(variant) for variant in now.values()}
        for variant in before.variants.values() if before else ():
            if id(variant) in staying:
                continue
            digest = variant.contract.digest
            keep = before is not None and variant is before.control and digest
            if keep:
                self._standby[name][digest] = variant
            task = asyncio.get_running_loop().create_task(self._stop(name, variant, STANDBY_S if keep else 0.0))
            self._retiring.add(task)
            task.add_done_callback(self._retiring.discard)

    async def _stop(self, name: str, variant: ServedVariant, standby_s: float) -> None:
        if standby_s:
            await asyncio.sleep(standby_s)
            if self._standby[name].get(variant.contract.digest) is not variant:
                return  # it is served again
            del self._standby[name][variant.contract.digest]
        await variant.stop(drain_s=self.deployment.server.drain_s)
        served = self.plane.served[name]
        if variant.version not in served.versions():
            self.retired(name, variant.version)

    def contract(self, name: str) -> Contract:
        """Return the contract of a model's control."""
        return self.plane.served[name].now().control.contract

    async def stop(self) -> None:
        """Stop everything, what stands by as well."""
        for task in tuple(self._retiring):
            task.cancel()
        for standing in self._standby.values():
            for variant in standing.values():
                await variant.stop(drain_s=0)
        await self.plane.stop(drain_s=self.deployment.server.drain_s)


def threads_of(limits: Limits) -> int:
    """Return how many threads numerical libraries of one worker may use: the machine's cores, divided."""
    import os

    return limits.threads or max(1, (os.cpu_count() or 1) // limits.workers)


def check_in_process(deployment: Deployment) -> None:
    """Check that a deployment is one version with one worker, which is all that one process can hold.

    Raises:
        DeploymentError: It is more.
    """
    models = list(deployment.models.values())
    if len(models) != 1 or len(models[0].variants) != 1 or models[0].limits.workers != 1 or models[0].watch:
        raise DeploymentError(
            "In one process there is room for one version of one model, with one worker.",
            why="Libraries of two versions cannot be imported side by side, and a thread cannot be replaced.",
            hint="Leave out --in-process.",
        )
