"""One row per request, 64 connections: requests per second, latency, and CPU of the whole server per request.

Three models; ours with a worker process, with the exact form of the model, and in-process, MLServer with adaptive
batching and without, MLflow, BentoML with batching, FastAPI by hand, and the bare echo of our HTTP server, in turns.
MLServer's batching is given the best of the settings that were tried (64 requests, 2 ms). Run: ``python
benchmarks/serving_throughput.py --seconds 5``.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from serving_load import bodies_of, hammer, interleaved, shown
from serving_models import NAMES, subject
from serving_peers import Server, bentoml, echo, fastapi, in_process, mlflow, mlserver, ours

RESULTS = Path(__file__).parent / "results" / "serving_throughput.json"
PEERS = ("exact", "echo", "in-process", "mlserver-batching", "mlflow", "mlserver", "bentoml", "fastapi")
BATCHING: dict[str, Any] = {"batch_size": 64, "batch_s": 0.002}


def measure(name: str, folder: Path, *, rounds: int, seconds: float, peers: frozenset[str]) -> dict[str, Any]:
    """Ask every server for one model, in turns."""
    model = subject(name)
    wheel = model.wheel(folder / "wheels")
    fast = model.wheel(folder / "exact-wheels", accelerate="exact")
    makers = {
        "exact": lambda: ours(model, fast, folder=folder / "exact", name="exact"),
        "in-process": lambda: in_process(model, wheel, folder / "in-process"),
        "echo": echo,
        "mlserver-batching": lambda: mlserver(model, folder / "mlserver-batching", **BATCHING),
        "mlserver": lambda: mlserver(model, folder / "mlserver"),
        "mlflow": lambda: mlflow(model, folder / "mlflow"),
        "bentoml": lambda: bentoml(model, folder / "bentoml"),
        "fastapi": lambda: fastapi(model, folder / "fastapi"),
    }
    with ExitStack() as stack:
        servers: list[Server] = [stack.enter_context(ours(model, wheel, folder=folder / "ours"))]
        servers += [stack.enter_context(make()) for peer, make in makers.items() if peer in peers]
        bodies = {server.name: bodies_of(server, model) for server in servers}
        seen = interleaved(servers, lambda server: hammer(server, bodies[server.name], seconds=seconds), rounds=rounds)
    shown(f"{name}, 1 row, 64 connections", seen)
    return seen


def main() -> None:
    """Measure, print, and keep the raw output."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=3, help="of each turn")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--models", default=",".join(NAMES))
    options.add_argument(
        "--peers", help=f"of {', '.join(PEERS)}; by default all for the cheap model, else the first five"
    )
    options.add_argument("--quick", action="store_true", help="one short round; the raw output is not kept")
    chosen = options.parse_args()
    rounds, seconds = (1, 2.0) if chosen.quick else (chosen.rounds, chosen.seconds)
    seen = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in chosen.models.split(","):
            peers = chosen.peers.split(",") if chosen.peers else PEERS if name == NAMES[0] else PEERS[:5]
            seen[name] = measure(name, Path(folder, name), rounds=rounds, seconds=seconds, peers=frozenset(peers))
    if not chosen.quick:
        RESULTS.write_text(json.dumps(seen, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
