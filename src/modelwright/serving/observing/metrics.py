"""The numbers of a server for Prometheus, under the usual names and in the usual units.

Called by the admin door, when it is scraped. Requests are counted in :mod:`.tallies`; what other parts know at any
moment (queues, workers, shares) they are asked for when a scrape comes; what happens seldom is counted here.

Source: Prometheus, "Metric and label naming", "Exposition formats"; OpenMetrics 1.0.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import NamedTuple, TypeVar

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.openmetrics import exposition as openmetrics

from modelwright.serving.observing.tallies import Histogram, Tallies, Tally

OPENMETRICS = "application/openmetrics-text"
OPENMETRICS_TYPE = f"{OPENMETRICS}; version=1.0.0; charset=utf-8"
SOURCE = ("model", "version", "variant")
SELDOM: dict[str, tuple[str, tuple[str, ...]]] = {
    "worker_restarts": ("Workers replaced.", ("model", "version", "reason")),
    "rollout_rollbacks": ("Rollouts withdrawn by themselves.", ("model", "variant")),
    "shadow_compared_rows": ("Rows that a shadow answered, too.", ("model", "variant")),
    "shadow_differing_rows": ("Rows that a shadow answered differently.", ("model", "variant")),
    "shadow_dropped": ("Requests that a shadow was not asked, because too much waits for it.", ("model", "variant")),
}
"""What happens seldom: the counter's name, its text, its labels."""
Key = TypeVar("Key", bound=tuple[str, ...])


class Readings(NamedTuple):
    """What other parts of the server know now.

    Attributes:
        in_flight: Requests that came and are not answered yet.
        queue_rows: Rows that wait for a worker, by model and version.
        workers: Processes, by model, version and state (``starting``, ``ready``).
        shares: Share of the requests that a variant gets, 0 to 1, by model and variant.
        records_written: Records in files that are complete.
        records_dropped: Records that were not written, by reason.
        lines_dropped: Lines of the access log that were dropped.
    """

    in_flight: int = 0
    queue_rows: Mapping[tuple[str, str], int] = {}
    workers: Mapping[tuple[str, str, str], int] = {}
    shares: Mapping[tuple[str, str], float] = {}
    records_written: int = 0
    records_dropped: Mapping[str, int] = {}
    lines_dropped: int = 0


class Metrics:
    """The metrics of one server, in a registry of their own.

    Args:
        models: Names of the models that are served now.
        readings: What other parts know now; asked at every scrape.
        release: Version of modelwright.

    Attributes:
        tallies: What is counted of requests.
        observe: Counts a request.
        registry: Where further collectors may be added.
    """

    def __init__(
        self, models: Callable[[], Collection[str]], readings: Callable[[], Readings], *, release: str = ""
    ) -> None:
        self.tallies = Tallies(models)
        self.observe = self.tallies.observe
        self.registry = CollectorRegistry()
        self._seldom: dict[str, dict[tuple[str, ...], int]] = {name: {} for name in SELDOM}
        self.registry.register(Served(self.tallies, self._seldom, readings, release))
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    def worker_restarted(self, model: str, version: str, reason: str) -> None:
        """Count a worker that was replaced; the reason is one of few words: ``crash``, ``deadline``, ``memory``."""
        self._count("worker_restarts", model, version, reason)

    def rolled_back(self, model: str, variant: str) -> None:
        """Count a rollout that was withdrawn by itself."""
        self._count("rollout_rollbacks", model, variant)

    def shadow_compared(self, model: str, variant: str, *, rows: int, differing: int) -> None:
        """Count rows that a shadow answered, too, and those of them that it answered differently."""
        self._count("shadow_compared_rows", model, variant, by=rows)
        self._count("shadow_differing_rows", model, variant, by=differing)

    def shadow_dropped(self, model: str, variant: str) -> None:
        """Count a request that a shadow was not asked, because too much waits for it."""
        self._count("shadow_dropped", model, variant)

    def _count(self, name: str, *labels: str, by: int = 1) -> None:
        counts = self._seldom[name]
        counts[labels] = counts.get(labels, 0) + by

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """Return all metrics as text, and its media type.

        Args:
            accept: The header of that name; whoever does not ask for OpenMetrics gets Prometheus' own format.
        """
        if any(part.split(";")[0].strip().lower() == OPENMETRICS for part in accept.split(",")):
            text: bytes = openmetrics.generate_latest(self.registry, version="1.0.0")  # type: ignore[no-untyped-call]
            return text, OPENMETRICS_TYPE
        return generate_latest(self.registry), CONTENT_TYPE_PLAIN_0_0_4


