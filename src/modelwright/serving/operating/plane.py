"""The data plane at work: the models of a server, and the observers who are told what became of requests.

Made by the server; asked by every transport through :class:`modelwright.serving.dataplane.DataPlane`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import cast

from modelwright.errors import UnknownModelError
from modelwright.runtime.suggestions import nearest
from modelwright.serving.dataplane import Endpoint, Observer
from modelwright.serving.inference import Answer, Event, Table
from modelwright.serving.operating.inquiries import Inquiry
from modelwright.serving.operating.models import ModelEndpoint, ServedModel, VariantEndpoint
from modelwright.serving.receiving import Receiver

log = logging.getLogger("modelwright.serving")


class Plane:
    """The models of a server.

    Args:
        observers: Told what became of every request.

    Attributes:
        served: The models by name.
        stopping: Whether the server is on its way down: it is not ready any more, and still answers.
    """

    def __init__(self, observers: Iterable[Observer] = ()) -> None:
        self.served: dict[str, ServedModel] = {}
        self.observers = list(observers)
        self.stopping = False

    def live(self) -> bool:
        """See :meth:`modelwright.serving.dataplane.DataPlane.live`."""
        return True

    def ready(self) -> bool:
        """See :meth:`modelwright.serving.dataplane.DataPlane.ready`."""
        return not self.stopping and all(model.ready for model in self.served.values())

    def models(self) -> tuple[str, ...]:
        """List the names of the models."""
        return tuple(sorted(self.served))

    def versions(self, model: str) -> tuple[str, ...]:
        """List the versions of a model."""
        return self._model(model).versions()

    def endpoint(self, model: str, version: str = "") -> Endpoint:
        """Return where requests for a model go."""
        return self._model(model).endpoint(version)

    def _model(self, name: str) -> ServedModel:
        found = self.served.get(name)
        if found is None:
            meant = nearest(name, list(self.served))
            raise UnknownModelError(
                f"There is no model {name[:80]!r} here.",
                why=f"Served are {', '.join(self.models()) or 'none'}.",
                hint=f"Did you mean {meant!r}?" if meant else "",
            )
        return found

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
        """Return what the model answers; see :meth:`modelwright.serving.dataplane.DataPlane.infer`."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.submit(endpoint, table, answer, methods=methods, request_id=request_id, unit=unit, timeout_s=timeout_s)
        return await answer

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
        """Begin to ask the model; see :meth:`modelwright.serving.dataplane.DataPlane.submit`."""
        asked = cast("ModelEndpoint | VariantEndpoint", endpoint)
        asked.submit(Inquiry(table, endpoint.contract, methods, request_id, timeout_s), receiver, unit=unit)

    def told(self, event: Event) -> None:
        """Tell the observers."""
        for observer in self.observers:
            try:
                observer.observe(event)
            except Exception:  # an observer is never a reason not to answer
                log.exception("an observer failed")

    async def stop(self, *, drain_s: float) -> None:
        """Stop every model."""
        self.stopping = True
        for model in self.served.values():
            await model.stop(drain_s=drain_s)
