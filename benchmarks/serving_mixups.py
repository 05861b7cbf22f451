"""Do rows come back to their own requests? 1,000,000 requests, each of other rows, every answer compared.

64 connections, one to seven rows per request, batched as they come. The model answers a number that names request and
row, computed exactly, so that any answer in a wrong place, or of a wrong row, differs.
Run: ``python benchmarks/serving_mixups.py``.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from serving_client import ask_all, post
from serving_models import SEED, numbered
from serving_peers import Server, ours

RESULTS = Path(__file__).parent / "results" / "serving_mixups.json"
ROW = '{"x0":%d,"x1":%d,"x2":%d,"x3":0.5}'


class Row(msgspec.Struct):
    prediction: float


class Answer(msgspec.Struct):
    predictions: list[Row]


def sizes(count: int) -> list[int]:
    """Return how many rows each request has."""
    drawn = random.Random(SEED)
    return [drawn.randint(1, 7) for _ in range(count)]


def asked(path: str, rows: list[int]) -> Iterator[tuple[int, bytes]]:
    """Make the requests: row ``x1`` of request ``x0``."""
    for number, size in enumerate(rows):
        listed = ",".join([ROW % (number, place, number % 97) for place in range(size)])
        yield number, post(path, f'{{"rows":[{listed}]}}'.encode())


def compare(server: Server, count: int, connections: int) -> dict[str, Any]:
    """Ask, and count what is not as it must be."""
    rows = sizes(count)
    wrong, failed, decode = list[int](), list[int](), msgspec.json.Decoder(Answer).decode
    answered = 0

    def check(number: int, status: int, body: bytes) -> None:
        nonlocal answered
        answered += 1
        if status != 200:
            failed.append(number)
        elif [one.prediction for one in decode(body).predictions] != [
            number + 2.0**24 * place for place in range(rows[number])
        ]:
            wrong.append(number)

    cpu = server.cpu_s()
    seconds = ask_all(server.port, asked(server.asked.path, rows), check, connections=connections)
    return {
        "requests": answered,
        "rows": sum(rows),
        "connections": connections,
        "wrong": len(wrong),
        "failed": len(failed),
        "seconds": seconds,
        "cpu_s": server.cpu_s() - cpu,
    }


def main() -> None:
    """Ask, print, and keep the raw output."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--requests", type=int, default=1_000_000)
    options.add_argument("--connections", type=int, default=64)
    options.add_argument("--quick", action="store_true", help="20,000 requests; the raw output is not kept")
    chosen = options.parse_args()
    model = numbered()
    with tempfile.TemporaryDirectory() as folder:
        wheel = model.wheel(Path(folder, "wheels"))
        with ours(model, wheel, folder=Path(folder, "ours")) as server:
            seen = compare(server, 20_000 if chosen.quick else chosen.requests, chosen.connections)
    print(
        f"{seen['requests']:,} requests, {seen['rows']:,} rows: {seen['wrong']} wrong, {seen['failed']} failed", end=""
    )
    print(
        f"; {seen['requests'] / seen['seconds']:,.0f} per s, {1e6 * seen['cpu_s'] / seen['requests']:.0f} µs CPU each"
    )
    if not chosen.quick:
        RESULTS.write_text(json.dumps(seen, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
