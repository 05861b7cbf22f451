"""How a rollout looks on a terminal: where it stands in a line, and what happened to it.

For: :mod:`.rollout`. What servers say is JSON that may be of another version than this one, so that nothing is relied
on to be there.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from modelwright.cli.showing import on_one_line

if TYPE_CHECKING:
    from rich.console import Console

Document = Mapping[str, Any]

ENDED = ("finished", "rolled back", "aborted", "ended")
"""Phases that nothing leaves."""
BAD = ("rolled back", "aborted")
MARKS = {"finished": "✓", "rolled back": "✗", "aborted": "✗"}


def phase(status: Document) -> str:
    """Return what a rollout does."""
    return str(status.get("phase") or "")


def line(status: Document) -> str:
    """Return where a rollout stands.

    Example:
        >>> line({"model": "churn", "kind": "canary", "version": "1.3.0", "control": "1.2.0", "share": 0.25,
        ...       "phase": "running"})
        'churn 1.3.0: canary at 25 %, running; the rest goes to 1.2.0'
    """
    new, old = status.get("version") or status.get("reference") or "", status.get("control") or ""
    text = f"{status.get('model', '')} {new}: {status.get('kind', 'rollout')}"
    if status.get("kind") != "shadow" and isinstance(status.get("share"), int | float):
        text += f" at {100 * status['share']:g} %"
    text += f", {phase(status)}" if phase(status) else ""
    left = _left(status.get("due_s"))
    text += f", next check in {left:.0f} s" if left and phase(status) not in ENDED else ""
    return on_one_line(text + (f"; the rest goes to {old}" if old else ""))


def _left(due_s: Any) -> float:
    return max(due_s - time.time(), 0.0) if isinstance(due_s, int | float) else 0.0


def happened(transition: Document) -> str:
    """Return one thing that happened to a rollout, in a line.

    Example:
        >>> happened({"time_s": 0, "what": "advanced", "before": 0.1, "after": 0.25, "reason": "No worse."})
        '00:00:00 UTC  10 % → 25 %  advanced: No worse.'
    """
    at = datetime.fromtimestamp(transition.get("time_s", 0.0), UTC)
    shares = [transition.get("before"), transition.get("after")]
    moved = " → ".join(f"{100 * one:g} %" for one in dict.fromkeys(shares) if isinstance(one, int | float))
    who = f" by {transition['actor']}" if transition.get("actor") else ""
    said = f"{at:%H:%M:%S} UTC  {moved}  {transition.get('what', '')}{who}: {transition.get('reason', '')}"
    return on_one_line(said)


def show(statuses: Mapping[str, Document], console: Console) -> None:
    """Show where rollouts stand, by the address of their server."""
    for url, status in statuses.items():
        if len(statuses) > 1:
            console.print(url, style="bold", markup=False)
        console.print(f"{MARKS.get(phase(status), '•')} {line(status)}", markup=False, soft_wrap=True)
        for transition in status.get("transitions") or ():
            console.print(f"  {happened(transition)}", markup=False, soft_wrap=True)
