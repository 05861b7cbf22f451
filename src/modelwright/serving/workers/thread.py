"""A worker in a thread of this process: for one version whose environment is this one.

Nothing is copied to it, so one row is answered sooner; but a model that crashes takes the server with it, and one that
hangs cannot be stopped: its thread is left behind, and the model is loaded again for another one. Used for
``--in-process`` only.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any

from modelwright.errors import ModelwrightError
from modelwright.serving.contract import Contract
from modelwright.serving.inference import Table, Values
from modelwright.serving.workers.batch import Framer
from modelwright.serving.workers.loop import Session, refusal, settle
from modelwright.serving.workers.refusals import raised, unproved
from modelwright.serving.workers.worker import Batched, Loaded

_Job = tuple[tuple[str, ...], Table, Callable[[Batched], None]]


class ThreadWorker:
    """A worker in a thread.

    Args:
        package: Import name of the package, which is installed here.
        contract: What it promises.
        trust: Types that the operator vouches for.
    """

    def __init__(self, package: str, contract: Contract, *, trust: tuple[str, ...] = ()) -> None:
        self._package, self._contract, self._trust = package, contract, trust
        self._framer = Framer(contract.signature)
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._session: Session | None = None
        self._left = False
        self.lost: Callable[[str], None] = lambda _why: None

    async def start(self) -> Loaded:
        """Load the model and run its scenarios; see :class:`.worker.Worker`."""
        self._loop = asyncio.get_running_loop()
        begun = time.perf_counter()
        self._session = await asyncio.to_thread(Session, self._package, list(self._trust))
        seconds = time.perf_counter() - begun
        failed: list[dict[str, Any]] = await asyncio.to_thread(self._session.warm)
        if failed:
            raise unproved(self._contract.title, failed)
        settle()
        Thread(target=self._run, name=f"model {self._contract.title}", daemon=True).start()
        return Loaded(seconds, os.getpid())

    def ask(self, methods: tuple[str, ...], table: Table, done: Callable[[Batched], None]) -> None:
        """Put a batch to the model; see :class:`.worker.Worker`."""
        self._jobs.put((methods, table, done))

    def kill(self) -> None:
        """Leave the thread behind; it ends after what it is doing, and is not listened to any more."""
        if self._left:
            return
        self._left = True
        self._jobs.put(None)
        if self._session is not None:
            self._loop.call_soon(self.lost, "its thread was left behind")

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            methods, table, done = job
            answer = self._answer(methods, table)
            if self._left:
                return
            with suppress(RuntimeError):  # the loop was closed meanwhile
                self._loop.call_soon_threadsafe(self._told, done, answer)

    def _told(self, done: Callable[[Batched], None], answer: Batched) -> None:
        if not self._left:
            done(answer)

    def _answer(self, methods: tuple[str, ...], table: Table) -> Batched:
        assert self._session is not None, "started"
        begun = time.perf_counter()
        try:
            columns = None if table.columns is None else self._framer.plain(table.columns)
            found = self._session.answer(list(methods), table.size, table.block, columns)
        except ModelwrightError as error:
            return Batched(None, error=error)
        except Exception as error:  # the model's own code may raise anything
            return Batched(None, error=raised(refusal(error), model=self._contract.title))
        outputs = {
            name: Values(memoryview(data), dtype, tuple(shape)) if dtype else Values(data)
            for name, dtype, shape, data in found
        }
        return Batched(outputs, time.perf_counter() - begun)
