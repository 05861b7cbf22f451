"""The one data plane that all transports translate to: live, ready, metadata, infer.

A transport (REST, Open Inference Protocol over HTTP or gRPC, the aliases for other servers' clients) finds the
endpoint, lets intake read the rows by its contract, infers, and lets answering write the values. It decides nothing.
The plane that does the work is :mod:`.plane`; tests of transports may use any other that keeps this interface.

Source: KServe Open Inference Protocol v2 for the four words.
"""

from __future__ import annotations

from typing import Protocol

from modelwright.serving.contract import Contract
from modelwright.serving.inference import Answer, Event, Table
from modelwright.serving.receiving import Receiver


class Endpoint(Protocol):
    """Where requests for one model go: the model as a whole, or one version of it."""

    @property
    def name(self) -> str:
        """Name of the model, as it is served."""
        ...

    @property
    def contract(self) -> Contract:
        """What rows are judged by; that of the version which stands for the model."""
        ...

    @property
    def ready(self) -> bool:
        """Whether it can answer now."""
        ...

    @property
    def max_rows(self) -> int:
        """Most rows of one request."""
        ...

    def check_room(self) -> None:
        """Check whether a request is worth reading, as far as that is known before.

        Raises:
            OverloadedError: It would be refused: too much is waiting.
        """
        ...


class DataPlane(Protocol):
    """What transports ask."""

    def live(self) -> bool:
        """Say whether the process works at all; false only while it stops."""
        ...

    def ready(self) -> bool:
        """Say whether every model that is configured is loaded, checked and warm, and none is being drained."""
        ...

    def models(self) -> tuple[str, ...]:
        """List the names of the models, sorted, whether ready or not."""
        ...

    def versions(self, model: str) -> tuple[str, ...]:
        """List the versions of a model that can be asked for by number: those of its variants, shadows included.

        Raises:
            UnknownModelError: There is no such model.
        """
        ...

    def endpoint(self, model: str, version: str = "") -> Endpoint:
        """Return where requests for a model go.

        Args:
            model: Its name.
            version: One of :meth:`versions`; empty: whichever the router chooses.

        Raises:
            UnknownModelError: There is no such model or version; the nearest name is suggested.
            NotReadyError: It is not loaded, so that nothing is known of it.
        """
        ...

    async def infer(
        self,
        endpoint: Endpoint,
        table: Table,
        *,
        methods: tuple[str, ...],
        request_id: str,
        unit: str = "",
        timeout_s: float | None = None,
    ) -> Answer:
        """Return what the model answers.

        Args:
            endpoint: What :meth:`endpoint` returned.
            table: The rows, in the form of its contract.
            methods: Methods to call, some of ``endpoint.contract.methods``.
            request_id: Id of the request.
            unit: What the request is about, for sticky assignment; empty: the request id is taken.
            timeout_s: How long the caller waits; at most what the model allows.

        Raises:
            OverloadedError: Too much is waiting; nothing was begun.
            DeadlineError: The answer did not come in time.
            WorkerError: The process of the model ended meanwhile.
            NotReadyError: No version can answer.
            OutputError: The model failed, or answered what its signature does not allow.
        """
        ...

    def submit(
        self,
        endpoint: Endpoint,
        table: Table,
        receiver: Receiver[Answer],
        *,
        methods: tuple[str, ...],
        request_id: str,
        unit: str = "",
        timeout_s: float | None = None,
    ) -> None:
        """Begin to ask the model: as :meth:`infer`, but the answer, or the error, is told to the receiver.

        What keeps it from being begun is raised, and not told.
        """
        ...

    def told(self, event: Event) -> None:
        """Tell the observers what became of a request; never waits, never raises. Called once, after the answer."""
        ...


class Observer(Protocol):
    """Is told what became of every request."""

    def observe(self, event: Event) -> None:
        """Take note. It must not wait for anything, and must not raise."""
        ...
