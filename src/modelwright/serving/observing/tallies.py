"""Count what became of requests: whole numbers and sums, as cheaply as Python can.

Told by the data plane, for every request, on the thread of the event loop; read by :mod:`.metrics` when it is scraped.
It knows nothing of Prometheus, so a server without metrics imports nothing for them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from modelwright.serving.inference import Event

UNKNOWN = "(unknown)"
"""Stands for every model that is not served: what callers invent must not become series of its own."""
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of times, seconds: those usual for Prometheus, with more below, where cheap models answer."""
ROWS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 4096.0, 16384.0, 65536.0)
"""Upper bounds of numbers of rows."""


class Source(NamedTuple):
    """Whose numbers they are.

    Attributes:
        model: Name of the model, or :data:`UNKNOWN`.
        version: Its version; empty if none was chosen.
        variant: Name of the variant.
    """

    model: str
    version: str = ""
    variant: str = ""


class Histogram:
    """Counts values per bucket.

    Args:
        bounds: Upper bounds of the buckets, ascending; what is above all of them is in one more.

    Attributes:
        counts: Number of values per bucket, not cumulative.
        total: Sum of the values.
    """

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def cumulative(self) -> Iterator[tuple[str, float]]:
        """Give each bucket's bound as text and the number of values up to it, the last one ``+Inf``."""
        reached = 0
        for bound, count in zip((*map(str, self.bounds), "+Inf"), self.counts, strict=True):
            reached += count
            yield bound, reached


class Tally:
    """What is counted for one source.

    Attributes:
        codes: Requests by transport and status.
        rows: Rows answered.
        duration: Times from the head of a request to its answer, seconds.
        queue: Of these, waiting, for requests that reached a worker.
        predict: Of these, in the worker.
    """

    __slots__ = ("codes", "duration", "predict", "queue", "rows")

    def __init__(self) -> None:
        self.codes: dict[tuple[str, int], int] = {}
        self.rows = 0
        self.duration = Histogram(SECONDS)
        self.queue = Histogram(SECONDS)
        self.predict = Histogram(SECONDS)


class Tallies:
    """Counts requests by model, version and variant.

    Args:
        models: Names of the models that are served now.

    Attributes:
        asked: What was counted for requests.
        shadows: The same for answers of shadows.
        batches: Rows per batch, by model and version.
    """

    def __init__(self, models: Callable[[], Collection[str]]) -> None:
        self._models = models
        self.asked: dict[tuple[str, str, str], Tally] = {}
        self.shadows: dict[tuple[str, str, str], Tally] = {}
        self.batches: dict[tuple[str, str], Histogram] = {}

    def observe(self, event: Event) -> None:
        """Count a request."""
        kept = self.shadows if event.shadow else self.asked
        key = (event.model, event.version, event.variant)
        tally = kept.get(key) or self._begun(kept, event)
        code = (event.transport, event.status)
        tally.codes[code] = tally.codes.get(code, 0) + 1
        duration = tally.duration
        duration.counts[bisect_left(SECONDS, event.seconds)] += 1
        duration.total += event.seconds
        if event.predict_seconds > 0.0:
            tally.queue.add(event.queue_seconds)
            tally.predict.add(event.predict_seconds)
        if event.status == 200:
            tally.rows += event.rows

    def _begun(self, kept: dict[tuple[str, str, str], Tally], event: Event) -> Tally:
        """Return the tally of an event that has none yet under its own name."""
        known = event.version or event.model in self._models()
        key = Source(event.model if known else UNKNOWN, event.version, event.variant)
        return kept.setdefault(key, Tally())

    def batch(self, model: str, version: str, rows: int) -> None:
        """Count a batch, when it is sent to a worker."""
        found = self.batches.get((model, version))
        if found is None:
            found = self.batches[model, version] = Histogram(ROWS)
        found.add(rows)

    def retire(self, model: str, version: str) -> None:
        """Forget a version that is served no more, so that a server that follows a stage for years stays small."""
        for kept in (self.asked, self.shadows):
            for key in [key for key in kept if key[:2] == (model, version)]:
                del kept[key]
        self.batches.pop((model, version), None)
