"""One model that is served: its variants, and who of them answers.

What is served at the moment is one frozen :class:`Serving`, swapped as a whole: a request sees the old one or the new
one, never half. Called by the plane on the event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from modelwright.errors import (
    DeploymentError,
    ModelwrightError,
    NotReadyError,
    OutputError,
    SignatureError,
    UnknownModelError,
)
from modelwright.runtime.suggestions import nearest
from modelwright.serving.asking import mark_asked
from modelwright.serving.contract import Contract
from modelwright.serving.inference import Answer, Table
from modelwright.serving.operating.compatible import adapted, check_stands_in
from modelwright.serving.operating.failures import Failures
from modelwright.serving.operating.inquiries import Answering, Inquiry, Mirrored, Tell
from modelwright.serving.operating.variants import ServedVariant
from modelwright.serving.receiving import Receiver
from modelwright.serving.routing.plan import Plan, route

MAX_SHADOWING = 256
"""Most requests of one model that are mirrored at once; more are not mirrored, and counted."""
DROPPED = "dropped"
"""Stands for the code of an error where a request was not mirrored."""


@dataclass(frozen=True)
class Serving:
    """What a model serves at one moment.

    Attributes:
        plan: Who answers.
        variants: The variants by name; each of the plan is there, and ready when it came in.
        control: The variant whose signature requests are judged by.
    """

    plan: Plan
    variants: Mapping[str, ServedVariant]
    control: ServedVariant = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "control", self.variants[self.plan.control])


class Shadowed(NamedTuple):
    """A request that was mirrored.

    Attributes:
        variant: The shadow.
        request_id: Id of the request.
        answer: What the caller got; ``None`` if that failed.
        shadow: What the shadow said; ``None`` if it failed.
        error: Code of its error; ``dropped``: it was not asked, because too much waits for it.
        seconds: How long it took, seconds.
        table: The rows, as the control's contract has them.
    """

    variant: ServedVariant
    request_id: str
    answer: Answer | None
    shadow: Answer | None
    error: str
    seconds: float
    table: Table


class ServedModel:
    """One model that is served.

    Args:
        name: Name it is served under.
        tell: Told of answers that shadows gave.

    Attributes:
        serving: What is served now; ``None``: nothing yet.
        refused: Why nothing is, if a version was refused.
    """

    def __init__(self, name: str, *, tell: Callable[[Shadowed], None] = lambda _shadowed: None) -> None:
        self.name = name
        self.serving: Serving | None = None
        self.refused = ""
        self._tell = tell
        self._front: ModelEndpoint
        self._failures = Failures(name)
        self._shadowing: set[asyncio.Task[None]] = set()

    @property
    def ready(self) -> bool:
        """Whether every variant that answers can; shadows, and what a rollout only tries, do not count."""
        return self.serving is not None and all(
            variant.ready for variant in self.serving.variants.values() if variant.role == "live" and not variant.tried
        )

    def swap(self, serving: Serving) -> Serving | None:
        """Serve something else from now on; return what was served before."""
        before, self.serving, self.refused = self.serving, serving, ""
        self._front = ModelEndpoint(self, serving.control.contract)
        return before

    def now(self) -> Serving:
        """Return what is served.

        Raises:
            NotReadyError: Nothing yet.
        """
        if self.serving is None:
            raise NotReadyError(
                f"{self.name} is not ready." if self.refused else f"{self.name} is being prepared.", why=self.refused
            )
        return self.serving

    def versions(self) -> tuple[str, ...]:
        """List the versions of its variants."""
        return tuple(sorted({one.version for one in self.serving.variants.values()})) if self.serving else ()

    def endpoint(self, version: str) -> ModelEndpoint | VariantEndpoint:
        """Return where requests go; see :meth:`modelwright.serving.dataplane.DataPlane.endpoint`."""
        serving = self.now()
        if not version:
            return self._front
        for variant in serving.variants.values():
            if variant.version == version:
                return VariantEndpoint(self, variant)
        meant = nearest(version, list(self.versions()))
        raise UnknownModelError(
            f"{self.name} is not served in version {version[:40]!r}.",
            why=f"Served are {', '.join(self.versions())}.",
            hint=f"Did you mean {meant}?" if meant else "Leave the version out.",
        )

    def submit(self, inquiry: Inquiry, variant: ServedVariant, receiver: Receiver[Answer]) -> None:
        """Put a request to one variant; the receiver is told what comes of it, unless this raises.

        Raises:
            ModelwrightError: It was not begun.
        """
        table, own = inquiry.table, None
        try:
            if variant.contract is not inquiry.judged_by:
                own = table = self._adapted(table, inquiry.judged_by, variant)
            answering = Answering(self.name, variant, inquiry, own, receiver, self._failures)
            variant.pool.submit(table, inquiry.methods, answering, timeout_s=inquiry.timeout_s)
        except ModelwrightError as error:
            mark_asked(error, variant.asked)
            self._failures.say(error, variant.asked, request_id=inquiry.request_id)
            raise

    @staticmethod
    def _adapted(table: Table, judged_by: Contract, variant: ServedVariant) -> Table:
        """Return rows as a variant takes them; one that refuses what fits the control has failed, not the caller."""
        contract = variant.contract
        try:
            return adapted(table, judged_by, contract)
        except SignatureError as error:
            raise OutputError(
                f"{contract.title} does not take rows that fit {judged_by.title}, by which requests are judged.",
                problems=error.problems,
                hint=f"Send the request again; whoever tries {contract.title}: "
                f"modelwright diff {judged_by.title.replace(' ', '==')} {contract.title.replace(' ', '==')}",
            ) from error

    def mirror(self, inquiry: Inquiry, shadow: ServedVariant) -> Tell:
        """Ask a shadow, too, without anybody waiting; return what is to be told the caller's answer.

        A shadow has a queue and a deadline of its own; when it cannot follow, requests are not mirrored, and counted.
        """
        if len(self._shadowing) >= MAX_SHADOWING:
            self._tell(Shadowed(shadow, inquiry.request_id, None, None, DROPPED, 0.0, inquiry.table))
            return lambda _answer: None
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Answer | None] = loop.create_future()
        task = loop.create_task(self._shadow(inquiry, shadow, answered))
        self._shadowing.add(task)
        task.add_done_callback(self._shadowing.discard)
        return lambda answer: None if answered.done() else answered.set_result(answer)

    async def _shadow(self, inquiry: Inquiry, shadow: ServedVariant, answered: asyncio.Future[Answer | None]) -> None:
        loop = asyncio.get_running_loop()
        begun, said, error = loop.time(), None, ""
        answer: asyncio.Future[Answer] = loop.create_future()
        try:
            self.submit(inquiry._replace(timeout_s=None), shadow, answer)
            said = await answer
        except ModelwrightError as refused:
            error = refused.code
        except Exception as failure:  # nothing that a shadow does may be seen by anybody
            error = type(failure).__name__
        seconds = loop.time() - begun
        # A caller who gave up is told nothing; whoever did not was told by then.
        await asyncio.wait({answered}, timeout=shadow.pool.limits.deadline_s)
        got = answered.result() if answered.done() else None
        self._tell(Shadowed(shadow, inquiry.request_id, got, said, error, seconds, inquiry.table))

    async def stop(self, *, drain_s: float) -> None:
        """Stop every variant."""
        serving, self.serving = self.serving, None
        for task in tuple(self._shadowing):
            task.cancel()
        if serving is not None:
            await asyncio.gather(*(one.stop(drain_s=drain_s) for one in serving.variants.values()))
        self._failures.close()


class ModelEndpoint:
    """Where requests for a model as a whole go: to whom the plan says.

    Args:
        model: The model.
        contract: That of the control at the time.
    """

    def __init__(self, model: ServedModel, contract: Contract) -> None:
        self._model, self.contract, self.name = model, contract, model.name

    @property
    def ready(self) -> bool:
        """Whether every variant can answer."""
        return self._model.ready

    @property
    def max_rows(self) -> int:
        """Most rows of one request."""
        return self._model.now().control.pool.limits.max_rows

    def check_room(self) -> None:
        """Check whether whoever answers has room, if that is the same for every request."""
        serving = self._model.now()
        if serving.plan.always is not None:
            serving.variants[serving.plan.always.variant].check_room()

    def submit(self, inquiry: Inquiry, receiver: Receiver[Answer], *, unit: str) -> None:
        """Ask whom the plan says, and the shadows as well."""
        model = self._model
        serving = model.now()
        if serving.control.contract is not self.contract:
            self._check_still_fits(serving.control.contract)
        chosen, shadows = route(serving.plan, unit or inquiry.request_id)
        if not shadows:
            model.submit(inquiry, serving.variants[chosen], receiver)
            return
        mirrored = Mirrored(receiver, [model.mirror(inquiry, serving.variants[name]) for name in shadows])
        try:
            model.submit(inquiry, serving.variants[chosen], mirrored)
        except ModelwrightError:
            mirrored.tell(None)
            raise

    def _check_still_fits(self, control: Contract) -> None:
        """Check that rows which were judged before the control was replaced can be put to the new one.

        Raises:
            NotReadyError: They cannot.
        """
        try:
            check_stands_in(control, self.contract)
        except DeploymentError:
            raise NotReadyError(
                f"{control.title} was put in the place of {self.contract.title} while the request was read.",
                why="It needs other columns, or gives other outputs.",
                hint="Send it again; it is judged by the new version then.",
            ) from None


class VariantEndpoint:
    """Where requests for one version go.

    Args:
        model: The model.
        variant: The variant of that version.
    """

    def __init__(self, model: ServedModel, variant: ServedVariant) -> None:
        self._model, self._variant, self.contract, self.name = model, variant, variant.contract, model.name

    @property
    def ready(self) -> bool:
        """Whether it can answer."""
        return self._variant.ready

    @property
    def max_rows(self) -> int:
        """Most rows of one request."""
        return self._variant.pool.limits.max_rows

    def check_room(self) -> None:
        """Check whether this version has room."""
        self._variant.check_room()

    def submit(
        self,
        inquiry: Inquiry,
        receiver: Receiver[Answer],
        *,
        unit: str,  # noqa: ARG002 - whoever names a version has chosen already
    ) -> None:
        """Ask this version."""
        self._model.submit(inquiry, self._variant, receiver)
