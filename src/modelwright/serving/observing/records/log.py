"""The record log: takes note of every request on the event loop, writes in a thread of its own.

Told by the data plane; versions are registered when they are loaded, before they take requests. It never waits and
never raises: what does not fit is dropped and counted, a disk that is full is tried again later.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from modelwright.serving.contract import Contract
from modelwright.serving.deployment import RecordSettings
from modelwright.serving.inference import Event
from modelwright.serving.observing.background import Background, Complaints
from modelwright.serving.observing.records.assembling import Assembler, rows_of
from modelwright.serving.observing.records.checking import check
from modelwright.serving.observing.records.files import safe, sweep
from modelwright.serving.observing.records.recorder import Recorder, recorder
from modelwright.serving.observing.records.series import Series
from modelwright.spec.record import NOTE, is_sampled, schema_of

FOLDER = "records"
"""Below the folder of the settings; outcomes lie beside it."""
DIGEST = 12
Key = tuple[str, str, str]
"""Model, version and digest: one series of files each."""


class RecordLog:
    """Writes records to files.

    Args:
        settings: Where, what of it, how much.
        writes: Writes the files; by default Parquet.

    Raises:
        RecordLogError: The settings cannot be honoured.
        MissingExtraError: What writes Parquet is not installed.
    """

    def __init__(self, settings: RecordSettings, *, writes: Recorder | None = None) -> None:
        check(settings, ())
        self._share = settings.sample
        self._work = RecordWork(settings, writes or recorder())
        self._thread = Background(self._work, name="records", limit=settings.queue_records)
        self._work.complaints = self._thread.complaints
        self._refused = 0

    def register(self, model: str, contract: Contract) -> None:
        """Get ready for the records of a version; before its first request.

        Args:
            model: Name of the model, as it is served.
            contract: What its rows are judged by.
        """
        self._work.register(model, contract)

    def observe(self, event: Event) -> None:
        """Take note of a request that reached a version of a model."""
        if not event.version or (self._share < 1.0 and not is_sampled(event.request_id, self._share)):
            return
        rows = rows_of(event)
        if not self._thread.offer(event, max(rows, 1)):
            self._refused += rows

    @property
    def written(self) -> int:
        """Records in files that are complete."""
        return self._work.written

    @property
    def dropped(self) -> dict[str, int]:
        """Records that were not written, by reason.

        ``queue``: they came faster than they were written; ``misfit``: a value is not of its column's type; ``disk``:
        the folder could not be written for too long; ``unknown``: the version was not registered.
        """
        return {**self._work.dropped, "queue": self._refused}

    def close(self, timeout_s: float = 10.0) -> bool:
        """Write what is left to files; say whether that was done in time."""
        return self._thread.close(timeout_s)


class RecordWork:
    """What the thread does with the events.

    Attributes:
        written: Records in files that are complete.
        dropped: Records that were not written, by reason.
    """

    def __init__(self, settings: RecordSettings, writes: Recorder) -> None:
        self._settings, self._writes = settings, writes
        self._folder = Path(settings.folder) / FOLDER
        self._made: dict[Key, tuple[Assembler, Series]] = {}
        self.written = 0
        self.dropped = {"misfit": 0, "disk": 0, "unknown": 0}
        self.complaints = Complaints("records")

    def begin(self) -> None:
        """Tidy the folder."""
        sweep(self._folder)

    def register(self, model: str, contract: Contract) -> None:
        """Make the series of a version."""
        key = (model, contract.version, contract.digest)
        if key not in self._made:
            self._made[key] = self._make(model, contract)

    def _make(self, model: str, contract: Contract) -> tuple[Assembler, Series]:
        schema = schema_of(
            contract.manifest.signature,
            self._settings.columns,
            model=model,
            version=contract.version,
            digest=contract.digest,
            methods=contract.methods,
        )
        digest = contract.digest[:DIGEST]
        series = Series(
            self._folder / safe(model) / safe(f"{contract.version}-{digest}".rstrip("-")),
            (model, digest),
            columns=schema.kept,
            note={NOTE: msgspec.json.encode(schema).decode()},
            recorder=self._writes,
        )
        return Assembler(schema, contract, self._settings.salt.encode()), series

    def take(self, items: list[Event]) -> None:
        """Gather the records of some events."""
        apart: dict[Key, list[Event]] = {}
        for event in items:
            apart.setdefault((event.model, event.version, event.digest), []).append(event)
        for key, events in apart.items():
            found = self._made.get(key)
            if found is None:
                self._drop("unknown", sum(map(rows_of, events)), f"no records of {key[0]} {key[1]} are expected")
            else:
                self._gather(*found, events)
        self.tick()

    def _gather(self, assembler: Assembler, series: Series, events: Sequence[Event]) -> None:
        """Add events to a series; if one of them does not fit, the others are added one by one."""
        now = time.monotonic()
        rows = sum(map(rows_of, events))
        if series.rows + rows > self._settings.file_rows + self._settings.queue_records:
            self._drop("disk", rows, "what could not be written fills the memory it may take")
            return
        try:
            portions = list(assembler.portions(events))
            batches = [(series.batch(data), size) for data, size in portions]
        except Exception as error:  # whatever is wrong with one event must not take the others with it
            if len(events) == 1:
                self._drop("misfit", rows, error)
                return
            for event in events:
                self._gather(assembler, series, [event])
            return
        for batch, size in batches:
            series.add(batch, size, now)

    def tick(self) -> None:
        """Write the files that are due."""
        now = time.monotonic()
        for _, series in list(self._made.values()):
            if series.due(now, rows=self._settings.file_rows, seconds=self._settings.file_s):
                self._write(series, now)

    def finish(self) -> None:
        """Write everything that is left."""
        for _, series in list(self._made.values()):
            if series.rows and not self._write(series, time.monotonic()):
                lost = series.clear()
                self.dropped["disk"] += lost
                self.complaints.conclude(f"the last {lost} records could not be written, and are lost")

    def _write(self, series: Series, now: float) -> bool:
        try:
            self.written += series.write(now)
        except OSError as error:
            self.complaints.say(f"a file could not be written, and is tried again: {error}")
            return False
        return True

    def _drop(self, reason: str, rows: int, why: object) -> None:
        self.dropped[reason] += rows
        self.complaints.say(f"{rows} records were dropped: {why}")
