"""The workers of one version, and what waits for them: dynamic micro-batching without a timer.

A worker that is free takes whatever is queued, up to a number of rows: at one connection nothing ever waits, at many
the batch grows by itself while the worker computes. A request is never in more than one batch, and a batch that is
refused is put to the model again, request by request, so that nobody pays for somebody else's row.

Called by variants, on the event loop; it starts and replaces workers, and does not know where they run.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable

from modelwright.errors import DeadlineError, ModelwrightError, NotReadyError, OverloadedError, WorkerError
from modelwright.serving.contract import Contract
from modelwright.serving.deployment import Limits
from modelwright.serving.inference import Table, Values
from modelwright.serving.receiving import Receiver
from modelwright.serving.workers.batch import part_of, together
from modelwright.serving.workers.waiting import Seat, Told, Waiting, fail, gone, late, overloaded
from modelwright.serving.workers.worker import Batched, Worker

TICK_S = 0.05
"""How often it is looked whether something took too long, seconds."""
RETURN_SHARE = 0.25
"""Those who were answered together are waited for, to be answered together again, for this share of the time that the
model took, and at most ``GATHER_S``; whoever was answered alone is not."""
GATHER_S = 0.003
"""While requests keep arriving, no batch is begun for at most so long, seconds; nobody waits for one that may come."""
RESTART_S = (0.1, 30.0)
"""A worker that was lost is replaced after so long, doubled each time up to so long, seconds."""
BROKEN = 3
"""A version whose every worker was lost so often in a row is broken."""
HOPELESS = 2
"""While no worker could be started again in so many attempts, requests are refused at once instead of waiting."""
ROOM_SHARE = 0.95
"""A queue that was full takes requests again when so much of it is used."""
STEADY_S = 60.0
"""A worker that lived so long ends the doubling, seconds."""

log = logging.getLogger("modelwright.serving")
Make = Callable[[], Worker]


class Pool:
    """The workers of one version.

    Args:
        contract: What the version promises.
        limits: How much at once, and how long.
        make: Makes a worker that was not started yet.
        note: Told of workers that were lost: why.
        batched: Told of every batch that was answered: how many rows it had.

    Attributes:
        queued_rows: Rows that wait.
        restarts: How often a worker was replaced.
    """

    def __init__(
        self,
        contract: Contract,
        limits: Limits,
        make: Make,
        *,
        note: Callable[[str], None] = lambda _why: None,
        batched: Callable[[int], None] = lambda _rows: None,
    ) -> None:
        self.contract, self.limits = contract, limits
        self._make, self._note, self._batched = make, note, batched
        self._queue: deque[Waiting] = deque()
        self._seats = [Seat() for _ in range(limits.workers)]
        self._free: list[Seat] = []
        self._scheduled = 0.0
        self._arrived = self._seen = 0
        self._expected, self._until = 0, 0.0
        self._waiting: asyncio.TimerHandle | None = None
        self._closed = self._hopeless = self._alone = self._full = False
        self._ticker: asyncio.TimerHandle | None = None
        self._restarting: set[asyncio.Task[None]] = set()
        self._row_seconds = 0.0
        self._loop = asyncio.get_running_loop()
        self.queued_rows = 0
        self.restarts = 0
        self.load_seconds = 0.0

    @property
    def ready(self) -> bool:
        """Whether a worker is there that can answer."""
        return not self._closed and any(seat.worker is not None for seat in self._seats)

    @property
    def alive(self) -> int:
        """How many workers are loaded."""
        return sum(seat.worker is not None for seat in self._seats)

    @property
    def broken(self) -> str:
        """Why it cannot answer at all; empty if it can, or soon will."""
        if self.ready or self._closed:
            return ""
        failures = min(seat.failures for seat in self._seats)
        return f"its process ended {failures} times in a row" if failures >= BROKEN else ""

    @property
    def in_flight(self) -> int:
        """How many requests wait or are under way."""
        return len(self._queue) + sum(len(seat.taken or ()) for seat in self._seats)

    async def start(self) -> None:
        """Start every worker; if one cannot be started, none is.

        Raises:
            ModelwrightError: The model cannot be loaded, a scenario does not hold, or loading takes too long.
        """
        try:
            async with asyncio.timeout(self.limits.load_s):
                await asyncio.gather(*map(self._occupy, self._seats))
        except TimeoutError:
            await self.close()
            raise NotReadyError(
                f"{self.contract.title} was not loaded within {self.limits.load_s:g} s.",
                hint="load_s = … is the limit.",
            ) from None
        except BaseException:
            await self.close()
            raise
        self._tick()

    async def _occupy(self, seat: Seat) -> None:
        worker = self._make()
        worker.lost = lambda why: self._lost(seat, worker, why)
        try:
            loaded = await worker.start()
        except BaseException:
            worker.kill()
            raise
        if self._closed:
            worker.kill()
            return
        self.load_seconds = loaded.load_seconds
        seat.worker, seat.since, seat.taken, seat.unstarted = worker, time.monotonic(), None, 0
        self._hopeless = False
        self._free.append(seat)
        self._schedule()

    def submit(
        self, table: Table, methods: tuple[str, ...], receiver: Receiver[Told], *, timeout_s: float | None = None
    ) -> None:
        """Queue a request.

        Args:
            table: Its rows, at least one.
            methods: Methods to call.
            receiver: Told the answer or the error, unless this raises.
            timeout_s: How long the caller waits; at most what the model allows.

        Raises:
            OverloadedError: More rows are waiting than may.
            NotReadyError: There are no workers, and will be none soon.
        """
        if self._closed:
            raise NotReadyError(f"{self.contract.title} is being stopped.")
        if self._hopeless:
            raise self._unavailable()
        if self.queued_rows and self.queued_rows + table.size > self.limits.queue_rows:
            self._full = True
            raise self._overloaded()
        now = time.monotonic()
        longest = self.limits.deadline_s
        deadline = now + (longest if timeout_s is None or timeout_s > longest else timeout_s)
        self._queue.append(Waiting(table, methods, now, deadline, receiver))
        self.queued_rows += table.size
        self._arrived += 1
        self._schedule()

    def check_room(self) -> None:
        """Check whether a request is worth reading: once one was refused, none is until the queue is a little shorter.

        Reading what is refused afterwards would take the time of those that are answered.

        Raises:
            OverloadedError: It is not.
        """
        if self._full:
            self._full = self.queued_rows > ROOM_SHARE * self.limits.queue_rows
            if self._full:
                raise self._overloaded()

    def _overloaded(self) -> OverloadedError:
        wait_s = self.queued_rows * self._row_seconds / max(1, self.alive)
        return overloaded(self.contract.title, self.queued_rows, most=self.limits.queue_rows, wait_s=wait_s)

    def _unavailable(self) -> NotReadyError:
        return NotReadyError(
            f"{self.contract.title} has no process at the moment: it ended, and cannot be started again.",
            hint="It is tried again and again; the log of the server says why it fails.",
        )

    def _schedule(self) -> None:
        """Give out work as soon as nothing more arrives, and those who were answered a moment ago are back."""
        if self._scheduled or not self._free or not self._queue:
            return
        if self._alone or self.queued_rows >= self.limits.batch_rows:  # there is nothing to gain by waiting
            self._expected = 0
            self._work()
            return
        if len(self._queue) < self._expected:
            left = self._until - time.monotonic()
            if left > 0:
                if self._waiting is None:
                    self._waiting = self._loop.call_later(left, self._expect_no_one)
                return
        self._expected = 0
        self._scheduled = time.monotonic()
        self._seen = self._arrived
        self._loop.call_soon(self._give_out)

    def _expect_no_one(self) -> None:
        self._waiting, self._expected = None, 0
        self._schedule()

    def _give_out(self) -> None:
        """Give out work, unless requests came in since the last turn of the event loop: then there are more to come.

        So whatever the sockets hold becomes one batch. While requests come one by one, nothing of this is done.
        """
        if self._arrived != self._seen and time.monotonic() - self._scheduled < GATHER_S:
            self._seen = self._arrived
            self._loop.call_soon(self._give_out)
            return
        self._scheduled = 0.0
        self._work()

    def _work(self) -> None:
        while self._free and self._queue:
            taken = self._take()
            if taken:
                self._begin(self._free.pop(), taken)

    def _take(self) -> list[Waiting]:
        """Take the next requests for one batch: of the same methods, in order, up to the rows of a batch."""
        now, taken, rows = time.monotonic(), list[Waiting](), 0
        while self._queue:
            first = self._queue[0]
            if first.receiver.done():  # its caller went away
                self._drop(self._queue.popleft())
                continue
            if taken and (
                first.alone
                or taken[0].alone
                or first.methods != taken[0].methods
                or rows + first.table.size > self.limits.batch_rows
            ):
                break
            self._drop(self._queue.popleft())
            first.begun = now
            taken.append(first)
            rows += first.table.size
        return taken

    def _drop(self, waiting: Waiting) -> None:
        self.queued_rows -= waiting.table.size

    def _begin(self, seat: Seat, taken: list[Waiting]) -> None:
        table = together([waiting.table for waiting in taken])
        seat.taken, seat.begun, seat.rows = taken, time.monotonic(), table.size
        assert seat.worker is not None, "a free seat has a worker"
        try:
            seat.worker.ask(taken[0].methods, table, lambda batched: self._finished(seat, batched))
        except ModelwrightError as error:  # the batch cannot be sent; alone, a request of it may
            self._finished(seat, Batched(None, error=error))

    def _finished(self, seat: Seat, batched: Batched) -> None:
        taken, seat.taken = seat.taken or [], None
        if seat.worker is not None:
            self._free.append(seat)
        if batched.outputs is not None:
            self._row_seconds += 0.1 * (batched.seconds / max(1, seat.rows) - self._row_seconds)
            self._batched(seat.rows)
            self._tell(taken, batched.outputs, batched.seconds, seat.rows)
        elif len(taken) == 1:
            fail(taken[0], batched.error or WorkerError("The model gave no answer."))
        else:
            for waiting in reversed(taken):
                waiting.alone = True
                self._queue.appendleft(waiting)
                self.queued_rows += waiting.table.size
        self._alone = len(taken) == 1 and not self._queue
        if len(taken) > 1 and batched.outputs is not None:
            self._expected = len(taken) + len(self._queue)
            self._until = time.monotonic() + min(GATHER_S, RETURN_SHARE * batched.seconds)
        self._schedule()
        self._seen = -1  # those who are answered now may ask again: one turn of the event loop shows who does

    def _tell(self, taken: list[Waiting], outputs: dict[str, Values], seconds: float, rows: int) -> None:
        start = 0
        for waiting in taken:
            stop = start + waiting.table.size
            if not waiting.receiver.done():
                part = outputs if len(taken) == 1 else part_of(outputs, start, stop)
                try:
                    waiting.receiver.set_result(Told(part, waiting.begun - waiting.since, seconds, rows))
                except Exception:  # whoever cannot take its answer keeps nobody else from theirs
                    log.exception("an answer of %s could not be passed on", self.contract.title)
            start = stop

    def _tick(self) -> None:
        """Look what took too long: tell who waits, and end a worker that is stuck."""
        if self._closed:
            return
        self._ticker = asyncio.get_running_loop().call_later(TICK_S, self._tick)
        now = time.monotonic()
        for waiting in self._queue:
            if waiting.deadline < now:
                fail(waiting, self._late("waited", now - waiting.since))
        for seat in self._seats:
            for waiting in seat.taken or ():
                if waiting.deadline < now:
                    fail(waiting, self._late("computed", now - waiting.since))
            if seat.taken is not None and seat.worker is not None and now - seat.begun > self.limits.deadline_s:
                seat.why = f"a call of the model took longer than {self.limits.deadline_s:g} s"
                seat.worker.kill()
        if any(waiting.receiver.done() for waiting in self._queue):  # whoever gave up holds no place
            self._queue = deque(waiting for waiting in self._queue if not waiting.receiver.done())
            self.queued_rows = sum(waiting.table.size for waiting in self._queue)

    def _late(self, what: str, seconds: float) -> DeadlineError:
        return late(self.contract.title, what, seconds, longest_s=self.limits.deadline_s)

    def _lost(self, seat: Seat, worker: Worker, why: str) -> None:
        """Fail what the worker had, and replace it."""
        if seat.worker is not worker:
            return
        seat.worker, why, seat.why = None, seat.why or why, ""
        if seat in self._free:
            self._free.remove(seat)
        for waiting in seat.taken or ():
            fail(waiting, gone(self.contract.title, why))
        seat.taken = None
        if self._closed:
            return
        self.restarts += 1
        self._note(why)
        seat.failures = 0 if time.monotonic() - seat.since > STEADY_S else seat.failures + 1
        task = asyncio.get_running_loop().create_task(self._replace(seat))
        self._restarting.add(task)
        task.add_done_callback(self._restarting.discard)

    async def _replace(self, seat: Seat) -> None:
        while not self._closed:
            if seat.failures > 1:
                await asyncio.sleep(min(RESTART_S[1], RESTART_S[0] * 2 ** min(seat.failures, 16)))
            try:
                async with asyncio.timeout(self.limits.load_s):
                    await self._occupy(seat)
                return
            except (ModelwrightError, OSError, TimeoutError) as error:
                seat.failures += 1
                seat.unstarted += 1
                self._hopeless = all(seat.unstarted >= HOPELESS for seat in self._seats)
                self._note(f"it cannot be started again: {error}")
                if self._hopeless:
                    for waiting in self._queue:
                        fail(waiting, self._unavailable())

    async def drain(self, timeout_s: float) -> None:
        """Wait until nothing waits or is under way, at most so long, seconds."""
        until = time.monotonic() + timeout_s
        while self.in_flight and time.monotonic() < until:
            await asyncio.sleep(0.005)

    async def close(self) -> None:
        """End all workers; what waits is refused."""
        self._closed = True
        for timer in (self._ticker, self._waiting):
            if timer is not None:
                timer.cancel()
        for task in tuple(self._restarting):
            task.cancel()
        for seat in self._seats:
            worker, seat.worker = seat.worker, None
            for waiting in seat.taken or ():
                fail(waiting, NotReadyError(f"{self.contract.title} was stopped."))
            seat.taken = None
            if worker is not None:
                worker.kill()
        while self._queue:
            fail(self._queue.popleft(), NotReadyError(f"{self.contract.title} was stopped."))
        self.queued_rows = 0
        await asyncio.sleep(0)
