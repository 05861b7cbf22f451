"""From the start of the process to the first answer: ours with its environment cached, MLServer, and a bare script.

The bare script imports scikit-learn and joblib, loads the model, and predicts once. All are pinned to one core and
byte-compiled, in turns. Run: ``python benchmarks/serving_start.py``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from statistics import median
from typing import Any

from registry_peers import SERVER_CORE
from serving_models import Subject, subject
from serving_peers import Server, in_process, mlserver, ours

RESULTS = Path(__file__).parent / "results" / "serving_start.json"
BARE = "import sklearn, joblib, numpy; m = joblib.load('model.joblib'); print(m.predict(numpy.zeros((1, {width}))))"


def bare(model: Subject, folder: Path) -> dict[str, float]:
    """Run the bare script."""
    variables = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    command = ["taskset", "-c", str(SERVER_CORE), sys.executable, "-c", BARE.format(width=len(model.fields))]
    before, begun = os.times(), time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True, env=variables)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return {"wall_s": time.perf_counter() - begun, "cpu_s": cpu}


def started(model: Subject, make: Callable[[], AbstractContextManager[Server]]) -> dict[str, float]:
    """Start a server and ask it once it is ready; ready and answer both count."""
    with make() as server:
        begun = time.perf_counter()
        where = f"http://127.0.0.1:{server.port}{server.asked.path}"
        body = server.asked.body(model.rows()[:1])
        request = urllib.request.Request(where, body, {"Content-Type": server.asked.media_type})
        with urllib.request.urlopen(request, timeout=60) as answer:
            server.asked.labels(json.load(answer))
        return {"wall_s": server.ready_s + time.perf_counter() - begun, "cpu_s": server.cpu_s()}


def measure(folder: Path, *, rounds: int) -> dict[str, list[dict[str, float]]]:
    """Start each in turns, the first turn fills the caches."""
    model = subject("cheap")
    model.write(folder)
    wheel = model.wheel(folder / "wheels")
    makers: dict[str, Callable[[], Any]] = {
        "modelwright": lambda: started(model, lambda: ours(model, wheel, folder=folder / "ours")),
        "modelwright in-process": lambda: started(model, lambda: in_process(model, wheel, folder / "in-process")),
        "bare script": lambda: bare(model, folder),
        "MLServer": lambda: started(model, lambda: mlserver(model, folder / "mlserver")),
        "MLServer in-process": lambda: started(model, lambda: mlserver(model, folder / "mlserver-0", workers=0)),
    }
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in makers}
    for number in range(rounds + 1):
        for name, make in makers.items():
            found = make()
            if number:
                seen[name].append(found)
    return seen


def main() -> None:
    """Measure, print, and keep the raw output."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=4)
    options.add_argument("--quick", action="store_true", help="one round; the raw output is not kept")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        seen = measure(Path(folder), rounds=1 if chosen.quick else chosen.rounds)
    print(f"{'start to first answer':<28}{'wall s':>9}{'CPU s':>9}{'ours ÷, wall':>14}{'÷, CPU':>9}")
    for name, runs in seen.items():
        wall, cpu = (median(run[key] for run in runs) for key in ("wall_s", "cpu_s"))
        pairs = list(zip(seen["modelwright"], runs, strict=True))
        ratios = [median(ours[key] / theirs[key] for ours, theirs in pairs) for key in ("wall_s", "cpu_s")]
        print(f"{name:<28}{wall:>9.2f}{cpu:>9.2f}{ratios[0]:>14.2f}{ratios[1]:>9.2f}")
    if not chosen.quick:
        RESULTS.write_text(json.dumps(seen, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
