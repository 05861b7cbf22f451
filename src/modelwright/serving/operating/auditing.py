"""Write what happens to rollouts into the audit log of the registry that the models come from.

Made by the server, told by :mod:`.rollouts`. It waits for nobody and nobody waits for it: a version that does worse is
withdrawn first, and the registry learns of it as soon as it answers. What waits is bounded; whatever is refused, or
still waits when the server ends, is in the server's log instead.

It decides nothing: who may report a rollout, the registry says.
"""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from datetime import UTC, datetime
from typing import NamedTuple

from modelwright.errors import ModelwrightError, UnavailableError
from modelwright.registry.registry import Registry
from modelwright.registry.rollouts import MAX_MEASURES, RolloutEvent, RolloutMeasure
from modelwright.serving.contract import Contract
from modelwright.serving.observing.background import Background, Complaints
from modelwright.serving.operating.finding import release_of
from modelwright.serving.rollout.analysis import Measure
from modelwright.serving.rollout.rollouts import Rollout
from modelwright.serving.rollout.states import Transition

log = logging.getLogger("modelwright.serving")
MAX_WAITING = 1000
"""Most reports that wait for a registry."""
RETRY_S, LONGEST_RETRY_S = 1.0, 60.0
"""How soon a registry that does not answer is asked again at first, and at last, seconds."""
CLOSE_S = 5.0
"""How long the end of the server waits for what is not written yet, seconds."""
LONGEST_REASON, LONGEST_NAME = 2000, 200
"""Characters that the log takes."""


class Happened(NamedTuple):
    """One thing that happened to a rollout.

    Attributes:
        model: Name of the model.
        rollout: The rollout, after it.
        transition: What happened; its time is that of the calendar.
        tried: The version that is tried.
        control: The version that it is compared with.
        on: What the model is configured to serve: ``churn@production``.
    """

    model: str
    rollout: Rollout
    transition: Transition
    tried: Contract
    control: Contract
    on: str


class Report(NamedTuple):
    """What a registry is told; the arguments of ``report_rollout``."""

    name: str
    version: str
    event: RolloutEvent
    stage: str
    reason: str

    def __str__(self) -> str:
        """Say what it is about, for the server's log."""
        return f"{self.name} {self.version}: {self.event.kind} {self.event.step} at {self.event.time}"


class Auditing:
    """Tells a registry what happens to rollouts.

    Args:
        registry: Where the models come from; ``None``: nowhere, and nobody is told.
        retry_s: How soon a registry that does not answer is asked again at first, seconds.
    """

    def __init__(self, registry: Registry | None, *, retry_s: float = RETRY_S) -> None:
        self._work = _Writing(registry, retry_s) if registry is not None else None
        self._background: Background[Report] | None = None

    def happened(self, happened: Happened) -> None:
        """Take what happened; it is written as soon as the registry answers. Called on the event loop."""
        if self._work is None:
            return
        report = report_of(happened)
        if report is None:
            log.info("%s does not come from the registry, whose log says nothing of its rollout", happened.model)
            return
        if self._background is None:
            self._background = Background(self._work, name="audit", limit=MAX_WAITING)
        if not self._background.offer(report):
            self._work.lose(report, "too many wait already")

    def close(self) -> None:
        """Write what waits, if that does not take long; what is not written then is logged here."""
        if self._background is None or self._work is None:
            return
        if not self._background.close(CLOSE_S):
            for report in tuple(self._work.waiting):
                self._work.lose(report, "the registry did not answer before the server ended")


class _Writing:
    """Writes reports in the order in which they came, again and again until the registry answers.

    Args:
        registry: Whose log it is.
        retry_s: How soon it is tried again at first, seconds.

    Attributes:
        waiting: What is not written yet.
    """

    def __init__(self, registry: Registry, retry_s: float) -> None:
        self._registry, self._first_s = registry, retry_s
        self.waiting: deque[Report] = deque()
        self._wait_s, self._due_s = retry_s, 0.0
        self._complaints = Complaints("the audit log of the registry")

    def begin(self) -> None:
        """Have nothing to get ready."""

    def take(self, items: list[Report]) -> None:
        """Let reports wait for their turn."""
        for report in items:
            if len(self.waiting) < MAX_WAITING:
                self.waiting.append(report)
            else:
                self.lose(report, "too many wait already")

    def tick(self) -> None:
        """Write what waits, unless the registry did not answer a moment ago."""
        while self.waiting and time.monotonic() >= self._due_s:
            try:
                self._write(self.waiting[0])
            except Exception as error:  # whatever went wrong, the next attempt is not made at once
                told = error.what if isinstance(error, ModelwrightError) else type(error).__name__
                self._complaints.say(f"{told} {len(self.waiting)} waiting; next attempt in {self._wait_s:g} s.")
                self._due_s = time.monotonic() + self._wait_s
                self._wait_s = min(2 * self._wait_s, LONGEST_RETRY_S)
                return
            self.waiting.popleft()
            self._wait_s = self._first_s

    def finish(self) -> None:
        """Write what waits, or say what is lost."""
        self._due_s = 0.0
        self.tick()
        for report in self.waiting:
            self.lose(report, "the registry did not answer before the server ended")
        self.waiting.clear()

    def _write(self, report: Report) -> None:
        """Write a report; what the registry refuses is refused for good.

        Raises:
            UnavailableError: The registry does not answer.
        """
        try:
            self._registry.report_rollout(
                report.name, report.version, event=report.event, stage=report.stage, reason=report.reason
            )
        except UnavailableError:
            raise
        except ModelwrightError as error:
            self.lose(report, str(error))

    def lose(self, report: Report, why: str) -> None:
        """Log what the registry will never know."""
        log.error("the registry's log does not have %s: %s", report, why)


def report_of(happened: Happened) -> Report | None:
    """Return what a registry is told; ``None``: what is tried is a file or a folder, not one of its releases."""
    transition, request = happened.transition, happened.rollout.request
    release, on = release_of(request.reference), release_of(happened.on)
    if release is None or transition.what == "checked":
        return None
    event = RolloutEvent(
        step=transition.what,
        kind=request.kind,
        before=transition.before,
        after=transition.after,
        control=happened.control.version,
        sha256=happened.tried.digest,
        by=_line(transition.actor),
        time=f"{datetime.fromtimestamp(transition.time_s, UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
        measures=_measures(transition.measures),
    )
    stage = on.stage if on is not None else ""
    return Report(release.name, happened.tried.version, event, stage, _line(transition.reason, LONGEST_REASON))


def _measures(measures: tuple[Measure, ...]) -> dict[str, RolloutMeasure]:
    """Return the measures, the worse ones first if they are too many."""
    chosen = sorted(measures, key=lambda one: not one.worse)[:MAX_MEASURES]
    found = {
        _line(one.name): RolloutMeasure(
            tried=one.canary,
            control=one.control,
            effect=one.effect,
            limit=one.limit,
            evidence=one.evidence,
            needed=one.needed,
            worse=one.worse,
        )
        for one in chosen
    }
    return {name: one for name, one in found.items() if all(map(math.isfinite, (one.tried, one.control, one.effect)))}


def _line(text: str, longest: int = LONGEST_NAME) -> str:
    r"""Return a text as the log takes it: printable, not too long.

    Example:
        >>> _line("worse\x1b[2J"), _line("long", 3)
        ('worse�[2J', 'lo…')
    """
    shown = "".join(char if char.isprintable() else "�" for char in text)
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"
