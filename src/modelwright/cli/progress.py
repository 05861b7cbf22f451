"""How an upload is shown while it runs: how much, how fast, how long still.

For: commands that send files. Shown on stderr once an upload takes longer than a second; on a terminal in one line
that is drawn over, elsewhere in a line now and then.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from modelwright.cli.output import Output, size

if TYPE_CHECKING:
    from modelwright.registry.client.transfers import Transfer, Watcher

PATIENCE_S = 1.0
"""Uploads that are faster are not worth a line, seconds."""
TERMINAL_EVERY_S = 0.1
ELSEWHERE_EVERY_S = 10.0


def upload_watcher(output: Output) -> Watcher | None:
    """Return what draws the progress of uploads; ``None`` if nothing shall be said."""
    if output.quiet or output.json:
        return None
    terminal = sys.stderr.isatty()
    shown_at = float("-inf")

    def watch(transfer: Transfer) -> None:
        nonlocal shown_at
        finished = transfer.done >= transfer.total
        if transfer.seconds < PATIENCE_S:
            return
        if not finished and time.monotonic() - shown_at < (TERMINAL_EVERY_S if terminal else ELSEWHERE_EVERY_S):
            return
        shown_at = time.monotonic()
        if terminal:
            print(f"\r\x1b[2K{line(transfer)}", end="\n" if finished else "", file=sys.stderr, flush=True)
        else:
            print(line(transfer), file=sys.stderr, flush=True)

    return watch


def line(transfer: Transfer) -> str:
    """Return how far an upload is, in one line.

    Example:
        >>> from modelwright.registry.client.transfers import Transfer
        >>> line(Transfer("churn-1.3.0-py3-none-any.whl", done=3 * 2**20, total=12 * 2**20, seconds=1.5))
        '  churn-1.3.0-py3-none-any.whl  25 %  3.0 MiB of 12.0 MiB  2.0 MiB/s  0:04 left'
    """
    share = 100 * transfer.done // transfer.total if transfer.total else 100
    text = f"  {transfer.name}  {share} %  {size(transfer.done)} of {size(transfer.total)}"
    text += f"  {size(int(transfer.rate))}/s"
    if transfer.done >= transfer.total:
        return text + "  sent; the registry checks it"
    remaining = transfer.remaining_s
    return text + (f"  {int(remaining) // 60}:{int(remaining) % 60:02d} left" if remaining is not None else "")
