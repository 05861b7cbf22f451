"""Where the requests for one model go: a plan, and what it says about one request. Pure.

The data plane asks :func:`route` for every request; a rollout replaces the plan. Neither knows whether the variants
work: who is asked, not what comes of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from modelwright.errors import DeploymentError, Problem
from modelwright.serving.deployment import ModelDeployment
from modelwright.serving.routing.assignment import BUCKETS, bounds, draw, prefix


class Routed(NamedTuple):
    """Who is asked.

    Attributes:
        variant: Name of the variant that answers.
        shadows: Names of those that are asked as well, whose answers nobody sees.
    """

    variant: str
    shadows: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """Where the requests for one model go.

    Attributes:
        weights: Weight per live variant, relative to the others; the first is the control. See
            :mod:`.assignment` for who moves when one of them changes.
        shadows: Share of the requests that are mirrored, per shadow, 0 to 1; all requests of
            a unit are mirrored, or none.
        experiment: Name of the experiment.
        salt: Makes its assignments independent of those of other experiments.

    Raises:
        DeploymentError: The weights or shares cannot be honoured; every problem is listed.
    """

    weights: dict[str, float]
    shadows: dict[str, float] = field(default_factory=dict)
    experiment: str = ""
    salt: str = ""
    always: Routed | None = field(init=False, repr=False, compare=False)
    """What is answered to everyone; ``None``: it depends on the unit."""
    _prefix: bytes = field(init=False, repr=False, compare=False)
    _bounds: tuple[tuple[float, str], ...] = field(init=False, repr=False, compare=False)
    _mirrors: tuple[tuple[float, str], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        problems = tuple(_problems(self.weights, self.shadows))
        if problems:
            raise DeploymentError(
                "The requests cannot be divided like this.",
                problems=problems,
                hint='Give every variant a weight, as in weights = { "control": 90, "canary": 10 }.',
            )
        ends = bounds(self.weights)
        mirrors = tuple((BUCKETS * share, name) for name, share in self.shadows.items() if share > 0)
        sure = len(ends) == 1 and all(share == BUCKETS for share, _ in mirrors)
        always = Routed(ends[0][1], tuple(name for _, name in mirrors)) if sure else None
        for name, value in (
            ("always", always),
            ("_prefix", prefix(self.salt, self.experiment)),
            ("_bounds", ends),
            ("_mirrors", mirrors),
        ):
            object.__setattr__(self, name, value)

    @property
    def control(self) -> str:
        """Name of the control."""
        return next(iter(self.weights))

    @property
    def shares(self) -> dict[str, float]:
        """Share of the requests per live variant; together 1."""
        total = sum(self.weights.values())
        return {name: weight / total for name, weight in self.weights.items()}


def _problems(weights: dict[str, float], shadows: dict[str, float]) -> Iterator[Problem]:
    if not weights:
        yield Problem(None, None, "no variant answers", "Name at least one variant that is not a shadow.")
    for name, weight in weights.items():
        if not (math.isfinite(weight) and weight >= 0):
            yield Problem(None, None, f"the weight is {weight:g}", "A weight is a number from 0 upwards.", item=name)
    if weights and not any(weights.values()):
        yield Problem(None, None, "all weights are 0", "Give at least one variant a weight above 0.")
    if math.isinf(sum(weights.values())) and all(map(math.isfinite, weights.values())):
        yield Problem(None, None, "the weights are too large to be added", "Only their ratios count: divide them.")
    for name, share in shadows.items():
        if not 0 <= share <= 1:
            yield Problem(None, None, f"the mirrored share is {share:g}", "A share is from 0 to 1.", item=name)
        if name in weights:
            yield Problem(None, None, "it answers and is a shadow too", "Name each variant once.", item=name)


def route(plan: Plan, unit: str) -> Routed:
    """Say who is asked for a unit.

    Args:
        plan: Where requests go.
        unit: What the request is about: the key that makes the assignment sticky.

    Example:
        >>> plan = Plan({"1.2.0": 90, "1.3.0": 10}, experiment="churn", salt="s1")
        >>> route(plan, "customer-42")
        Routed(variant='1.2.0', shadows=())
        >>> route(Plan({"1.2.0": 1}, shadows={"1.3.0": 1.0}), "anyone")
        Routed(variant='1.2.0', shadows=('1.3.0',))
    """
    if plan.always is not None:
        return plan.always
    bucket, mirrored = draw(plan._prefix, unit)
    for end, name in plan._bounds:  # noqa: B007 - the last one ends at BUCKETS, so that one is always found
        if bucket < end:
            break
    if not plan._mirrors:
        return Routed(name)
    return Routed(name, tuple(shadow for share, shadow in plan._mirrors if mirrored < share))


def plan_of(deployment: ModelDeployment) -> Plan:
    """Return the plan that a deployment says: live variants by weight, shadows asked for everything.

    Raises:
        DeploymentError: The weights cannot be honoured.
    """
    variants = deployment.variants.items()
    return Plan(
        weights={name: one.weight for name, one in variants if one.role == "live"},
        shadows={name: 1.0 for name, one in variants if one.role == "shadow"},
        experiment=deployment.experiment or deployment.name,
        salt=deployment.salt,
    )
