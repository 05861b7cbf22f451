"""What loading a package costs over the format's own load: fresh processes, interleaved, medians of wall and CPU time.

Ours is interpreter, pins, digests, audit and load; the format's own is what its documentation says to call. Both
import the same libraries. Run: ``python benchmarks/load.py``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from modelwright.adapters.formats.joblib import FORMAT as JOBLIB
from modelwright.adapters.formats.skops import FORMAT as SKOPS
from modelwright.capturing.formats import Format

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "runtime"))
from model_folders import pin, write_model

RESULTS = Path(__file__).parent / "results" / "load.json"
ROUNDS = 7
CLOCK = """
import time, sys
wall, cpu = time.perf_counter(), time.process_time()
{body}
print(time.perf_counter() - wall, time.process_time() - cpu)
"""
OWN = {
    "joblib": "import joblib; joblib.load(r'{file}')",
    "skops": "import skops.io as s; f = r'{file}'; s.load(f, trusted=s.get_untrusted_types(file=f))",
}


def seconds(body: str, where: Path) -> tuple[float, float]:
    """Run some code in a fresh process; return the wall and CPU seconds it took."""
    command = [sys.executable, "-c", CLOCK.format(body=body)]
    done = subprocess.run(command, cwd=where, capture_output=True, text=True, check=True)
    wall, cpu = map(float, done.stdout.split())
    return wall, cpu


def compare(form: Format, root: Path) -> dict[str, object]:
    """Measure one format."""
    rng = np.random.default_rng(0)
    model = RandomForestClassifier(100, random_state=0).fit(rng.normal(size=(500, 10)), rng.integers(0, 2, 500))
    saved = root / "saved"
    saved.mkdir(parents=True)
    options = form.save(model, saved, package="bench").options
    signature = {
        "inputs": [{"name": f"x{i}", "datatype": "float64"} for i in range(10)],
        "outputs": [{"name": "label", "datatype": "int64"}],
        "container": "numpy",
        "array_dtype": "float64",
    }
    write_model(
        root,
        signature,
        name="bench",
        loader=form.loader.read_text(),
        artifacts={path.name: path.read_bytes() for path in saved.iterdir()},
        dependencies=[pin("scikit-learn"), pin("numpy"), *map(pin, form.distributions)],
        options=options,
    )
    own = OWN[form.name].format(file=max(saved.iterdir(), key=lambda path: path.stat().st_size))
    rounds = [(seconds(own, root), seconds("import bench; bench.load()", root)) for _ in range(ROUNDS)]
    result: dict[str, object] = {"format": form.name}
    for place, clock in enumerate(("wall", "cpu")):
        base, ours = median(pair[0][place] for pair in rounds), median(pair[1][place] for pair in rounds)
        result[clock] = {"own_s": round(base, 3), "ours_s": round(ours, 3), "over_ms": round(1e3 * (ours - base), 1)}
        print(f"{form.name:8}{clock:5}{base:8.3f} s {ours:8.3f} s  {1e3 * (ours - base):+7.1f} ms", file=sys.stderr)
    return result


def main() -> None:
    """Measure every format; the table goes to standard error, the raw output to ``results/load.json``."""
    with tempfile.TemporaryDirectory() as folder:
        results = [compare(form, Path(folder, form.name)) for form in (JOBLIB, SKOPS)]
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
