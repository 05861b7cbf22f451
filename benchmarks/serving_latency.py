"""One connection, one row: what a request takes, and how much of it is not the model.

Ours with a worker process against MLServer with its worker process, ours in-process against MLServer without one; the
bare call is ``predict`` of the same object on an array (or frame) of one row, on the same core. In turns.
Run: ``python benchmarks/serving_latency.py``.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from registry_peers import SERVER_CORE
from serving_load import bodies_of, hammer, interleaved, shown
from serving_models import Subject, subject
from serving_peers import Server, echo, in_process, mlserver, ours

RESULTS = Path(__file__).parent / "results" / "serving_latency.json"


def bare_ms(model: Subject, *, calls: int = 2_000) -> float:
    """Return the median time of a bare call, on the core that servers have."""
    os.sched_setaffinity(0, {SERVER_CORE})
    rows = [model.table[place : place + 1] for place in range(len(model.table))]
    taken = []
    for place in range(calls):
        begun = time.perf_counter()
        model.native.predict(rows[place % len(rows)])
        taken.append(time.perf_counter() - begun)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    return 1e3 * median(taken)


def measure(folder: Path, *, rounds: int, seconds: float) -> dict[str, Any]:
    """Ask every server in turns, and the model itself between."""
    model = subject("cheap")
    wheel = model.wheel(folder / "wheels")
    bare: list[float] = []
    with ExitStack() as stack:
        servers: list[Server] = [
            stack.enter_context(one)
            for one in (
                ours(model, wheel, folder=folder / "ours"),
                in_process(model, wheel, folder / "in-process"),
                mlserver(model, folder / "mlserver"),
                mlserver(model, folder / "mlserver-in-process", workers=0),
                echo(),
            )
        ]
        bodies = {server.name: bodies_of(server, model) for server in servers}

        def ask(server: Server) -> Any:
            if server is servers[0]:
                bare.append(bare_ms(model))
            return hammer(server, bodies[server.name], connections=1, seconds=seconds)

        seen = interleaved(servers, ask, rounds=rounds)
    shown("1 row, 1 connection", seen)
    for name in ("modelwright", "modelwright in-process"):
        added = median(row["p50_ms"] - call for row, call in zip(seen[name], bare[1:], strict=True))
        print(f"{name}: {added:.3f} ms over the bare call of {median(bare[1:]):.3f} ms")
    return {"servers": seen, "bare_ms": bare[1:]}


def main() -> None:
    """Measure, print, and keep the raw output."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=2, help="of each turn")
    options.add_argument("--rounds", type=int, default=4)
    options.add_argument("--quick", action="store_true", help="one short round; the raw output is not kept")
    chosen = options.parse_args()
    rounds, seconds = (1, 2.0) if chosen.quick else (chosen.rounds, chosen.seconds)
    with tempfile.TemporaryDirectory() as folder:
        seen = measure(Path(folder), rounds=rounds, seconds=seconds)
    if not chosen.quick:
        RESULTS.write_text(json.dumps(seen, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
