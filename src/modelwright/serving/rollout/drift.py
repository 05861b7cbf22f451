"""Whether a canary predicts otherwise than the control: an index of the shift, and the evidence for it. Pure.

Called by :mod:`.analysis` per output. It says that predictions differ, not which are right.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

from modelwright.serving.rollout.evidence import count_ratios
from modelwright.serving.rollout.sketches import Labels, Numbers, paired

BINS = 10
"""Numbers are divided into so many bins of nearly equal counts."""

ODDS = (0.25, 0.5, 2.0, 4.0)
"""How many times as often a bin of the canary is looked for."""

Pair = tuple[int, int]
"""Counts of the canary and of the control."""


class Drift(NamedTuple):
    """How predictions differ.

    Attributes:
        distance: Population stability index, less what chance alone gives on average; it can be below 0.
        ratios: Likelihood ratios of the window, for :func:`~.evidence.updated`.
    """

    distance: float
    ratios: dict[str, float]


def drifted(canary: Numbers | Labels, control: Numbers | Labels) -> Drift | None:
    """Compare predictions, or return ``None`` where there is nothing to compare.

    Numbers are divided at the deciles of both together, so that the division favours nobody, and "at most the n-th
    decile" is looked at, which a shift changes more than it changes single bins; labels one by one.
    """
    sizes = canary.size, control.size
    if not all(sizes):
        return None
    if isinstance(canary, Numbers) and isinstance(control, Numbers):
        bins = _deciles(canary, control)
        looked_at = {f"≤ {place}": hits for place, hits in enumerate(_running(bins[:-1]), start=1)}
    elif isinstance(canary, Labels) and isinstance(control, Labels):
        looked_at = _levels(canary, control)
        bins = list(looked_at.values())
    else:
        return None
    ratios: dict[str, float] = {}
    if len(bins) > 1:
        for name, hits in looked_at.items():
            ratios |= count_ratios(hits, sizes, ODDS, prefix=f"{name} ×")
    return Drift(stability_index(bins) - _by_chance(len(bins), sizes), ratios)


def _running(bins: Iterable[Pair]) -> list[Pair]:
    return list(accumulate(bins, lambda one, other: (one[0] + other[0], one[1] + other[1])))


def _deciles(canary: Numbers, control: Numbers) -> list[Pair]:
    """Return the counts between the deciles of both together; fewer bins where many numbers are equal."""
    total, seen, decile = canary.size + control.size, 0, 0
    bins: list[Pair] = []
    mine = other = 0
    for _, one, two in paired(canary.counts, control.counts):
        mine, other, seen = mine + one, other + two, seen + one + two
        if seen * BINS // total > decile:
            bins.append((mine, other))
            mine, other, decile = 0, 0, seen * BINS // total
    return bins


def _levels(canary: Labels, control: Labels) -> dict[str, Pair]:
    """Return the counts per label, in the bins of whoever had too many labels."""
    if canary.folded != control.folded:
        both = Labels(), Labels()
        for folded, labels in zip(both, (canary, control), strict=True):
            folded.fold()
            folded.merge(labels)
        canary, control = both
    names = sorted(canary.counts.keys() | control.counts.keys())
    return {name: (canary.counts.get(name, 0), control.counts.get(name, 0)) for name in names}


def stability_index(bins: Sequence[Pair]) -> float:
    """Return the population stability index: the sum of ``(p - q) ln(p / q)`` over the bins.

    Half a request is added to every count, so that an empty bin is finite.

    Example:
        >>> round(stability_index([(100, 1000), (100, 1000)]), 4), round(stability_index([(150, 1000), (50, 1000)]), 2)
        (0.0, 0.27)

    Source: Jeffreys' divergence; Siddiqi, "Credit Risk Scorecards", 2006, for the name and the usual limits.
    """
    n, m = (sum(column) + 0.5 * len(bins) for column in zip(*bins, strict=True))
    shares = [((one + 0.5) / n, (two + 0.5) / m) for one, two in bins]
    return math.fsum((p - q) * math.log(p / q) for p, q in shares)


def _by_chance(bins: int, sizes: Pair) -> float:
    """Return what the index is on average for variants that are alike.

    Source: Yurdakul and Naranjo, "Statistical properties of the population stability index", 2020: about chi-squared
    with ``bins - 1`` degrees of freedom, times ``1 / n + 1 / m``.
    """
    return (bins - 1) * (1 / sizes[0] + 1 / sizes[1])
