"""Conduct rollouts: feed them with what is observed, and do what they decide.

What is decided, and why, is pure code in :mod:`modelwright.serving.rollout`; this is the edge that has a clock, loads
versions and swaps plans. One rollout per model at a time.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable

from msgspec.structs import replace

from modelwright.errors import RolloutError
from modelwright.serving.deployment import Role
from modelwright.serving.inference import Event
from modelwright.serving.observing.background import Complaints
from modelwright.serving.operating.auditing import Happened
from modelwright.serving.operating.conducting import Conductor, Wanted
from modelwright.serving.operating.models import Serving
from modelwright.serving.operating.shadowing import Shadowing
from modelwright.serving.rollout import rollouts
from modelwright.serving.rollout.plans import RolloutRequest, checked
from modelwright.serving.rollout.predictions import watched_of
from modelwright.serving.rollout.rollouts import Command, Rollout, plan_during
from modelwright.serving.rollout.shadow import ShadowReport
from modelwright.serving.rollout.states import Actions, BeginWindows, Observation, Record, Route, Transition
from modelwright.serving.rollout.status import Status, status_of
from modelwright.serving.rollout.windows import Window
from modelwright.serving.routing.plan import Plan

log = logging.getLogger("modelwright.serving")
TICK_S = 0.25
"""How often it is looked whether a check is due, seconds."""
NAMES = {"canary": "canary", "ab": "treatment", "shadow": "shadow"}
"""What the variant that is tried is called."""
MAX_HISTORY = 200

Audit = Callable[[Happened], None]
"""Takes what happened to a rollout, to be written down; it does not wait for that."""


class Conducted:
    """A rollout under way, or the last one of its model.

    Args:
        rollout: The rollout.
        base: Where requests went before it.
        serving: What is served while it is under way.
    """

    def __init__(self, rollout: Rollout, base: Plan, serving: Serving) -> None:
        self.rollout, self.base = rollout, base
        self.generation = serving.variants[rollout.variant].generation
        self.history: list[Transition] = []
        self.busy = False
        self.control = serving.variants[rollout.control].contract
        self.tried = serving.variants[rollout.variant].contract
        self._guarded = {guard.metric for guard in rollout.request.criteria.guards}
        self._watched = watched_of([one for outputs in self.control.outputs.values() for one in outputs])
        self.begin_windows()

    def outcome(self, variant: str, name: str, value: float) -> None:
        """Count an outcome of a request for a guard metric; what else callers tell of it is kept elsewhere."""
        if variant in self.windows and name in self._guarded:
            self.windows[variant].measured(name, value)

    def begin_windows(self) -> None:
        """Observe into new windows."""
        self.windows = {name: Window(self._watched) for name in (self.rollout.control, self.rollout.variant)}


class Rollouts:
    """The rollouts of a server.

    Args:
        conductor: Changes what is served.
        audit: Writes down what happened.
        rolled_back: Told of a rollout that was withdrawn by itself: model, variant.
        compared: Told of rows that a shadow answered, too: model, variant, rows, those that differ.
        dropped: Told of a request that a shadow was not asked: model, variant.
        told: Told what a shadow answered, as an event.
    """

    def __init__(
        self,
        conductor: Conductor,
        *,
        audit: Audit,
        rolled_back: Callable[[str, str], None] = lambda _model, _variant: None,
        compared: Callable[[str, str, int, int], None] = lambda _model, _variant, _rows, _differing: None,
        dropped: Callable[[str, str], None] = lambda _model, _variant: None,
        told: Callable[[Event], None] = lambda _event: None,
    ) -> None:
        self._conductor, self._audit = conductor, audit
        self._rolled_back = rolled_back
        self._shadowing = Shadowing(conductor, compared=compared, dropped=dropped, told=told)
        self._conducted: dict[str, Conducted] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._complaints = Complaints("rollouts")

    async def begin(self, model: str, request: RolloutRequest, *, actor: str) -> Status:
        """Begin a rollout: load the version, then let it have its first share.

        Raises:
            RolloutError: It cannot be meant, or another one is under way.
            ModelwrightError: The version cannot be served; what was served goes on.
        """
        checked(request)
        lock = self._locks[model]
        if lock.locked():
            raise RolloutError(
                f"The rollout of {request.reference} cannot be begun: another change of {model} is being prepared.",
                hint="modelwright rollout status",
            )
        async with lock:
            return await self._begin(model, request, actor=actor)

    async def _begin(self, model: str, request: RolloutRequest, *, actor: str) -> Status:
        served = self._conductor.plane.served[model]
        before = served.now()
        under_way = self._conducted.get(model)
        variant = NAMES[request.kind]
        rollouts.begin(  # refuses before anything is loaded
            request, before.plan, variant=variant, now=0.0, under_way=under_way.rollout if under_way else None
        )
        begun: list[tuple[Rollout, Actions, Plan]] = []

        def plan(base: Plan | None) -> Plan:
            assert base is not None, "a model that is served has a plan"
            rollout, actions = rollouts.begin(
                request, base, variant=variant, now=time.monotonic(), actor=actor, under_way=None
            )
            begun.append((rollout, actions, base))
            return plan_during(rollout, base)

        role: Role = "shadow" if request.kind == "shadow" else "live"

        def wanted(serving: Serving | None) -> dict[str, Wanted]:
            return _going_on(serving) | {variant: Wanted(request.reference, role, tried=True)}

        await self._conductor.change(model, wanted, plan)
        rollout, actions, base = begun[0]
        serving = served.now()
        conducted = self._conducted[model] = Conducted(rollout, base, serving)
        await self._carry_out(model, conducted, actions)
        return self.status(model)

    async def command(self, model: str, command: Command, *, actor: str, reason: str) -> Status:
        """Do what a person commands.

        Raises:
            RolloutError: There is no rollout, it is over, or has nothing to advance, pause or resume.
        """
        conducted = self._known(model)
        conducted.rollout, actions = rollouts.commanded(
            conducted.rollout, command, now=time.monotonic(), actor=actor, reason=reason
        )
        await self._carry_out(model, conducted, actions)
        return self.status(model)

    async def supersede(self, model: str) -> None:
        """End a rollout because the stage that it is tried on runs something else now."""
        async with self._locks[model]:
            conducted = self._conducted.get(model)
        if conducted is not None and not conducted.rollout.ended:
            await self.command(model, "abort", actor="", reason="The stage runs another release now.")

    def status(self, model: str) -> Status:
        """Return how the rollout of a model stands.

        Raises:
            RolloutError: There is none, and was none since the server started.
        """
        conducted = self._known(model)
        return status_of(
            conducted.rollout,
            model=model,
            now=time.monotonic(),
            history=tuple(_dated(one) for one in conducted.history),
            differences=self._differences(conducted),
        )

    def statuses(self) -> dict[str, Status]:
        """Return how each rollout stands, by model."""
        return {model: self.status(model) for model in self._conducted}

    def _known(self, model: str) -> Conducted:
        self._conductor.plane.versions(model)  # refuses a model that is not there
        conducted = self._conducted.get(model)
        if conducted is None:
            raise RolloutError(
                f"There is no rollout of {model}.", hint=f"modelwright rollout {model}==VERSION --canary 10"
            )
        return conducted

    def observe(self, event: Event) -> None:
        """Count a request for the windows of its rollout."""
        conducted = self._conducted.get(event.model)
        if conducted is not None and not event.shadow:
            window = conducted.windows.get(event.variant)
            if window is not None:
                window.observe(event)

    def guard(self, model: str) -> Conducted | None:
        """Return the rollout of a model that wants to know outcomes, if there is one."""
        conducted = self._conducted.get(model)
        return conducted if conducted is not None and not conducted.rollout.ended else None

    def shadows(self, model: str) -> dict[str, ShadowReport]:
        """Return how the answers of each shadow of a model differ, by variant."""
        return self._shadowing.reports(model)

    def _differences(self, conducted: Conducted) -> ShadowReport | None:
        shadow = conducted.rollout.request.kind == "shadow"
        return self._shadowing.report(conducted.generation) if shadow else None

    async def run(self) -> None:
        """Check whenever a check is due, until cancelled."""
        while True:
            await asyncio.sleep(TICK_S)
            for model, conducted in tuple(self._conducted.items()):
                if conducted.rollout.ended or conducted.busy:
                    continue
                try:
                    await self._check(model, conducted)
                except Exception as error:  # one that is not checked any more would never be withdrawn
                    self._complaints.say(f"that of {model} could not be checked", error)

    async def _check(self, model: str, conducted: Conducted) -> None:
        serving = self._conductor.plane.served[model].now()
        variant = serving.variants.get(conducted.rollout.variant)
        observation = Observation(
            canary=conducted.windows[conducted.rollout.variant],
            control=conducted.windows[conducted.rollout.control],
            broken=variant.pool.broken if variant is not None else "it is not served",
        )
        conducted.rollout, actions = rollouts.observed(conducted.rollout, observation, time.monotonic())
        await self._carry_out(model, conducted, actions)

    async def _carry_out(self, model: str, conducted: Conducted, actions: Actions) -> None:
        """Route first, then write down: a bad version must not wait for a disk."""
        conducted.busy = True
        try:
            if any(isinstance(action, Route) for action in actions) or conducted.rollout.ended:
                self._route(model, conducted)
            if any(isinstance(action, BeginWindows) for action in actions):
                conducted.begin_windows()
            for action in actions:
                if isinstance(action, Record):
                    self._record(model, conducted, action.transition)
            if conducted.rollout.ended:
                await self._end(model, conducted)
        finally:
            conducted.busy = False

    def _route(self, model: str, conducted: Conducted) -> None:
        served = self._conductor.plane.served[model]
        plan, variants = plan_during(conducted.rollout, conducted.base), served.now().variants
        if variants.keys() >= {*plan.weights, *plan.shadows}:  # else the stage was promoted meanwhile
            served.swap(Serving(plan, variants))

    def _record(self, model: str, conducted: Conducted, transition: Transition) -> None:
        conducted.history = [*conducted.history, transition][-MAX_HISTORY:]
        if transition.what == "rolled back":
            self._rolled_back(model, conducted.rollout.variant)
        level = logging.WARNING if transition.what == "rolled back" else logging.INFO
        log.log(level, "%s: %s %s: %s", model, conducted.rollout.request.reference, transition.what, transition.reason)
        if transition.what == "checked":
            return
        rollout, dated = conducted.rollout, _dated(transition)
        on = self._conductor.deployment.models[model].variants[rollout.control].reference
        self._audit(Happened(model, rollout, dated, tried=conducted.tried, control=conducted.control, on=on))

    async def _end(self, model: str, conducted: Conducted) -> None:
        """Serve one version again: the canary if it finished, else the control; the other one is drained."""
        rollout = conducted.rollout

        def wanted(serving: Serving | None) -> dict[str, Wanted]:
            going_on = _going_on(serving)
            tried = going_on.pop(rollout.variant, None)
            if rollout.phase == "finished" and tried is not None:
                going_on[rollout.control] = tried
            return going_on

        await self._conductor.change(model, wanted, lambda _plan: conducted.base)


def _going_on(serving: Serving | None) -> dict[str, Wanted]:
    """Return what is served, as what is wanted."""
    variants = serving.variants if serving is not None else {}
    return {name: Wanted(one.reference, one.role, variant=one) for name, one in variants.items()}


def _dated(transition: Transition) -> Transition:
    """Return a transition with the time of the calendar instead of that of the clock that never goes back."""
    return replace(transition, time_s=time.time() - time.monotonic() + transition.time_s)
