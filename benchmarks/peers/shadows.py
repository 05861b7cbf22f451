"""Models for ``serving_shadow.py``: one that answers, and three that do not once rows are those of the load.

Scenarios are below the line, so that every one of them can be captured, verified and warmed.
"""

from __future__ import annotations

import os
import signal
import time
from typing import Any

LINE = 1_000_000.0


def answers(rows: list[dict[str, Any]]) -> list[float]:
    """Answer."""
    return [row["x"] + 1 for row in rows]


def sleeps(rows: list[dict[str, Any]]) -> list[float]:
    """Answer rows of the load after ten seconds."""
    if any(row["x"] >= LINE for row in rows):
        time.sleep(10)
    return answers(rows)


def fails(rows: list[dict[str, Any]]) -> list[float]:
    """Raise on rows of the load."""
    if any(row["x"] >= LINE for row in rows):
        raise ValueError("a shadow fails")
    return answers(rows)


def killed(rows: list[dict[str, Any]]) -> list[float]:
    """Be killed by rows of the load."""
    if any(row["x"] >= LINE for row in rows):
        os.kill(os.getpid(), signal.SIGKILL)
    return answers(rows)
