"""A request on its way through a model's variants: what is asked, and how the answer finds its way back.

Made by the plane for every request; :mod:`.models` puts it to one variant, and to shadows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from modelwright.serving.asking import mark_asked
from modelwright.serving.contract import Contract
from modelwright.serving.inference import Answer, Table
from modelwright.serving.operating.failures import Failures
from modelwright.serving.operating.variants import ServedVariant
from modelwright.serving.receiving import Receiver
from modelwright.serving.workers.waiting import Told

Tell: TypeAlias = Callable[[Answer | None], None]
"""Is told what a caller got: the answer, or nothing."""


class Inquiry(NamedTuple):
    """What is asked.

    Attributes:
        table: The rows.
        judged_by: The contract that they fit.
        methods: Methods to call.
        request_id: Id of the request.
        timeout_s: How long the caller waits, seconds; ``None``: as long as the model may take.
    """

    table: Table
    judged_by: Contract
    methods: tuple[str, ...]
    request_id: str
    timeout_s: float | None = None


class Answering:
    """Makes an answer of what the pool of a variant tells, and passes it on; itself a receiver.

    Args:
        model: Name of the model.
        variant: Who was asked.
        inquiry: What was asked.
        own: The rows as the variant takes them, if that is not how they came.
        receiver: Told the answer, or an error that says who was asked.
        failures: Told of errors.
    """

    __slots__ = ("_failures", "_inquiry", "_model", "_own", "_receiver", "_variant", "done")

    def __init__(
        self,
        model: str,
        variant: ServedVariant,
        inquiry: Inquiry,
        own: Table | None,
        receiver: Receiver[Answer],
        failures: Failures,
    ) -> None:
        self._model, self._variant, self._inquiry, self._own = model, variant, inquiry, own
        self._receiver, self.done, self._failures = receiver, receiver.done, failures

    def set_result(self, told: Told, /) -> None:
        """Pass the answer on."""
        inquiry, variant = self._inquiry, self._variant
        contract = variant.contract
        outputs, queue_seconds, predict_seconds, batch_rows = told
        self._receiver.set_result(
            Answer(
                request_id=inquiry.request_id,
                model=self._model,
                version=contract.version,
                digest=contract.digest,
                variant=variant.name,
                size=inquiry.table.size,
                outputs=outputs,
                queue_seconds=queue_seconds,
                predict_seconds=predict_seconds,
                batch_rows=batch_rows,
                table=self._own,
            )
        )

    def set_exception(self, exception: Exception, /) -> None:
        """Pass the error on."""
        mark_asked(exception, self._variant.asked)
        self._failures.say(exception, self._variant.asked, request_id=self._inquiry.request_id)
        self._receiver.set_exception(exception)


class Mirrored:
    """A receiver whose answer is told to shadows as well.

    Args:
        receiver: Told the outcome first.
        tells: Told the answer, or nothing if there was none.
    """

    __slots__ = ("_receiver", "_tells", "done")

    def __init__(self, receiver: Receiver[Answer], tells: list[Tell]) -> None:
        self._receiver, self._tells, self.done = receiver, tells, receiver.done

    def set_result(self, answer: Answer, /) -> None:
        """Pass the answer on."""
        self._receiver.set_result(answer)
        self.tell(answer)

    def set_exception(self, exception: Exception, /) -> None:
        """Pass the error on."""
        self._receiver.set_exception(exception)
        self.tell(None)

    def tell(self, answer: Answer | None) -> None:
        """Tell the shadows what the caller got."""
        for tell in self._tells:
            tell(answer)
