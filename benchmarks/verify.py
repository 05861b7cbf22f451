"""What verifying a scikit-learn wheel costs over the floor: the same environment, import and prediction by hand.

One interleaved run: uv makes an environment from the same hashed lock and a bare process imports the libraries and
loads the model (the floor); ``verify`` does all of its work, the first time without remembered byte code (cold) and
then with it (warm). Wall and CPU seconds, children included. Run: ``python benchmarks/verify.py``.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import uv

from modelwright.building.build import build
from modelwright.inspecting.verify import verify

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "inspecting"))
from sklearn_packages import lock, write_iris

RESULTS = Path(__file__).parent / "results" / "verify.json"
ROUNDS = 5
BARE = "import sys, joblib, numpy; joblib.load(sys.argv[1]).predict(numpy.zeros((1, 4)))"


def clocked(work: Callable[[], Any]) -> tuple[float, float]:
    """Return the wall and CPU seconds of some work, those of its finished children included."""
    wall, before = time.perf_counter(), _cpu()
    work()
    return time.perf_counter() - wall, _cpu() - before


def _cpu() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def by_hand(requirements: Path, artifact: Path, folder: Path) -> None:
    """Make the environment and load the model without modelwright: what no verification can be faster than."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        env = Path(name) / "env"
        start = [uv.find_uv_bin(), "-q"]
        subprocess.run([*start, "venv", "-p", sys.executable, env], check=True)
        install = ["pip", "install", "-p", env / "bin" / "python", "--no-deps", "--require-hashes", "-r", requirements]
        subprocess.run([*start, *install], check=True)
        subprocess.run([env / "bin" / "python", "-I", "-c", BARE, artifact], check=True)


def main() -> None:
    """Measure; the table goes to standard error, JSON to standard output."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        os.environ["XDG_CACHE_HOME"] = str(root / "cache")
        os.environ.setdefault("UV_CACHE_DIR", str(Path.home() / ".cache" / "uv"))
        locked = lock(f"scikit-learn=={version('scikit-learn')}", folder=root)
        wheel = build(write_iris(root / "iris", locked), root)
        artifact = root / "iris" / "iris" / "model" / "artifacts" / "model.joblib"
        by_hand(root / "requirements.txt", artifact, root)
        times: dict[str, list[tuple[float, float]]] = {"by hand": [], "verify, warm": []}
        times["verify, cold byte code"] = [clocked(lambda: verify(wheel))]
        for _ in range(ROUNDS):
            times["by hand"].append(clocked(lambda: by_hand(root / "requirements.txt", artifact, root)))
            times["verify, warm"].append(clocked(lambda: verify(wheel)))
        steps = verify(wheel).seconds
    result = {"rounds": ROUNDS, "load": os.getloadavg(), "steps_s": steps, "rows": {}}
    for label, rows in times.items():
        wall, cpu = (round(median(row[place] for row in rows), 2) for place in (0, 1))
        result["rows"][label] = {"wall_s": wall, "cpu_s": cpu, "raw": rows}  # type: ignore[index]
        print(f"{label:24} {wall:7.2f} s wall {cpu:7.2f} s CPU", file=sys.stderr)
    RESULTS.write_text(json.dumps(result, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
