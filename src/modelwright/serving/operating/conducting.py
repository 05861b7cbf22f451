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
from modelwright.inspecting.processes import Interruption, interruptible
from modelwright.package import Package
from modelwright.registry.registry import Registry
from modelwright.serving.contract import Contract
from modelwright.serving.deployment import Deployment, Limits, ModelDeployment, Role
from modelwright.serving.operating.compatible import check_stands_in
from modelwright.serving.operating.finding import digest_of, find
from modelwright.serving.operating.models import ServedModel, Serving, Shadowed
from modelwright.serving.operating.plane import Plane
from modelwright.serving.operating.preparing import AS_USUAL, Prepared, Preparing, prepare, prepare_here
from modelwright.serving.operating.processors import processors
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


class _Standing(NamedTuple):
    """A variant that stands by.

    Attributes:
        variant: The variant.
        ending: Ends it after a while.
    """

    variant: ServedVariant
    ending: asyncio.TimerHandle


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
        self._standby: dict[str, _Standing] = {}
        self._interruption = Interruption()
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
        await self.change(model.name, lambda _serving: self.configured(model.name), self.planned(model.name))

    def configured(self, name: str) -> dict[str, Wanted]:
        """Return the variants that are configured for a model."""
        variants = self.deployment.models[name].variants
        return {label: Wanted(one.reference, one.role) for label, one in variants.items()}

    def planned(self, name: str) -> Callable[[Plan | None], Plan]:
        """Return what gives the plan that is configured for a model."""
        model = self.deployment.models[name]
        return lambda _plan: plan_of(model)

    async def change(
        self,
        name: str,
        wanted: Callable[[Serving | None], Mapping[str, Wanted]],
        plan: Callable[[Plan | None], Plan],
    ) -> Swapped:
        """Serve these variants of a model from now on, by this plan.

        Args:
            name: Name of the model.
            wanted: Given what is served at the moment, returns every variant; one that is served already under that
                name and reference goes on.
            plan: Given the plan of the moment, returns the new one.

        Raises:
            ModelwrightError: A version cannot be prepared, does not hold its scenarios, or cannot stand in for the
                control; what was served goes on.
        """
        async with self._locks[name]:
            begun, model = time.perf_counter(), self.plane.served[name]
            limits = self.deployment.models[name].limits
            fresh: list[ServedVariant] = []
            variants: dict[str, ServedVariant] = {}
            try:
                asked = wanted(model.serving)
                for label, one in asked.items():
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
                self._stand_by_again(name, model.serving, variants, fresh)
                raise
            for label, one in asked.items():
                variants[label].serve_as(label, one.reference, one.role, tried=one.tried)
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
            return wanted.variant
        there = model.serving.variants.get(name) if model.serving else None
        if there and there.reference == wanted.reference and there.role == wanted.role and wanted.package is None:
            return there
        trust = self.deployment.models[model.name].trust
        package = wanted.package
        if package is None:
            package = await asyncio.to_thread(find, wanted.reference, self.registry)
        digest = await asyncio.to_thread(digest_of, package) if model.name in self._standby else ""
        standing = self._standby.get(model.name)
        if standing is not None and standing.variant.contract.digest == digest and standing.variant.ready:
            del self._standby[model.name]
            standing.ending.cancel()
            return standing.variant
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
        begun = time.perf_counter()
        await variant.start()
        fresh.append(variant)
        loaded = f"{variant.contract.title}, {limits.workers} worker{'s' * (limits.workers > 1)}, scenarios hold"
        self._how.listener(Step("load", loaded, time.perf_counter() - begun))
        return variant

    def _prepare(self, package: Package, trust: tuple[str, ...], limits: Limits) -> Prepared:
        if self._in_process:
            return prepare_here(package, trust=trust)
        with interruptible(self._interruption):
            return prepare(package, trust=trust, how=self._how._replace(threads=threads_of(limits)))

    def _retire(self, name: str, before: Serving | None, now: Mapping[str, ServedVariant]) -> None:
        """Drain what is not served any more; the control that was replaced stands by for a while."""
        staying = {id(variant) for variant in now.values()}
        for variant in before.variants.values() if before else ():
            if id(variant) in staying:
                continue
            if before is not None and variant is before.control and variant.contract.digest:
                self._stand_by(name, variant)
            else:
                self._dismiss(variant)
        versions = {variant.version for variant in now.values()}
        for version in {variant.version for variant in before.variants.values()} - versions if before else ():
            self.retired(name, version)

    def _stand_by(self, name: str, variant: ServedVariant) -> None:
        """Keep the control that was replaced; the one before it is not needed any more."""
        earlier = self._standby.pop(name, None)
        if earlier is not None:
            earlier.ending.cancel()
            self._dismiss(earlier.variant)
        self._standby[name] = _Standing(variant, asyncio.get_running_loop().call_later(STANDBY_S, self._expire, name))

    def _expire(self, name: str) -> None:
        self._dismiss(self._standby.pop(name).variant)

    def _stand_by_again(
        self, name: str, serving: Serving | None, taken: Mapping[str, ServedVariant], fresh: list[ServedVariant]
    ) -> None:
        """Keep what stood by and was to be served in a change that failed."""
        known = {id(variant) for variant in (*fresh, *(serving.variants.values() if serving else ()))}
        for variant in taken.values():
            if id(variant) not in known:
                self._stand_by(name, variant)

    def _dismiss(self, variant: ServedVariant) -> None:
        task = asyncio.get_running_loop().create_task(variant.stop(drain_s=self.deployment.server.drain_s))
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    def contract(self, name: str) -> Contract:
        """Return the contract of a model's control."""
        return self.plane.served[name].now().control.contract

    def interrupt(self) -> None:
        """Let no version be prepared any more: installers that run are ended, and what they made is removed."""
        self._interruption.interrupt()

    async def stop(self) -> None:
        """Stop everything, what stands by as well."""
        for standing in self._standby.values():
            standing.ending.cancel()
            await standing.variant.stop(drain_s=0)
        self._standby.clear()
        await asyncio.gather(self.plane.stop(drain_s=self.deployment.server.drain_s), *self._retiring)


def threads_of(limits: Limits) -> int:
    """Return how many threads numerical libraries of one worker may use: its share of the processors."""
    return limits.threads or max(1, processors() // limits.workers)


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
