"""``POST /outcomes``: what later happened is joined to the prediction, told to rollouts, and kept beside the records.

Called by the doors, on the thread of the event loop. Telling the same outcome twice changes nothing; telling another
one for the same prediction replaces it (in reports; the files keep both). What is not in memory any more is kept all
the same, and reported as unknown so far: the record log may know it.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import msgspec

from modelwright.errors import OutcomeError, OverloadedError, Problem
from modelwright.serving.deployment import RecordSettings
from modelwright.serving.observing.background import Background, Complaints
from modelwright.serving.observing.outcome_reading import Outcome, Value, read_outcomes
from modelwright.serving.observing.records.files import sweep
from modelwright.serving.observing.records.recorder import Data, Recorder, recorder
from modelwright.serving.observing.records.series import Series
from modelwright.serving.observing.remembering import LIMIT, Place, Remembered
from modelwright.spec.outcome import NOTE, OUTCOME_COLUMNS, OUTCOME_VERSION
from modelwright.spec.record import hashed, treatment

FOLDER = "outcomes"
"""Below the folder of the settings; records lie beside it."""
Row = dict[str, Any]
Key = tuple[str, str | int]
"""What makes two outcomes the same: request and row, or unit and time."""


class GuardSink(Protocol):
    """Is told of outcomes whose variant is known: a rollout that guards a metric."""

    def outcome(self, variant: str, name: str, value: float) -> None:
        """Take note of one value; true is 1. It must not wait, and must not raise."""
        ...


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a message.

    Attributes:
        accepted: Outcomes that are new, or that replace another one.
        repeated: Outcomes that were told before.
        matched: Of the accepted ones, those whose request or unit is remembered.
        unknown_so_far: Of the accepted ones, the others: forgotten meanwhile, or not from here.
        stored: Whether they are kept in files; otherwise only rollouts are told.
    """

    accepted: int
    repeated: int
    matched: int
    unknown_so_far: int
    stored: bool


class Outcomes:
    """Takes outcomes.

    Args:
        remembered: Who answered which request.
        settings: The record log; without a folder nothing is stored.
        guards: Returns the rollout of a model, if there is one.
        writes: Writes the files; by default Parquet.
    """

    def __init__(
        self,
        remembered: Remembered,
        settings: RecordSettings,
        *,
        guards: Callable[[str], GuardSink | None],
        writes: Recorder | None = None,
    ) -> None:
        self._remembered, self._settings, self._guards = remembered, settings, guards
        self._seen: OrderedDict[Key, dict[str, Value]] = OrderedDict()
        self._thread: Background[list[Row]] | None = None
        if settings.folder:
            work = OutcomeWork(settings, writes or recorder())
            self._thread = Background(work, name="outcomes", limit=settings.queue_records)
            work.complaints = self._thread.complaints

    def take(self, body: bytes) -> Receipt:
        """Take a message; all of it, or nothing.

        Args:
            body: The JSON document.

        Raises:
            OutcomeError: It is malformed; every problem is listed.
            OverloadedError: Too many wait to be written.
        """
        return self.keep(read_outcomes(body))

    def keep(self, told: list[Outcome]) -> Receipt:
        """Take outcomes that were read already; see :meth:`take`."""
        self._refuse_units(told)
        fresh = [(one, self._places(one)) for one in self._fresh(told)]
        self._store(fresh)
        for one, places in fresh:
            self._guard(one, places)
            self._note(one)
        matched = sum(bool(places) for _, places in fresh)
        return Receipt(
            accepted=len(fresh),
            repeated=len(told) - len(fresh),
            matched=matched,
            unknown_so_far=len(fresh) - matched,
            stored=self._thread is not None,
        )

    def close(self, timeout_s: float = 10.0) -> bool:
        """Write what is left to files; say whether that was done in time."""
        return self._thread is None or self._thread.close(timeout_s)

    def _refuse_units(self, told: list[Outcome]) -> None:
        if self._thread is None or treatment(self._settings.columns, "unit") != "drop":
            return
        problems = [
            Problem(number, "unit", "is not recorded by this server", "name the request_id")
            for number, one in enumerate(told)
            if one.unit
        ]
        if problems:
            raise OutcomeError("The outcomes cannot be joined; none was taken.", where="body", problems=problems)

    def _fresh(self, told: list[Outcome]) -> Iterator[Outcome]:
        """Give the outcomes that say something new, with only that."""
        known: dict[Key, dict[str, Value]] = {}
        for one in told:
            before = known.get(one.key) or self._seen.get(one.key, {})
            values = {name: value for name, value in one.values.items() if name not in before or before[name] != value}
            known[one.key] = before | values
            if values:
                yield one._replace(values=values)

    def _places(self, one: Outcome) -> list[Place]:
        if one.unit:
            return self._remembered.unit(one.unit)
        place = self._remembered.request(one.request_id)
        return [place] if place is not None else []

    def _store(self, fresh: list[tuple[Outcome, list[Place]]]) -> None:
        if self._thread is None or not fresh:
            return
        now, salt = datetime.now(UTC), self._settings.salt.encode()
        hashes = treatment(self._settings.columns, "unit") == "hash"
        rows = []
        for one, places in fresh:
            unit = hashed(one.unit, salt) if hashes and one.unit else one.unit
            rows += _rows(one, unit or "", now, places[0] if len(places) == 1 else None)
        if not self._thread.offer(rows, len(rows)):
            raise OverloadedError(
                "Too many outcomes wait to be written.", where="outcomes", hint="Send them again in a few seconds."
            )

    def _guard(self, one: Outcome, places: list[Place]) -> None:
        """Tell rollouts the numbers that they were not told before; what is corrected later they do not hear."""
        before = self._seen.get(one.key, {})
        numbers = {
            name: float(value)
            for name, value in one.values.items()
            if name not in before and not isinstance(value, str)
        }
        for place in places:
            guard = self._guards(place.model)
            if guard is not None:
                for name, number in numbers.items():
                    guard.outcome(place.variant, name, number)

    def _note(self, one: Outcome) -> None:
        self._seen[one.key] = self._seen.get(one.key, {}) | one.values
        if len(self._seen) > LIMIT:
            self._seen.popitem(last=False)


