"""The rows about serving of the table that ``table.py`` prints, from the raw output of the scripts ``serving_*.py``."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median
from typing import Any

RESULTS = Path(__file__).parent / "results"


def serving() -> list[tuple[str, str, str]]:
    """Return the rows about serving; those of a script that has not run yet are left out."""
    makers = {
        "throughput": _throughput,
        "latency": _latency,
        "rows": _thousand,
        "start": _start,
        "mixups": _mixups,
        "changes": _changes,
        "overload": _overload,
        "shadow": _shadow,
    }
    there = {name: make for name, make in makers.items() if (RESULTS / f"serving_{name}.json").exists()}
    return [
        row
        for name, make in there.items()
        for row in make(json.loads((RESULTS / f"serving_{name}.json").read_text("utf-8")))
    ]


def _over(seen: Any, name: str, key: str, ours: str = "modelwright") -> float:
    """Return the median over rounds of ours ÷ theirs."""
    return median(our[key] / their[key] for our, their in zip(seen[ours], seen[name], strict=True))


def _mid(rows: Any, key: str) -> float:
    return median(row[key] for row in rows)


def _both(seen: Any, name: str) -> str:
    return f"{_over(seen, name, 'per_s'):.1f} × requests/s, {1 / _over(seen, name, 'cpu_us'):.1f} × per CPU second"


def _throughput(seen: Any) -> list[tuple[str, str, str]]:
    cheap, batching = seen["cheap"], "MLServer batching"
    ours = cheap["modelwright"]
    echo = f"{_over(cheap, 'bare echo', 'per_s'):.2f} requests/s, {1 / _over(cheap, 'bare echo', 'cpu_us'):.2f} per CPU"
    p99 = f"{_mid(ours, 'p99_ms'):.1f} ms (MLServer {_mid(cheap[batching], 'p99_ms'):.0f} ms)"
    at = f"{_mid(ours, 'per_s'):,.0f} per s, {_mid(ours, 'cpu_us'):.0f} µs CPU"
    return [
        ("serving: one row, 64 connections ÷ MLServer batching", "≥ 8", f"{_both(cheap, batching)} ({at})"),
        ("serving: the same ÷ MLflow", "≥ 15", _both(cheap, "MLflow")),
        ("serving: the same ÷ bare echo", "≥ 0.45", echo),
        ("serving: the same, p99", "≤ 25 ms", p99),
        *(
            (f"serving: {name} ÷ MLServer batching", "≥ 4.5", _both(seen[name], batching))
            for name in seen
            if name != "cheap"
        ),
    ]


def _latency(seen: Any) -> list[tuple[str, str, str]]:
    servers, bare = seen["servers"], seen["bare_ms"]
    added = {
        name: median(row["p50_ms"] - call for row, call in zip(servers[name], bare, strict=True))
        for name in ("modelwright", "modelwright in-process")
    }
    ratios = f"{1 / _over(servers, 'MLServer', 'p50_ms'):.1f}"
    inside = f"{1 / _over(servers, 'MLServer in-process', 'p50_ms', 'modelwright in-process'):.1f}"
    return [
        ("serving: 1 connection, MLServer's p50 ÷ ours", "≥ 3", f"{ratios}; both in-process {inside}"),
        (
            "serving: added to the bare call",
            "≤ 0.6 ms, in-process ≤ 0.4 ms",
            f"{added['modelwright']:.2f} ms, {added['modelwright in-process']:.2f} ms",
        ),
    ]


def _thousand(seen: Any) -> list[tuple[str, str, str]]:
    found = []
    for name, one in seen.items():
        servers, floors = one["servers"], one["floors_us"]
        over = {
            kind: median(row["cpu_us"] / floor for row, floor in zip(servers[key], floors[kind], strict=True))
            for kind, key in (("json", "modelwright"), ("arrow", "modelwright, Arrow"))
        }
        faster = _over(servers, "modelwright", "per_s", "modelwright, Arrow")
        columns = f"{_over(servers, 'MLServer', 'per_s', 'modelwright, columns'):.1f} × requests/s"
        received = median(row["cpu_us"] for row in servers["bare echo, Arrow"]) / median(floors["arrow"])
        what = f"serving: 1,000 rows, {name}"
        found += [
            (f"{what}, JSON ÷ MLServer", "≥ 2", f"{_both(servers, 'MLServer')}; by column {columns}"),
            (
                f"{what}, ÷ (decode + bare predict), CPU",
                "JSON ≤ 1.2, Arrow ≤ 1.05",
                f"{over['json']:.2f}, {over['arrow']:.2f} (to receive the Arrow body at all: {received:.2f})",
            ),
            (f"{what}, Arrow ÷ JSON", "≥ 4", f"{faster:.1f} × requests/s"),
        ]
    return found


def _start(seen: Any) -> list[tuple[str, str, str]]:
    bare, peer = _over(seen, "bare script", "wall_s"), 1 / _over(seen, "MLServer", "wall_s")
    said = f"{bare:.2f}; MLServer takes {peer:.1f} × as long"
    return [("serving: start to first answer ÷ bare script", "≤ 1.3; MLServer ≥ 1.5", said)]


def _mixups(seen: Any) -> list[tuple[str, str, str]]:
    return [("serving: mix-ups", "0 in 1,000,000", f"{seen['wrong']} in {seen['requests']:,}, {seen['failed']} failed")]


def _changes(seen: Any) -> list[tuple[str, str, str]]:
    changes, drains = seen["changes"], seen["drains"]
    reached = f"reached in {median(changes['took_s']):.1f} s, at most {max(changes['took_s']):.1f} s"
    return [
        (
            f"serving: {changes['changes']} promotions and rollbacks under load",
            "0 failed, ≤ 2 s",
            f"{changes['failed']} of {changes['requests']:,} failed; {reached}",
        ),
        (f"serving: {drains['drains']} × SIGTERM", "0 failed", f"{drains['failed']} of {drains['requests']:,} failed"),
    ]


def _overload(seen: Any) -> list[tuple[str, str, str]]:
    memory = seen["memory_mb"]
    flat = f"memory {memory[len(memory) // 3]:.0f} → {memory[-1]:.0f} MB"
    said = f"{seen['goodput']:.0%}, rejects p99 {seen['reject_p99_ms']:.0f} ms, {flat}"
    return [("serving: overload at 2 × capacity", "≥ 90 % of peak, rejects < 20 ms, memory flat", said)]


def _shadow(seen: Any) -> list[tuple[str, str, str]]:
    over = {name: _over(seen, "alone", "p99_ms", name) for name in seen if name != "alone"}
    failed = sum(row["failed"] for rows in seen.values() for row in rows)
    said = ", ".join(f"{name} {100 * (ratio - 1):+.0f} %" for name, ratio in over.items())
    return [("serving: a bad shadow: the callers' p99", "+ ≤ 2 %, 0 errors", f"{said}; {failed} errors")]