class Served:
    """Turns what was counted and what is read into metrics; a collector of prometheus-client.

    Args:
        tallies: What was counted of requests.
        seldom: What else was counted, by name and labels.
        readings: What other parts know now.
        release: Version of modelwright.
    """

    def __init__(
        self,
        tallies: Tallies,
        seldom: Mapping[str, Mapping[tuple[str, ...], int]],
        readings: Callable[[], Readings],
        release: str,
    ) -> None:
        self._tallies, self._seldom, self._readings, self._release = tallies, seldom, readings, release

    def describe(self) -> Iterable[Metric]:
        """Name nothing beforehand, so that registering asks nobody for readings."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Give every metric."""
        yield from self._asked()
        yield from self._shadows()
        yield _histogram("batch_rows", "Rows per call of the model.", ("model", "version"), self._tallies.batches)
        yield from self._now(self._readings())
        for name, (text, labels) in SELDOM.items():
            counted = _counted(name, text, *labels)
            for key, count in self._seldom[name].items():
                counted.add_metric(key, count)
            yield counted
        build = _gauge("build_info", "What runs; always 1.", "version", "python")
        build.add_metric([self._release, platform.python_version()], 1)
        yield build

    def _asked(self) -> Iterator[Metric]:
        kept = dict(self._tallies.asked)
        yield _requests("requests", "Requests answered, by HTTP status or its equal.", kept)
        rows = _counted("rows", "Rows answered.", *SOURCE)
        for key, tally in kept.items():
            rows.add_metric(key, tally.rows)
        yield rows
        yield from _times("", kept)

    def _shadows(self) -> Iterator[Metric]:
        kept = dict(self._tallies.shadows)
        yield _requests("shadow_requests", "Answers of shadows, which nobody saw.", kept)
        yield from _times("shadow_", kept)

    def _now(self, now: Readings) -> Iterator[Metric]:
        in_flight = _gauge("requests_in_flight", "Requests that came and are not answered yet.")
        in_flight.add_metric([], now.in_flight)
        yield in_flight
        yield _gauges("queue_rows", "Rows that wait for a worker.", ("model", "version"), now.queue_rows)
        yield _gauges("workers", "Processes of models.", ("model", "version", "state"), now.workers)
        shares = {key: float(share) for key, share in now.shares.items()}
        yield _gauges("rollout_share", "Share of the requests, 0 to 1.", ("model", "variant"), shares)
        yield _single("records_written", "Records in files that are complete.", now.records_written)
        dropped = _counted("records_dropped", "Records that were not written.", "reason")
        for reason, count in now.records_dropped.items():
            dropped.add_metric([reason], count)
        yield dropped
        yield _single("access_log_dropped", "Lines of the access log that were dropped.", now.lines_dropped)


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"modelwright_{name}", text, labels=labels)


def _gauges(name: str, text: str, labels: tuple[str, ...], values: Mapping[Key, float]) -> Metric:
    family = _gauge(name, text, *labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _counted(name: str, text: str, *labels: str) -> CounterMetricFamily:
    return CounterMetricFamily(f"modelwright_{name}", text, labels=labels)


def _single(name: str, text: str, value: int) -> Metric:
    family = _counted(name, text)
    family.add_metric([], value)
    return family


def _requests(name: str, text: str, kept: Mapping[tuple[str, str, str], Tally]) -> Metric:
    family = _counted(name, text, *SOURCE, "transport", "code")
    for key, tally in kept.items():
        for (transport, status), count in tally.codes.items():
            family.add_metric([*key, transport, str(status)], count)
    return family


def _times(prefix: str, kept: Mapping[tuple[str, str, str], Tally]) -> Iterator[Metric]:
    for name, attribute, text in (
        ("request", "duration", "From the head of a request to its answer."),
        ("queue", "queue", "Of these, waiting for a worker."),
        ("predict", "predict", "Of these, in the worker."),
    ):
        values = {key: getattr(tally, attribute) for key, tally in kept.items()}
        yield _histogram(f"{prefix}{name}_duration_seconds", text, SOURCE, values)


def _histogram(name: str, text: str, labels: tuple[str, ...], values: Mapping[Key, Histogram]) -> Metric:
    family = HistogramMetricFamily(f"modelwright_{name}", text, labels=labels)
    for key, histogram in values.items():
        family.add_metric(key, list(histogram.cumulative()), histogram.total)
    return family
