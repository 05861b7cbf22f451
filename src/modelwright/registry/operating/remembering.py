"""Read and check the log.

Called by :class:`~.local.LocalService`. Entries are written by :meth:`~.desk.Desk.record`, in the transaction of what
they tell of.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from msgspec.structs import replace

from modelwright.errors import RequestError
from modelwright.registry.audit import Action, AuditReport, Entry, Head, check_chain
from modelwright.registry.operating.desk import Desk, did_you_mean, normal_name
from modelwright.registry.service import Selection
from modelwright.registry.state.database import head_of
from modelwright.registry.state.queries import load_entries, serial_of, version_like

NO_LIMIT = 2**62


def history(desk: Desk, selection: Selection) -> Iterator[Entry]:
    """Read the log; whoever is bound to projects sees only those.

    Raises:
        NotAllowedError: The principal may not read the whole log, and names no project.
        RequestError: There is no such action.
    """
    if selection.action and selection.action not in get_args(Action):
        actions = [*get_args(Action)]
        raise RequestError(
            f"There is no action {selection.action[:40]!r}.",
            why=f"They are {', '.join(actions)}.",
            hint=did_you_mean(selection.action, actions),
        )
    project = normal_name(selection.project) if selection.project else ""
    desk.allow("read" if project else "audit", project)
    with desk.state.read() as connection:
        version = version_like(connection, project, selection.version) if project else selection.version
        yield from load_entries(connection, replace(selection, project=project, version=version))


def head(desk: Desk) -> Head:
    """Return the end of the log."""
    desk.allow("audit", "")
    with desk.state.read() as connection:
        return head_of(connection)


def check_audit(desk: Desk, expected: Head | None) -> AuditReport:
    """Check the whole log, in constant memory; and that it reaches as far as what it tells of."""
    desk.allow("audit", "")
    with desk.state.read() as connection:
        report = check_chain(load_entries(connection, Selection(limit=NO_LIMIT)), expected=expected)
        told = serial_of(connection) or 0
    if told <= report.head.sequence:
        return report
    problem = f"the log ends at entry {report.head.sequence}; a project was changed by entry {told}, so it was cut"
    return replace(report, holds=False, problems=(*report.problems, problem))
