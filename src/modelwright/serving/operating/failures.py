"""Write failing requests into the log: a line each, and of many that are alike how many there were.

Called by models, for every door alike. The line holds what a caller is not told: the reason, in the model's own words.
A version that fails at every request would fill a disk with one and the same line.
"""

from __future__ import annotations

import asyncio
import logging
from typing import NamedTuple

from modelwright.errors import ModelwrightError, NotReadyError, OverloadedError
from modelwright.serving.asking import Asked
from modelwright.serving.telling import OF_THE_REQUEST

log = logging.getLogger("modelwright.serving.errors")
LISTED = 5
"""So many failures that are alike are listed within ``PERIOD_S``; the others are counted."""
PERIOD_S = 60.0
"""How long it is counted, seconds."""
MAX_KINDS = 100
"""Most kinds of failures that are told apart; reasons may be anything."""
NO_FAILURES = (OverloadedError, NotReadyError, *OF_THE_REQUEST)
"""Errors of requests that were not begun, or were wrong."""
SHOWN_PROBLEMS = 3
LONGEST = 2000
"""Characters of a line."""


class Kind(NamedTuple):
    """What failures that are alike have in common.

    Attributes:
        version: Version that failed.
        variant: Name of the variant.
        code: Code of the error.
        reason: Beginning of the reason: the class of what the model raised.
    """

    version: str
    variant: str
    code: str
    reason: str


class _Counted:
    """Failures of one kind since the first of them."""

    __slots__ = ("count", "last", "over")

    def __init__(self, over: asyncio.TimerHandle) -> None:
        self.over, self.count, self.last = over, 0, ""


class Failures:
    """The failures of one model.

    Args:
        model: Name it is served under.
        period_s: How long failures that are alike are counted, seconds.
    """

    def __init__(self, model: str, *, period_s: float = PERIOD_S) -> None:
        self._model, self._period_s = model, period_s
        self._counted: dict[Kind, _Counted] = {}

    def say(self, error: Exception, asked: Asked, *, request_id: str) -> None:
        """Log a failure, unless many were like it; a defect is logged where it is answered.

        Args:
            error: What went wrong.
            asked: Who failed.
            request_id: Id of the request.
        """
        if not isinstance(error, ModelwrightError) or isinstance(error, NO_FAILURES):
            return
        kind = Kind(asked.version, asked.variant, error.code, error.why.partition(":")[0])
        if kind not in self._counted and len(self._counted) >= MAX_KINDS:
            kind = kind._replace(reason="")
        counted = self._counted.get(kind)
        if counted is None:
            over = asyncio.get_running_loop().call_later(self._period_s, self._sum_up, kind)
            counted = self._counted[kind] = _Counted(over)
        counted.count += 1
        counted.last = request_id
        if counted.count <= LISTED:
            more = "" if counted.count < LISTED else " (more like it are counted, not listed)"
            failed = (
                f"{self._model}: {kind.version} ({kind.variant}) failed at request {request_id}: {error_line(error)}"
            )
            log.warning("%s%s", one_line(failed), more)

    def _sum_up(self, kind: Kind) -> None:
        counted = self._counted.pop(kind)
        counted.over.cancel()
        if counted.count > LISTED:
            who = f"{self._model}: {kind.version} ({kind.variant})"
            said = f"{kind.code}{f', {kind.reason}' if kind.reason else ''}"
            more = counted.count - LISTED
            last = f"within {self._period_s:g} s, the last at request {counted.last}"
            log.warning("%s", one_line(f"{who} failed at {more} more requests like that {last}: {said}"))

    def close(self) -> None:
        """Log what was counted."""
        for kind in tuple(self._counted):
            self._sum_up(kind)


def error_line(error: ModelwrightError) -> str:
    """Return an error as one line: code, sentence, place, reason, the first problems.

    Example:
        >>> from modelwright.errors import OutputError
        >>> error_line(OutputError("predict of churn 1.3.0 failed.", why="KeyError: 'age'", hint="Report it."))
        "MW202: predict of churn 1.3.0 failed. KeyError: 'age'"
    """
    problems = [str(problem) for problem in error.problems[:SHOWN_PROBLEMS]]
    if len(error.problems) > SHOWN_PROBLEMS:
        problems.append(f"and {len(error.problems) - SHOWN_PROBLEMS} more")
    place = f"({error.where})" if error.where else ""
    return one_line(" ".join(filter(None, [f"{error.code}: {error.what}", place, error.why, "; ".join(problems)])))


def one_line(text: str) -> str:
    r"""Return a text as one line that can be printed anywhere: callers choose ids of requests, models their words.

    Example:
        >>> one_line("7f3a\nFAKE: all is well \x1b[2J")
        '7f3a FAKE: all is well [2J'
    """
    plain = " ".join("".join(char if char.isprintable() else " " for char in text[: 2 * LONGEST]).split())
    return plain if len(plain) <= LONGEST else f"{plain[:LONGEST]} …"
