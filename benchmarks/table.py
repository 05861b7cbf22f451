"""Print the table of ``README.md`` from the raw output in ``results/``, so that no number is written by hand.

Run: ``.venv/bin/python benchmarks/table.py``.
"""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median
from typing import Any

from formats_table import formats
from serving_table import serving

RESULTS = Path(__file__).parent / "results"


def raw(name: str) -> Any:
    """Return what a script has written."""
    return json.loads((RESULTS / f"{name}.json").read_text("utf-8"))


def rows() -> list[tuple[str, str, str]]:
    """Return figure, reach and measurement."""
    startup, capture, wheel, load, verify = map(raw, ("startup", "capture", "wheel", "load", "verify"))
    predict = {case["case"]: case for case in raw("predict")}
    bare = startup["cpu_seconds"]["a bare interpreter"]
    cpu = {name: 1e3 * (value - bare) for name, value in startup["cpu_seconds"].items()}
    ours = {key: median(run[key] for run in capture["modelwright"]) for key in ("wall_s", "busy_s")}
    mlflow = median(run["wall_s"] for run in capture["mlflow"])
    wall = {name: median(run["wall_s"] for run in runs) for name, runs in wheel["build"].items()}
    build = wall["modelwright build"]
    peak = max(run["peak_mb"] for run in wheel["build"]["modelwright build"])
    one, thousand = predict["1 row NumPy, model of an array"], predict["1,000 rows DataFrame, logistic"]
    mixed = predict["1,000 rows mixed DataFrame, boosting"]
    loads = "; ".join(f"{item['format']} {item['wall']['ours_s'] / item['wall']['own_s']:.2f} ×" for item in load)
    core = startup["core"]
    return [
        ("`import modelwright`", "≤ 100 ms CPU", f"{cpu['import modelwright']:.0f} ms"),
        ("`modelwright --help`", "≤ 400 ms CPU", f"{1e3 * startup['cpu_seconds']['modelwright --help']:.0f} ms"),
        ("core install", "≤ 25 distributions, ≤ 60 MB", f"{core['distributions']}, {core['MB']} MB"),
        ("capture + build, imports excluded", "≤ 2 s", f"{ours['busy_s']:.2f} s ({ours['wall_s']:.2f} s with them)"),
        (
            "MLflow's save ÷ that",
            "≥ 10",
            f"{mlflow / ours['busy_s']:.1f} with our imports excluded, {mlflow / ours['wall_s']:.1f} with all included",
        ),
        ("wheel of 1 GB ÷ (cp + sha256sum)", "≤ 1.3", f"{build / wall['cp + sha256sum']:.2f}, peak {peak:.0f} MB"),
        ("hatchling ÷ wheel of 1 GB", "≥ 5", f"{wall['hatchling'] / build:.1f}"),
        ("load ÷ the format's own", "≤ 1.1 (+ 50 ms)", loads),
        ("one NumPy row, over the bare call", "≤ 60 µs", f"{one['overhead_us']:.0f} µs"),
        (
            "1,000 rows of a frame ÷ the bare call",
            "≤ 1.10",
            f"{thousand['ratio']:.2f}; mixed frame {mixed['ratio']:.2f}",
        ),
        ("verify, warm", "≤ 8 s", f"{verify['rows']['verify, warm']['wall_s']:.1f} s"),
        *projects(),
        *registry(),
        *canaries(),
        *serving(),
        *formats(raw),
    ]


def projects() -> list[tuple[str, str, str]]:
    """Return the rows about new projects and about notebooks."""
    scaffold, notebooks = raw("scaffold"), raw("notebooks")
    wall = {name: median(run[1] for run in runs) for name, runs in scaffold["seconds"].items()}
    cpu = {name: median(run[0] for run in runs) for name, runs in scaffold["seconds"].items()}
    longest = max((one for one in notebooks if "cells" in one), key=lambda one: one["cells"])
    good = [one for one in notebooks if one["expected"] == "equal"]
    equal = sum(one["outcome"] in ("equal", "close") for one in good)
    refused = sum(one["outcome"].startswith("refused") for one in notebooks if one["expected"] != "equal")
    seconds = f"{longest['convert_wall_s']:.2f} s for {longest['cells']} code cells"
    return [
        ("`modelwright new`", "≤ 1.5 s", f"{wall['new']:.2f} s; `--full` {wall['new --full']:.2f} s"),
        (
            "`make test` of a fresh default project",
            "≤ 30 s",
            f"{wall['make test']:.0f} s, {cpu['make test']:.0f} s CPU",
        ),
        ("files a newcomer reads in it", "≤ 10", str(scaffold["files_to_read"])),
        ("conversion without proof", "≤ 2 s for 100 cells", seconds),
        ("notebooks that run: equal measures", "≥ 80 %", f"{equal} of {len(good)}"),
        ("notebooks that cannot work: refused, with the cell", "100 %", f"{refused} of {len(notebooks) - len(good)}"),
    ]


