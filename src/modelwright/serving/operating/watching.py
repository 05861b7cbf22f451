"""Follow a stage of a registry: a promotion or a rollback there reaches the requests here, within two seconds.

What a stage runs is asked for twice a second. A release that cannot be prepared, does not hold its scenarios or cannot
stand in never takes a request: the old one goes on, and it is not tried again until the stage runs something else.

Started by the server, one task per model that is watched.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from modelwright.errors import ModelwrightError, UnavailableError
from modelwright.registry.registry import Registry
from modelwright.serving.operating.conducting import Conductor, Wanted

log = logging.getLogger("modelwright.serving")
EVERY_S = 0.5
"""How often a stage is looked at, seconds."""
RETRY_S = 30.0
"""How often a release that could not be fetched or prepared for a reason that may pass is tried again, seconds."""

Before = Callable[[str], Awaitable[None]]


class Watcher:
    """Follows the stage that one model's control names.

    Args:
        conductor: Changes what is served.
        registry: The registry.
        model: Name of the model.
        before: Awaited before a change: whatever else moves the requests of this model must end.

    Attributes:
        trouble: Why the stage cannot be followed at the moment, which is logged once; empty: it can.
    """

    def __init__(self, conductor: Conductor, registry: Registry, model: str, *, before: Before) -> None:
        self._conductor, self._registry, self._model, self._before = conductor, registry, model, before
        deployment = conductor.deployment.models[model]
        self._control = next(name for name, one in deployment.variants.items() if one.role == "live")
        self._reference = deployment.variants[self._control].reference
        self._seen: frozenset[str] = frozenset()
        self._retry_at = 0.0
        self.trouble = ""

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await self._look()
                self.trouble = ""
            except ModelwrightError as error:
                if str(error) != self.trouble:
                    log.warning("%s cannot be followed: %s", self._reference, error)
                self.trouble = str(error)
            except Exception as error:  # whatever it was, a stage that is not followed any more would go unnoticed
                if repr(error) != self.trouble:
                    log.exception("%s cannot be followed", self._reference)
                self.trouble = repr(error)

    async def _look(self) -> None:
        digests = await asyncio.to_thread(self._digests)
        running = self._conductor.plane.served[self._model].now().control
        now = asyncio.get_running_loop().time()
        if not digests or (digests == self._seen and not 0 < self._retry_at < now):
            return  # a canary that took over is not what the stage says, and stays until the stage says something new
        self._retry_at = 0.0
        if running.contract.digest not in digests:
            await self._follow(now)
        self._seen = digests

    def _digests(self) -> frozenset[str]:
        _, release = self._registry.find(self._reference)
        return frozenset(file.sha256 for file in release.wheels)

    async def _follow(self, now: float) -> None:
        """Serve what the stage runs now, or go on with what is served."""
        try:
            package = await asyncio.to_thread(self._registry.read, self._reference)
            await self._before(self._model)
            wanted = self._conductor.configured(self._model)
            wanted[self._control] = Wanted(self._reference, "live", package)
            await self._conductor.change(self._model, lambda _serving: wanted, self._conductor.planned(self._model))
        except UnavailableError:
            raise
        except ModelwrightError as error:
            self._retry_at = now + RETRY_S
            log.error("%s now names a release that is not served; the one before goes on: %s", self._reference, error)
