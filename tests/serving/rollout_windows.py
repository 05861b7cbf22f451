"""Windows for tests of rollouts, filled without requests."""

from __future__ import annotations

from modelwright.serving.rollout.states import Observation
from modelwright.serving.rollout.windows import Window


def window(requests: int, *, errors: int = 0, seconds: float = 0.01) -> Window:
    """A window with so many requests, of which so many failed and all others took about so long."""
    made = Window()
    made.requests, made.errors = requests, errors
    for number in range(requests - errors):
        made.answered(seconds * (1 + (37 * number % 100) / 100))
    return made


def observed(canary: Window | None = None, control: Window | None = None, *, broken: str = "") -> Observation:
    """What was observed: by default both did the same, enough of it."""
    return Observation(canary=canary or window(300), control=control or window(2000), broken=broken)
