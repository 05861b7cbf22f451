"""What waits in a pool, the places of its workers, and what is told when something took too long or was lost.

Called by :mod:`.pool`. It decides nothing.
"""

from __future__ import annotations

import random
from typing import NamedTuple

from modelwright.errors import DeadlineError, ModelwrightError, OverloadedError, WorkerError
from modelwright.serving.inference import Table, Values
from modelwright.serving.receiving import Receiver
from modelwright.serving.workers.worker import Worker


class Told(NamedTuple):
    """What a request is told at the end.

    Attributes:
        outputs: Values per output, of its own rows.
        queue_seconds: Time it waited for a worker, seconds.
        predict_seconds: Time of its batch in the model, seconds.
        batch_rows: Rows of its batch.
    """

    outputs: dict[str, Values]
    queue_seconds: float
    predict_seconds: float
    batch_rows: int


class Waiting:
    """A request that waits, or is under way.

    Args:
        table: Its rows.
        methods: Methods to call.
        since: When it came, on the monotonic clock, seconds.
        deadline: When nobody waits for it any more.
        receiver: Told the outcome.

    Attributes:
        begun: When it was put to the model.
        alone: Whether it must not share a batch.
    """

    __slots__ = ("alone", "begun", "deadline", "methods", "receiver", "since", "table")

    def __init__(
        self, table: Table, methods: tuple[str, ...], since: float, deadline: float, receiver: Receiver[Told]
    ) -> None:
        self.table, self.methods, self.since, self.deadline, self.receiver = table, methods, since, deadline, receiver
        self.begun = since
        self.alone = False


class Seat:
    """A place for a worker, and what it has at the moment."""

    __slots__ = ("begun", "failures", "rows", "since", "taken", "unstarted", "why", "worker")

    def __init__(self) -> None:
        self.worker: Worker | None = None
        self.taken: list[Waiting] | None = None
        self.begun = 0.0
        self.rows = 0
        self.since = 0.0
        self.failures = 0
        self.unstarted = 0
        self.why = ""


def fail(waiting: Waiting, error: ModelwrightError) -> None:
    """Tell a request that it failed, unless it was told something already."""
    if not waiting.receiver.done():
        waiting.receiver.set_exception(error)


def gone(title: str, why: str) -> WorkerError:
    """Return the error of a request whose worker was lost."""
    return WorkerError(
        f"The process of {title} ended while it had the request.",
        why=f"{why}.",
        hint="It has been replaced; send the request again, unless it is what ended it.",
    )


def late(title: str, what: str, seconds: float, *, longest_s: float) -> DeadlineError:
    """Return the error of a request that was not answered in time.

    Args:
        title: What the version is called.
        what: What it did: ``waited`` or ``computed``.
        seconds: For how long, seconds.
        longest_s: Longest time that the model has, seconds.
    """
    return DeadlineError(
        f"{title} did not answer in time: the request {what} for {seconds:.1f} s.",
        why=f"A model has at most {longest_s:g} s, or what the caller allows.",
        hint="Send fewer rows at once, or raise deadline_s.",
    )


def overloaded(title: str, rows: int, *, most: int, wait_s: float) -> OverloadedError:
    """Return the error of a request that would have to wait too long.

    Args:
        title: What the version is called.
        rows: Rows that wait.
        most: Most rows that may.
        wait_s: When they are likely to be answered, seconds.
    """
    error = OverloadedError(
        f"{rows} rows wait for {title} already.",
        why=f"At most {most} may; a longer queue would only make everybody wait longer.",
        hint="Send it again later; the request was not begun.",
    )
    error.retry_after_s = min(30.0, max(1.0, wait_s)) * random.uniform(1.0, 1.5)  # noqa: S311 - spreads retries
    return error
