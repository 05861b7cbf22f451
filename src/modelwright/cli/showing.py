"""How the things of a registry look on a terminal: gates, entries of the log, what stages run.

For: the commands of the groups Share and Release. It prints to a console it is given, and asks nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from modelwright.registry.rollouts import shares_told, withdrawn

if TYPE_CHECKING:
    from rich.console import Console

    from modelwright.registry.audit import Entry
    from modelwright.registry.gates import GateResult
    from modelwright.registry.service import Promotion

_BIDIRECTIONAL = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
"""What lets a text run over the one beside it. Source: Unicode Annex 9, "Directional Formatting Characters"."""
TERMINAL_SAFE = str.maketrans(
    dict.fromkeys((*range(9), *range(11, 32), *range(127, 160), 0x2028, 0x2029, *_BIDIRECTIONAL), "�")
)
"""What a terminal would obey, for texts that others wrote into the registry."""


def plain(text: str) -> str:
    r"""Return a text that others wrote without what a terminal would obey.

    Example:
        >>> plain("fine\x1b[2J")
        'fine�[2J'
    """
    return text.translate(TERMINAL_SAFE)


def on_one_line(text: str) -> str:
    r"""Return a text that others wrote as a part of a line, so that nothing in it looks like another line.

    Example:
        >>> on_one_line("slow\n    7  promote   churn 9.9")
        'slow ⏎     7  promote   churn 9.9'
    """
    return plain(text).replace("\n", " ⏎ ")


def when(time: str) -> str:
    """Return a time for people, still UTC.

    Example:
        >>> when("2026-10-01T12:00:01.123456Z")
        '2026-10-01 12:00:01'
    """
    return time[:19].replace("T", " ")


def show_gates(gates: Sequence[GateResult], console: Console) -> None:
    """Show every gate with what was found and what is asked for, and below it what would make it pass."""
    from rich.table import Table
    from rich.text import Text

    table = Table("", "gate", "found", "asked for", box=None)
    for gate in gates:
        mark = Text("✓", "green") if gate.passed else Text("✗", "red")
        table.add_row(mark, Text(plain(gate.gate)), Text(plain(gate.value)), Text(plain(gate.threshold)))
    console.print(table)
    for gate in gates:
        if gate.hint and not gate.passed:
            console.print(f"  fix: {plain(gate.hint)}", markup=False, soft_wrap=True)


def show_promotion(done: Promotion, console: Console) -> None:
    """Show what a stage runs now, and what it ran before."""
    from rich.text import Text

    placed = done.placement
    if not done.changed:
        console.print(f"{placed.stage} runs {placed.project} {placed.version} already; nothing was moved", markup=False)
        return
    before = f"{done.replaced} → " if done.replaced else ""
    console.print(Text(f"{placed.project}: {placed.stage} runs {before}{placed.version}", "bold"), soft_wrap=True)
    console.print(f"sha256 {placed.digest}", style="dim", soft_wrap=True)
    if done.gates:
        show_gates(done.gates, console)


def show_entries(entries: Iterable[Entry], console: Console) -> None:
    """Show entries of the log, one a line; denied ones are marked."""
    from rich.text import Text

    for entry in entries:
        what = " ".join(filter(None, (entry.project, entry.version)))
        where = {"promote": f" → {entry.stage}", "rollback": f" ← {entry.stage}"}.get(entry.action, "")
        if not where and entry.stage:
            where = f" {'in' if entry.action == 'rollout' else 'for'} {entry.stage}"
        denied = entry.outcome == "denied"
        bad = denied or (entry.action == "rollout" and withdrawn(entry.detail))
        line = Text.assemble(
            (f"{entry.sequence:>5}  {when(entry.time)}  ", "dim"),
            (f"{'✗ DENIED ' if denied else '✗ ' if bad else ''}{entry.action:<9}", "red" if bad else "bold"),
            on_one_line(f" {what}{where}  by {entry.actor or 'nobody'}"),
            (" BROKE THE GLASS" if entry.detail.get("broke_glass") else "", "bold red"),
            on_one_line(f"  {entry.detail.get('kind', '')}" if entry.action == "evidence" else ""),
            on_one_line(_rollout(entry) if entry.action == "rollout" else ""),
            on_one_line(f"  for {entry.detail.get('user', '')}" if entry.action in ("token", "revoke") else ""),
            on_one_line(f"  “{entry.reason}”" if entry.reason else ""),
            on_one_line(f"  {entry.detail.get('what', '')}" if denied else ""),
        )
        console.print(line, soft_wrap=True)


def _rollout(entry: Entry) -> str:
    """Return what happened to a rollout, which share of the requests it had and has, and who asked the server for it.

    That is said only if it was not who wrote the entry, whom the line names already.
    """
    detail = entry.detail
    shares = shares_told(detail)
    told = f"  {detail.get('kind', '')} {detail.get('step', '')}{f', {shares}' if shares else ''}"
    return f"{told}, by {detail['by']}" if detail.get("by") not in (None, "", entry.actor) else told


def stages_text(stages: Mapping[str, str]) -> str:
    """Return what each stage runs, in one line.

    Example:
        >>> stages_text({"staging": "1.1.0", "production": "1.0.0"})
        'staging 1.1.0, production 1.0.0'
    """
    return ", ".join(f"{stage} {version}" for stage, version in stages.items())
