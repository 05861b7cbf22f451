"""Read what ``POST /outcomes`` is sent, and say everything that is wrong with it at once.

Called by outcomes. Pure: bytes in, outcomes out.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from modelwright.errors import OutcomeError, Problem
from modelwright.runtime.suggestions import nearest

Value = bool | float | str
MOST = 10_000
"""Outcomes in one message."""
LONGEST = 1024
"""Characters of a text."""
SHOWN = 1000
"""Problems that are collected."""
KEYS = ("request_id", "row", "unit", "time", "outcome")
_LONE = re.compile("[\ud800-\udfff]")
"""Half a character of UTF-16: JSON can spell it, UTF-8 cannot."""
_EXAMPLE = '{"outcomes": [{"request_id": "…", "row": 0, "outcome": {"churned": true}}]}'


class Outcome(NamedTuple):
    """What turned out.

    Attributes:
        request_id: The request it belongs to; empty: it is about a unit.
        row: Number of the row within the request.
        unit: What it is about; empty: it names a request.
        time: When it happened; ``None`` if nobody said.
        values: What turned out, by name.
    """

    request_id: str
    row: int
    unit: str
    time: datetime | None
    values: dict[str, Value]

    @property
    def key(self) -> tuple[str, str | int]:
        """What makes two of them the same: request and row, or unit and time."""
        if self.request_id:
            return self.request_id, self.row
        return self.unit, self.time.isoformat() if self.time else ""


def read_outcomes(body: bytes) -> list[Outcome]:
    """Return the outcomes of a message.

    Raises:
        OutcomeError: It is no such message, or some outcome is malformed; every problem is listed with its number.

    Example:
        >>> read_outcomes(b'{"outcomes": [{"request_id": "r-1", "outcome": {"churned": true}}]}')[0].values
        {'churned': True}
    """
    listed = _listed(body)
    problems: list[Problem] = []
    outcomes = []
    for number, told in enumerate(listed):
        found = list(_problems(number, told))
        problems += found
        if not found:
            outcomes.append(_outcome(told))
        if len(problems) >= SHOWN:
            break
    if problems:
        raise OutcomeError(
            "The outcomes cannot be taken; none of them was.", where="body", problems=problems[:SHOWN], hint=_EXAMPLE
        )
    return outcomes


def _listed(body: bytes) -> list[Any]:
    try:
        document = json.loads(body, object_pairs_hook=_object, parse_constant=_no_constant)
    except RecursionError:
        raise OutcomeError("The outcomes are nested too deeply.", where="body", hint=_EXAMPLE) from None
    except ValueError as error:  # also malformed UTF-8, and numbers longer than Python reads
        raise OutcomeError("The outcomes are not JSON.", where="body", why=str(error), hint=_EXAMPLE) from None
    listed = document.get("outcomes") if isinstance(document, dict) else None
    if not isinstance(listed, list) or not listed or len(document) > 1:
        raise OutcomeError("The body is no object with a list of outcomes.", where="body", hint=_EXAMPLE)
    if len(listed) > MOST:
        raise OutcomeError(f"{len(listed)} outcomes are too many for one message; at most {MOST}.", where="outcomes")
    return listed


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = Counter(names).most_common(1)[0][0]
        raise ValueError(f"the key {twice[:60]!r} stands twice in one object")
    return found


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


def _problems(number: int, told: Any) -> Iterator[Problem]:
    if not isinstance(told, dict):
        yield Problem(number, None, "is no object", _EXAMPLE)
        return
    for key in told.keys() - set(KEYS):
        meant = nearest(key, KEYS)
        yield Problem(number, key[:60], "is not a part of an outcome", f"did you mean {meant!r}?" if meant else "")
    if ("request_id" in told) == ("unit" in told):
        yield Problem(number, None, "must name either its request_id or its unit", _EXAMPLE)
    for key in ("request_id", "unit"):
        if key in told and not _is_text(told[key]):
            yield Problem(number, key, f"is no text of 1 to {LONGEST} characters")
    yield from _row_problems(number, told)
    yield from _time_problems(number, told)
    yield from _value_problems(number, told.get("outcome"))


def _row_problems(number: int, told: dict[str, Any]) -> Iterator[Problem]:
    row = _whole(told.get("row", 0))
    if row is None or not 0 <= row < 2**31:
        yield Problem(number, "row", "is no number of a row, counted from 0")
    elif "row" in told and "unit" in told:
        yield Problem(number, "row", "belongs to a request_id, not to a unit")


def _whole(value: Any) -> int | None:
    """Return a whole number, however it is written: 1.0 is one for JSON Schema, too; ``None``: it is none.

    Source: JSON Schema Validation 2020-12, 6.1.1, "integer".
    """
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _time_problems(number: int, told: dict[str, Any]) -> Iterator[Problem]:
    if "time" not in told:
        if "unit" in told:
            yield Problem(number, "time", "is missing", "an outcome of a unit says when it happened")
    elif _time(told["time"]) is None:
        yield Problem(number, "time", "is no time with a zone", "such as 2026-11-20T13:45:00Z")


def _value_problems(number: int, values: Any) -> Iterator[Problem]:
    if not isinstance(values, dict) or not values:
        yield Problem(number, "outcome", "is no object with at least one value", 'such as {"churned": true}')
        return
    for name, value in values.items():
        if not _is_text(name):
            yield Problem(number, "outcome", f"has a name that is no text of 1 to {LONGEST} characters")
        elif not _is_value(value):
            hint = f"true, false, a finite number (whole ones to 2^53), or text up to {LONGEST} characters"
            yield Problem(number, f"outcome.{name[:60]}", "is no value that can be kept", hint)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST and not _LONE.search(value)


def _is_value(value: Any) -> bool:
    if isinstance(value, str):
        return not value or _is_text(value)
    if isinstance(value, bool):
        return True
    if isinstance(value, int):
        return abs(value) <= 2**53
    return isinstance(value, float) and math.isfinite(value)


def _time(text: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo is not None else None
    except (TypeError, ValueError, OverflowError):
        return None


def _outcome(told: dict[str, Any]) -> Outcome:
    values = {name: float(value) if type(value) is int else value for name, value in told["outcome"].items()}
    moment = _time(told.get("time"))
    return Outcome(told.get("request_id", ""), _whole(told.get("row", 0)) or 0, told.get("unit", ""), moment, values)
