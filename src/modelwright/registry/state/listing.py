"""Every project on one line, read once per change: who lists ten thousand projects mostly asks for the same again.

Called by :mod:`modelwright.registry.operating`. It holds what :func:`~.queries.load_summaries` gives, and its memory.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from modelwright.registry.projects import ProjectSummary
from modelwright.registry.state.queries import load_summaries, serial_of


class Listing:
    """The list of all projects, as of the last change to any of them."""

    def __init__(self) -> None:
        self._kept: tuple[int, tuple[ProjectSummary, ...]] = (0, ())

    def all(self, connection: Connection, stages: Collection[str]) -> tuple[ProjectSummary, ...]:
        """List every project, by name, with what these stages run."""
        serial = serial_of(connection) or 0
        known, kept = self._kept  # one tuple, so that two threads never see half of it
        if known != serial:
            kept = load_summaries(connection, stages)
            self._kept = (serial, kept)
        return kept


def matching(summaries: tuple[ProjectSummary, ...], search: str) -> tuple[ProjectSummary, ...]:
    """Return those whose name or summary contains a text, without case; all of them if it is empty."""
    wanted = search.casefold()
    return tuple(one for one in summaries if wanted in one.name or wanted in one.summary.casefold())
