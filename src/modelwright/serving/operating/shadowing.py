"""What shadows answer: compared with what callers got, and told to observers as events nobody waits for.

Made by :mod:`.rollouts`; told by the conductor, on the event loop, whether a rollout brought the shadow or the
deployment did. How two answers are compared is pure code in :mod:`modelwright.serving.rollout.shadow`.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from modelwright.errors import DeadlineError
from modelwright.serving.inference import Event
from modelwright.serving.operating.conducting import Conductor
from modelwright.serving.operating.models import DROPPED, Shadowed
from modelwright.serving.operating.variants import ServedVariant
from modelwright.serving.rollout.shadow import Comparing, ShadowReport

MAX_COMPARING = 20
"""Reports of so many shadows are kept."""


class Shadowing:
    """Compares what shadows answer.

    Args:
        conductor: Tells of it.
        compared: Told of rows that a shadow answered, too: model, variant, rows, those that differ.
        dropped: Told of a request that a shadow was not asked: model, variant.
        told: Told what a shadow answered, as an event.
    """

    def __init__(
        self,
        conductor: Conductor,
        *,
        compared: Callable[[str, str, int, int], None],
        dropped: Callable[[str, str], None],
        told: Callable[[Event], None],
    ) -> None:
        self._conductor, self._compared, self._dropped, self._told = conductor, compared, dropped, told
        self._comparing: dict[str, Comparing] = {}
        conductor.shadowed = self.observe

    def observe(self, model: str, shadowed: Shadowed) -> None:
        """Compare what a shadow answered with what the caller got."""
        variant, said = shadowed.variant, shadowed.shadow
        self._compare(model, shadowed)
        if shadowed.error == DROPPED:
            return
        self._told(
            Event(
                time_s=time.time() - shadowed.seconds,
                request_id=shadowed.request_id,
                transport="shadow",
                model=model,
                version=variant.version,
                digest=variant.contract.digest,
                variant=variant.name,
                shadow=True,
                status=200 if said is not None else 500,
                error=shadowed.error,
                rows=shadowed.table.size,
                seconds=shadowed.seconds,
                table=(said and said.table) or shadowed.table,
                outputs=said.outputs if said is not None else None,
            )
        )

    def _compare(self, model: str, shadowed: Shadowed) -> None:
        """Count what a shadow answered, whether a rollout brought it or the deployment did."""
        comparing = self._comparing_of(model, shadowed.variant)
        if shadowed.error == DROPPED:
            comparing.dropped += 1
            self._dropped(model, shadowed.variant.name)
        elif shadowed.shadow is None:
            comparing.late += shadowed.error == DeadlineError.code
            comparing.failed += shadowed.error != DeadlineError.code
        elif shadowed.answer is not None:
            answered, said = shadowed.answer.outputs, shadowed.shadow.outputs
            self._compared(model, shadowed.variant.name, *comparing.compare(shadowed.request_id, answered, said))

    def _comparing_of(self, model: str, variant: ServedVariant) -> Comparing:
        comparing = self._comparing.get(variant.generation)
        if comparing is None:
            outputs = self._conductor.contract(model).outputs.values()
            comparing = Comparing([one for several in outputs for one in several])
            while len(self._comparing) >= MAX_COMPARING:
                del self._comparing[next(iter(self._comparing))]
            self._comparing[variant.generation] = comparing
        return comparing

    def reports(self, model: str) -> dict[str, ShadowReport]:
        """Return how the answers of each shadow of a model differ, by variant."""
        self._conductor.plane.versions(model)
        serving = self._conductor.plane.served[model].serving
        return {
            one.name: self._comparing_of(model, one).report()
            for one in (serving.variants.values() if serving else ())
            if one.role == "shadow"
        }

    def report(self, generation: str) -> ShadowReport:
        """Return how the answers of one shadow differ, or differed, if that is still kept."""
        comparing = self._comparing.get(generation)
        return comparing.report() if comparing is not None else ShadowReport()
