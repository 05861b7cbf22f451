"""A model that does what its rows say: double a number, or raise, hang, die, answer too little or NaN."""

from __future__ import annotations

import math
import os
import signal
import sys
import time
from typing import Any


def double(rows: list[dict[str, Any]]) -> list[float]:
    """Answer twice ``x``, or behave as badly as ``what`` says."""
    answers = []
    for row in rows:
        what, x = row["what"], row["x"]
        if what == "raise":
            raise ValueError("broken in /opt/secret/place")
        if what == "hang":
            time.sleep(60)
        if what == "sleep":
            time.sleep(x)
        if what == "die":
            os._exit(7)
        if what == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        answers.append(math.nan if what == "nan" else 2 * x)
    return answers[:-1] if any(row["what"] == "short" for row in rows) else answers


def treble(rows: list[dict[str, Any]]) -> list[float]:
    """Answer three times ``x``, however it is asked; fail whenever it is asked to."""
    if any(row["what"] == "fails in version 2" for row in rows):
        raise ValueError("version 2 cannot do this")
    return [3 * row["x"] for row in rows]


def filled(rows: list[dict[str, Any]]) -> list[float]:
    """Answer ``x``, or 0 where it is missing."""
    return [0.0 if row["x"] is None else row["x"] for row in rows]


def some_words(rows: list[dict[str, Any]]) -> list[Any]:
    """Answer text, which is missing as pandas has it where ``x`` is negative."""
    return [math.nan if row["x"] < 0 else row["what"] for row in rows]


def some_objects(rows: list[dict[str, Any]]) -> list[Any]:
    """Answer objects, where ``x`` is negative with numbers in them that JSON has no word for."""
    return [{"held": {"x": (math.nan, math.inf) if row["x"] < 0 else [row["x"]]}} for row in rows]


def needs_more(rows: list[dict[str, Any]]) -> list[float]:
    """Need a column that nobody sends."""
    return [row["x"] + row["age"] for row in rows]


def answers_text(rows: list[dict[str, Any]]) -> list[str]:
    """Answer something else than a number."""
    return [str(row["x"]) for row in rows]


def forgets(rows: list[dict[str, Any]]) -> list[float]:
    """Answer something else when it is served than before, so that its scenarios do not hold."""
    return [row["x"] + sys.argv[0].endswith("loop.py") for row in rows]


def hangs(rows: list[dict[str, Any]]) -> list[float]:
    """Answer twice ``x``, or take a minute when it is told to."""
    if any(row["what"] == "hangs in version 9" for row in rows):
        time.sleep(60)
    return [2 * row["x"] for row in rows]


def dies(rows: list[dict[str, Any]]) -> list[float]:
    """Answer twice ``x``, or end its process when it is told to."""
    if any(row["what"] == "dies in version 9" for row in rows):
        os._exit(9)
    return [2 * row["x"] for row in rows]


def slow_to_load(rows: list[dict[str, Any]]) -> list[float]:
    """Take long for the scenarios when it is served."""
    if sys.argv[0].endswith("loop.py"):
        time.sleep(30)
    return [2 * row["x"] for row in rows]


def describe(rows: list[dict[str, Any]]) -> list[str]:
    """Answer text that depends on everything in a row."""
    return [
        f"{row['plan']} {row['age']} {row['score']} {row['member']} {row['since']} {row['seen']} {row['place']}"
        for row in rows
    ]