def registry() -> list[tuple[str, str, str]]:
    """Return the rows about the registry."""
    pages, files, crash = raw("registry_pages"), raw("registry_files"), raw("registry_crash")
    latencies = {one["what"]: one for one in pages["latencies"]}
    page = latencies["project, JSON, the first time"]
    rates = {name: [row["per_cpu_s"] for row in rows] for name, rows in pages["throughput"].items()}
    devpi = median(ours / theirs for ours, theirs in zip(rates["modelwright"], rates["devpi-server"], strict=True))
    pip = files["pip_download"]
    ratio = median(ours / theirs for ours, theirs in zip(pip["modelwright"], pip["pypiserver"], strict=True))
    large = files["large"]
    runs = large["download_s"]
    speed = median(theirs[0] / ours[0] for ours, theirs in zip(runs["modelwright"], runs["nginx"], strict=True))
    start = [median(column) for column in zip(*files["start"], strict=True)]
    tried, neither = sum(one["tried"] for one in crash), sum(len(one["failures"]) for one in crash)
    return [
        ("registry: a project's page", "p99 ≤ 50 ms", f"p50 {page['p50_ms']:.1f}, p99 {page['p99_ms']:.1f} ms"),
        ("registry: project pages ÷ devpi's, per CPU second", "≥ 5", f"{devpi:.1f}"),
        ("registry: `pip download` ÷ from pypiserver", "≤ 1", f"{ratio:.2f}"),
        (
            "registry: 1 GB up and down",
            "+ ≤ 64 MB, ≥ 0.8 × nginx",
            f"+{large['rss_peak_mb'] - large['rss_before_mb']:.0f} MB, {speed:.2f} × nginx",
        ),
        ("registry: resolving", "< 10 KB", f"{max(files['resolving'].values()):,} bytes"),
        (
            "registry: `rollback`",
            "≤ 2 s",
            ", ".join(f"{how} {median(seconds):.1f} s" for how, seconds in files["rollback"].items()),
        ),
        ("registry: start", "≤ 3 s, ≤ 120 MB", f"{start[0]:.1f} s ({start[1]:.1f} s CPU), {start[2]:.0f} MB"),
        ("registry: power cuts and kills", "nothing half, nothing lost", f"{tried:,} tried, {neither} failures"),
    ]


def canaries() -> list[tuple[str, str, str]]:
    """Return the rows about the analysis of canaries."""
    raw_canaries = raw("serving_canary")

    def rolled_back(case: str) -> str:
        return f"{raw_canaries[case]['phases'].get('rolled back', 0):,} of {raw_canaries[case]['canaries']:,}"

    def soon(case: str) -> str:
        after = {int(intervals): count for intervals, count in raw_canaries[case]["intervals_until_rollback"].items()}
        return f"{rolled_back(case)}, {after.get(1, 0)} after one interval, none after more than {max(after)}"

    pauses = f"{rolled_back('alike, with pauses')} with pauses of a process"
    return [
        ("serving: canaries that are alike", "≤ 1 % rolled back", f"{rolled_back('alike, default steps')}; {pauses}"),
        ("serving: canaries with 5 % errors", "≤ 2 intervals", soon("5 % errors")),
        ("serving: canaries with p99 × 2", "found", soon("p99 × 2")),
        ("serving: canaries whose predictions shifted", "found", soon("log-odds + 1.2")),
    ]


def main() -> None:
    """Print the table."""
    print("| figure | reach | measured |\n| --- | --- | --- |")
    for row in rows():
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
