"""One series of files with the same columns: rows are gathered, and written when there are enough, or long enough.

Called by the record log and by outcomes, in the thread that writes. It does not know what the rows mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from modelwright.serving.observing.records.files import file_name, write_whole
from modelwright.serving.observing.records.recorder import Data, Recorder
from modelwright.spec.record import RecordColumn

RETRY_S = (1.0, 2.0, 5.0, 10.0, 30.0)
"""How long to wait after a file that could not be written, seconds; the last stays."""


class Series:
    """Gathers rows and writes them.

    Args:
        folder: Where the files go.
        parts: What their names say between time and process.
        columns: Their columns.
        note: What their metadata say.
        recorder: Writes them.

    Attributes:
        rows: Rows that are gathered and not in a file yet.
    """

    def __init__(
        self,
        folder: Path,
        parts: Sequence[str],
        *,
        columns: Sequence[RecordColumn],
        note: Mapping[str, str],
        recorder: Recorder,
    ) -> None:
        self._folder, self._parts = folder, parts
        self._columns, self._note, self._recorder = columns, note, recorder
        self._batches: list[Any] = []
        self.rows = 0
        self._began = 0.0
        self._retry = 0.0
        self._failures = 0

    def batch(self, data: Mapping[str, Data]) -> Any:
        """Return rows in the form that :meth:`add` takes.

        Args:
            data: Values by column.

        Raises:
            ValueError: They do not fit the columns (see :meth:`.recorder.Recorder.batch`).
        """
        return self._recorder.batch(self._columns, data)

    def add(self, batch: Any, rows: int, now: float) -> None:
        """Gather some rows.

        Args:
            batch: What :meth:`batch` returned.
            rows: How many.
            now: The clock, seconds.
        """
        if not self._batches:
            self._began = now
        self._batches.append(batch)
        self.rows += rows

    def due(self, now: float, *, rows: int, seconds: float) -> bool:
        """Say whether what is gathered is to be written, being so many rows or so old."""
        return bool(self.rows) and now >= self._retry and (self.rows >= rows or now - self._began >= seconds)

    def write(self, now: float) -> int:
        """Write what is gathered to a file.

        Returns:
            Number of rows in it.

        Raises:
            OSError: It could not be written; it is kept, and due again later.
        """
        path = self._folder / file_name(*self._parts, suffix=self._recorder.suffix)
        filled = partial(self._recorder.write, columns=self._columns, batches=self._batches, note=self._note)
        try:
            write_whole(path, filled)
        except OSError:
            self._retry = now + RETRY_S[min(self._failures, len(RETRY_S) - 1)]
            self._failures += 1
            raise
        self._failures = 0
        return self.clear()

    def clear(self) -> int:
        """Forget what is gathered, and say how many rows that was."""
        rows, self.rows, self._batches = self.rows, 0, []
        return rows
