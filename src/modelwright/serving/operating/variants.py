"""One version that is served: prepared, started, warm; then drained and given back.

Called by models. A variant is started once; another version is another variant.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Literal

from modelwright.errors import OverloadedError
from modelwright.serving.asking import Asked, mark_asked
from modelwright.serving.contract import Contract
from modelwright.serving.deployment import Limits, Role
from modelwright.serving.operating.preparing import Prepared
from modelwright.serving.workers.pool import Pool

State = Literal["starting", "ready", "draining", "stopped"]


class ServedVariant:
    """One version that is served.

    Args:
        name: Name of the variant.
        reference: What it was asked for as.
        prepared: The version, ready to be started.
        limits: How much at once, and how long.
        role: ``live`` or ``shadow``.
        note: Told of workers that were lost: the variant, and why.
        batched: Told of every batch that was answered: the variant, and how many rows it had.

    Attributes:
        contract: What it promises.
        pool: Its workers.
        state: What it does at the moment.
        generation: Tells it from another variant of the same version.
        tried: Whether a rollout tries it: the server is as ready without it.
    """

    def __init__(
        self,
        name: str,
        reference: str,
        prepared: Prepared,
        *,
        limits: Limits,
        role: Role = "live",
        note: Callable[[ServedVariant, str], None] = lambda _variant, _why: None,
        batched: Callable[[ServedVariant, int], None] = lambda _variant, _rows: None,
    ) -> None:
        self.name, self.reference, self.role = name, reference, role
        self.contract: Contract = prepared.contract
        self._prepared = prepared
        self.pool = Pool(
            prepared.contract,
            limits,
            prepared.make,
            note=lambda why: note(self, why),
            batched=lambda rows: batched(self, rows),
        )
        self.tried = False
        self.state: State = "starting"
        self.generation = secrets.token_hex(4)

    def serve_as(self, name: str, reference: str, role: Role, *, tried: bool) -> None:
        """Serve under this name, and in this role, from now on."""
        self.name, self.reference, self.role, self.tried = name, reference, role, tried

    @property
    def version(self) -> str:
        """Version of its package."""
        return self.contract.version

    @property
    def asked(self) -> Asked:
        """Who was asked, if something becomes of a request here."""
        return Asked(self.contract.version, self.contract.digest, self.name)

    @property
    def ready(self) -> bool:
        """Whether it can answer."""
        return self.state == "ready" and self.pool.ready

    def check_room(self) -> None:
        """Check whether a request is worth reading; see :meth:`Pool.check_room <.workers.pool.Pool.check_room>`.

        Raises:
            OverloadedError: It is not.
        """
        try:
            self.pool.check_room()
        except OverloadedError as error:
            mark_asked(error, self.asked)
            raise

    async def start(self) -> None:
        """Start its workers; each loads the model and runs the scenarios.

        Raises:
            ModelwrightError: It cannot be loaded, or a scenario does not hold; nothing of it is left.
        """
        try:
            await self.pool.start()
        except BaseException:
            self._give_back()
            raise
        self.state = "ready"

    async def stop(self, *, drain_s: float) -> None:
        """Let what is under way end, at most so long, and stop; it must not be chosen any more."""
        if self.state == "stopped":
            return
        self.state = "draining"
        try:
            await self.pool.drain(drain_s)
        finally:  # also if nobody waits for that any more
            await self.pool.close()
            self._give_back()

    def _give_back(self) -> None:
        self.state = "stopped"
        self._prepared.release()


async def prepared(make: Callable[[], Prepared]) -> Prepared:
    """Prepare in a thread; if nobody waits any more, what was prepared is given back."""
    task = asyncio.ensure_future(asyncio.to_thread(make))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(_unwanted)
        raise


def _unwanted(task: asyncio.Future[Prepared]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().release()
