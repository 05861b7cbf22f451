"""What a newcomer waits for: ``modelwright new``, and ``make test`` of a fresh default project.

``new`` runs in fresh processes, interleaved with a bare interpreter, against an index in a folder (a network's answer
is waited for at most one second, while the project is prepared): CPU and wall seconds, medians. ``make test`` makes the
project's environment from a warm uv cache, and is run on fresh projects: CPU and wall seconds of the whole.
Prints a table; the raw output goes to ``benchmarks/results/scaffold.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

BARE = "a bare interpreter"
SIZES = {"new --minimal": ["--minimal"], "new": [], "new --full": ["--full"]}
REACH = {"new --minimal": 1.5, "new": 1.5, "new --full": 1.5, "make test": 30.0}
RESULTS = Path(__file__).parent / "results" / "scaffold.json"


class Cost(NamedTuple):
    """What a command took, seconds."""

    cpu: float
    wall: float


def cost(command: list[str], folder: Path) -> Cost:
    """Run a command in a folder; return what it took."""
    environment = os.environ | {"UV_DEFAULT_INDEX": folder.as_uri()} if "modelwright" in command else os.environ
    environment = {name: value for name, value in environment.items() if name != "VIRTUAL_ENV"}
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, wall)


def creating(rounds: int, folder: Path) -> dict[str, list[Cost]]:
    """Return what creating a project of each size took, in interleaved rounds; the first one is dropped."""
    seen: dict[str, list[Cost]] = {name: [] for name in (BARE, *SIZES)}
    for number in range(rounds + 1):
        seen[BARE].append(cost([sys.executable, "-c", "pass"], folder))
        for name, options in SIZES.items():
            project = f"project-{number}-{len(options and options[0])}"
            seen[name].append(cost([sys.executable, "-m", "modelwright", "new", project, *options], folder))
    return {name: costs[1:] for name, costs in seen.items()}


def testing(rounds: int, folder: Path) -> list[Cost]:
    """Return what ``make test`` of fresh default projects took; the first one warms uv's cache and is dropped."""
    costs = []
    for number in range(rounds + 1):
        subprocess.run(
            [sys.executable, "-m", "modelwright", "new", f"fresh-{number}", "--quiet"],
            cwd=folder,
            env=os.environ | {"UV_DEFAULT_INDEX": folder.as_uri()},
            capture_output=True,
            check=True,
        )
        costs.append(cost(["make", "test"], folder / f"fresh-{number}"))
    return costs[1:]


def files_to_read(project: Path) -> int:
    """Return how many files the project's README asks a newcomer to read."""
    found = re.search(r"reads (\d+) files", (project / "README.md").read_text("utf-8"))
    return int(found[1]) if found else 0


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--test-rounds", type=int, default=2)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        seen = creating(chosen.rounds, Path(folder))
        seen["make test"] = testing(chosen.test_rounds, Path(folder))
        read = files_to_read(Path(folder) / "fresh-0")
    print(f"{'median':<22}{'CPU s':>8}{'wall s':>9}{'reach':>8}")
    for name, costs in seen.items():
        cpu, wall = (statistics.median(values) for values in zip(*costs, strict=True))
        print(f"{name:<22}{cpu:>8.2f}{wall:>9.2f}{REACH.get(name, ''):>8}")
    print(f"{'files to read':<22}{read:>8}{'':>9}{10:>8}")
    raw = {"seconds": seen, "files_to_read": read, "python": sys.version.split()[0], "cpus": os.cpu_count()}
    RESULTS.write_text(json.dumps(raw, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
