"""Sixteen processes that do the same thing at the same moment; run as a script, in a process of its own.

Arguments: ``publish`` or ``promote``, then pairs of a registry's folder and what to publish or promote there. Each
pair gets a fork, which opens the registry, waits for the others, and goes. Prints a JSON list of what each one got:
``new``, ``there`` (identical bytes), ``moved``, ``stayed`` or the name of an error.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from modelwright.errors import ModelwrightError
from modelwright.registry.operating.local import LocalService
from modelwright.registry.operating.opening import open_local


def attempt(service: LocalService, verb: str, what: str) -> str:
    """Do it, and say what came of it."""
    try:
        if verb == "publish":
            return "new" if service.upload(Path(what)).new else "there"
        moved = service.promote("churn", what, to="production", reason="first", expected="")
        return "moved" if moved.changed else "stayed"
    except ModelwrightError as error:
        return type(error).__name__


def racer(verb: str, folder: str, what: str, start: int, results: int) -> None:
    """Open, wait, go, tell."""
    service = open_local(Path(folder), user=f"user{os.getpid()}")
    os.write(results, b"ready\n")
    os.read(start, 1)
    os.write(results, f"{attempt(service, verb, what)}\n".encode())
    os._exit(0)


def main(verb: str, *pairs: str) -> None:
    """Fork, let go, collect."""
    sys.path[0] = str(Path(__file__).parents[1])  # so that this package is found by its name
    from powercut.verbs import warm

    warm(*(Path(what) for what in pairs[1:2] if verb == "publish"))
    waiting, start = os.pipe()
    reading, results = os.pipe()
    number = len(pairs) // 2
    for folder, what in zip(pairs[::2], pairs[1::2], strict=True):
        if not os.fork():
            racer(verb, folder, what, waiting, results)
    os.close(results)
    with os.fdopen(reading) as lines:
        ready = [lines.readline().strip() for _ in range(number)]
        os.write(start, b"." * number)
        got = [line.strip() for line in lines]
    for _ in range(number):
        os.wait()
    assert ready == ["ready"] * number, ready
    print(json.dumps(got))


if __name__ == "__main__":
    main(*sys.argv[1:])
