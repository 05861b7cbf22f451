"""How much slow answers come in bursts: then ten of them are one accident, not ten. Pure.

Called by :mod:`.analysis`, which takes evidence from slow answers for as much less as they cluster. A pause of one
process makes all its requests slow that are under way, and must not pass for a slow model.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

GAP = 0.1
"""Two slow answers belong together when fewer answers lie between them than this, divided by the share of slow ones."""


def cluster_size(slow: Iterable[bool]) -> float:
    """Return how many slow answers come together, compared with answers that are slow independently of each other.

    Args:
        slow: Whether each answer was slow, in the order in which they came.

    Returns:
        1 for independent answers, at least; about the mean size of a burst otherwise.

    Example:
        >>> bursts = ([True] * 5 + [False] * 495) * 4
        >>> round(cluster_size(bursts), 1)
        4.5

    Source: the runs estimator of the extremal index, Smith and Weissman, "Estimating the extremal index", Journal of
    the Royal Statistical Society B 56(3), 1994; divided by what it is for independent answers.
    """
    order = list(slow)
    places = [place for place, one in enumerate(order) if one]
    if not places:
        return 1.0
    share = len(places) / len(order)
    gap = max(1, round(GAP / share))
    clusters = 1 + sum(later - before > gap for before, later in pairwise(places))
    return max(1.0, len(places) / clusters * (1 - share) ** gap)
