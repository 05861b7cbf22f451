"""Compare a canary with the control over the same window of time. Pure.

:mod:`.canary` calls :func:`judge` at every check and keeps the evidence until the next one. Each measure has its own
evidence (:mod:`.evidence`) and an equal part of the tolerated false alarms; the canary is worse when one of them is
beyond its limit in this window, and the evidence so far says that this is no accident.

Requests are taken as independent of each other. Where a few heavy units make most of them, their stickiness makes the
variants differ without any fault of the canary: then assign by request.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from modelwright.serving.rollout.clustering import cluster_size
from modelwright.serving.rollout.criteria import Criteria, Guard
from modelwright.serving.rollout.drift import drifted
from modelwright.serving.rollout.evidence import Evidence, count_ratios, mean_ratios, updated
from modelwright.serving.rollout.sketches import paired
from modelwright.serving.rollout.windows import Window
from modelwright.spec.struct import Frozen

ERROR_ODDS = (2.0, 5.0, 10.0, 30.0)
"""How many times as many errors is looked for."""

TAILS = {0.01: (2.0, 4.0, 8.0, 16.0), 0.05: (1.5, 3.0, 6.0)}
"""Among the slowest 1 % and 5 % of all answers: how many times as many of the canary is looked for."""

MAX_EVIDENCE = 1e9
"""Stronger evidence is shown as this."""

MAX_EFFECT = 1e9
"""How much worse or better a guarded metric is shown as at most: the control's mean may be all but 0."""


