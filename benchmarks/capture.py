"""Capture + build of a small scikit-learn pipeline against ``mlflow.sklearn.save_model`` with an input example.

Both sides run in processes and environments of their own, interleaved; the libraries are imported and the model is
fitted before the clock starts. Wall time, and CPU time of the process with its children, per round.

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
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime

def report(start, cpu_start):
    print(json.dumps({"wall_s": time.perf_counter() - start, "cpu_s": cpu() - cpu_start}))
"""

OURS = (
    FIT
    + """
import modelwright as mw
mw.capture, mw.build
import sklearn.metrics, skops.io, narwhals

steps = {}
start, cpu_start = time.perf_counter(), cpu()
package = mw.capture(model, X_train, y_train, name="churn", version="1.0.0", evaluate=(X_test, y_test), to=sys.argv[1])
wheel = mw.build(package, sys.argv[1] + "/dist")
report(start, cpu_start)
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
    median = {n: {k: statistics.median(r[k] for r in rs) for k in ("wall_s", "cpu_s")} for n, rs in raw.items()}
    for name, values in median.items():
        print(f"{name:12} wall {values['wall_s']:6.2f} s   cpu {values['cpu_s']:6.2f} s   (median of {rounds})")
    print(
        f"ratio        wall {median['mlflow']['wall_s'] / median['modelwright']['wall_s']:6.1f}     "
        f"cpu {median['mlflow']['cpu_s'] / median['modelwright']['cpu_s']:6.1f}"
    )


if __name__ == "__main__":
    main()
