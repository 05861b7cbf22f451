"""What it costs to start: import, the front page, a command; and what the core install weighs.

Each command runs in a fresh process, interleaved with a bare interpreter that is subtracted; CPU seconds of the
child (user + system), medians. The install goes into a fresh environment with uv, from a wheel built here.
Prints a table; the raw output goes to ``benchmarks/results/startup.json``.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import uv

ROOT = Path(__file__).resolve().parent.parent
BARE = "a bare interpreter"
COMMANDS = {
    BARE: ["-c", "pass"],
    "import modelwright": ["-c", "import modelwright"],
    "modelwright --help": ["-m", "modelwright", "--help"],
    "modelwright explain MW201": ["-m", "modelwright", "explain", "MW201"],
}
RESULTS = Path(__file__).parent / "results" / "startup.json"
REACH = {"import modelwright": 0.100, "modelwright --help": 0.4}


def cpu_seconds(arguments: list[str]) -> float:
    """Return the CPU time of one child process, seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def startup(rounds: int) -> dict[str, float]:
    """Return the median CPU time of each command, seconds; the rounds are interleaved."""
    seen: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds + 1):
        for name, arguments in COMMANDS.items():
            seen[name].append(cpu_seconds(arguments))
    return {name: statistics.median(values[1:]) for name, values in seen.items()}


def core_install(folder: Path) -> dict[str, float]:
    """Install the core into a fresh environment; return distributions and MB, with and without uv's binary."""
    tool = uv.find_uv_bin()
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": True}
    subprocess.run([tool, "build", "--wheel", "--out-dir", folder, ROOT], **quiet)
    subprocess.run([tool, "venv", "--python", sys.executable, folder / "venv"], **quiet)
    python = folder / "venv" / "bin" / "python"
    subprocess.run([tool, "pip", "install", "--python", python, *folder.glob("*.whl")], **quiet)
    site = next((folder / "venv" / "lib").glob("python*/site-packages"))
    everything = [path for path in (folder / "venv").rglob("*") if path.is_file() and not path.is_symlink()]
    binaries = sum(path.stat().st_size for path in everything if path.name in ("uv", "uvx"))
    installed = [path for path in everything if path.is_relative_to(site) or path.name in ("uv", "uvx")]
    total = sum(path.stat().st_size for path in installed)
    return {
        "distributions": len(list(importlib.metadata.distributions(path=[str(site)]))),
        "MB": round(total / 1e6, 1),
        "MB without uv's binaries": round((total - binaries) / 1e6, 1),
    }


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=30)
    chosen = options.parse_args()
    seconds = startup(chosen.rounds)
    print(f"{'CPU, median of ' + str(chosen.rounds):<30}{'seconds':>9}{'beyond bare':>13}{'reach':>9}")
    for name, value in seconds.items():
        reach = f"{REACH[name]:.3f}" if name in REACH else ""
        print(f"{name:<30}{value:>9.3f}{value - seconds[BARE]:>13.3f}{reach:>9}")
    with tempfile.TemporaryDirectory() as folder:
        core = core_install(Path(folder))
    print(f"core install: {', '.join(f'{value} {name}' for name, value in core.items())} (reach: 25, 60 MB)")
    raw = {"cpu_seconds": seconds, "core": core, "python": sys.version.split()[0], "cpus": os.cpu_count()}
    RESULTS.write_text(json.dumps(raw, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
