"""What a package costs over the file of the library itself, per format: time, size, loading, asking.

Each format in its own environment (``tests/formats/apart``); native and package are loaded and asked in fresh
processes, interleaved, libraries imported before. Run: ``python benchmarks/formats.py [NAME …]``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "shared"))
import apart

CHILD = Path(__file__).with_name("formats_models.py")
RESULTS = Path(__file__).parent / "results" / "formats.json"
NAMES = ("xgboost", "lightgbm", "catboost", "onnx", "torch", "tensorflow")
ROUNDS = 5


def child(python: Path, *arguments: str) -> dict[str, Any]:
    """Run one measurement in a process of the format's environment."""
    command = [str(python), str(CHILD), *arguments]
    done = subprocess.run(command, env=apart.variables(), capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def measure(name: str) -> dict[str, Any]:
    """Measure one format."""
    python = apart.environment(apart.FOLDERS / name)
    with tempfile.TemporaryDirectory() as folder:
        made = child(python, name, "make", folder)
        subprocess.run([str(python), "-m", "compileall", "-q", f"{folder}/bench-1.0"], check=True)  # as pip does
        for which in ("native", "ours"):  # the first process remembers the digests
            child(python, name, which, folder)
        loads: dict[str, list[float]] = {"native": [], "ours": []}
        for _ in range(ROUNDS):
            for which, taken in loads.items():
                taken.append(child(python, name, which, folder)["load_s"])
        asked = {which: child(python, name, which, folder, "ask") for which in loads}
    result = made | {f"load_{which}_s": median(taken) for which, taken in loads.items()}
    for which, told in asked.items():
        result |= {f"{which}_{rows}": told[rows] for rows in ("rows_1_s", "rows_1000_s")}
    size, load = result["wheel_bytes"] / result["native_bytes"], result["load_ours_s"] / result["load_native_s"]
    print(
        f"{made['format']:13} capture {made['capture_s']:5.1f} s  build {made['build_s']:5.2f} s  "
        f"verify {made['verify_s']:5.1f} s  size × {size:.3f} of {made['native_bytes'] / 2**20:.1f} MiB  "
        f"load × {load:.2f} of {result['load_native_s'] * 1e3:.0f} ms  "
        f"1 row {result['ours_rows_1_s'] * 1e3:.2f} ({result['native_rows_1_s'] * 1e3:.2f}) ms  "
        f"1,000 rows {result['ours_rows_1000_s'] * 1e3:.1f} ({result['native_rows_1000_s'] * 1e3:.1f}) ms",
        file=sys.stderr,
    )
    return result


def main() -> None:
    """Measure every format, or those that are named; only a whole run is kept in ``results/formats.json``."""
    names = sys.argv[1:] or NAMES
    results = [measure(name) for name in names]
    if not sys.argv[1:]:
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
