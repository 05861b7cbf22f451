"""Do requests fail while releases change? ``--watch`` under 200 requests/s, and SIGTERM under the same.

A registry's stage is promoted and rolled back a hundred times, each as soon as the one before has reached the traffic;
the answers tell which release gave them. Then servers are started and ended by SIGTERM under load: a request that was
sent must be answered. A connection refused after the signal is no failed request: nothing was sent on it.
Run: ``python benchmarks/serving_changes.py``.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from serving_client import Paced, post, run_beside
from serving_models import numbered
from serving_peers import Server, ours

import modelwright as mw

RESULTS = Path(__file__).parent / "results" / "serving_changes.json"
RATE = 200.0
SHIFTS = {"1.0.0": 0.0, "1.1.0": 0.25}
"""What the answers of each release have behind the point."""
PATIENCE_S = 60.0


def requests(server: Server) -> Iterator[bytes]:
    """Make requests without end."""
    for number in itertools.count():
        yield post(server.asked.path, server.asked.body([{"x0": number, "x1": 1, "x2": 0, "x3": 0}]))


def shift_of(body: bytes) -> float:
    """Return what an answer has behind the point."""
    return float(json.loads(body)["predictions"][0]["prediction"]) % 1


def changes(folder: Path, wheels: dict[str, Path], count: int) -> dict[str, Any]:
    """Promote and roll back under load."""
    registry = mw.Registry(folder / "registry")
    registry.publish(*wheels.values())
    registry.promote("numbered", "1.0.0", to="production", reason="the first")
    options = ("--watch", "--registry", str(folder / "registry"), "--no-access-log")
    with ours(numbered(), "numbered@production", *options) as server:
        paced = Paced(server.port, requests(server), per_s=RATE)
        took = run_beside(_change(paced, registry, count))
    registry.close()
    seen = paced.seen
    return {
        "changes": len(took),
        "requests": len(seen),
        "failed": sum(one.status != 200 for one in seen),
        "took_s": took,
        "p99_ms": 1e3 * sorted(one.seconds for one in seen)[int(0.99 * len(seen))],
        "longest_ms": 1e3 * max(one.seconds for one in seen),
    }


async def _change(paced: Paced, registry: mw.Registry, count: int) -> list[float]:
    asking = asyncio.create_task(paced.ask(3600))
    await asyncio.sleep(2)
    took = []
    for number in range(count):
        version = "1.0.0" if number % 2 else "1.1.0"
        if number % 2:
            await asyncio.to_thread(registry.rollback, "numbered", stage="production", reason="back")
        else:
            await asyncio.to_thread(registry.promote, "numbered", version, to="production", reason="on")
        took.append(await _reached(paced, version))
    paced.stopping = True
    await asking
    return took


async def _reached(paced: Paced, version: str) -> float:
    """Wait until answers come from a release; return how long it took, seconds."""
    begun, looked = time.perf_counter(), len(paced.seen)
    while time.perf_counter() - begun < PATIENCE_S:
        await asyncio.sleep(0.01)
        fresh, looked = paced.seen[looked:], len(paced.seen)
        if any(one.status == 200 and shift_of(one.body) == SHIFTS[version] for one in fresh):
            return time.perf_counter() - begun
    raise AssertionError(f"{version} was promoted, and did not reach the traffic")


def drains(folder: Path, wheel: Path, count: int) -> dict[str, Any]:
    """End servers under load."""
    answered, failed, took = 0, 0, []
    for _ in range(count):
        with ours(numbered(), wheel, folder=folder) as server:
            paced = Paced(server.port, requests(server), per_s=RATE)
            took.append(run_beside(_drain(paced, server)))
            answered += sum(one.status == 200 for one in paced.seen)
            failed += sum(one.status != 200 for one in paced.seen)
    return {"drains": count, "requests": answered + failed, "failed": failed, "took_s": took}


async def _drain(paced: Paced, server: Server) -> float:
    asking = asyncio.create_task(paced.ask(30))
    await asyncio.sleep(1)
    begun = time.perf_counter()
    server.process.terminate()
    while server.process.poll() is None and time.perf_counter() - begun < PATIENCE_S:
        await asyncio.sleep(0.01)
    took = time.perf_counter() - begun
    paced.stopping = True
    await asking
    return took


def main() -> None:
    """Measure, print, and keep the raw output."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--changes", type=int, default=100)
    options.add_argument("--drains", type=int, default=20)
    options.add_argument("--quick", action="store_true", help="four changes, two drains; the raw output is not kept")
    chosen = options.parse_args()
    counts = (4, 2) if chosen.quick else (chosen.changes, chosen.drains)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wheels = {version: numbered(shift).wheel(folder / "wheels", version) for version, shift in SHIFTS.items()}
        drained = drains(folder / "drained", wheels["1.0.0"], counts[1])
        print(f"{drained['drains']} × SIGTERM: {drained['requests']:,} requests, {drained['failed']} failed", end="")
        print(f"; ended in {median(drained['took_s']):.1f} s")
        changed = changes(folder, wheels, counts[0])
    print(f"{changed['changes']} changes: {changed['requests']:,} requests, {changed['failed']} failed", end="")
    print(f"; reached in {median(changed['took_s']):.1f} s, at most {max(changed['took_s']):.1f} s", end="")
    print(f"; p99 {changed['p99_ms']:.1f} ms, longest {changed['longest_ms']:.1f} ms")
    if not chosen.quick:
        RESULTS.write_text(json.dumps({"changes": changed, "drains": drained}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
