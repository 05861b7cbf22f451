"""What callers notice of a shadow that sleeps ten seconds, raises, or is killed by every request: nothing.

The same model is served alone and with each shadow, four servers asked in turns at a rate that leaves the machine air;
every answer is looked at. Servers have all cores: a shadow that dies is started again, and that costs CPU somewhere.
Run: ``python benchmarks/serving_shadow.py``.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from serving_client import Paced, post
from serving_models import Subject
from serving_peers import PROGRAMS, Server, ours

import modelwright as mw

sys.path.insert(0, str(PROGRAMS))
import shadows

RESULTS = Path(__file__).parent / "results" / "serving_shadow.json"
SHADOWS: tuple[Callable[..., Any], ...] = (shadows.sleeps, shadows.fails, shadows.killed)


def wheel(model: Callable[..., Any], folder: Path, version: str) -> Path:
    """Package one of the models."""
    rows = [{"x": float(number)} for number in range(20)]
    package = mw.capture(model, rows, name="shadowed", version=version, to=folder / version)
    return mw.build(package, folder)


def requests(server: Server) -> Iterator[bytes]:
    """Make requests without end, all of the load."""
    for number in itertools.count():
        yield post(server.asked.path, server.asked.body([{"x": shadows.LINE + number}]))


def ask(server: Server, *, per_s: float, seconds: float) -> dict[str, Any]:
    """Ask one server for a while."""
    seen = Paced(server.port, requests(server), per_s=per_s).run(seconds)
    times = sorted(1e3 * one.seconds for one in seen)
    return {
        "requests": len(seen),
        "failed": sum(one.status != 200 for one in seen),
        "p50_ms": median(times),
        "p99_ms": times[int(0.99 * len(times))],
    }


def main() -> None:
    """Measure, print, and keep the raw output."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=4, help="of each turn")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--rate", type=float, default=300.0)
    options.add_argument("--quick", action="store_true", help="one short round; the raw output is not kept")
    chosen = options.parse_args()
    rounds, seconds = (1, 3.0) if chosen.quick else (chosen.rounds, chosen.seconds)
    subject = Subject("shadowed", shadows.answers, None, None)
    seen: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        control = wheel(shadows.answers, folder / "wheels", "1.0.0")
        servers = [stack.enter_context(ours(subject, control, folder=folder / "alone", name="alone", pinned=False))]
        for number, model in enumerate(SHADOWS, 1):
            other = wheel(model, folder / "wheels", f"2.{number}.0")
            made = ours(
                subject, control, folder=folder / model.__name__, shadow=other, name=model.__name__, pinned=False
            )
            servers.append(stack.enter_context(made))
        for number in range(rounds + 1):
            for server in servers:
                found = ask(server, per_s=chosen.rate, seconds=seconds)
                if number:
                    seen.setdefault(server.name, []).append(found)
    print(f"{'shadow':<12}{'requests':>10}{'failed':>8}{'p50 ms':>9}{'p99 ms':>9}{'p99 ÷ alone':>13}")
    for name, rows in seen.items():
        over = median(row["p99_ms"] / alone["p99_ms"] for row, alone in zip(rows, seen["alone"], strict=True))
        counts = f"{sum(row['requests'] for row in rows):>10,}{sum(row['failed'] for row in rows):>8}"
        p50, p99 = (median(row[key] for row in rows) for key in ("p50_ms", "p99_ms"))
        print(f"{name:<12}{counts}{p50:>9.2f}{p99:>9.2f}{over:>13.2f}")
    if not chosen.quick:
        RESULTS.write_text(json.dumps(seen, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
