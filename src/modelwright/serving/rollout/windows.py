"""What one variant did in one window of time, fed request by request in bounded memory.

Whoever observes requests keeps one window per variant and hands both to :mod:`.canary` at a check. A window has no
clock: when it began is known to the state of the canary.
"""

from __future__ import annotations

from array import array

from modelwright.serving.inference import Event
from modelwright.serving.rollout.predictions import Watched, first_value
from modelwright.serving.rollout.sketches import Labels, Moments, Numbers

MAX_ORDER = 10_000
"""So many answers of a window are remembered in their order."""


class Window:
    """What one variant did.

    What the caller did wrong (400 to 499) is not counted: no variant was asked.

    Args:
        watched: Values of an answer that are watched for drift.

    Attributes:
        requests: Requests that were answered or failed.
        errors: Of these, those that failed.
        seconds: From the head of a request to its answer, seconds; of those that were answered.
        order: Buckets of the first ``MAX_ORDER`` of these, in the order in which they came.
        predicted: What was predicted, per output: numbers or labels.
        values: Moments of the values of named metrics, whatever was reported to :meth:`measured`.
    """

    __slots__ = ("_watched", "errors", "order", "predicted", "requests", "seconds", "values")

    def __init__(self, watched: tuple[Watched, ...] = ()) -> None:
        self.requests, self.errors, self.seconds = 0, 0, Numbers()
        self.order = array("h")
        self.predicted: dict[str, Numbers | Labels] = {
            name: Numbers() if kind == "number" else Labels() for name, kind in watched
        }
        self.values: dict[str, Moments] = {}
        self._watched = tuple((name, kind, self.predicted[name].add) for name, kind in watched)

    def observe(self, event: Event) -> None:
        """Count a request by what became of it.

        Example:
            >>> window = Window()
            >>> for status in (200, 422, 503):
            ...     window.observe(Event(time_s=0, request_id="r", transport="rest", model="churn", status=status))
            >>> window.requests, window.errors
            (2, 1)
        """
        if event.status >= 500:
            self.requests += 1
            self.errors += 1
        elif event.status < 400:
            self.requests += 1
            self.answered(event.seconds)
            outputs = event.outputs
            if outputs:
                for name, kind, add in self._watched:
                    values = outputs.get(name)
                    if values is not None:
                        add(first_value(values, kind))

    def answered(self, seconds: float) -> None:
        """Count how long an answer took."""
        bucket = self.seconds.add(seconds)
        if len(self.order) < MAX_ORDER:
            self.order.append(bucket)

    def measured(self, metric: str, value: float) -> None:
        """Count a value of a named metric: an outcome, or anything else that is known of a request."""
        self.values.setdefault(metric, Moments()).add(value)

    def merge(self, other: Window) -> None:
        """Add what the same variant did elsewhere: in another process, or in the window before."""
        self.requests += other.requests
        self.errors += other.errors
        self.seconds.merge(other.seconds)
        self.order.extend(other.order[: MAX_ORDER - len(self.order)])
        for name, counted in other.predicted.items():
            mine = self.predicted.setdefault(name, type(counted)())
            if type(mine) is type(counted):
                mine.merge(counted)  # type: ignore[arg-type]  # they are of one type
        for metric, moments in other.values.items():
            self.values.setdefault(metric, Moments()).merge(moments)
