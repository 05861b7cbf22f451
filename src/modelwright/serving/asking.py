"""Ask the data plane once, and note what is learnt on the way.

For: every transport. What is noted becomes the event that observers are told after the answer, whether the request
succeeded or not; the door that took the request makes it, because it knows the status and when the answer was sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from modelwright.errors import ModelwrightError
from modelwright.serving.dataplane import DataPlane, Endpoint
from modelwright.serving.inference import Answer, Event, Table


class Asked(NamedTuple):
    """Who was asked.

    Attributes:
        version: Version of the package.
        digest: sha256 of its wheel.
        variant: Name of the variant.
    """

    version: str = ""
    digest: str = ""
    variant: str = ""


_ASKED = "asked"
NOBODY = Asked()


def mark_asked(error: Exception, asked: Asked) -> None:
    """Note on an error who had been asked: a failure counts for the variant that failed."""
    vars(error)[_ASKED] = asked


def asked_of(error: Exception) -> Asked:
    """Return who had been asked when an error occurred."""
    found: Asked = vars(error).get(_ASKED, NOBODY)
    return found


@dataclass(slots=True)
class Note:
    """What is known of a request so far.

    Attributes:
        transport: Which door it came through (:attr:`Event.transport <.inference.Event.transport>`).
        request_id: Id that the message itself carries; empty: that of the door holds.
        model: Name of the model, as it was asked for.
        unit: What the request is about; empty if the caller did not say.
        table: The rows, once they were judged.
        answer: The answer, once there is one.
        asked: Who was asked, if that failed.
    """

    transport: str = ""
    request_id: str = ""
    model: str = ""
    unit: str = ""
    table: Table | None = None
    answer: Answer | None = None
    asked: Asked = NOBODY

    def event(
        self,
        *,
        time_s: float,
        seconds: float,
        status: int,
        error: str = "",
        request_id: str = "",
        client: str = "",
        traceparent: str = "",
        tracestate: str = "",
    ) -> Event:
        """Return what observers are told.

        Args:
            time_s: When the request came, seconds since the epoch.
            seconds: How long it took, seconds.
            status: HTTP status of the answer, or the one that means the same.
            error: Code of the error; empty if there was none.
            request_id: Id for a message that carried none.
            client: Address of the caller.
            traceparent: The header of that name.
            tracestate: The same.
        """
        answer = self.answer
        return Event(
            time_s=time_s,
            request_id=self.request_id or request_id,
            transport=self.transport,
            model=self.model,
            version=answer.version if answer is not None else self.asked.version,
            digest=answer.digest if answer is not None else self.asked.digest,
            variant=answer.variant if answer is not None else self.asked.variant,
            status=status,
            error=error,
            rows=self.table.size if self.table is not None else 0,
            seconds=seconds,
            queue_seconds=answer.queue_seconds if answer is not None else 0.0,
            predict_seconds=answer.predict_seconds if answer is not None else 0.0,
            batch_rows=answer.batch_rows if answer is not None else 0,
            unit=self.unit,
            client=client,
            traceparent=traceparent,
            tracestate=tracestate,
            table=self.table,
            outputs=answer.outputs if answer is not None else None,
        )


async def ask(
    plane: DataPlane,
    endpoint: Endpoint,
    table: Table,
    *,
    methods: tuple[str, ...],
    note: Note,
    timeout_s: float | None = None,
) -> Answer:
    """Return what the model answers, and note rows and answer.

    Args:
        plane: Whom to ask.
        endpoint: Where to.
        table: The rows, judged.
        methods: Methods to call.
        note: Has the request id and the unit already.
        timeout_s: How long the caller waits, seconds.

    Raises:
        ModelwrightError: As :meth:`DataPlane.infer <.dataplane.DataPlane.infer>`.
    """
    note.table = table
    try:
        note.answer = await plane.infer(
            endpoint, table, methods=methods, request_id=note.request_id, unit=note.unit, timeout_s=timeout_s
        )
    except ModelwrightError as error:
        note.asked = asked_of(error)
        raise
    if note.answer.table is not None:
        note.table = note.answer.table
    return note.answer
