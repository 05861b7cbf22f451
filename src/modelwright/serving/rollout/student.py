"""Student's t distribution, from the incomplete beta function. Standard library only.

Called by :mod:`.evidence`; scipy is the oracle of its tests.
"""

from __future__ import annotations

import math

_TINY = 1e-300
_ENOUGH = 3e-16
_MAX_TERMS = 1000


def survival(t: float, freedom: float) -> float:
    """Return the probability that Student's t exceeds ``t``.

    Args:
        t: Any finite number.
        freedom: Degrees of freedom, above 0.

    Example:
        >>> round(survival(2.0, 10.0), 6)
        0.036694

    Source: Abramowitz and Stegun, 26.7.1 and 26.5.27: half of ``I_x(f / 2, 1 / 2)`` with ``x = f / (f + t²)``.
    """
    square = t * t
    if square < 1:  # the other side of the same, so that a small t is not lost in 1 - t²
        tail = 0.5 * (1 - incomplete_beta(0.5, freedom / 2, square / (freedom + square)))
    else:
        tail = 0.5 * incomplete_beta(freedom / 2, 0.5, freedom / (freedom + square))
    return tail if t >= 0 else 1 - tail


def incomplete_beta(a: float, b: float, x: float) -> float:
    """Return the regularised incomplete beta function ``I_x(a, b)`` for ``x`` from 0 to 1.

    Source: DLMF 8.17.22, a continued fraction, evaluated by Lentz's method; 8.17.4 for the other side.
    """
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(b, a, 1 - x)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(front) / a / _fraction(a, b, x)


def _fraction(a: float, b: float, x: float) -> float:
    """Return the denominator ``1 + d1 x / (1 + d2 x / (1 + …))``."""
    value, above, below = 1.0, 1.0, 0.0
    for term in range(1, _MAX_TERMS):
        half, odd = divmod(term, 2)
        if odd:
            factor = -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + 2 * half + 1))
        else:
            factor = half * (b - half) * x / ((a + 2 * half - 1) * (a + 2 * half))
        below = 1 / (1 + factor * below or _TINY)
        above = 1 + factor / above or _TINY
        change = above * below
        value *= change
        if abs(change - 1) < _ENOUGH:
            break
    return value
