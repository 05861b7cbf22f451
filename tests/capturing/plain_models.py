"""Models that are plain Python; a module of its own, as a user would have it."""

from __future__ import annotations


def doubled(rows: list[dict[str, float]]) -> list[float]:
    """Double a number."""
    return [2.0 * row["x"] for row in rows]


_calls: list[int] = []


def remembering(rows: list[dict[str, float]]) -> list[float]:
    """Answer something else at every call."""
    _calls.append(1)
    return [row["x"] + len(_calls) for row in rows]


class Thresholded:
    """A model with state that is made without arguments."""

    def __init__(self) -> None:
        self.limit = 2.0

    def predict(self, rows: list[dict[str, float]]) -> list[bool]:
        """Say whether a number is above the limit."""
        return [row["x"] > self.limit for row in rows]
