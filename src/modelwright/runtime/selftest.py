"""Prove the package where it is installed: scenarios, load time, latency, memory, as one report.

Called by the command line. Its report is what ``verify`` binds to the digest of a wheel.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any

from .documents import read_scenarios
from .encoding import decode_rows
from .errors import DataError
from .loading import load
from .model import Model
from .scenarios import Result, run_scenario

REPEATS = 50
"""A latency is the median of at most so many calls."""
BUDGET_S = 1.0
"""Measuring one latency takes about this long at most, seconds (but at least three calls)."""


def selftest(
    folder: Path, *, package: str, trust: Iterable[str] = (), scenarios: Path | None = None, answers: bool = False
) -> dict[str, Any]:
    """Load the model, run its scenarios, and measure it.

    Args:
        folder: The model folder.
        package: Import name of the package around it.
        trust: Types that the caller vouches for.
        scenarios: Other scenarios than those of the package.
        answers: Add the model's answers to the report.

    Returns:
        The report, plain data; times in seconds, memory in bytes.

    Raises:
        ModelwrightError: The package cannot be loaded, or the scenarios cannot be read.
    """
    start = time.perf_counter()
    model = load(folder, package=package, trust=trust)
    load_seconds = time.perf_counter() - start
    listed = read_scenarios(scenarios or folder / "scenarios.jsonl")
    results = [_held(model, scenario) for scenario in listed]
    rows = [row for scenario in listed if scenario["kind"] == "example" for row in scenario["inputs"]]
    return {
        "name": model.manifest["name"],
        "version": model.manifest["version"],
        "python": ".".join(map(str, sys.version_info[:3])),
        "passed": sum(result.passed for result in results),
        "failed": sum(not result.passed for result in results),
        "load_seconds": load_seconds,
        "predict_seconds": latencies(model, rows),
        "peak_rss_bytes": peak_rss_bytes(),
        "scenarios": [_reported(result, answers) for result in results],
    }


def _held(model: Model, scenario: dict[str, Any]) -> Result:
    """Run a scenario on the model as it answers, and where that is through a faster form, on the model itself too."""
    result = run_scenario(model, scenario)
    if model.reference is model or not result.passed:
        return result
    reference = run_scenario(model.reference, scenario)
    return result if reference.passed else reference


def _reported(result: Result, answers: bool) -> dict[str, Any]:
    report: dict[str, Any] = {
        "name": result.name,
        "kind": result.kind,
        "origin": result.origin,
        "passed": result.passed,
        "problems": result.problems,
    }
    if answers:
        report["answers"] = result.answers
        if result.answers is None:
            report["error"] = result.error or "; ".join(result.problems)
    return report


def latencies(model: Model, rows: list[dict[str, Any]]) -> dict[str, float]:
    """Return how long the first method takes for 1 and 1,000 rows, seconds, median of repeated calls.

    Args:
        model: The loaded model.
        rows: Rows of JSON values that fit; they are repeated to make 1,000. None gives no figures.
    """
    figures = {}
    for count in (1, 1000) if rows else ():
        try:
            figures[str(count)] = _latency(model, _tiled(model, rows, count))
        except DataError:  # a scenario may hold rows that the model refuses: its result says so already
            continue
    return figures


def _tiled(model: Model, rows: list[dict[str, Any]], count: int) -> Any:
    """Return that many rows in the container that the model was trained on: what a caller would send."""
    return model.fit_rows(decode_rows(list(islice(cycle(rows), count)), model.manifest["signature"]["inputs"])).rows


def _latency(model: Model, rows: Any) -> float:
    method, begin = model.methods[0], time.perf_counter()
    taken: list[float] = []
    model.call(method, rows)  # the first call pays for lazy imports
    while len(taken) < REPEATS and (len(taken) < 3 or time.perf_counter() - begin < BUDGET_S):
        start = time.perf_counter()
        model.call(method, rows)
        taken.append(time.perf_counter() - start)
    return median(taken)


def peak_rss_bytes() -> int | None:
    """Return the largest resident memory of this process so far, bytes; ``None`` where the platform does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)