class Measure(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """What one comparison found.

    Attributes:
        name: ``errors``, ``p99``, ``drift`` with the output's name, or ``guard`` with the metric's.
        canary: The canary's value in this window: a share, seconds, or a mean; for drift the index.
        control: The control's; for drift 0.
        effect: How much worse the canary is: a difference for errors and drift, a ratio for p99, a share for guards.
        limit: From which effect on it counts.
        evidence: How strong the evidence is, over all windows.
        needed: How strong it must be.
        worse: Whether the effect counts, and the evidence suffices.
    """

    name: str
    canary: float
    control: float
    effect: float
    limit: float
    evidence: float
    needed: float
    worse: bool

    def __str__(self) -> str:
        """Say it in a sentence without a full stop."""
        shown = {"errors": ".2%", "p99": ".4g"}.get(self.name, ".4g")
        evidence = f"{self.evidence:.3g} of {self.needed:.3g} evidence needed"
        if self.name.startswith("drift"):
            return f"{self.name} {self.canary:.3f} (limit {self.limit:g}, {evidence})"
        told = f"{self.name} {self.canary:{shown}} against {self.control:{shown}}"
        unit = " s" if self.name == "p99" else ""
        return f"{told}{unit}: {self.effect:.3g} worse (limit {self.limit:g}, {evidence})"


class Judgement(NamedTuple):
    """What a check found.

    Attributes:
        verdict: Whether the canary is worse, as good, or not known well enough.
        measures: What was compared.
        evidence: What is known now, per measure.
        reason: The verdict in a sentence.
    """

    verdict: Literal["worse", "fine", "inconclusive"]
    measures: tuple[Measure, ...]
    evidence: dict[str, Evidence]
    reason: str


class _Found(NamedTuple):
    """One comparison before it is judged: values, effect, its limit, and the likelihood ratios of the window."""

    name: str
    canary: float
    control: float
    effect: float
    limit: float
    ratios: Mapping[str, float]


def judge(canary: Window, control: Window, *, criteria: Criteria, evidence: Mapping[str, Evidence]) -> Judgement:
    """Compare a canary with the control.

    Args:
        canary: What the canary did since the last conclusive check.
        control: What the control did meanwhile.
        criteria: By what it is judged.
        evidence: What was known at the last conclusive check, per measure; empty at first.
    """
    missing = next(_missing(canary, control, criteria), "")
    if missing:
        return Judgement("inconclusive", (), dict(evidence), missing)
    found = list(_compared(canary, control, criteria))
    needed = max(1, len(found)) / criteria.false_alarms
    known = dict(evidence)
    measures = []
    for one in found:
        known[one.name] = updated(known.get(one.name, Evidence()), one.ratios)
        measures.append(_measure(one, value=min(known[one.name].value, MAX_EVIDENCE), needed=needed))
    worse = [str(measure) for measure in measures if measure.worse]
    if worse:
        return Judgement("worse", tuple(measures), known, f"The canary is worse: {'; '.join(worse)}.")
    told = f"The canary is no worse than the control in {canary.requests:,} requests against {control.requests:,}."
    return Judgement("fine", tuple(measures), known, told)


def _measure(found: _Found, *, value: float, needed: float) -> Measure:
    return Measure(
        name=found.name,
        canary=found.canary,
        control=found.control,
        effect=found.effect,
        limit=found.limit,
        evidence=value,
        needed=needed,
        worse=value >= needed and found.effect >= found.limit,
    )


def _missing(canary: Window, control: Window, criteria: Criteria) -> Iterator[str]:
    for who, window in (("canary", canary), ("control", control)):
        if window.requests < criteria.min_requests:
            yield f"The {who} had {window.requests:,} requests; {criteria.min_requests:,} are needed."
        for guard in criteria.guards:
            count = window.values[guard.metric].count if guard.metric in window.values else 0
            if count < guard.min_values:
                yield f"The {who} had {count:,} values of {guard.metric}; {guard.min_values:,} are needed."


def _compared(canary: Window, control: Window, criteria: Criteria) -> Iterator[_Found]:
    if criteria.errors is not None:
        yield _errors(canary, control, criteria.errors)
    if criteria.p99_ratio is not None and canary.seconds.counts and control.seconds.counts:
        yield _slowness(canary, control, criteria.p99_ratio)
    if criteria.drift is not None:
        for output in canary.predicted.keys() & control.predicted.keys():
            moved = drifted(canary.predicted[output], control.predicted[output])
            if moved is not None:
                yield _Found(f"drift of {output}", moved.distance, 0.0, moved.distance, criteria.drift, moved.ratios)
    for guard in criteria.guards:
        yield _guard(canary, control, guard)


def _errors(canary: Window, control: Window, limit: float) -> _Found:
    ratios = count_ratios((canary.errors, control.errors), (canary.requests, control.requests), ERROR_ODDS)
    shares = canary.errors / canary.requests, control.errors / control.requests
    return _Found("errors", *shares, shares[0] - shares[1], limit, ratios)


def _slowness(canary: Window, control: Window, limit: float) -> _Found:
    """Compare who has the slowest answers of all.

    Where "slow" begins is taken from both together, so that it favours nobody: given all answers, those of the canary
    among the slowest are hypergeometric if the variants are alike, whatever the distribution of latencies is.
    What speaks against it is divided by how much slow answers come in bursts, which only lowers the evidence.
    """
    sizes = canary.seconds.size, control.seconds.size
    ratios: dict[str, float] = {}
    for tail, odds in TAILS.items():
        hits, slow = _slowest(canary, control, tail * sum(sizes))
        bursts = max(cluster_size(bucket >= slow for bucket in window.order) for window in (canary, control))
        for name, ratio in count_ratios(hits, sizes, odds, prefix=f"{tail:g}×").items():
            ratios[name] = ratio / bursts if ratio > 0 else ratio
    p99 = canary.seconds.quantile(0.99), control.seconds.quantile(0.99)
    return _Found("p99", *p99, p99[0] / p99[1] if p99[1] else 1.0, limit, ratios)


def _slowest(canary: Window, control: Window, wanted: float) -> tuple[tuple[int, int], int]:
    """Count the slowest answers of both, from the slowest bucket down until there are as many as wanted.

    Returns:
        The counts, and the fastest bucket that belongs to them.
    """
    hits, slow = (0, 0), 0
    for bucket, mine, other in reversed(list(paired(canary.seconds.counts, control.seconds.counts))):
        if sum(hits) >= wanted:
            break
        hits, slow = (hits[0] + mine, hits[1] + other), bucket
    return hits, slow


def _guard(canary: Window, control: Window, guard: Guard) -> _Found:
    mine, other = canary.values[guard.metric], control.values[guard.metric]
    sign = 1 if guard.better == "higher" else -1
    worse = sign * (other.mean - mine.mean)
    effect = worse / abs(other.mean) if other.mean else math.copysign(1.0, worse) if worse else 0.0
    effect = max(-MAX_EFFECT, min(effect, MAX_EFFECT))
    ratios = mean_ratios(mine, other, higher_is_better=sign, limit=guard.limit)
    return _Found(f"guard {guard.metric}", mine.mean, other.mean, effect, guard.limit, ratios)
