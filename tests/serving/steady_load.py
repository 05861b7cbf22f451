"""Requests all the time, from several threads, while something else happens; nothing may go wrong for any of them."""

from __future__ import annotations

import threading
import time
from collections import Counter
from types import TracebackType

import httpx2
from running import Running


class SteadyLoad:
    """Asks until it is left; each request carries a number of its own, whose answer is checked.

    Args:
        running: Who is asked.
        threads: So many ask at once.
        pause_s: Time between two requests of a thread, seconds.
        what: What rows say besides their number.

    Attributes:
        versions: Requests answered, by version.
        variants: The same by variant.
        failures: Everything else that came back.
    """

    def __init__(self, running: Running, *, threads: int = 4, pause_s: float = 0.005, what: str = "ok") -> None:
        self._url = f"http://127.0.0.1:{running.port}/models/behaving/predict"
        self._pause, self._what = pause_s, what
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self.versions: Counter[str] = Counter()
        self.variants: Counter[str] = Counter()
        self.failures: list[str] = []
        self.slowest_s = 0.0
        self._threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(threads)]

    def __enter__(self) -> SteadyLoad:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, thread: int) -> None:
        number = thread * 1_000_000
        with httpx2.Client(timeout=30) as http:
            while not self._ended.is_set():
                number += 1
                begun = time.monotonic()
                try:
                    answer = http.post(self._url, json={"rows": [{"x": float(number), "what": self._what}]})
                except httpx2.TransportError as error:
                    self.failures.append(repr(error))
                    continue
                with self._lock:
                    self._count(answer, number)
                    self.slowest_s = max(self.slowest_s, time.monotonic() - begun)
                time.sleep(self._pause)

    def _count(self, answer: httpx2.Response, number: int) -> None:
        told = answer.json()
        if answer.status_code != 200:
            self.failures.append(answer.text)
            return
        factor = {"1.0.0": 2.0, "2.0.0": 3.0}.get(told["version"], 2.0)
        if told["predictions"] != [{"prediction": factor * number}]:
            self.failures.append(f"{number}: {answer.text}")
        self.versions[told["version"]] += 1
        self.variants[told["variant"]] += 1

    @property
    def answered(self) -> int:
        """How many were answered."""
        return sum(self.versions.values())

    def until(self, version: str, timeout_s: float = 20.0) -> float:
        """Wait until a version answers; return how long that took, seconds."""
        begun, before = time.monotonic(), self.versions[version]
        while self.versions[version] == before:
            assert time.monotonic() - begun < timeout_s, f"{version} never answered: {self.versions}"
            time.sleep(0.005)
        return time.monotonic() - begun

    def more(self, number: int, timeout_s: float = 20.0) -> None:
        """Wait until so many more were answered."""
        until, wanted = time.monotonic() + timeout_s, self.answered + number
        while self.answered < wanted:
            assert time.monotonic() < until, self.failures[:3]
            time.sleep(0.005)
