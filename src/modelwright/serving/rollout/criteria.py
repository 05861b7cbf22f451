"""By what a canary is judged: frozen data, from the command line, the file or the admin API.

:mod:`.analysis` applies it. What cannot be meant is refused by :mod:`.plans`, before anything begins.
"""

from __future__ import annotations

from typing import Literal

from modelwright.spec.struct import Frozen


class Guard(Frozen, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A metric that must not get worse: an outcome, or any other number that is known per request.

    Attributes:
        metric: Its name.
        better: Which way is better.
        limit: How much worse the canary may be, as a share of the control's mean.
        min_values: With fewer values of either variant the check is inconclusive.
    """

    metric: str
    better: Literal["higher", "lower"] = "higher"
    limit: float = 0.05
    min_values: int = 100


class Criteria(Frozen, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What makes a canary worse than the control.

    A difference counts when it is large enough to matter, as the attributes say, *and* is no accident, as
    ``false_alarms`` says.

    Attributes:
        false_alarms: Probability that a canary which is no worse is ever rolled back, over all checks and measures.
        min_requests: With fewer requests of either variant the check is inconclusive.
        errors: How much larger the canary's share of errors must be, as a difference; ``None``: not looked at.
        p99_ratio: How much longer its p99 must be, as a ratio; ``None``: not looked at.
        drift: How far its predictions must have moved, as a population stability index; ``None``: not looked at. 0.1
            is commonly called a small shift, 0.25 a large one. Switch it off for a version that is meant to differ.
        guards: Metrics that must not get worse.
    """

    false_alarms: float = 0.005
    min_requests: int = 200
    errors: float | None = 0.005
    p99_ratio: float | None = 1.25
    drift: float | None = 0.2
    guards: tuple[Guard, ...] = ()
