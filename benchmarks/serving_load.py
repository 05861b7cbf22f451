"""What asks the servers where speed is measured: wrk, which costs the machine little and keeps every latency.

For the other scripts about serving (``apt-get install wrk``). Where answers are looked at, :mod:`serving_client` asks.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import Any, NamedTuple

from registry_peers import CLIENT_CORE
from serving_models import Subject, slices
from serving_peers import JSON, PROGRAMS, Server


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
    """Ask with wrk as fast as the answers come; bodies that are not JSON (of one line) are all the first one."""
    with tempfile.NamedTemporaryFile("wb", suffix=".lines") as lines:
        lines.write(b"\n".join(bodies) + b"\n" if server.asked.media_type == JSON else bodies[0])
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
        command = [
            "taskset",
            "-c",
            str(CLIENT_CORE),
            "wrk",
            *map(str, options),
            url,
            "--",
            lines.name,
            server.asked.media_type,
        ]
        before = server.cpu_s()
        done = subprocess.run([*command, server.asked.media_type], capture_output=True, text=True, check=True)
        cpu = server.cpu_s() - before
    seen = json.loads(done.stdout.strip().rpartition("\n")[2])
    taken = {key: seen[key] for key in ("requests", "seconds", "p50_ms", "p99_ms", "refused", "broken")}
    return Load(cpu_s=cpu, **taken)


def interleaved(
    servers: Sequence[Server], ask: Callable[[Server], Load], *, rounds: int
) -> dict[str, list[dict[str, Any]]]:
    """Ask each server in turns, after a turn that warms; return what came, by the server's name."""
    seen: dict[str, list[dict[str, Any]]] = {server.name: [] for server in servers}
    for number in range(rounds + 1):
        for server in servers:
            load = ask(server)
            if number:
                seen[server.name].append(load.plain())
    return seen


def shown(what: str, seen: dict[str, list[dict[str, Any]]]) -> None:
    """Print a table of medians; the ratios are ours to each, of the same round."""
    print(f"\n{what:<28}{'per s':>10}{'p50 ms':>9}{'p99 ms':>9}{'CPU µs':>9}{'ours ÷, per s':>15}{'÷, CPU':>9}")
    for name, rows in seen.items():
        mid = {key: median(row[key] for row in rows) for key in ("per_s", "p50_ms", "p99_ms", "cpu_us")}
        cells = f"{mid['per_s']:>10,.0f}{mid['p50_ms']:>9.2f}{mid['p99_ms']:>9.2f}{mid['cpu_us']:>9,.0f}"
        speed, cpu = ratio(seen, name, "per_s"), 1 / ratio(seen, name, "cpu_us")
        bad = sum(row["refused"] + row["broken"] for row in rows)
        print(f"{name:<28}{cells}{speed:>15.2f}{cpu:>9.2f}{f'  {bad} failed' if bad else ''}", flush=True)


def ratio(seen: dict[str, list[dict[str, Any]]], name: str, key: str, ours: str = "modelwright") -> float:
    """Return the median over rounds of ours ÷ theirs."""
    pairs: Iterable[tuple[Any, Any]] = zip(seen[ours], seen[name], strict=True)
    return median(our[key] / their[key] for our, their in pairs)
