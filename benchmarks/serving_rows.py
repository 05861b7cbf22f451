"""1,000 rows per request: JSON and Arrow against MLServer, and against decoding and predicting with nothing around.

CPU of the whole server per request, one connection. The floor is what must be done at least, in one process on the
same core: msgspec and ``predict`` for JSON rows, pyarrow and ``predict`` for an Arrow stream; both include making the
array or the frame that the model takes. The bare echo of the same bodies is what it costs to receive them at all.
Run: ``python benchmarks/serving_rows.py``.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
from registry_peers import SERVER_CORE
from serving_load import bodies_of, hammer, interleaved, shown
from serving_models import Subject, subject
from serving_peers import ARROW, Server, arrow, echo, mlserver, ours
from threadpoolctl import threadpool_limits

RESULTS = Path(__file__).parent / "results" / "serving_rows.json"
SIZE = 1_000


def from_json(model: Subject) -> Callable[[bytes], Any]:
    """Return what decodes JSON rows and predicts."""
    dtypes = model.frame.dtypes.to_dict()

    def floor(body: bytes) -> Any:
        rows = msgspec.json.decode(body)["rows"]
        table = pd.DataFrame(rows).astype(dtypes) if model.framed else np.array([list(row.values()) for row in rows])
        return model.native.predict(table).tolist()

    return floor


def from_arrow(model: Subject) -> Callable[[bytes], Any]:
    """Return what decodes an Arrow stream and predicts."""

    def floor(body: bytes) -> Any:
        table = pa.ipc.open_stream(body).read_all()
        if model.framed:
            return model.native.predict(table.to_pandas()).tolist()
        return model.native.predict(np.column_stack([column.to_numpy() for column in table.columns])).tolist()

    return floor


def floor_us(floor: Callable[[bytes], Any], body: bytes, *, calls: int) -> float:
    """Return the median CPU time of a call, µs, on the core that servers have; with one thread, as they have."""
    os.sched_setaffinity(0, {SERVER_CORE})
    taken = []
    with threadpool_limits(1):  # threads that wait for each other on one core would count as work
        for _ in range(calls):
            begun = time.process_time_ns()
            floor(body)
            taken.append((time.process_time_ns() - begun) / 1e3)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    return median(taken)


def measure(name: str, folder: Path, *, rounds: int, seconds: float) -> dict[str, Any]:
    """Ask both servers in turns, and the floors between."""
    model = subject(name)
    wheel = model.wheel(folder / "wheels")
    floors: dict[str, list[float]] = {"json": [], "arrow": []}
    with ExitStack() as stack:
        served = stack.enter_context(ours(model, wheel, folder=folder / "ours"))
        asked = served.asked._replace(body=arrow(model), media_type=ARROW)
        streamed = served._replace(name="modelwright, Arrow", asked=asked)
        columns = served.asked._replace(body=by_column)
        servers: list[Server] = [served, served._replace(name="modelwright, columns", asked=columns), streamed]
        bare = stack.enter_context(echo())
        servers.append(bare._replace(name="bare echo, JSON"))
        servers.append(bare._replace(name="bare echo, Arrow", asked=asked._replace(path=bare.asked.path)))
        servers.append(stack.enter_context(mlserver(model, folder / "mlserver")))
        servers.append(stack.enter_context(mlserver(model, folder / "mlserver-in-process", workers=0)))
        bodies = {server.name: bodies_of(server, model, SIZE) for server in servers}

        def ask(server: Server) -> Any:
            if server is served:
                floors["json"].append(floor_us(from_json(model), bodies[served.name][0], calls=20))
                floors["arrow"].append(floor_us(from_arrow(model), bodies[streamed.name][0], calls=40))
            return hammer(server, bodies[server.name], connections=1, seconds=seconds)

        seen = interleaved(servers, ask, rounds=rounds)
    shown(f"{name}, 1,000 rows", seen)
    floors = {kind: taken[1:] for kind, taken in floors.items()}
    for kind, key in (("json", "modelwright"), ("arrow", "modelwright, Arrow")):
        over = median(row["cpu_us"] / one for row, one in zip(seen[key], floors[kind], strict=True))
        print(f"{kind}: {over:.2f} × decoding and predicting ({median(floors[kind]):,.0f} µs)")
    return {"servers": seen, "floors_us": floors}


def by_column(rows: Any) -> bytes:
    """Return the body with a list per column."""
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return json.dumps({"columns": columns}, separators=(",", ":")).encode()


def main() -> None:
    """Measure, print, and keep the raw output."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=2, help="of each turn")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--models", default="cheap,mixed")
    options.add_argument("--quick", action="store_true", help="one short round; the raw output is not kept")
    chosen = options.parse_args()
    rounds, seconds = (1, 2.0) if chosen.quick else (chosen.rounds, chosen.seconds)
    seen = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in chosen.models.split(","):
            seen[name] = measure(name, Path(folder, name), rounds=rounds, seconds=seconds)
    if not chosen.quick:
        RESULTS.write_text(json.dumps(seen, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
