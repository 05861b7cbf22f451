"""How fast pages of an index are: 10,000 projects × 10 releases, and against devpi on the same wheels.

Each server is pinned to one core, the client to another one. Latencies are those of a client that waits for each
answer; every project page of the large registry is asked for the first time (rendered) and again (kept). Throughput
is with 16 connections, in interleaved rounds, and is given per second of the server's CPU, too, which is what counts
on a machine that does other things. Prints tables; the raw output goes to ``benchmarks/results/registry_pages.json``.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from registry_of_size import make_registry
from registry_peers import Load, Served, ask, devpi, ours

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "registry"))
from registry_wheels import library_wheel

from modelwright.registry.operating.opening import open_local

RESULTS = Path(__file__).parent / "results" / "registry_pages.json"
JSON = "Accept: application/vnd.pypi.simple.v1+json\r\n"
ZIPPED = f"{JSON}Accept-Encoding: gzip\r\n"


def shown(what: str, load: Load) -> dict[str, Any]:
    """Print a row about latencies."""
    mean = load.bytes / len(load.latencies)
    cpu = 1e3 * load.cpu_s / len(load.latencies)
    print(f"{what:<44}{load.p50_ms:>9.2f}{load.p99_ms:>9.2f}{cpu:>9.2f}{mean:>12,.0f}", flush=True)
    return {"what": what, "p50_ms": load.p50_ms, "p99_ms": load.p99_ms, "cpu_ms": cpu, "n": len(load.latencies)}


def large(projects: int, asked: int, folder: Path) -> list[dict[str, Any]]:
    """Ask a large registry for pages of projects and for its lists."""
    make_registry(folder, projects)
    chosen = random.Random(1).sample(range(projects), min(asked, projects))
    pages = [f"/simple/model-{number:05d}/" for number in chosen]
    staged = [f"/production{page}" for page in pages]
    print(f"{projects:,} projects × 10 releases{'':<18}{'p50 ms':>9}{'p99 ms':>9}{'CPU ms':>9}{'bytes':>12}")
    with ours(folder) as served:
        return [
            shown("project, HTML, the first time", ask(served, pages)),
            shown("project, HTML, again", ask(served, pages)),
            shown("project, JSON, the first time", ask(served, pages, headers=JSON)),
            shown("project in a stage, JSON, the first time", ask(served, staged, headers=JSON)),
            shown("project, JSON, again, 16 at once", ask(served, pages, connections=16, headers=JSON)),
            shown("all names, HTML, the first time", ask(served, ["/simple/"] * 2)),
            shown("all names, JSON, gzip, again", ask(served, ["/simple/"] * 50, headers=ZIPPED)),
            shown("page for people, a model", ask(served, [f"/models/model-{one:05d}" for one in chosen[:100]])),
            shown("page for people, all models", ask(served, ["/"] * 10)),
        ]


def wheels_of(folder: Path, projects: int) -> list[Path]:
    """Make small wheels, ten releases of each project."""
    folder.mkdir()
    return [
        library_wheel(folder, f"1.{release}", name=f"lib{number:02d}")
        for number in range(projects)
        for release in range(10)
    ]


def fill(served: Served, wheels: Sequence[Path]) -> None:
    """Upload wheels to devpi."""
    where = served.index.replace("+simple/", "")
    command = [sys.executable, "-m", "twine", "upload", "--non-interactive", "-u", "root", "-p", ""]
    subprocess.run([*command, "--repository-url", where, *map(str, wheels)], check=True, stdout=subprocess.DEVNULL)


def throughput(rounds: int, requests: int, folder: Path) -> dict[str, list[dict[str, float]]]:
    """Ask each server for the pages of the same projects, in turns."""
    wheels = wheels_of(folder / "wheels", 20)
    registry = folder / "registry"
    registry.mkdir()
    (registry / "registry.toml").write_text("anonymous_read = true\n")
    service = open_local(registry, user="ann")
    for wheel in wheels:
        service.upload(wheel)
    service.close()
    seen: dict[str, list[dict[str, float]]] = {}
    with ExitStack() as stack:
        peers = [stack.enter_context(one) for one in (ours(registry), devpi(folder / "devpi"))]
        fill(peers[1], wheels)
        for number in range(rounds + 1):
            for served in peers:
                root = "/" + served.index.split("/", 3)[3]
                pages = [
                    f"{root}lib{one % 20:02d}/" for one in range(requests if served is peers[0] else requests // 5)
                ]
                load = ask(served, pages, connections=16)
                if number:  # the first round warms
                    row = {"per_s": load.per_s, "per_cpu_s": load.per_cpu_s, "p99_ms": load.p99_ms}
                    seen.setdefault(served.name, []).append(row)
    return seen


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--projects", type=int, default=10_000)
    options.add_argument("--asked", type=int, default=2_000)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--requests", type=int, default=5_000)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        latencies = large(chosen.projects, chosen.asked, Path(folder) / "large") if chosen.projects else []
        seen = throughput(chosen.rounds, chosen.requests, Path(folder))
    print(f"\n{'project page of 10 files':<28}{'per s':>10}{'per CPU s':>12}{'ours ÷':>9}")
    for name, rows in seen.items():
        ratio = median(our["per_cpu_s"] / row["per_cpu_s"] for our, row in zip(seen["modelwright"], rows, strict=True))
        per_s, per_cpu = (median(row[key] for row in rows) for key in ("per_s", "per_cpu_s"))
        print(f"{name:<28}{per_s:>10,.0f}{per_cpu:>12,.0f}{ratio:>9.1f}")
    RESULTS.write_text(json.dumps({"latencies": latencies, "throughput": seen}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
