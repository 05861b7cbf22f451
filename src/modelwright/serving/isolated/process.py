"""The process of a model that somebody waits for: started, asked, ended; without an event loop.

Called by :mod:`.model`, one call at a time. What runs there is the same loop as behind a server, with the
environment's own Python; see :mod:`modelwright.serving.workers.process`.
"""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

import msgspec

from modelwright.errors import DeadlineError, TooLargeError, WorkerError
from modelwright.serving.contract import Contract
from modelwright.serving.inference import Values
from modelwright.serving.isolated.rows import Fitted
from modelwright.serving.workers.batch import Framer, Part, parts_of, values_of
from modelwright.serving.workers.loop import LENGTHS
from modelwright.serving.workers.process import MAX_FRAME, Launch, end, ending, shared_payload, spawn
from modelwright.serving.workers.refusals import raised, unproved
from modelwright.serving.workers.sharing import SharedMemory

_decode = msgspec.json.Decoder().decode
Reply = tuple[dict[str, Any], bytearray]


class Child:
    """A model's process, and the connection to it.

    Args:
        launch: How it is started.
        contract: What its package promises.
    """

    def __init__(self, launch: Launch, contract: Contract) -> None:
        self._launch, self._contract = launch, contract
        self._framer = Framer(contract.signature)
        self._shared: SharedMemory
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._owner = os.getpid()
        self._number = 0

    @property
    def pid(self) -> int:
        """Number of the process; 0 if there is none."""
        running = self._process is not None and self._process.returncode is None and not self.forked()
        return self._process.pid if running and self._process is not None else 0

    def forked(self) -> bool:
        """Say whether this is a fork of the process that started it, so that it is not ours to ask or to end."""
        return os.getpid() != self._owner

    def start(self, until: float | None = None) -> None:
        """Start the process, load the model and run its scenarios.

        Args:
            until: When to give up, on the monotonic clock, seconds; ``None``: never.

        Raises:
            ModelwrightError: The model cannot be loaded, or a scenario does not hold.
            DeadlineError: That took too long.
        """
        self._owner = os.getpid()
        ours, theirs = socket.socketpair(socket.AF_UNIX)
        self._shared = SharedMemory()
        try:
            self._process = _kept_by_a_thread(self._launch, theirs, self._shared)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
            self._shared.inherited()
        self._socket = ours
        try:
            self._tell({"package": self._launch.package, "trust": self._launch.trust}, until)
            failed = self._tell({"warm": True}, until)["failed"]
            if failed:
                raise unproved(self._contract.title, failed)
        except BaseException:
            self.end()
            raise

    def _tell(self, head: dict[str, Any], until: float | None) -> dict[str, Any]:
        told, _ = self._exchange(parts_of({"id": 0, **head}, []), until, doing="loaded the model")
        if "refusal" in told:
            raise raised(told["refusal"], model=self._contract.title)
        return told

    def ask(self, method: str, fitted: Fitted, until: float | None) -> dict[str, Values]:
        """Return what a method answers; a process that is gone is replaced first.

        Args:
            method: Name of the method.
            fitted: The rows.
            until: When to give up, on the monotonic clock, seconds; ``None``: never.

        Raises:
            ModelwrightError: The model refuses the rows, fails, or cannot be started again.
            DeadlineError: The answer did not come in time; the process was ended.
            WorkerError: The process ended, or sent what is no answer.
        """
        if not self.pid:
            self.end()
            self.start(until)
        self._number += 1
        frame = fitted.frame(self._framer, self._number, method, self._shared)
        told, payload = self._exchange(frame, until, doing="had the rows")
        if told.get("id") != self._number:
            self.end()
            raise WorkerError(f"The process of {self._contract.title} sent what nobody asked for.")
        if "refusal" in told:
            raise raised(told["refusal"], model=self._contract.title)
        return values_of(told, shared_payload(told, self._shared, payload), fitted.size)

    def _exchange(self, frame: Sequence[Part], until: float | None, *, doing: str) -> Reply:
        """Send a frame and wait for the answer; whatever interrupts that ends the process, which is out of step."""
        try:
            for part in frame:
                self._ready(until).sendall(part)
            return self._receive(until)
        except TimeoutError:
            self.end()
            raise DeadlineError(
                f"{self._contract.title} did not answer in time.",
                why="Its process was ended; the next call starts another one.",
                hint="Give it more time (timeout_s=…), or ask about fewer rows at once.",
            ) from None
        except OSError:
            why = self._how_it_ended()
            raise WorkerError(
                f"The process of {self._contract.title} ended while it {doing}.",
                why=why,
                hint="The next call starts another one.",
            ) from None
        except BaseException:
            self.end()
            raise

    def _ready(self, until: float | None) -> socket.socket:
        """Return the connection, with what is left of the time."""
        assert self._socket is not None, "started"
        left = None if until is None else until - time.monotonic()
        if left is not None and left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
        return self._socket

    def _receive(self, until: float | None) -> Reply:
        head, payload = LENGTHS.unpack(self._read(LENGTHS.size, until))
        if head + payload > MAX_FRAME:
            raise TooLargeError(
                f"{self._contract.title} answers with {head + payload:,} bytes; {MAX_FRAME:,} are taken at once.",
                hint="Ask about the rows in parts.",
            )
        text = self._read(head, until)
        content = self._read(payload, until)
        try:
            told = _decode(text)
        except msgspec.DecodeError:
            raise WorkerError(f"The process of {self._contract.title} sent what is no answer.") from None
        if not isinstance(told, dict):
            raise WorkerError(f"The process of {self._contract.title} sent what is no answer.")
        return told, content

    def _read(self, size: int, until: float | None) -> bytearray:
        content = bytearray(size)
        view, place = memoryview(content), 0
        while place < size:
            count = self._ready(until).recv_into(view[place:])
            if not count:
                raise ConnectionResetError
            place += count
        return content

    def _how_it_ended(self) -> str:
        assert self._process is not None, "started"
        try:
            why = ending(self._process.wait(timeout=1))
        except subprocess.TimeoutExpired:  # it closed its end, and lives on
            why = "it stopped listening"
        self.end()
        return why

    def end(self) -> None:
        """End the process, if there is one."""
        connection, self._socket = self._socket, None
        process, self._process = self._process, None
        if process is not None and self.forked():
            process.returncode = 0  # of another process's child; it is not ours to wait for
        elif process is not None:
            end(process)
        if connection is not None:
            with suppress(OSError):
                connection.close()


def _kept_by_a_thread(launch: Launch, theirs: socket.socket, shared: SharedMemory) -> subprocess.Popen[bytes]:
    """Start a process from a thread that lives as long as it does.

    On Linux the process ends with the thread that started it: whoever calls may be a thread that ends sooner.
    """
    told: SimpleQueue[subprocess.Popen[bytes] | BaseException] = SimpleQueue()

    def keep() -> None:
        try:
            process = spawn(launch, theirs, shared)
        except BaseException as error:  # it is raised where somebody waits
            told.put(error)
            return
        told.put(process)
        process.wait()

    threading.Thread(target=keep, name=f"process of {launch.package}", daemon=True).start()
    found = told.get()
    if isinstance(found, BaseException):
        raise found
    return found
