"""Evidence that one variant is worse, which may be looked at as often as one likes.

Called by :mod:`.analysis`. A p-value that is looked at again and again is below any level some day; here that cannot
happen. The evidence is an *e-process*: what a bet against "the variants are alike" has made of 1. If they are alike, it
is ever above ``1 / a`` with probability ``a`` at most, over the whole life of the canary, however many windows there
are, however long each is, and whatever shares the variants had.

Two choices make it quick. The bet is spread over several alternatives (how much worse), and over the window in which
the fault began, so that a fault that comes after a hundred good windows is found as well.

Source: Ville's inequality; mixtures: Robbins, Annals of Mathematical Statistics 41(5), 1970; Johari, Pekelis and Walsh,
"Always valid inference", Operations Research 70(3), 2022; Ramdas, Grünwald, Vovk and Shafer, "Game-theoretic statistics
and safe anytime-valid inference", Statistical Science 38(4), 2023; Shin, Ramdas and Rinaldo, "E-detectors", 2022.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from statistics import NormalDist

from modelwright.serving.rollout.sketches import Moments
from modelwright.serving.rollout.student import survival
from modelwright.spec.struct import Frozen

MAX_BETS = 400
"""So many bets are kept; the poorest are forgotten, which only lowers the evidence."""

POOREST = -60.0
"""Logarithm of what a bet must be worth to be kept."""

SHIFTS = (1.0, 2.0, 3.0, 5.0)
"""Alternatives for means, in standard errors of one window."""


class Evidence(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """What is known after some windows.

    Attributes:
        windows: How many windows were counted.
        bets: Logarithm of what each bet is worth now, by its alternative.
    """

    windows: int = 0
    bets: dict[str, float] = {}

    @property
    def value(self) -> float:
        """How strong it is: 1 at first; large if the variants differ; at most e^700."""
        unspent = 1 / (self.windows + 1)
        return unspent + math.fsum(math.exp(min(bet, 700.0)) for bet in self.bets.values())


def updated(evidence: Evidence, ratios: Mapping[str, float]) -> Evidence:
    """Return the evidence after one more window.

    ``S[k] = (S[k-1] + pi[k]) * L[k]`` per alternative, where ``L`` is the likelihood ratio of the window and
    ``pi[k] = 1 / (k (k + 1))``, divided by the number of alternatives, is what is newly put on it: together 1 at most.

    Args:
        evidence: What was known before.
        ratios: Logarithm of the likelihood ratio of this window, per alternative; of every one the expectation of
            the ratio is 1 at most if the variants are alike.

    Example:
        >>> updated(Evidence(), {"twice": math.log(3)}).value  # half of the capital made three of one
        2.0
    """
    if not ratios:
        return evidence
    windows = evidence.windows + 1
    new = -math.log(windows * (windows + 1) * len(ratios))
    bets = evidence.bets | {
        name: _log_sum(evidence.bets.get(name, -math.inf), new) + ratio for name, ratio in ratios.items()
    }
    kept = sorted(((bet, name) for name, bet in bets.items() if bet > POOREST), reverse=True)[:MAX_BETS]
    return Evidence(windows=windows, bets={name: bet for bet, name in kept})


def _log_sum(one: float, other: float) -> float:
    """Return ``log(exp(one) + exp(other))``."""
    larger, smaller = max(one, other), min(one, other)
    return larger + math.log1p(math.exp(smaller - larger))


def count_ratios(
    hits: tuple[int, int], sizes: tuple[int, int], odds: Iterable[float], *, prefix: str = ""
) -> dict[str, float]:
    """Return the log-likelihood ratios for "the canary has its hits this many times as often".

    Given how many hits there are in all, ``t``, those of the canary are hypergeometric if the variants are alike. Their
    likelihood ratio is taken as if they were binomial with ``p = n / (n + m)``, against ``p' = f n / (f n + m)``: it is
    convex in the hits, and the expectation of a convex function is no larger without replacement than with it, so it is
    1 at most.

    Args:
        hits: Requests with the property (an error, a slow answer, a label): of the canary, of the control.
        sizes: All requests: of the canary, of the control; neither 0.
        odds: How many times as often.
        prefix: Goes before the name of each alternative.

    Source: Hoeffding, "Probability inequalities for sums of bounded random variables", JASA 58, 1963, theorem 4.
    """
    canary, control = hits
    n, m = sizes
    return {
        f"{prefix}{factor:g}": canary * math.log(factor) - (canary + control) * math.log((factor * n + m) / (n + m))
        for factor in odds
    }


def mean_ratios(canary: Moments, control: Moments, *, higher_is_better: int, limit: float) -> dict[str, float]:
    """Return the log-likelihood ratios for "the canary's mean is worse by more than the limit".

    Welch's t of the difference beyond the limit is turned into a normal deviate ``z`` of the same probability; against
    a shift by ``d`` standard errors its likelihood ratio is ``exp(d z - d² / 2)``.

    Args:
        canary: Its values, at least two.
        control: Those of the control, at least two.
        higher_is_better: 1, or -1 if lower is better.
        limit: What is tolerated, as a share of the control's mean.

    Source: Welch, "The generalization of Student's problem", Biometrika 34, 1947.
    """
    weight = higher_is_better - math.copysign(limit, control.mean)
    beyond = weight * control.mean - higher_is_better * canary.mean
    parts = canary.variance / canary.count, weight * weight * control.variance / control.count
    variance = sum(parts)
    if variance <= 0:
        z = math.copysign(8.0, beyond) if beyond else 0.0
    else:
        # Welch's formula divided by the square of the variance, which a float may be too small or too large for.
        mine, other = (part / variance for part in parts)
        freedom = 1 / (mine**2 / (canary.count - 1) + other**2 / (control.count - 1))
        z = normal_deviate(beyond / math.sqrt(variance), freedom)
    return {f"{shift:g}": shift * z - shift * shift / 2 for shift in SHIFTS}


def normal_deviate(t: float, freedom: float) -> float:
    """Return the number that a normal deviate exceeds as rarely as Student's t exceeds ``t``; at most 8 in size."""
    p = survival(abs(t), freedom)
    z = min(-NormalDist().inv_cdf(p), 8.0) if p > 1e-16 else 8.0
    return math.copysign(z, t)
