"""Join what happened later to what was predicted, for reports.

Called by reports on a rollout. Pure: rows of the record log and of outcomes in, pairs out.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

Row = Mapping[str, Any]
"""One row of a file, by the names of :mod:`modelwright.spec.record` or :mod:`modelwright.spec.outcome`."""


class Joined(NamedTuple):
    """Records with their outcomes.

    Attributes:
        pairs: Every record that has an outcome, with its values by name; of a shadow, too, if its request has one.
        matched: Outcomes that belong to a record.
        unmatched: Outcomes that belong to none of these records.
    """

    pairs: list[tuple[Row, dict[str, Any]]]
    matched: int
    unmatched: int


def join(records: Iterable[Row], outcomes: Iterable[Row]) -> Joined:
    """Join outcomes to records by request id and row, or by unit.

    An outcome of a unit belongs to the last request about that unit, of each model, that came before it happened. Of
    two outcomes with the same key the one that was received later counts.

    Example:
        >>> outcome = {"request_id": "r-1", "row": 0, "unit": None, "time": 2, "received": 3, "name": "churned",
        ...            "truth": True, "number": None, "text": None}
        >>> join([{"request_id": "r-1", "row": 0, "unit": None, "model": "churn", "time": 1}], [outcome]).matched
        1
    """
    listed = list(records)
    apart = _latest(outcomes)
    found: dict[int, dict[str, Any]] = {}
    matched = 0
    index = _Index(listed)
    for key in sorted(apart, key=lambda key: (key.time is not None, key.time, str(key))):
        places = index.of(key)
        matched += bool(places)
        for place in places:
            found.setdefault(place, {}).update(apart[key])
    pairs = [(listed[place], found[place]) for place in sorted(found)]
    return Joined(pairs, matched, len(apart) - matched)


class _Key(NamedTuple):
    """What an outcome is about: request and row, or unit and time."""

    request_id: str | None
    row: int | None
    unit: str | None
    time: Any


def _latest(outcomes: Iterable[Row]) -> dict[_Key, dict[str, Any]]:
    """Return the values of each outcome, those that were received last."""
    apart: dict[_Key, dict[str, Any]] = {}
    for row in sorted(outcomes, key=lambda row: row["received"]):
        by_request = row["request_id"] is not None
        key = _Key(row["request_id"], row["row"], row["unit"], None if by_request else row["time"])
        value = next((row[kind] for kind in ("truth", "number", "text") if row[kind] is not None), None)
        apart.setdefault(key, {})[row["name"]] = value
    return apart


class _Index:
    """Finds the positions of records."""

    def __init__(self, records: list[Row]) -> None:
        self._rows: dict[tuple[str, int | None], list[int]] = {}
        self._requests: dict[tuple[str, str], list[int]] = {}
        self._units: dict[str, dict[str, list[tuple[Any, str]]]] = {}
        for place, record in enumerate(records):
            request_id, model = record["request_id"], record["model"]
            self._rows.setdefault((request_id, record["row"]), []).append(place)
            self._requests.setdefault((model, request_id), []).append(place)
            if record.get("unit") is not None:
                self._units.setdefault(record["unit"], {}).setdefault(model, []).append((record["time"], request_id))
        for models in self._units.values():
            for times in models.values():
                times.sort()

    def of(self, key: _Key) -> list[int]:
        """Return the records that an outcome belongs to."""
        if key.request_id is not None:
            return self._rows.get((key.request_id, key.row), [])
        places: list[int] = []
        for model, times in self._units.get(key.unit or "", {}).items():
            before = bisect_right(times, key.time, key=lambda one: one[0])
            if before:
                places += self._requests[model, times[before - 1][1]]
        return places
