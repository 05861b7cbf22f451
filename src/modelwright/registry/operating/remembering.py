"""Read and check the log.

Called by :class:`~.local.LocalService`. Entries are written by :meth:`~.desk.Desk.record`, in the transaction of what
they tell of.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from modelwright.registry.audit import AuditReport, Entry, Head, check_chain
from modelwright.registry.operating.desk import Desk, normal_name
from modelwright.registry.service import Selection
from modelwright.registry.state.database import head_of
from modelwright.registry.state.queries import load_entries

NO_LIMIT = 2**62


def history(desk: Desk, selection: Selection) -> Iterator[Entry]:
    """Read the log; whoever is bound to projects sees only those.

    Raises:
        NotAllowedError: The principal may not read the whole log, and names no project.
    """
    project = normal_name(selection.project) if selection.project else ""
    desk.allow("read" if project else "audit", project)
    with desk.state.read() as connection:
        yield from load_entries(connection, replace(selection, project=project))


def head(desk: Desk) -> Head:
    """Return the end of the log."""
    desk.allow("audit", "")
    with desk.state.read() as connection:
        return head_of(connection)


def check_audit(desk: Desk, expected: Head | None) -> AuditReport:
    """Check the whole log, in constant memory."""
    desk.allow("audit", "")
    with desk.state.read() as connection:
        return check_chain(load_entries(connection, Selection(limit=NO_LIMIT)), expected=expected)
