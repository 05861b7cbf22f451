"""A worker in a process of its own, in an environment of its own, at the other end of a Unix socket.

Started by pools. What runs there is :mod:`.loop`, as a script, with the environment's own Python in isolated mode; the
process is given next to no variables, and ends with this one. Standard output of a model goes where errors go.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from modelwright.errors import WorkerError
from modelwright.serving.contract import Contract
from modelwright.serving.inference import Table
from modelwright.serving.workers import loop as worker_loop
from modelwright.serving.workers.batch import JudgedFramer, values_of
from modelwright.serving.workers.loop import LENGTHS
from modelwright.serving.workers.refusals import raised, unproved
from modelwright.serving.workers.sharing import SharedMemory
from modelwright.serving.workers.worker import Batched, Loaded

P = TypeVar("P", bytes, bytearray)
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
MAX_FRAME = 2 * 2**30
"""Largest answer to a batch that is taken from a worker, bytes."""


class Launch(NamedTuple):
    """How a model's process is started.

    Attributes:
        python: Python of its environment.
        package: Import name of the package.
        variables: Its whole environment.
        trust: Types that the operator vouches for.
        threads: Threads that its numerical libraries may use.
    """

    python: Path
    package: str
    variables: Mapping[str, str]
    trust: tuple[str, ...] = ()
    threads: int = 1


_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def spawn(launch: Launch, theirs: socket.socket, shared: SharedMemory) -> subprocess.Popen[bytes]:
    """Start the process of a model.

    On Linux it ends with the thread that calls this, which must live as long as it is to.

    Args:
        launch: How it is started.
        theirs: Its end of the connection.
        shared: Memory for large payloads, which it inherits.
    """
    descriptors = [one for one in (theirs.fileno(), shared.descriptor) if one >= 0]
    threads = {name: str(launch.threads) for name in _THREADS} if launch.threads else {}
    script = Path(worker_loop.__file__)
    return subprocess.Popen(
        [str(launch.python), "-I", str(script), *map(str, descriptors)],
        env={**threads, **launch.variables},
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=sys.__stderr__.fileno() if sys.__stderr__ else subprocess.DEVNULL,
        pass_fds=descriptors,
        start_new_session=True,
    )


def shared_payload(told: dict[str, Any], shared: SharedMemory, payload: P) -> bytes | P:
    """Return the payload of an answer: what came with its head, or what lies in the shared memory.

    Raises:
        WorkerError: It says that more lies there than can.
    """
    size = told.get("shared")
    if size is None:
        return payload
    if not isinstance(size, int) or not shared.holds(size):
        raise WorkerError("The process of the model sent what is no answer.", why="its payload lies nowhere")
    return shared.get(size)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process and what it started, at once."""
    if process.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=5)


def ending(code: int) -> str:
    """Return how a process ended, from its exit code."""
    return f"it was ended by {signal.Signals(-code).name}" if code < 0 else f"it ended with exit code {code}"


def _no_one(why: str) -> None:
    """Tell nobody."""


class ProcessWorker(asyncio.Protocol):
    """A worker in a process of its own.

    Args:
        launch: How it is started.
        contract: What its package promises.
    """

    def __init__(self, launch: Launch, contract: Contract) -> None:
        self._launch, self._contract = launch, contract
        self._framer = JudgedFramer(contract.signature)
        self._shared: SharedMemory
        self._buffer = bytearray()
        self._wanted = LENGTHS.size
        self._number = 0
        self._size = 0
        self._done: Callable[[Batched], None] | None = None
        self._message: asyncio.Future[dict[str, Any]] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._transport: asyncio.Transport | None = None
        self._killed = False
        self.lost: Callable[[str], None] = _no_one

    async def start(self) -> Loaded:
        """Start the process, load the model and run its scenarios; see :class:`.worker.Worker`."""
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair(socket.AF_UNIX)
        try:
            await loop.run_in_executor(None, self._spawn, theirs)
        except BaseException:
            ours.close()
            raise
        await loop.create_connection(lambda: self, sock=ours)
        try:
            told = await self._tell({"package": self._launch.package, "trust": self._launch.trust})
            failed = (await self._tell({"warm": True}))["failed"]
        except BaseException:
            self.kill()
            raise
        if failed:
            self.kill()
            raise unproved(self._contract.title, failed)
        return Loaded(float(told["seconds"]), int(told["pid"]))

    def _spawn(self, theirs: socket.socket) -> None:
        """Start the process, in a thread; whoever waited for it may be gone when it is there."""
        self._shared = SharedMemory()
        try:
            with theirs:
                self._process = spawn(self._launch, theirs, self._shared)
        finally:
            self._shared.inherited()
        if self._killed:
            end(self._process)

    async def _tell(self, head: dict[str, Any]) -> dict[str, Any]:
        self._message = asyncio.get_running_loop().create_future()
        text = _encode({"id": 0, **head})
        self._write(LENGTHS.pack(len(text), 0) + text)
        told = await self._message
        if "refusal" in told:
            raise raised(told["refusal"], model=self._contract.title)
        return told

    def ask(self, methods: tuple[str, ...], table: Table, done: Callable[[Batched], None]) -> None:
        """Put a batch to the model; see :class:`.worker.Worker`."""
        self._number += 1
        self._size, self._done = table.size, done
        self._write(self._framer.frame(self._number, methods, table, self._shared))

    def _write(self, frame: bytes) -> None:
        if self._transport is not None:
            self._transport.write(frame)

    def kill(self) -> None:
        """End the process and what it started, at once."""
        self._killed = True
        if self._process is not None:
            end(self._process)
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take note of the connection."""
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Put frames together, and pass on each that is complete."""
        self._buffer += data
        while len(self._buffer) >= self._wanted:
            head, payload = LENGTHS.unpack_from(self._buffer)
            whole = LENGTHS.size + head + payload
            if whole > MAX_FRAME:
                self.kill()
                return
            if len(self._buffer) < whole:
                self._wanted = whole
                return
            text = bytes(self._buffer[LENGTHS.size : LENGTHS.size + head])
            content = bytes(self._buffer[LENGTHS.size + head : whole])
            del self._buffer[:whole]
            self._wanted = LENGTHS.size
            try:
                told = _decode(text)
            except msgspec.DecodeError:
                self.kill()
                return
            self._received(told, content)

    def _received(self, told: dict[str, Any], payload: bytes) -> None:
        if self._message is not None and not self._message.done():
            self._message.set_result(told)
            self._message = None
            return
        done, self._done = self._done, None
        if done is None or told.get("id") != self._number:
            self.kill()  # it speaks without being asked
            return
        if "refusal" in told:
            done(Batched(None, error=raised(told["refusal"], model=self._contract.title)))
            return
        try:
            done(
                Batched(
                    values_of(told, shared_payload(told, self._shared, payload), self._size),
                    float(told.get("seconds", 0.0)),
                )
            )
        except WorkerError as error:
            done(Batched(None, error=error))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio names it
        """Say that the worker is gone."""
        why = self._how_it_ended()
        if self._message is not None and not self._message.done():
            self._message.set_exception(WorkerError(f"The process of {self._contract.title} ended.", why=why))
        self.lost(why)

    def _how_it_ended(self) -> str:
        if self._process is None:
            return "it was never started"
        try:
            code = self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:  # it closed its socket, and lives on
            self.kill()
            return "it stopped listening"
        return ending(code)