def _rows(one: Outcome, unit: str, now: datetime, place: Place | None) -> list[Row]:
    """Return one row per value of an outcome."""
    every = {
        "outcome_version": OUTCOME_VERSION,
        "received": now,
        "time": one.time or now,
        "request_id": one.request_id or None,
        "row": one.row if one.request_id else None,
        "unit": unit or None,
        **(place._asdict() if place is not None else dict.fromkeys(Place._fields)),
    }
    return [every | _named(name, value) for name, value in one.values.items()]


def _named(name: str, value: Value) -> Row:
    kind = "truth" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"
    return {"name": name, "number": None, "truth": None, "text": None} | {kind: value}


class OutcomeWork:
    """What the thread does with the rows."""

    def __init__(self, settings: RecordSettings, writes: Recorder) -> None:
        self._settings = settings
        self._folder = Path(settings.folder) / FOLDER
        note = {NOTE: str(OUTCOME_VERSION)}
        self._series = Series(self._folder, (FOLDER,), columns=OUTCOME_COLUMNS, note=note, recorder=writes)
        self.complaints = Complaints("outcomes")

    def begin(self) -> None:
        """Tidy the folder."""
        sweep(self._folder)

    def take(self, items: list[list[Row]]) -> None:
        """Gather rows."""
        rows = [row for item in items for row in item]
        if self._series.rows + len(rows) > self._settings.file_rows + self._settings.queue_records:
            self.complaints.say(f"{len(rows)} were dropped: what could not be written fills the memory it may take")
            return
        data: dict[str, Data] = {one.column: [row[one.column] for row in rows] for one in OUTCOME_COLUMNS}
        self._series.add(self._series.batch(data), len(rows), time.monotonic())
        self.tick()

    def tick(self) -> None:
        """Write the file that is due."""
        now = time.monotonic()
        if self._series.due(now, rows=self._settings.file_rows, seconds=self._settings.file_s):
            self._write(now)

    def finish(self) -> None:
        """Write what is left."""
        if self._series.rows and not self._write(time.monotonic()):
            self.complaints.conclude(f"the last {self._series.clear()} could not be written, and are lost")

    def _write(self, now: float) -> bool:
        try:
            self._series.write(now)
        except OSError as error:
            self.complaints.say(f"a file could not be written, and is tried again: {error}")
            return False
        return True
