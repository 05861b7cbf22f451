"""Twice what a server can do: how much it still answers, how fast it refuses the rest, and whether its memory stays.

The forest is asked for 200 rows at once, so that the model is what limits. Capacity is what a closed loop of 32
connections gets; then requests come at twice that rate, whatever happens to them. The queue is of two seconds' work.
Run: ``python benchmarks/serving_overload.py``.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles
from typing import Any

from serving_client import Paced, post
from serving_load import bodies_of, hammer
from serving_models import subject
from serving_peers import Server, ours

RESULTS = Path(__file__).parent / "results" / "serving_overload.json"
SIZE = 200


def cycle(server: Server, bodies: list[bytes]) -> Iterator[bytes]:
    """Make requests without end."""
    return itertools.cycle([post(server.asked.path, body) for body in bodies])


def watched(server: Server, stop: threading.Event, every_s: float = 0.5) -> list[float]:
    """Return the memory of a server, looked at until told to stop, MB."""
    seen = []
    while not stop.wait(every_s):
        seen.append(round(server.rss_mb(), 1))
    return seen


def overload(server: Server, bodies: list[bytes], *, per_s: float, seconds: float) -> dict[str, Any]:
    """Send requests at a rate."""
    stop, memory = threading.Event(), list[float]()
    watcher = threading.Thread(target=lambda: memory.extend(watched(server, stop)))
    watcher.start()
    paced = Paced(server.port, cycle(server, bodies), per_s=per_s, most=900)
    begun = time.perf_counter()
    seen = paced.run(seconds)
    took = time.perf_counter() - begun
    stop.set()
    watcher.join()
    good = [one for one in seen if one.status == 200]
    rejects = [1e3 * one.seconds for one in seen if one.status == 503]
    parts = quantiles(rejects, n=100) if len(rejects) > 1 else [0.0] * 99
    steady = [one for one in good if one.at_s + one.seconds <= seconds]
    return {
        "sent_per_s": len(seen) / seconds,
        "good_per_s": len(steady) / seconds,
        "good": len(good),
        "rejected": len(rejects),
        "other": len(seen) - len(good) - len(rejects),
        "reject_p50_ms": parts[49],
        "reject_p99_ms": parts[98],
        "reject_max_ms": max(rejects, default=0.0),
        "good_p99_ms": 1e3 * sorted(one.seconds for one in good)[int(0.99 * len(good))],
        "seconds": took,
        "memory_mb": memory,
    }


def main() -> None:
    """Measure, print, and keep the raw output."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=25, help="of the overload")
    options.add_argument("--quick", action="store_true", help="eight seconds; the raw output is not kept")
    chosen = options.parse_args()
    seconds = 8.0 if chosen.quick else chosen.seconds
    model = subject("forest")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wheel = model.wheel(folder / "wheels")
        with ours(model, wheel, folder=folder / "measured") as server:
            bodies = bodies_of(server, model, SIZE)
            hammer(server, bodies, connections=32, seconds=2)
            peak = hammer(server, bodies, connections=32, seconds=min(seconds, 8.0))
        queue = int(peak.per_s * SIZE)  # of one second; the client keeps fewer requests open than two would be
        with ours(model, wheel, folder=folder / "ours", settings=f"queue_rows = {queue}\n") as server:
            hammer(server, bodies, connections=32, seconds=2)
            seen = overload(server, bodies, per_s=2 * peak.per_s, seconds=seconds)
    seen |= {"peak_per_s": peak.per_s, "goodput": seen["good_per_s"] / peak.per_s, "queue_rows": queue}
    print(
        f"peak {peak.per_s:,.0f} per s; at {seen['sent_per_s']:,.0f} per s: {seen['good_per_s']:,.0f} answered", end=""
    )
    print(f" ({seen['goodput']:.0%}), {seen['rejected']:,} rejected, {seen['other']} otherwise")
    said = (
        f"rejects: p50 {seen['reject_p50_ms']:.1f}, p99 {seen['reject_p99_ms']:.1f}, max {seen['reject_max_ms']:.1f} ms"
    )
    memory = seen["memory_mb"]
    print(f"{said}; memory {memory[len(memory) // 3]:.0f} MB after a third, {memory[-1]:.0f} MB at the end")
    if not chosen.quick:
        RESULTS.write_text(json.dumps(seen, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
