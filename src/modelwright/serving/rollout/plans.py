"""What is asked for when a version is rolled out, and whether it can be meant. Frozen data and checks.

``modelwright rollout churn==1.3.0 --on production --canary 10``, ``--ab 50`` and ``--shadow`` say it on the command
line; the admin API takes the same as JSON. :mod:`.rollouts` begins what :func:`checked` lets through.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal

from modelwright.errors import Problem, RolloutError
from modelwright.serving.rollout.criteria import Criteria
from modelwright.serving.rollout.states import Schedule
from modelwright.serving.routing.assignment import SEPARATOR
from modelwright.spec.struct import Frozen

Kind = Literal["canary", "ab", "shadow"]

STEPS = (10.0, 25.0, 50.0, 100.0)
"""Shares that a canary takes after its first one, percent."""

MIN_INTERVAL_S = 1.0


class RolloutRequest(Frozen, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is asked for.

    Attributes:
        reference: The release to try: ``churn==1.3.0``, a wheel, a folder.
        on: What it is tried on: a stage that is served, or the name of a model.
        kind: ``canary``: a growing share, withdrawn when it does worse; ``ab``: a fixed share; ``shadow``: asked as
            well, and nobody sees its answers.
        percent: The first share of a canary, the fixed share, or the share of the requests that are mirrored; percent.
        steps: Shares of a canary after the first one, percent; empty: 10, 25, 50, 100, those above the first.
        maximum: Largest share of a canary, percent; below 100 it is held there until a person decides.
        interval_s: Time between two checks of a canary, seconds.
        criteria: By what a canary is judged.
        experiment: Name that assignment is bound to; empty: the reference, so that every rollout begins with other
            units.
        salt: Makes assignments independent of those of other experiments.
        reason: Why, for the audit log.
    """

    reference: str
    on: str = ""
    kind: Kind = "canary"
    percent: float = 10.0
    steps: tuple[float, ...] = ()
    maximum: float = 100.0
    interval_s: float = 300.0
    criteria: Criteria = Criteria()
    experiment: str = ""
    salt: str = ""
    reason: str = ""


def checked(request: RolloutRequest) -> RolloutRequest:
    """Return the request if it can be meant.

    Raises:
        RolloutError: It cannot; every problem is listed, and nothing was begun.

    Example:
        >>> checked(RolloutRequest(reference="churn==1.3.0", percent=10)).kind
        'canary'
    """
    problems = tuple(_problems(request))
    if problems:
        raise RolloutError(
            f"The rollout of {request.reference or 'nothing'} cannot be begun as asked.",
            problems=problems,
            hint="modelwright rollout NAME==VERSION --on production --canary 10",
        )
    return request


def _problems(request: RolloutRequest) -> Iterator[Problem]:
    if not request.reference:
        yield _problem("reference", "no release is named", "Name it as churn==1.3.0.")
    if not 0 < request.percent <= 100:
        yield _problem("percent", f"{request.percent:g} % is no share", "A share is above 0 and at most 100.")
    elif request.kind != "shadow" and request.percent == 100:
        yield _problem("percent", "at 100 % nothing is left to compare with", "Promote the release instead.")
    for what, text in (("experiment", request.experiment or request.reference), ("salt", request.salt)):
        if SEPARATOR in text:
            yield _problem(what, f"{text!r} contains {SEPARATOR!r}", f"Choose another {what}.")
    if request.kind == "canary":
        yield from _problems_of_steps(request)
        yield from _problems_of_criteria(request.criteria)


def _problems_of_steps(request: RolloutRequest) -> Iterator[Problem]:
    if not 0 < request.maximum <= 100:
        yield _problem("maximum", f"{request.maximum:g} % is no share", "A share is above 0 and at most 100.")
    elif request.maximum < request.percent <= 100:
        told = f"it is {request.maximum:g} %, less than the first share, {request.percent:g} %"
        yield _problem("maximum", told, "Begin with less, or allow more.")
    if any(not 0 < share <= 100 for share in request.steps):
        yield _problem("steps", "a step is no share", "A share is above 0 and at most 100.")
    elif any(later <= before for before, later in zip((request.percent, *request.steps), request.steps, strict=False)):
        yield _problem("steps", "the shares do not grow", "Name them in order, each above the one before.")
    if not MIN_INTERVAL_S <= request.interval_s < math.inf:
        told = f"{request.interval_s:g} s is no time between checks"
        yield _problem("interval_s", told, f"It is at least {MIN_INTERVAL_S:g} s.")


def _problems_of_criteria(criteria: Criteria) -> Iterator[Problem]:
    if not 0 < criteria.false_alarms <= 0.5:
        told = f"{criteria.false_alarms:g} is no probability of a false alarm"
        yield _problem("false_alarms", told, "It is above 0 and at most 0.5; 0.005 is usual.")
    if criteria.min_requests < 1:
        yield _problem("min_requests", "no request is needed", "Ask for at least 1; 200 are usual.")
    limits = {"errors": criteria.errors, "p99_ratio": criteria.p99_ratio, "drift": criteria.drift}
    limits |= {f"guard {guard.metric}": guard.limit for guard in criteria.guards}
    for name, limit in limits.items():
        if limit is not None and not 0 <= limit < math.inf:
            yield _problem(name, f"{limit:g} is no limit", "A limit is a number from 0 upwards.")
    names = [guard.metric for guard in criteria.guards]
    if len(set(names)) < len(names):
        yield _problem("guards", "a metric is guarded twice", "Name each once.")
    if any(guard.min_values < 2 for guard in criteria.guards):
        yield _problem("guards", "a mean of fewer than two values says nothing", "Ask for at least 2; 100 are usual.")


def _problem(item: str, problem: str, hint: str) -> Problem:
    return Problem(None, None, problem, hint, item)


def schedule_of(request: RolloutRequest) -> Schedule:
    """Return how a canary grows: its first share, its steps up to the maximum, and the maximum itself.

    Example:
        >>> schedule_of(RolloutRequest(reference="churn==1.3.0", percent=5, maximum=40)).shares
        (0.05, 0.1, 0.25, 0.4)
    """
    steps = request.steps or STEPS
    between = [share for share in steps if request.percent < share < request.maximum]
    last = [request.maximum] if request.maximum > request.percent else []
    if request.steps and request.steps[-1] < request.maximum:
        last = []
    shares = (request.percent, *between, *last)
    return Schedule(shares=tuple(share / 100 for share in shares), interval_s=request.interval_s)
