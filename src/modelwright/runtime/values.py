"""Judge the values of one field by the signature, and bring them to one normal form.

The normal form: missing is ``None`` (or NaN, in a field of floats); numbers, text, bytes, dates, times and durations
are Python's own types; a tensor is nested lists. Each judge has a quick look that says "surely fine" for a whole
column, and an exact one that names every value that is not.

Called by validation. It knows nothing of the containers that rows come in.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from .errors import Problem
from .suggestions import nearest

Values = list[Any]
SHOWN = 60
"""A value is quoted in a message up to so many characters."""


class Refused(ValueError):
    """A value that the field does not allow; caught by the judge, never seen by a user."""

    def __init__(self, problem: str, hint: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.hint = hint


def is_missing(value: Any) -> bool:
    """Say whether a value stands for "no value": ``None``, NaN, ``NaT``, ``pandas.NA``.

    Example:
        >>> is_missing(None), is_missing(float("nan")), is_missing(0), is_missing("")
        (True, True, False, False)
    """
    if value is None:
        return True
    if isinstance(value, float):
        return value != value
    return type(value).__name__ in _MISSING


_MISSING = frozenset({"NAType", "NaTType"})


class FieldJudge:
    """Judges the values of one field.

    Args:
        field: The field of the signature, as it stands in the manifest.
    """

    def __init__(self, field: dict[str, Any]) -> None:
        self.name: str = field["name"]
        self.datatype: str = field["datatype"]
        self.nullable: bool = field.get("nullable", False)
        self.infinite: bool = field.get("infinite", False)
        self.shape: tuple[int, ...] = tuple(field.get("shape", ()))
        self.timezone: str | None = field.get("timezone")
        self.family = family_of(self.datatype)
        self._typed: Callable[[Any], Any] = getattr(self, f"_{self.family}")
        self._levels = _strict(field, "on_unknown", "categories")
        bounds = _strict(field, "on_out_of_range", "training_range")
        self._bounds = None if bounds is None else (self._typed(bounds[0]), self._typed(bounds[1]))
        self._width = _int_range(self.datatype) if self.family == "int" else None
        self._quick = _QUICK.get(self.family, frozenset()) if not self.shape else frozenset()

    def judge(self, values: Values, limit: int) -> tuple[Values, list[Problem]]:
        """Return the values in normal form, and what is wrong with them (at most ``limit`` problems)."""
        if self.family == "json" and not self.shape:
            return values, []
        fine = self.quick(values)
        return (fine, []) if fine is not None else self._exact(values, limit)

    def quick(self, values: Values) -> Values | None:
        """Return the values in normal form if they are surely fine, after a look at the column as a whole."""
        kinds = set(map(type, values))
        if not kinds <= self._quick:
            return None
        if float in kinds and self.family == "float" and not self._all_finite(values):
            present = [value for value in values if value is not None]
            if not self.infinite and any(map(math.isinf, present)):
                return None
            if not self.nullable and any(map(math.isnan, present)):
                return None
        if type(None) in kinds and not self.nullable:
            return None
        if self.family == "float" and int in kinds:
            try:
                values = [None if value is None else float(value) for value in values]
            except OverflowError:
                return None
        return values if self._within(values) else None

    def _all_finite(self, values: Values) -> bool:
        try:
            return math.isfinite(sum(values))
        except (TypeError, OverflowError):
            return False

    def _within(self, values: Values) -> bool:
        if self._width is None and self._bounds is None and self._levels is None:
            return True
        present = {value for value in values if value is not None and value == value}
        if self._levels is not None and not present <= self._levels.keys():
            return False
        ranges = [bounds for bounds in (self._width, self._bounds) if bounds is not None]
        return not present or all(low <= min(present) and max(present) <= high for low, high in ranges)

    def _exact(self, values: Values, limit: int) -> tuple[Values, list[Problem]]:
        accepted: Values = []
        problems: list[Problem] = []
        for row, value in enumerate(values):
            try:
                accepted.append(self.accept(value))
            except Refused as refused:
                accepted.append(None)
                problems.append(Problem(row, self.name, refused.problem, refused.hint))
                if len(problems) >= limit:
                    break
        return accepted, problems

    def accept(self, value: Any) -> Any:
        """Return one value in normal form.

        Raises:
            Refused: The field does not allow it.
        """
        if self.shape:
            return self._tensor(_plain(value), self.shape)
        return self._scalar(_plain(value))

    def _scalar(self, value: Any) -> Any:
        if self.family == "json":
            return value
        if is_missing(value):
            if self.nullable:  # NaN stays NaN where a float may hold it: some models tell it from null
                return value if self.family == "float" and isinstance(value, float) else None
            raise Refused("is missing; a value is needed")
        value = self._typed(value)
        if self._levels is not None and value not in self._levels:
            raise self._unknown(value)
        if self._bounds is not None and not self._bounds[0] <= value <= self._bounds[1]:
            low, high = self._bounds
            raise Refused(f"{_shown(value)} is outside the range of the training data, {_shown(low)} to {_shown(high)}")
        return value

    def _unknown(self, value: Any) -> Refused:
        levels = [str(level) for level in self._levels or ()]
        meant = nearest(str(value), levels)
        listed = ", ".join(map(repr, levels[:8])) + (", …" if len(levels) > 8 else "")
        hint = f"did you mean {meant!r}?" if meant else f"known are {listed}"
        return Refused(f"{_shown(value)} is a level that the model has never seen", hint)

    def _tensor(self, value: Any, shape: tuple[int, ...]) -> Any:
        if is_missing(value):
            if self.nullable:
                return None
            raise Refused("is missing; a value is needed")
        if not shape:
            return self._scalar(value)
        if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
            raise Refused(f"{_shown(value)} is no list; {self._shape_text()} is needed")
        if shape[0] not in (-1, len(value)):
            raise Refused(f"has {len(value)} elements where {shape[0]} are needed; {self._shape_text()} is needed")
        return [self._tensor(element, shape[1:]) for element in value]

    def _shape_text(self) -> str:
        return f"a tensor of shape {list(self.shape)}"

    def _bool(self, value: Any) -> bool:
        if isinstance(value, bool):
            return value
        raise Refused(f"{_shown(value)} is {_kind(value)}; true or false is needed")

    def _int(self, value: Any) -> int:
        if isinstance(value, float | Decimal) and value == value and value % 1 == 0:
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise Refused(f"{_shown(value)} is {_kind(value)}; a whole number is needed")
        low, high = _int_range(self.datatype)
        if not low <= value <= high:
            raise Refused(f"{_shown(value)} does not fit {self.datatype}, {low} to {high}")
        return value

    def _float(self, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            raise Refused(f"{_shown(value)} is {_kind(value)}; a number is needed")
        try:
            number = float(value)
        except OverflowError:
            raise Refused(f"{_shown(value)} is too large for {self.datatype}") from None
        if math.isinf(number) and not self.infinite:
            raise Refused("is infinite; a finite number is needed")
        return number

    def _string(self, value: Any) -> str:
        if isinstance(value, str):
            return str(value)
        raise Refused(f"{_shown(value)} is {_kind(value)}; text is needed")

    def _bytes(self, value: Any) -> bytes:
        if isinstance(value, bytes | bytearray | memoryview):
            return bytes(value)
        raise Refused(f"{_shown(value)} is {_kind(value)}; bytes are needed")

    def _date(self, value: Any) -> date:
        if isinstance(value, str):
            value = _parsed(value, "a date such as 2026-11-20")
        if isinstance(value, datetime) and value.time() == time():
            value = value.date()
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        raise Refused(f"{_shown(value)} is {_kind(value)}; a date is needed")

    def _datetime(self, value: Any) -> datetime:
        if isinstance(value, str):
            value = _parsed(value, "a time such as 2026-11-20T13:45:00")
        if isinstance(value, date) and not isinstance(value, datetime):
            value = datetime(value.year, value.month, value.day)
        if not isinstance(value, datetime):
            raise Refused(f"{_shown(value)} is {_kind(value)}; a date with time is needed")
        if (value.tzinfo is None) != (self.timezone is None):
            has, needed = ("no", f"one such as {self.timezone}") if value.tzinfo is None else ("a", "none")
            raise Refused(f"{_shown(value)} has {has} time zone; {needed} is needed")
        return value

    def _duration(self, value: Any) -> timedelta:
        if isinstance(value, timedelta):
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            try:
                return timedelta(seconds=value)
            except (OverflowError, ValueError):
                raise Refused(
                    f"{_shown(value)} seconds are no duration; less than 2.7 million years is needed"
                ) from None
        raise Refused(f"{_shown(value)} is {_kind(value)}; a duration (or a number of seconds) is needed")

    def _json(self, value: Any) -> Any:
        return value


_QUICK: dict[str, frozenset[type]] = {
    "bool": frozenset({bool, type(None)}),
    "int": frozenset({int, type(None)}),
    "float": frozenset({float, int, type(None)}),
    "string": frozenset({str, type(None)}),
    "bytes": frozenset({bytes, type(None)}),
}
"""Per family, the types whose values need no look one by one."""


def family_of(datatype: str) -> str:
    """Return the datatype without its width.

    Example:
        >>> family_of("uint8"), family_of("float32"), family_of("string")
        ('int', 'float', 'string')
    """
    name = datatype.rstrip("0123456789")
    return "int" if name == "uint" else name


def _int_range(datatype: str) -> tuple[int, int]:
    bits = int(datatype.lstrip("uint"))
    return (0, 2**bits - 1) if datatype.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _strict(field: dict[str, Any], policy: str, bound: str) -> Any:
    """Return a bound of the field if the signature refuses what lies outside; ``None`` if it lets it pass."""
    if field.get(policy) != "error" or field.get(bound) is None:
        return None
    return dict.fromkeys(field[bound]) if bound == "categories" else field[bound]


def _plain(value: Any) -> Any:
    """Return what a library's own scalar or array holds, as Python's own objects."""
    kind = type(value).__name__
    if kind in ("datetime64", "timedelta64"):
        value = value.astype(f"{kind}[us]")  # finer than Python's own types, item() would give a bare number
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):
        return value.tolist()
    return value


def _parsed(text: str, example: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"{_shown(text)} is no ISO 8601 text; {example} is needed") from None


def _shown(value: Any) -> str:
    text = value.isoformat() if isinstance(value, date) else repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _kind(value: Any) -> str:
    for types, name in _KINDS:
        if isinstance(value, types):
            return name
    return f"a {type(value).__name__}"


_KINDS: tuple[tuple[Any, str], ...] = (
    (bool, "a truth value"),
    (str, "text"),
    (int | float | Decimal, "a number"),
    (bytes | bytearray, "bytes"),
    (datetime, "a date with time"),
    (date, "a date"),
    (timedelta, "a duration"),
    (dict, "a dict"),
    (list | tuple, "a list"),
)
