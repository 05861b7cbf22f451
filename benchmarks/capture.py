"""Capture + build of a small scikit-learn pipeline against ``mlflow.sklearn.save_model`` with an input example.

Both sides run in processes and environments of their own, interleaved; the libraries are imported and the model is
fitted before the clock starts. Per round: wall time; CPU time of the process with its children; and, because both start
child processes that import the libraries once more (ours to prove the folder, MLflow's to infer requirements), the CPU
time of the process alone, which excludes those imports on both sides. ``busy_s`` is our wall time without the waiting.

Run: ``.venv/bin/python benchmarks/capture.py [--rounds 5]``. MLflow's environment is made with uv on first use in
the user's cache folder.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from uv import find_uv_bin

MLFLOW = Path.home() / ".cache" / "modelwright-bench" / "mlflow-env"
RESULTS = Path(__file__).parent / "results" / "capture.json"

FIT = """
import json, os, resource, sys, time
import numpy, pandas
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X_train, y_train)

def cpu():
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return [part.ru_utime + part.ru_stime for part in usage]

def report(start, cpu_start, waited=0.0):
    wall = time.perf_counter() - start
    own, children = (after - before for after, before in zip(cpu(), cpu_start))
    print(json.dumps({"wall_s": wall, "cpu_s": own + children, "own_cpu_s": own, "busy_s": wall - waited}))
"""

OURS = (
    FIT
    + """
import modelwright as mw
mw.capture, mw.build
import sklearn.metrics, skops.io, narwhals

waited = []
note = lambda step: waited.append(step.seconds) if step.name == "fresh process" else None
start, cpu_start = time.perf_counter(), cpu()
package = mw.capture(model, X_train, y_train, name="churn", version="1.0.0", evaluate=(X_test, y_test), to=sys.argv[1],
                     listener=note)
wheel = mw.build(package, sys.argv[1] + "/dist")
report(start, cpu_start, sum(waited))
"""
)

THEIRS = (
    FIT
    + """
import mlflow.sklearn

start, cpu_start = time.perf_counter(), cpu()
mlflow.sklearn.save_model(
    model, sys.argv[1] + "/model", input_example=X_train.head(5), serialization_format="cloudpickle"
)
report(start, cpu_start)
"""
)


def mlflow_python() -> Path:
    """Return the interpreter of MLflow's own environment, made on first use."""
    python = MLFLOW / "bin" / "python"
    if not python.exists():
        uv = find_uv_bin()
        subprocess.run([uv, "venv", "-q", "-p", sys.executable, MLFLOW], check=True)
        subprocess.run([uv, "pip", "install", "-q", "-p", python, "mlflow", "pandas", "scikit-learn"], check=True)
    return python


def measure(python: Path | str, script: str) -> dict[str, float]:
    """Run one side once in a fresh process and folder."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [python, "-W", "ignore", "-c", script, folder],
            cwd=folder,
            env={**os.environ, "GIT_PYTHON_REFRESH": "quiet"},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        sys.exit(done.stderr)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Interleave both sides and print a table made from the raw output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    sides = {"modelwright": (sys.executable, OURS), "mlflow": (mlflow_python(), THEIRS)}
    raw: dict[str, list[dict[str, float]]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, (python, script) in sides.items():
            raw[name].append(measure(python, script))
            print(name, raw[name][-1], flush=True)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(raw, indent=2) + "\n")
    keys = ("wall_s", "busy_s", "cpu_s", "own_cpu_s")
    median = {name: {key: statistics.median(run[key] for run in runs) for key in keys} for name, runs in raw.items()}
    for name, values in median.items():
        print(f"{name:12}" + "".join(f"  {key[:-2]} {values[key]:6.2f} s" for key in keys) + f"  (median of {rounds})")
    ours, theirs = median["modelwright"], median["mlflow"]
    ratios = {key: theirs["wall_s" if key == "busy_s" else key] / ours[key] for key in keys}
    print(f"{'ratio':12}" + "".join(f"  {key[:-2]} {ratio:6.1f}  " for key, ratio in ratios.items()))


if __name__ == "__main__":
    main()
