"""What asks the servers: wrk where speed is measured, and a client of ours where every answer is looked at.

For the other scripts about serving. wrk (``apt-get install wrk``) costs the machine little and gives percentiles of all
requests. The client is a protocol on uvloop that keeps its connections open and sends the next request when the answer
to the last one is complete; it can also keep to a rate, whatever the answers do.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from registry_peers import CLIENT_CORE
from serving_models import Subject, slices
from serving_peers import PROGRAMS, Server

Check = Callable[[int, int, bytes], None]
"""Is told which request it was, its status (0: the connection broke), and the body of the answer."""


class Load(NamedTuple):
    """What came of asking many times.

    Attributes:
        requests: How many were answered.
        seconds: How long it took.
        cpu_s: CPU of the server, its children included, seconds.
        p50_ms: Median of latencies.
        p99_ms: Their 99th percentile.
        refused: How many answers were not of status 2xx.
        broken: How many connections broke.
    """

    requests: int
    seconds: float
    cpu_s: float
    p50_ms: float
    p99_ms: float
    refused: int = 0
    broken: int = 0

    @property
    def per_s(self) -> float:
        """Requests in a second."""
        return self.requests / self.seconds

    @property
    def cpu_us(self) -> float:
        """CPU of the server per request, µs."""
        return 1e6 * self.cpu_s / self.requests

    def plain(self) -> dict[str, Any]:
        """Return it for the raw output."""
        return self._asdict() | {"per_s": round(self.per_s, 1), "cpu_us": round(self.cpu_us, 1)}


def bodies_of(server: Server, subject: Subject, size: int = 1) -> list[bytes]:
    """Return bodies for a server, each of other rows."""
    return [server.asked.body(rows) for rows in slices(subject.rows(), size)]


def hammer(server: Server, bodies: Sequence[bytes], *, connections: int = 64, seconds: float = 5.0) -> Load:
    """Ask with wrk as fast as the answers come; bodies are of one line each."""
    with tempfile.NamedTemporaryFile("wb", suffix=".lines") as lines:
        lines.write(b"\n".join(bodies) + b"\n")
        lines.flush()
        url = f"http://127.0.0.1:{server.port}{server.asked.path}"
        options = [
            "-t1",
            f"-c{connections}",
            f"-d{max(1, round(seconds))}s",
            "--timeout",
            "60s",
            "-s",
            PROGRAMS / "varied.lua",
        ]
        command = ["taskset", "-c", str(CLIENT_CORE), "wrk", *map(str, options), url, "--", lines.name]
        before = server.cpu_s()
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        cpu = server.cpu_s() - before
    seen = json.loads(done.stdout.strip().rpartition("\n")[2])
    taken = {key: seen[key] for key in ("requests", "seconds", "p50_ms", "p99_ms", "refused", "broken")}
    return Load(cpu_s=cpu, **taken)
