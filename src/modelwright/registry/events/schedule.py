"""When something that could not be delivered is tried again.

Called by :mod:`modelwright.registry.events.webhooks`. Pure: the chance comes from outside.
"""

from __future__ import annotations

FIRST_S = 5.0
"""Wait after the first attempt, seconds."""
GROWTH = 3.0
LONGEST_S = 3 * 3600.0
"""Longest wait, seconds."""
ATTEMPTS = 15
"""After so many attempts, about a day, nothing is tried any more."""
JITTER = 0.25
"""A wait is so much shorter or longer, so that what failed together does not come back together."""


def wait_after(attempts: int, chance: float) -> float | None:
    """Return how long to wait after an attempt that failed.

    Args:
        attempts: How many were made, 1 or more.
        chance: Uniform in [0, 1).

    Returns:
        Seconds; ``None``: give up.

    Example:
        >>> [wait_after(attempts, 0.5) for attempts in (1, 2, 3, 14, 15)]
        [5.0, 15.0, 45.0, 10800.0, None]
    """
    if attempts >= ATTEMPTS:
        return None
    wait: float = min(FIRST_S * GROWTH ** (attempts - 1), LONGEST_S)
    return wait * (1 + JITTER * (2 * chance - 1))
