"""How a rollout looks on a terminal: where it stands in a line, and what happened to it.

For: :mod:`.rollout`. It prints to a console that it is given, and asks nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from modelwright.cli.showing import on_one_line, plain

if TYPE_CHECKING:
    from rich.console import Console

    from modelwright.serving.rollout.states import Phase, Transition
    from modelwright.serving.rollout.status import Status

BAD: tuple[Phase, ...] = ("rolled back", "aborted")
MARKS: dict[Phase, str] = {"finished": "✓", "rolled back": "✗", "aborted": "✗"}

SHOWN = 10
"""So many of the last things that happened are shown."""


def line(status: Status) -> str:
    """Return where a rollout stands.

    Example:
        >>> from modelwright.serving.rollout.status import Status
        >>> line(Status(model="churn", reference="churn==1.3.0", kind="canary", control="control", variant="canary",
        ...             phase="running", share=0.25, next_check_s=12.2))
        'churn: canary of churn==1.3.0 at 25 %, running; next check in 13 s'
    """
    text = f"{status.model}: {status.kind} of {status.reference} at {100 * status.share:.4g} %, {status.phase}"
    if status.next_check_s is not None:
        text += f"; next check in {math.ceil(status.next_check_s)} s"
    if status.inconclusive and status.next_check_s is not None:
        text += f", too little seen in {status.inconclusive} so far"
    return on_one_line(text)


def happened(transition: Transition) -> str:
    """Return one thing that happened to a rollout, in a line.

    Example:
        >>> from modelwright.serving.rollout.states import Transition
        >>> happened(Transition(time_s=0, what="advanced", before=0.1, after=0.25, phase="running", reason="No worse."))
        '00:00:00 UTC  10 % → 25 %  advanced: No worse.'
    """
    at = datetime.fromtimestamp(transition.time_s, UTC)
    moved = " → ".join(f"{100 * one:.4g} %" for one in dict.fromkeys((transition.before, transition.after)))
    who = f" by {transition.actor}" if transition.actor else ""
    return on_one_line(f"{at:%H:%M:%S} UTC  {moved}  {transition.what}{who}: {transition.reason}")


def show(statuses: Mapping[str, Status], console: Console) -> None:
    """Show where rollouts stand, by the address of their server."""
    for url, status in statuses.items():
        if len(statuses) > 1:
            console.print(url, style="bold", markup=False)
        console.print(f"{MARKS.get(status.phase, '•')} {line(status)}", markup=False, soft_wrap=True)
        if len(status.history) > SHOWN:
            console.print(f"  … {len(status.history) - SHOWN} before", markup=False)
        for transition in status.history[-SHOWN:]:
            console.print(f"  {happened(transition)}", markup=False, soft_wrap=True)
        if status.differences is not None:
            console.print(plain(str(status.differences)), markup=False, soft_wrap=True)
