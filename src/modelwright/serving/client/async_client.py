"""``mw.AsyncClient``: the models of a server, asked and awaited.

For: programs on asyncio or trio. It has what :class:`modelwright.serving.client.client.Client` has, each method to be
awaited; plans and answers are the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any

from modelwright.serving.client.asking import Answered
from modelwright.serving.client.client import Questions
from modelwright.serving.client.served import ServedModel

if TYPE_CHECKING:
    from modelwright.serving.client.connection import Address


class AsyncClient(Questions):
    """Asks the models of a server; tasks may share it.

    Arguments and errors are those of :class:`~modelwright.serving.client.client.Client`.
    """

    def _open(self, address: Address) -> None:
        from modelwright.serving.client.connection import AsyncConnection

        self._connection = AsyncConnection(address)

    async def predict(self, rows: Any, **how: Any) -> Any:
        """Return what the model predicts for rows, in the kind of container that they came in.

        Raises:
            ModelwrightError: As :meth:`modelwright.serving.client.client.Client.ask`.
        """
        return (await self.ask("predict", rows, **how)).predictions

    async def ask(
        self,
        method: str,
        rows: Any,
        *,
        model: str = "",
        version: str = "",
        unit: str = "",
        request_id: str = "",
        timeout_s: float | None = None,
    ) -> Answered:
        """Return what a method answers for rows, and which version and request it was.

        Args and errors are those of :meth:`modelwright.serving.client.client.Client.ask`.
        """
        options = self._options(model, version, unit, request_id, timeout_s)
        return await self._connection.run(self._asking.ask(method, rows, options))

    def __getattr__(self, name: str) -> Any:
        """Return what asks a method of this name; whether the model has it is known when it is awaited."""
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__} has no {name!r}.")
        return partial(self._call, name)

    async def _call(self, method: str, rows: Any, **how: Any) -> Any:
        return (await self.ask(method, rows, **how)).predictions

    async def models(self) -> tuple[ServedModel, ...]:
        """Return the models of the server, without their signatures."""
        return await self._connection.run(self._asking.models(self._patience))

    async def model(self, name: str = "") -> ServedModel:
        """Return one model with its signature and an example; by default the client's, or the only one."""
        return await self._connection.run(self._asking.model(name or self._defaults.model, self._patience))

    async def outcome(self, request_id: str, outcome: Mapping[str, Any], *, row: int = 0) -> None:
        """Tell the server what turned out to be true of a row of an earlier request."""
        await self.outcomes([{"request_id": request_id, "row": row, "outcome": outcome}])

    async def outcomes(self, told: Sequence[Mapping[str, Any]]) -> None:
        """Tell the server many outcomes at once: all are taken, or none."""
        await self._connection.run(self._asking.outcomes(told, self._patience))

    async def close(self) -> None:
        """Close its connections."""
        await self._connection.close()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
