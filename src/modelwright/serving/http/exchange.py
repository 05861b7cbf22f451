"""One request that arrived whole, and its answer, without a task of its own.

Nearly every request for a prediction is small, is there in one piece, and waits for nothing but its batch: the gateway
makes an :class:`Exchange` of it, its handler puts the rows to the data plane, and the plane tells the exchange. A task,
and a dozen coroutines within one another, would cost as much as all that is done with the request.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from modelwright.errors import ModelwrightError
from modelwright.serving.asking import asked_of
from modelwright.serving.http.messages import Reply, Request
from modelwright.serving.inference import Answer

if TYPE_CHECKING:
    from modelwright.serving.http.gateway import Gateway, WriteError

Finish = Callable[[Answer], Reply]


class Begins(Protocol):
    """A handler that needs no task for small requests."""

    def begin(self, request: Request, exchange: Exchange) -> bool:
        """Put the request to the data plane, with the exchange as receiver; the last thing to be done.

        It sets :attr:`Exchange.finish` before. If it needs a task after all, it says so and has done nothing.

        Raises:
            ModelwrightError: It was not begun.
        """
        ...


class Exchange:
    """A request, and who is told its answer: a :class:`Receiver <modelwright.serving.receiving.Receiver>`.

    Args:
        gateway: Sends the reply, and tells observers.
        request: The request.
        scope: Its ASGI scope.
        begun: When it was there, as :func:`time.perf_counter` has it.
        write_error: How errors are written.
        later: Runs an ASGI application for the request, for a client that does not take the reply at once.

    Attributes:
        finish: Makes the reply of an answer; set by the handler.
    """

    __slots__ = ("_answered", "_gateway", "begun", "finish", "later", "request", "scope", "write_error")

    def __init__(
        self,
        gateway: Gateway,
        request: Request,
        scope: dict[str, Any],
        begun: float,
        write_error: WriteError,
        later: Callable[[Any], None],
    ) -> None:
        self._gateway, self.request, self.scope, self.begun = gateway, request, scope, begun
        self.write_error, self.later = write_error, later
        self.finish: Finish | None = None
        self._answered = False

    def done(self) -> bool:
        """Say whether it was answered; one whose client went away is answered as well, and counted."""
        return self._answered

    def set_result(self, answer: Answer, /) -> None:
        """Send the answer."""
        note = self.request.note
        note.answer = answer
        if answer.table is not None:
            note.table = answer.table
        assert self.finish is not None, "set before it was begun"
        try:
            reply = self.finish(answer)
        except Exception as failure:  # whatever it is, the request is answered
            self.set_exception(failure)
            return
        self._answered = True
        self._gateway.send(self, reply, "")

    def set_exception(self, failure: Exception, /) -> None:
        """Send what is told of an error."""
        self._answered = True
        self.request.note.asked = asked_of(failure)
        error = failure.code if isinstance(failure, ModelwrightError) else ModelwrightError.code
        reply = self._gateway.refused(failure, self.write_error, self.request.request_id)
        self._gateway.send(self, reply, error)
