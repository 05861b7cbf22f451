"""Everybody who is told of requests, put together for one server, and closed in good order.

Made by :mod:`.server`. Each is an :class:`~.dataplane.Observer` of its own; here is only who there is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import IO

import modelwright
from modelwright.serving.contract import Contract
from modelwright.serving.dataplane import Observer
from modelwright.serving.deployment import RecordSettings
from modelwright.serving.observing.access_log import AccessLog
from modelwright.serving.observing.metrics import Metrics
from modelwright.serving.observing.outcomes import GuardSink, Outcomes
from modelwright.serving.observing.records.log import RecordLog
from modelwright.serving.observing.remembering import Remembered
from modelwright.serving.observing.tracing import Tracing
from modelwright.serving.operating.administration import readings
from modelwright.serving.operating.plane import Plane

FLUSH_S = 0.1
"""How often the access log is flushed, seconds."""


class Observers:
    """Who is told of requests.

    Args:
        plane: What is observed.
        records: The record log; without a folder there is none.
        in_flight: Requests that are under way.
        guards: Returns the rollout of a model that wants to know outcomes, if there is one.
        access_log: Where the access log goes; ``None``: nowhere.
        tracing: Makes spans; ``None``: nobody does.
    """

    def __init__(
        self,
        plane: Plane,
        records: RecordSettings,
        *,
        in_flight: Callable[[], int],
        guards: Callable[[str], GuardSink | None],
        access_log: IO[str] | IO[bytes] | int | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        self.log = AccessLog(access_log) if access_log is not None else None
        self.records = RecordLog(records) if records.folder else None
        self.tracing = tracing
        self.remembered = Remembered()
        self.outcomes = Outcomes(self.remembered, records, guards=guards)
        self.metrics = Metrics(
            plane.models,
            readings(plane, in_flight=in_flight, records=self._recorded, lines_dropped=self._lines_dropped),
            release=modelwright.__version__,
        )

    def _recorded(self) -> tuple[int, dict[str, int]]:
        return (self.records.written, self.records.dropped) if self.records is not None else (0, {})

    def _lines_dropped(self) -> int:
        return self.log.dropped if self.log is not None else 0

    def __iter__(self) -> Iterator[Observer]:
        """Give each, those that count first."""
        everyone: tuple[Observer | None, ...] = (self.metrics, self.log, self.remembered, self.records, self.tracing)
        return (one for one in everyone if one is not None)

    def register(self, model: str, contract: Contract) -> None:
        """Get ready for the requests of a version."""
        if self.records is not None:
            self.records.register(model, contract)

    async def flush(self) -> None:
        """Flush the access log again and again, until cancelled."""
        while True:
            await asyncio.sleep(FLUSH_S)
            if self.log is not None:
                self.log.flush()

    def close(self) -> None:
        """Write what is held."""
        if self.log is not None:
            self.log.close()
        if self.records is not None:
            self.records.close()
        self.outcomes.close()
        if self.tracing is not None:
            self.tracing.close()
